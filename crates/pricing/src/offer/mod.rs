//! What is offered to whom: prices from lists, then promotions, give the lines of a document (DOC-10, DOC-11, MDM-07).
//!
//! Lists and promotions are input, as are the day and the customer: a draft of a promotion can be tried on past orders,
//! and the active ones give the same answer again.

mod list;
mod promotion;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use trato_types::{Currency, Date, Minor, Result, Violations, error::FieldError};

use self::list::Asked;
pub use self::{
    list::{ListPrice, PriceList},
    promotion::{Condition, Effect, Promotion},
};
use crate::{
    Document, Key, Line, Priced, Prices, PricingError, Quantity, Tax, Trace, UnitPrice, Withholding, line,
    trace::{Datum, Rule, Subject},
};

/// Who buys, when, where and in what money.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Occasion {
    /// Currency of the document.
    pub currency: Currency,
    /// Whether its prices include taxes.
    pub prices: Prices,
    /// Day on which lists and promotions must be valid.
    pub date: Date,
    /// Who buys; nobody for the cart of a visitor.
    pub account: Option<Key>,
    /// Market segment the one who buys is in.
    pub segment: Option<Key>,
    /// Where: `portal`, `phone`.
    pub channel: Option<Key>,
    /// Codes that were handed in.
    pub coupons: Vec<Key>,
}

/// A line somebody wants, before it has a price.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Wish {
    /// Names the line.
    pub key: Key,
    /// What is wanted.
    pub product: Key,
    /// How much of it.
    pub quantity: Quantity,
    /// A price that was agreed on, for one; it stands over all lists.
    pub agreed: Option<UnitPrice>,
    /// Taxes of the product for this customer.
    pub taxes: Vec<Tax>,
    /// What the buyer withholds of it.
    pub withheld: Vec<Withholding>,
}

/// From when until when, both days included; open where there is none.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Period {
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub until: Option<Date>,
}

/// For whom: every list that is not empty must hold the one who asks.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Scope {
    /// Accounts.
    pub accounts: Vec<Key>,
    /// Market segments.
    #[serde(default)]
    pub segments: Vec<Key>,
    /// Channels.
    pub channels: Vec<Key>,
}

/// The lines of a document, and what the promotions gave.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Offer {
    /// The document: lines in the order of the wishes, then those that are given away. Charges, discounts by hand and
    /// whatever else belongs to it are put in before it is priced.
    pub document: Document,
    /// What each promotion that applied gives, by key: what its budget has less when the offer is taken.
    pub given: Vec<Given>,
    /// Coupons that no promotion took.
    pub unused_coupons: Vec<Key>,
    /// Of each wish what it comes to by the lists, as they are priced, where a price was agreed on and a list has one.
    #[serde(default)]
    pub listed: Vec<Option<Minor>>,
    /// How it came about.
    pub trace: Trace,
}

/// What a promotion gives.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Given {
    /// Which promotion.
    pub promotion: Key,
    /// How much, as it is priced.
    pub amount: Minor,
}

impl Period {
    /// True when the day is within it.
    pub fn holds(&self, date: Date) -> bool {
        self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date <= until)
    }
}

impl Scope {
    pub(crate) fn holds(&self, occasion: &Occasion) -> bool {
        let admits = |list: &[Key], one: &Option<Key>| {
            list.is_empty() || one.as_ref().is_some_and(|one| list.contains(one))
        };
        admits(&self.accounts, &occasion.account)
            && admits(&self.segments, &occasion.segment)
            && admits(&self.channels, &occasion.channel)
    }

    /// The narrower, the sooner: an account's own, then a segment's, then a channel's, then everybody's.
    pub(crate) fn rank(&self) -> [bool; 3] {
        [self.accounts.is_empty(), self.segments.is_empty(), self.channels.is_empty()]
    }
}

