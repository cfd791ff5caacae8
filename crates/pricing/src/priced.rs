//! A document with its amounts: what is stored, printed, sent as EN 16931, and credited one day.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use trato_types::{Currency, Minor};

use crate::{Key, Prices, Quantity, TaxKey, Trace, Withholding};

/// A document whose amounts are known.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Priced {
    /// Currency of every amount.
    pub currency: Currency,
    /// Whether it was priced with the taxes included.
    pub prices: Prices,
    /// The lines, in the order of the document.
    pub lines: Vec<PricedLine>,
    /// The charges, in the order of the document.
    pub charges: Vec<Amounts>,
    /// What each discount of the document takes, as it is priced.
    pub discounts: Vec<Minor>,
    /// The taxes by code, category and rate, in this order (BG-23).
    pub groups: Vec<TaxGroup>,
    /// What is withheld, by code and rate.
    pub withheld: Vec<WithheldGroup>,
    /// The totals.
    pub totals: Totals,
    /// How all of it came about.
    pub trace: Trace,
}

/// A line whose amounts are known.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PricedLine {
    /// How much is sold.
    pub quantity: Quantity,
    /// Quantity times price, as it is priced.
    pub base: Minor,
    /// What each adjustment of the line changed, as it is priced; a discount is below zero.
    pub adjustments: Vec<Minor>,
    /// The base with its adjustments, as it is priced.
    pub priced: Minor,
    /// Its share of each discount of the document, as it is priced.
    pub discounts: Vec<Minor>,
    /// Without tax and before the discounts of the document (BT-131).
    pub line_net: Minor,
    /// Its share of the discounts of the document, without tax.
    pub discount_net: Minor,
    /// After all discounts.
    pub amounts: Amounts,
}

/// What a line or a charge comes to after all discounts. Net and taxes are the gross.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Amounts {
    /// Names the line or charge.
    pub key: Key,
    /// Without tax.
    pub net: Minor,
    /// Its share of each tax, in the order of their keys.
    pub taxes: Vec<TaxAmount>,
    /// With tax.
    pub gross: Minor,
    /// Its share of what is withheld, in the order of their keys.
    pub withheld: Vec<WithheldAmount>,
}

/// A share of a tax.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TaxAmount {
    /// Which tax.
    pub key: TaxKey,
    /// How much of it.
    pub amount: Minor,
}

/// A share of what is withheld.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct WithheldAmount {
    /// Which withholding.
    pub key: Withholding,
    /// How much of it.
    pub amount: Minor,
}

/// Everything that is taxed alike.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TaxGroup {
    /// Which tax, category and rate (BT-118, BT-119).
    pub key: TaxKey,
    /// Why no tax is due; each reason once (BT-120).
    pub reasons: Vec<Arc<str>>,
    /// Net amounts of the lines before the discounts of the document.
    pub lines: Minor,
    /// Discounts of the document (BT-92 of this category and rate).
    pub discounts: Minor,
    /// Charges of the document (BT-99 of this category and rate).
    pub charges: Minor,
    /// Lines less discounts plus charges (BT-116).
    pub basis: Minor,
    /// The tax on it (BT-117).
    pub tax: Minor,
}

/// Everything of which the same share is withheld.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct WithheldGroup {
    /// Which withholding.
    pub key: Withholding,
    /// The net amount it is withheld of.
    pub basis: Minor,
    /// How much.
    pub amount: Minor,
}

/// Net and tax of a group, where nothing more is asked of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct GroupTotal {
    /// Which tax, category and rate.
    pub key: TaxKey,
    /// The net amount.
    pub basis: Minor,
    /// The tax on it.
    pub tax: Minor,
}

/// The totals of EN 16931 (BG-22), and what is withheld.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Totals {
    /// Sum of the lines without tax (BT-106).
    pub lines: Minor,
    /// Sum of the discounts of the document without tax (BT-107).
    pub discounts: Minor,
    /// Sum of the charges of the document without tax (BT-108).
    pub charges: Minor,
    /// Total without tax (BT-109).
    pub net: Minor,
    /// Total of the taxes (BT-110).
    pub tax: Minor,
    /// Total with tax (BT-112).
    pub gross: Minor,
    /// What the buyer withholds; the standard knows no such thing, so a document for it takes it off by other means.
    pub withheld: Minor,
    /// What was paid before (BT-113).
    pub prepaid: Minor,
    /// What rounding adds to what is due (BT-114).
    pub rounding: Minor,
    /// What is due (BT-115).
    pub due: Minor,
}

impl Priced {
    /// Lines, then charges.
    pub fn items(&self) -> impl Iterator<Item = &Amounts> {
        self.lines.iter().map(|line| &line.amounts).chain(&self.charges)
    }
}
