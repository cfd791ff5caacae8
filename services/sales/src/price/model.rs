//! A price and what makes one valid.

use trato_pricing::{Quantity, UnitPrice};
use trato_types::{Id, id::Collection};

use crate::{decimal::Exact, price_list::PriceList, product::Product};

/// What a product costs in a price list from a quantity on.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// The list.
    pub price_list: Id<PriceList>,
    /// The product.
    pub product: Id<Product>,
    /// How much must be bought, zero or more; with list and product unique among the living.
    pub min_quantity: Exact<Quantity>,
    /// Price of `per`, zero or more, in units of the list's currency.
    pub unit_price: Exact<UnitPrice>,
    /// How much the price is for, above zero.
    pub per: Exact<Quantity>,
}

impl Collection for Price {
    const COLLECTION: &'static str = "prices";
}
