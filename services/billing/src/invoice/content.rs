//! What an invoice is made of: who is invoiced, lines and discounts. They are stored as JSON and are part of what is hashed,
//! so that the order of their fields is kept for ever. Pure.

use serde::{Deserialize, Serialize};
use trato_pricing::{Balance, Priced, Quantity, UnitPrice, Value};
use trato_types::{Address, Id};
use uuid::Uuid;

use crate::{
    fields::Code,
    tax_code::{Category, TaxCode},
};

/// Who is invoiced, as it stands on the document.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Party {
    /// Name in full; empty only of an invoice that was taken over without.
    pub display_name: String,
    /// Number by which an authority knows it; may be empty.
    pub tax_id: String,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<Address>,
}

/// Numbers by which others know what is invoiced; each may be empty.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Numbers {
    /// By which who is invoiced finds it (BT-10).
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub buyer_reference: String,
    /// Of the customer's own order (BT-13).
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub purchase_order: String,
    /// Of the order in sales (BT-14).
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub sales_order: String,
    /// Of the delivery note (BT-16).
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub delivery_note: String,
}

/// The lines of an invoice: 1 to 1,100, each with a key of its own.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Lines(pub Vec<Line>);

/// Something that is invoiced.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Line {
    /// Names the line within the invoice.
    pub key: String,
    /// The product, if it is one; in sales.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub product: Option<Uuid>,
    /// What it is.
    pub description: String,
    /// How much.
    pub quantity: Quantity,
    /// Unit of measure; may be empty.
    pub unit: String,
    /// Price of one.
    pub unit_price: UnitPrice,
    /// Each on what the charges and the ones before it left.
    pub discounts: Vec<Discount>,
    /// Line of the document it came from; may be empty.
    pub source_line: String,
    /// How it is taxed.
    pub taxes: Vec<LineTax>,
    /// Put on before anything is taken off, each on what the ones before it came to.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub charges: Vec<Charge>,
}

/// A tax of a line: the code that the client named, and what it was on the day of supply.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct LineTax {
    /// The tax code.
    pub tax_code: Uuid,
    /// What it was; nothing before the invoice is priced.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub applied: Option<AppliedTax>,
}

/// A tax code on a day.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct AppliedTax {
    /// Its code.
    pub code: Code,
    /// Which tax it is.
    pub tax: Code,
    /// How the line is taxed.
    pub category: Category,
    /// The rate.
    pub percent: trato_pricing::Percent,
    /// What the document says about it; may be empty.
    pub legal_note: String,
}

/// Something taken off an amount.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Discount {
    /// How much.
    pub value: Value,
    /// Why; may be empty.
    pub reason: String,
}

/// Something put on the amount of a line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Charge {
    /// How much.
    pub value: Value,
    /// Why; may be empty.
    pub reason: String,
}

/// Discounts of the whole.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Discounts(pub Vec<Discount>);

/// The amounts of an invoice, without the steps that led to them; none before it is priced.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Amounts(pub Option<Priced>);

/// What is left of an invoice after its credits; none before the first.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Left(pub Option<Balance>);

impl Lines {
    /// Most lines of an invoice: those of the largest document of sales, its charges, and what promotions give with it.
    pub const MAX: usize = 1100;
    /// Most taxes of a line.
    pub const MAX_TAXES: usize = 5;
}

impl Discounts {
    /// Most discounts of a line, or of the whole.
    pub const MAX: usize = 10;
}

impl Charge {
    /// Most charges of a line.
    pub const MAX: usize = 20;
}

impl LineTax {
    /// A tax that a client named.
    pub fn of(tax_code: Id<TaxCode>) -> Self {
        Self { tax_code: tax_code.uuid(), applied: None }
    }

    /// The code that the client named.
    pub fn id(&self) -> Id<TaxCode> {
        Id::from_uuid(self.tax_code)
    }
}
