//! Price lists with quantity breaks; the narrowest list that has the product gives the price.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use trato_types::Currency;

use super::{Occasion, Period, Scope};
use crate::{
    Key, Prices, PricingError, Quantity, Trace, UnitPrice,
    trace::{Datum, Rule, Subject},
};

/// Prices of products.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PriceList {
    /// Names the list.
    pub key: Key,
    /// Currency of the prices.
    pub currency: Currency,
    /// Whether they include taxes.
    pub prices: Prices,
    /// When it is valid.
    pub valid: Period,
    /// For whom.
    pub scope: Scope,
    /// Of two lists of one scope the one with the higher priority is asked first.
    pub priority: i32,
    /// The prices, several for a product where more of it costs less.
    pub items: Vec<ListPrice>,
}

/// The price of a product from a quantity on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ListPrice {
    /// Which product.
    pub product: Key,
    /// How much must be bought, over all lines of the product.
    pub min_quantity: Quantity,
    /// The price of `per`.
    pub unit_price: UnitPrice,
    /// How much the price is for.
    pub per: Quantity,
}

/// A list that is asked, its prices by product.
pub(super) struct Asked<'a> {
    key: &'a Key,
    prices: HashMap<&'a Key, Vec<&'a ListPrice>>,
}

impl<'a> Asked<'a> {
    fn new(list: &'a PriceList) -> Self {
        let mut prices: HashMap<_, Vec<_>> = HashMap::new();
        for item in &list.items {
            prices.entry(&item.product).or_default().push(item);
        }
        Self { key: &list.key, prices }
    }
}

/// The lists that can be used on the occasion, in the order in which they are asked.
pub(super) fn in_order<'a>(occasion: &Occasion, lists: &'a [PriceList], trace: &mut Trace) -> Vec<Asked<'a>> {
    let mut order: Vec<&PriceList> = lists.iter().collect();
    order.sort_by(|a, b| (a.scope.rank(), b.priority, &a.key).cmp(&(b.scope.rank(), a.priority, &b.key)));
    order.retain(|list| {
        let reason = if list.currency != occasion.currency {
            "its currency is another"
        } else if list.prices != occasion.prices {
            "it is not equally with or without tax"
        } else if !list.valid.holds(occasion.date) {
            "it is not valid on the day"
        } else if !list.scope.holds(occasion) {
            "it is not for this customer, segment or channel"
        } else {
            return true;
        };
        let inputs = [("list", Datum::text(&list.key))];
        trace.step(Rule::Skipped, Subject::Document, inputs, Datum::Text(reason.into()));
        false
    });
    order.into_iter().map(Asked::new).collect()
}

/// The price of a product when so much of it is bought: in the first list that has one, that of the highest break. What is
/// taken back has the price of what is bought.
pub(super) fn find<'a>(
    product: &Key,
    in_all: Quantity,
    line: &Key,
    lists: &[Asked<'a>],
    trace: &mut Trace,
) -> Result<&'a ListPrice, PricingError> {
    let bought = in_all.max(in_all.negated());
    for list in lists {
        let of_product = list.prices.get(product).into_iter().flatten();
        let reached = of_product.filter(|item| item.min_quantity <= bought);
        // Of two prices for one break the lower one counts, wherever it stands.
        let best = reached
            .max_by(|a, b| (a.min_quantity, b.unit_price, a.per).cmp(&(b.min_quantity, a.unit_price, b.per)));
        if let Some(item) = best {
            let inputs = [
                ("list", Datum::text(list.key)),
                ("quantity", Datum::Quantity(bought)),
                ("from", Datum::Quantity(item.min_quantity)),
                ("per", Datum::Quantity(item.per)),
            ];
            trace.step(Rule::ListPrice, Subject::Line(line.clone()), inputs, Datum::Price(item.unit_price));
            return Ok(item);
        }
    }
    Err(PricingError::PriceMissing)
}
