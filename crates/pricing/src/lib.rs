//! Prices and taxes of commercial documents: quotes, carts, orders, invoices and credit notes answer identically.
//!
//! Everything is a pure function of its input. Amounts are whole minor units, rounded once, half away from zero (D13);
//! what does not divide is shared by the largest remainder, so that every sum is exact. What has no meaning is refused
//! with a stable reason; what was computed says how, in its [`Trace`].

mod allocation;
mod amounts;
mod check;
mod credit;
mod decimal;
mod discount;
mod document;
mod error;
mod exact;
mod exchange;
mod kit;
mod line;
mod offer;
mod portion;
mod price;
mod priced;
mod tax;
mod taxation;
mod totals;
mod trace;

#[cfg(test)]
mod tests;

pub use allocation::{Allocated, Allocation, OpenDocument, allocate, allocate_oldest_first};
pub use credit::{Balance, Credit, CreditRequest, Creditable, Portion};
pub use decimal::{ExchangeRate, Percent, Quantity, UnitPrice};
pub use document::{
    Adjustment, AdjustmentKind, Charge, Document, DocumentDiscount, Key, Line, Prices, TaxRounding, Value,
};
pub use error::PricingError;
pub use exchange::{Converted, convert};
pub use kit::{Component, Part, explode, roll_up};
pub use line::line_amount;
pub use offer::{
    Condition, Effect, Given, ListPrice, Occasion, Offer, Period, PriceList, Promotion, Scope, Wish, offer,
};
pub use priced::{
    Amounts, GroupTotal, Priced, PricedLine, TaxAmount, TaxGroup, Totals, WithheldAmount, WithheldGroup,
};
pub use tax::{Tax, TaxCategory, TaxKey, Withholding};
pub use trace::{Datum, Input, Rule, Step, Subject, Trace};
