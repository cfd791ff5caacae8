//! A product and what makes one valid.

use trato_types::{Currency, DisplayName, Minor, id::Collection};

/// A good or service that is sold or bought.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Unique among the living.
    pub display_name: DisplayName,
    /// Stock-keeping unit; unique among the living when there is one.
    pub sku: Option<String>,
    /// Family of products; may be empty.
    pub series: String,
    /// What it is.
    pub kind: Kind,
    /// Suggested price of one unit, zero or more, in the minor unit of `currency`; both or neither.
    pub list_price: Option<Minor>,
    /// Currency of `list_price`.
    pub currency: Option<Currency>,
    /// Can be sold.
    pub sellable: bool,
    /// Can be bought.
    pub purchasable: bool,
    /// Anything else.
    pub description: String,
}

/// What a product is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A thing.
    Good,
    /// Work done.
    Service,
}

impl Collection for Product {
    const COLLECTION: &'static str = "products";
}
