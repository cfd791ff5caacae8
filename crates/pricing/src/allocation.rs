//! Payments over open documents: never more than the payment has, never more than a document has open.

use serde::{Deserialize, Serialize};
use trato_types::{Currency, Date, Minor, Result, Violations, error::FieldError};

use crate::{
    Key, PricingError, Trace,
    exact::{minor, minus, wide},
    trace::{Datum, Rule, Subject},
};

/// A document that is not settled: an invoice above zero, a credit note below.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OpenDocument {
    /// Names it.
    pub key: Key,
    /// When it is due.
    pub due_date: Date,
    /// What is open of it.
    pub open: Minor,
}

/// A part of a payment for a document.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Allocation {
    /// Which document.
    pub key: Key,
    /// How much.
    pub amount: Minor,
}

/// A payment that was allotted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Allocated {
    /// What went to which document, without those that got nothing.
    pub allocations: Vec<Allocation>,
    /// What the payment has left: an overpayment.
    pub left: Minor,
    /// How it came about.
    pub trace: Trace,
}

/// Allots a payment as somebody said. All that is wrong is told at once.
pub fn allocate(
    currency: Currency,
    payment: Minor,
    documents: &[OpenDocument],
    wanted: &[Allocation],
) -> Result<Allocated> {
    let mut faults = Violations::new();
    let mut allocated = Allocated::of(currency, payment);
    for (at, wish) in wanted.iter().enumerate() {
        let document = documents.iter().find(|document| document.key == wish.key);
        let fault = match document {
            None => Some(PricingError::UnknownKey),
            Some(_) if wanted[..at].iter().any(|other| other.key == wish.key) => {
                Some(PricingError::DuplicateKey)
            }
            Some(document) if !is_within(wish.amount, document.open) => {
                Some(PricingError::AllocationExceedsDocument)
            }
            Some(document) if is_within(wish.amount, allocated.left) => {
                allocated.take(document, wish.amount)?;
                None
            }
            Some(_) => Some(PricingError::AllocationExceedsPayment),
        };
        if let Some(fault) = fault {
            faults.add(format!("allocations[{at}]"), FieldError::reason(&fault), fault.to_string());
        }
    }
    faults.into_result(Some(allocated))
}

/// Allots a payment to what is due first; of one day, to the lesser key. A payment serves invoices, a refund credit notes.
pub fn allocate_oldest_first(
    currency: Currency,
    payment: Minor,
    documents: &[OpenDocument],
) -> Result<Allocated> {
    let mut order: Vec<&OpenDocument> =
        documents.iter().filter(|document| document.open.0.signum() == payment.0.signum()).collect();
    order.sort_by(|a, b| (a.due_date, &a.key).cmp(&(b.due_date, &b.key)));
    let mut allocated = Allocated::of(currency, payment);
    for document in order {
        let amount = if is_within(document.open, allocated.left) { document.open } else { allocated.left };
        if !amount.is_zero() {
            allocated.take(document, amount)?;
        }
    }
    Ok(allocated)
}

impl Allocated {
    fn of(currency: Currency, payment: Minor) -> Self {
        Self { allocations: Vec::new(), left: payment, trace: Trace::new(currency) }
    }

    fn take(&mut self, document: &OpenDocument, amount: Minor) -> Result<(), PricingError> {
        let inputs = [("open", Datum::Money(document.open)), ("left", Datum::Money(self.left))];
        self.trace.step(Rule::Allocation, Subject::Line(document.key.clone()), inputs, Datum::Money(amount));
        self.left = minus(self.left, amount)?;
        self.allocations.push(Allocation { key: document.key.clone(), amount });
        Ok(())
    }

    /// What the documents have open afterwards, in their order.
    pub fn still_open(&self, documents: &[OpenDocument]) -> Result<Vec<OpenDocument>> {
        let mut rest = documents.to_vec();
        for document in &mut rest {
            let paid: i128 = self
                .allocations
                .iter()
                .filter(|allocation| allocation.key == document.key)
                .map(|allocation| wide(allocation.amount))
                .sum();
            document.open = minor(wide(document.open) - paid)?;
        }
        Ok(rest)
    }
}

/// True for an amount between nothing and the whole, above or below zero.
fn is_within(amount: Minor, whole: Minor) -> bool {
    (amount.0.signum() == whole.0.signum() || amount.is_zero())
        && amount.0.unsigned_abs() <= whole.0.unsigned_abs()
}
