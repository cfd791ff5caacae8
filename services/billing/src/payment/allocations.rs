//! What a payment pays of invoices, and what somebody wishes it to pay. Pure.

use serde::{Deserialize, Serialize};
use trato_pricing::PricingError;
use trato_proto::{billing::v1 as pb, wire};
use trato_types::{Currency, Error, Id, Minor, Result, Violations};
use uuid::Uuid;

use super::model::{Payment, PaymentError};
use crate::{books::part, invoice::Invoice};

/// Most invoices of one request.
pub const MOST: usize = 200;

/// What a payment pays of each invoice, none twice. It is stored as JSON.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Allocations(pub Vec<Allocated>);

/// What a payment pays of an invoice.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Allocated {
    /// The invoice.
    pub invoice: Uuid,
    /// How much.
    pub amount: Minor,
    /// What of its claim that took, in the currency of the books.
    pub receivable: Minor,
    /// What of the payment that took, in the currency of the books.
    pub unallocated: Minor,
}

/// What somebody wishes a payment to pay of an invoice, or not to pay any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wish {
    /// The invoice.
    pub invoice: Id<Invoice>,
    /// How much; as much as can be without one.
    pub amount: Option<Minor>,
}

impl Payment {
    /// Pays so much of an invoice, whose claim that takes `receivable` of in the currency of the books.
    pub fn allocate(&mut self, invoice: Uuid, amount: Minor, receivable: Minor) -> Result<Allocated> {
        self.require_here()?;
        let left = self.left();
        if amount <= Minor(0) || amount > left {
            return Err(PaymentError::AllocationExceeds.into());
        }
        let unallocated = self.books.posted()?.take(amount, left)?;
        self.allocated = plus(self.allocated, amount)?;
        let taken = Allocated { invoice, amount, receivable, unallocated };
        match self.allocations.0.iter_mut().find(|known| known.invoice == invoice) {
            Some(known) => {
                known.amount = plus(known.amount, amount)?;
                known.receivable = plus(known.receivable, receivable)?;
                known.unallocated = plus(known.unallocated, unallocated)?;
            }
            None => self.allocations.0.push(taken.clone()),
        }
        Ok(taken)
    }

    /// Takes back so much of what it paid of an invoice, or all of it, and answers what that was.
    pub fn unallocate(&mut self, invoice: Uuid, amount: Option<Minor>) -> Result<Allocated> {
        self.require_here()?;
        let known = self.allocations.0.iter_mut().find(|known| known.invoice == invoice);
        let known = known.ok_or(PaymentError::NotAllocated)?;
        let amount = amount.unwrap_or(known.amount);
        if amount <= Minor(0) || amount > known.amount {
            return Err(PaymentError::NotAllocated.into());
        }
        let taken = Allocated {
            invoice,
            amount,
            receivable: part(known.receivable, amount, known.amount)?,
            unallocated: part(known.unallocated, amount, known.amount)?,
        };
        known.amount = Minor(known.amount.0 - amount.0);
        known.receivable = Minor(known.receivable.0 - taken.receivable.0);
        known.unallocated = Minor(known.unallocated.0 - taken.unallocated.0);
        self.allocations.0.retain(|known| !known.amount.is_zero());
        self.allocated = Minor(self.allocated.0 - amount.0);
        self.books.posted()?.put(taken.unallocated)?;
        Ok(taken)
    }
}

fn plus(one: Minor, other: Minor) -> Result<Minor, PricingError> {
    one.0.checked_add(other.0).map(Minor).ok_or(PricingError::TooLarge)
}

/// Reads which invoices are meant, in the order of their identifiers, or lists every violation.
pub fn parse_wishes(messages: &[pb::payment::Allocation], currency: Currency) -> Result<Vec<Wish>> {
    let mut violations = Violations::new();
    let given = violations.keep("allocations", wire::at_most(messages, MOST)).unwrap_or_default();
    let mut wishes: Vec<Wish> = Vec::with_capacity(given.len());
    for (index, message) in given.iter().enumerate() {
        let invoice = violations.keep(&format!("allocations[{index}].invoice"), Id::parse(&message.invoice));
        let amount = match &message.amount {
            None => Some(None),
            Some(money) => violations
                .absorb("", positive(&format!("allocations[{index}].amount"), money, currency))?
                .map(Some),
        };
        let Some((invoice, amount)) = invoice.zip(amount) else { continue };
        if wishes.iter().any(|other| other.invoice == invoice) {
            violations.add(
                format!("allocations[{index}].invoice"),
                "DUPLICATE_INVOICE",
                "stands in the list already",
            );
        }
        wishes.push(Wish { invoice, amount });
    }
    wishes.sort_by_key(|wish| wish.invoice.uuid());
    violations.into_result(Some(wishes))
}

/// Reads an amount of more than zero in a currency.
pub fn positive(field: &str, money: &trato_proto::google::value::Money, currency: Currency) -> Result<Minor> {
    let mut violations = Violations::new();
    let Some((amount, own)) = violations.keep(field, wire::parse_money(money)) else {
        return Err(violations.into_error());
    };
    if own != currency {
        return Err(Error::invalid(field, "CURRENCY_DIFFERS", "must be in the currency of the payment"));
    }
    if amount <= Minor(0) {
        return Err(Error::invalid(field, "NOT_POSITIVE", "must be more than zero"));
    }
    Ok(amount)
}
