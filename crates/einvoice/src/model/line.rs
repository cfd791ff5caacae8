//! What is sold.

use trato_pricing::{Quantity, UnitPrice};
use trato_types::{Date, Minor};

use super::{Adjustment, ClassList, Country, Scheme, Unit, Vat};
use crate::{Paragraph, Text};

/// A line (BG-25).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Its number within the document (BT-126).
    pub number: Text,
    /// A note on it (BT-127).
    pub note: Option<Paragraph>,
    /// How much is sold (BT-129).
    pub quantity: Quantity,
    /// Unit of the quantity (BT-130), and of what the price is for (BT-150).
    pub unit: Unit,
    /// What it comes to without tax, with its own allowances and charges (BT-131).
    pub net: Minor,
    /// The line of the buyer's order (BT-132).
    pub order_line: Option<Text>,
    /// Where the buyer books it (BT-133).
    pub buyer_account: Option<Text>,
    /// The time it is for (BG-26).
    pub period: Period,
    /// What is taken off (BG-27).
    pub allowances: Vec<Adjustment>,
    /// What is put on (BG-28).
    pub charges: Vec<Adjustment>,
    /// The price (BG-29).
    pub price: Price,
    /// How it is taxed (BG-30).
    pub vat: Vat,
    /// What it is (BG-31).
    pub item: Item,
}

/// A price without tax (BG-29). It is below zero never (BR-27, BR-28); a quantity may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Price {
    /// After the discount on it (BT-146).
    pub net: UnitPrice,
    /// The discount within it.
    pub discount: Option<PriceDiscount>,
    /// How much it is for: 1, 100, 1000 (BT-149).
    pub per: Quantity,
}

/// A discount that is within a price, and not shown by an allowance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PriceDiscount {
    /// How much (BT-147).
    pub amount: UnitPrice,
    /// The price before it (BT-148).
    pub gross: UnitPrice,
}

/// What is sold (BG-31).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// What it is called (BT-153).
    pub name: Text,
    /// More about it (BT-154).
    pub description: Option<Paragraph>,
    /// What the seller calls it (BT-155).
    pub seller_id: Option<Text>,
    /// What the buyer calls it (BT-156).
    pub buyer_id: Option<Text>,
    /// What everybody calls it, by a scheme such as GTIN (BT-157, BR-64).
    pub standard_id: Option<StandardId>,
    /// What sort of thing it is (BT-158).
    pub classes: Vec<Class>,
    /// Where it comes from (BT-159).
    pub origin: Option<Country>,
    /// Properties by name and value (BG-32).
    pub properties: Vec<(Text, Text)>,
}

/// An identifier of goods with its scheme.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StandardId {
    /// Who gives such identifiers: `0160` for GTIN.
    pub scheme: Scheme,
    /// The identifier.
    pub value: Text,
}

/// A classification with the list it is of (BT-158, BR-65).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Class {
    /// The list.
    pub list: ClassList,
    /// Version of the list.
    pub version: Option<Text>,
    /// The class.
    pub code: Text,
}

/// A time from day to day, both included; everything may be left open.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Period {
    /// First day (BT-73, BT-134).
    pub first: Option<Date>,
    /// Last day (BT-74, BT-135).
    pub last: Option<Date>,
}

impl Price {
    /// A price for one.
    pub const fn new(net: UnitPrice) -> Self {
        Self { net, discount: None, per: Quantity::ONE }
    }
}

impl Item {
    /// Something that has no more than a name.
    pub const fn new(name: Text) -> Self {
        Self {
            name,
            description: None,
            seller_id: None,
            buyer_id: None,
            standard_id: None,
            classes: Vec::new(),
            origin: None,
            properties: Vec::new(),
        }
    }
}

impl Line {
    /// So much of something at a price for one.
    pub const fn new(
        number: Text,
        (quantity, unit): (Quantity, Unit),
        (price, net): (UnitPrice, Minor),
        vat: Vat,
        item: Item,
    ) -> Self {
        Self {
            number,
            note: None,
            quantity,
            unit,
            net,
            order_line: None,
            buyer_account: None,
            period: Period { first: None, last: None },
            allowances: Vec::new(),
            charges: Vec::new(),
            price: Price::new(price),
            vat,
            item,
        }
    }
}

impl Period {
    /// True when nothing is told.
    pub const fn is_open(self) -> bool {
        self.first.is_none() && self.last.is_none()
    }
}