/// Makes the lines of a document from wishes: prices by the narrowest list that has one, then promotions in their order.
/// The order of lists, promotions and wishes changes nothing but the order of lines.
pub fn offer(
    occasion: &Occasion,
    lists: &[PriceList],
    promotions: &[Promotion],
    wishes: &[Wish],
) -> Result<Offer> {
    let mut faults = Violations::new();
    for (at, coupon) in occasion.coupons.iter().enumerate() {
        if occasion.coupons[..at].contains(coupon) {
            let fault = PricingError::CouponTwice;
            faults.add(format!("coupons[{at}]"), FieldError::reason(&fault), fault.to_string());
        }
    }
    let mut trace = Trace::new(occasion.currency);
    let lists = list::in_order(occasion, lists, &mut trace);
    // A line that is parted in two costs what it did before.
    let mut in_all: HashMap<&Key, Result<Quantity, PricingError>> = HashMap::new();
    for wish in wishes {
        let sum = in_all.entry(&wish.product).or_insert(Ok(Quantity::ZERO));
        *sum = sum.and_then(|sum| sum.plus(wish.quantity));
    }
    let mut lines = Vec::with_capacity(wishes.len());
    for (at, wish) in wishes.iter().enumerate() {
        let in_all = in_all.get(&wish.product).copied().unwrap_or(Ok(wish.quantity));
        let line = price_wish(wish, in_all, &lists, &mut trace);
        lines.extend(faults.keep(&format!("lines[{at}]"), line));
    }
    if !faults.is_empty() {
        return Err(faults.into_error());
    }
    let listed = wishes.iter().map(|wish| {
        let in_all = in_all.get(&wish.product).copied().unwrap_or(Ok(wish.quantity));
        wish.agreed.and_then(|_| listed(wish, in_all, &lists, occasion.currency))
    });
    let listed = listed.collect();
    let products: Vec<Key> = wishes.iter().map(|wish| wish.product.clone()).collect();
    let mut run = promotion::Run::new(occasion, &lists, lines, products, trace)?;
    for promotion in promotion::in_order(promotions) {
        run.apply(promotion)?;
    }
    let (lines, given, unused_coupons, trace) = run.finish();
    let document = Document { prices: occasion.prices, lines, ..Document::new(occasion.currency) };
    Ok(Offer { document, given, unused_coupons, listed, trace })
}

fn price_wish(
    wish: &Wish,
    in_all: Result<Quantity, PricingError>,
    lists: &[Asked<'_>],
    trace: &mut Trace,
) -> Result<Line, PricingError> {
    let (unit_price, per) = match wish.agreed {
        Some(agreed) => {
            let subject = Subject::Line(wish.key.clone());
            trace.step(Rule::AgreedPrice, subject, [], Datum::Price(agreed));
            (agreed, Quantity::ONE)
        }
        None => {
            let price = list::find(&wish.product, in_all?, &wish.key, lists, trace)?;
            (price.unit_price, price.per)
        }
    };
    Ok(Line {
        key: wish.key.clone(),
        quantity: wish.quantity,
        unit_price,
        per,
        adjustments: Vec::new(),
        taxes: wish.taxes.clone(),
        withheld: wish.withheld.clone(),
    })
}

/// What a wish comes to by the lists, where one has a price. No step leads from it to what is paid, so that none is traced.
fn listed(
    wish: &Wish,
    in_all: Result<Quantity, PricingError>,
    lists: &[Asked<'_>],
    currency: Currency,
) -> Option<Minor> {
    let price = list::find(&wish.product, in_all.ok()?, &wish.key, lists, &mut Trace::new(currency)).ok()?;
    line::base(wish.quantity, price.unit_price, price.per, currency).ok()
}

impl Offer {
    /// Prices the document; the trace tells of lists and promotions first.
    pub fn price(&self) -> Result<Priced> {
        let mut priced = self.document.price()?;
        let mut steps = self.trace.steps.clone();
        steps.append(&mut priced.trace.steps);
        priced.trace.steps = steps;
        Ok(priced)
    }
}
