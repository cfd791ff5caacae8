//! What is priced: lines with their discounts, discounts and charges of the whole, and how the taxes are rounded.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use trato_types::{Currency, Minor};

use crate::{Percent, Quantity, Tax, UnitPrice, Withholding};

/// Names a line or a charge within its document, for ever: shares are told apart by it, not by the place of the line.
pub type Key = Arc<str>;

/// A quote, a cart, an order or an invoice before its amounts are known.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Document {
    /// Currency of every amount.
    pub currency: Currency,
    /// Whether prices, amounts of discounts and charges include the tax.
    pub prices: Prices,
    /// How often the tax is rounded.
    pub tax_rounding: TaxRounding,
    /// What is sold; at least one.
    pub lines: Vec<Line>,
    /// Discounts of the whole, each on what the ones before it left.
    pub discounts: Vec<DocumentDiscount>,
    /// Freight, packaging, fees.
    pub charges: Vec<Charge>,
    /// What was paid before.
    pub prepaid: Minor,
    /// Smallest amount that can be paid, in minor units: 5 in Swiss cash. What is due is rounded to a multiple of it.
    pub smallest_payment: Minor,
}

/// Whether a price includes the tax.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Prices {
    /// Taxes come on top.
    Net,
    /// Taxes are within, and what the buyer pays never changes by them.
    TaxInclusive,
}

/// How often the tax is rounded; a policy of the legal entity, stored with the document.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaxRounding {
    /// Once for each group of the document (EN 16931, BR-CO-17); the lines share it.
    Group,
    /// Once for each line; groups are sums. Validators of EN 16931 admit the difference as long as it is below one.
    Line,
}

/// Something that is sold.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Line {
    /// Names the line.
    pub key: Key,
    /// How much.
    pub quantity: Quantity,
    /// The price of `per`.
    pub unit_price: UnitPrice,
    /// How much the price is for: 1, 100, 1000 (BT-149).
    pub per: Quantity,
    /// Discounts and charges of the line, each on what the ones before it left.
    pub adjustments: Vec<Adjustment>,
    /// Its taxes; at least one, even where none is due.
    pub taxes: Vec<Tax>,
    /// What the buyer withholds of it.
    pub withheld: Vec<Withholding>,
}

/// Something taken off the amount of a line, or put on it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Adjustment {
    /// Off or on.
    pub kind: AdjustmentKind,
    /// How much.
    pub value: Value,
    /// Why (BT-139, BT-144).
    pub reason: Arc<str>,
}

/// Off or on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AdjustmentKind {
    /// Taken off.
    Discount,
    /// Put on.
    Charge,
}

/// A share of an amount, or an amount by itself. The amount has the sign of what it changes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// So much of a hundred.
    Percent(Percent),
    /// So many minor units.
    Amount(Minor),
}

/// Something taken off the whole, or off some lines of it; the lines share it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DocumentDiscount {
    /// How much.
    pub value: Value,
    /// Why (BT-97).
    pub reason: Arc<str>,
    /// The lines it is for; all of them when empty.
    pub lines: Vec<Key>,
}

/// Something put on the whole that is taxed by itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Charge {
    /// Names it; no line has the same key.
    pub key: Key,
    /// How much; a percentage is of all lines after their discounts.
    pub value: Value,
    /// Why (BT-104).
    pub reason: Arc<str>,
    /// Its taxes; at least one.
    pub taxes: Vec<Tax>,
    /// What the buyer withholds of it.
    pub withheld: Vec<Withholding>,
}

impl Document {
    /// A document without lines, with prices before tax and one rounding for each group.
    pub fn new(currency: Currency) -> Self {
        Self {
            currency,
            prices: Prices::Net,
            tax_rounding: TaxRounding::Group,
            lines: Vec::new(),
            discounts: Vec::new(),
            charges: Vec::new(),
            prepaid: Minor(0),
            smallest_payment: Minor(1),
        }
    }
}

impl Line {
    /// So much of something at a price for one, with one tax.
    pub fn new(key: &str, quantity: Quantity, unit_price: UnitPrice, tax: Tax) -> Self {
        Self {
            key: key.into(),
            quantity,
            unit_price,
            per: Quantity::ONE,
            adjustments: Vec::new(),
            taxes: vec![tax],
            withheld: Vec::new(),
        }
    }
}

impl Adjustment {
    /// A discount.
    pub fn discount(value: Value, reason: &str) -> Self {
        Self { kind: AdjustmentKind::Discount, value, reason: reason.into() }
    }

    /// A charge.
    pub fn charge(value: Value, reason: &str) -> Self {
        Self { kind: AdjustmentKind::Charge, value, reason: reason.into() }
    }
}
