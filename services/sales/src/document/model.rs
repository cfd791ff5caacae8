//! A document of sales: what is wanted, on which terms, and what it costs. Pure.

use serde::{Deserialize, Serialize};
use trato_pricing::{DocumentDiscount, Key, TaxRounding, Totals};
use trato_types::{Currency, Date, Id, Minor, Ref};

use crate::{
    foreign::{Account, PaymentTerm},
    price_list::{Inclusion, PriceList},
    pricing::{Frozen, Question, Wanted, WantedCharge},
};

/// What a quote, a cart or an order is about. It is stored as JSON: what is added one day has a default.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Document {
    /// Currency of every amount; one that exists.
    pub currency: Currency,
    /// Its day, where one is said.
    pub date: Option<Date>,
    /// Market segment the one who buys is in.
    pub segment: Option<String>,
    /// Where it is bought.
    pub channel: Option<String>,
    /// Whether its prices include taxes, where it is said.
    pub prices: Option<Inclusion>,
    /// The one list to take prices from.
    pub price_list: Option<Id<PriceList>>,
    /// Codes that are handed in, each once.
    pub coupons: Vec<Key>,
    /// What is sold: 1 to 1,000 lines, each with a key of its own.
    pub lines: Vec<Line>,
    /// Discounts of the whole.
    pub discounts: Vec<DocumentDiscount>,
    /// Charges of the whole.
    pub charges: Vec<WantedCharge>,
    /// How often the tax is rounded.
    pub tax_rounding: TaxRounding,
    /// Smallest amount that can be paid, in minor units.
    pub smallest_payment: Minor,
    /// On which terms.
    pub terms: Terms,
    /// What it costs; nothing before it is written for the first time.
    pub priced: Option<Frozen>,
}

#[cfg(test)]
impl Document {
    /// One of nothing in this currency.
    pub fn empty(currency: Currency) -> Self {
        Self {
            currency,
            date: None,
            segment: None,
            channel: None,
            prices: None,
            price_list: None,
            coupons: Vec::new(),
            lines: Vec::new(),
            discounts: Vec::new(),
            charges: Vec::new(),
            tax_rounding: TaxRounding::Group,
            smallest_payment: Minor(1),
            terms: Terms::default(),
            priced: None,
        }
    }
}

/// Something that is sold.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Line {
    /// Product, quantity, agreed price, adjustments and choices; the quantity is above zero.
    pub wanted: Wanted,
    /// What stands on the document in place of the product's name; may be empty.
    pub description: String,
    /// Day by which it is promised.
    pub promised_date: Option<Date>,
}

/// What a document says beside its lines.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Terms {
    /// When it is to be paid, in billing.
    pub payment_term: Option<Ref<PaymentTerm>>,
    /// About payment; may be empty.
    pub payment: String,
    /// About delivery; may be empty.
    pub delivery: String,
    /// Text; may be empty.
    pub note: String,
}

impl Document {
    /// What is asked to price it: for whom, and on which day.
    pub fn question(&self, account: Option<Ref<Account>>, date: Date) -> Question {
        Question {
            account,
            segment: self.segment.clone(),
            channel: self.channel.clone(),
            currency: self.currency,
            date,
            prices: self.prices,
            price_list: self.price_list,
            coupons: self.coupons.clone(),
            lines: self.lines.iter().map(|line| line.wanted.clone()).collect(),
            discounts: self.discounts.clone(),
            charges: self.charges.clone(),
            tax_rounding: self.tax_rounding,
            prepaid: Minor(0),
            smallest_payment: self.smallest_payment,
        }
    }

    /// The totals; zero before it is priced.
    pub fn totals(&self) -> Totals {
        self.priced.as_ref().map(|priced| priced.priced.totals).unwrap_or_default()
    }
}
