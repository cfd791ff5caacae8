//! What becomes of the claim of an issued invoice: it is paid, given back, given up. Pure.
//!
//! Nothing of it is hashed, and nothing that is hashed changes by it. Each movement takes its share of the claim in the currency
//! of the books; what rounding left there when nothing is open any more is a residue.

use trato_platform::db::Facts;
use trato_pricing::PricingError;
use trato_types::{Minor, Result};

use super::model::{Invoice, InvoiceError, State};
use crate::fields::reason;

/// What has become of a claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PaymentState {
    /// Nothing is paid.
    Unpaid,
    /// Part of it is paid, and the rest is open.
    PartlyPaid,
    /// Nothing is open.
    Paid,
    /// What was open is given up.
    WrittenOff,
    /// It is credited in full, and what was paid is given back.
    Refunded,
}

/// What is left in the currency of the books of a claim of which nothing is open; zero but for what rounding left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Residue(pub Minor);

impl Invoice {
    /// What is due less what is credited, paid and given up. Below zero where what was paid is credited.
    pub fn open(&self) -> Minor {
        match self.state {
            State::Draft | State::Void => Minor(0),
            State::Issued | State::Sent => {
                Minor(self.due.0 - self.credited_due.0 - self.paid.0 - self.written_off.0)
            }
        }
    }

    /// What has become of the claim; none of a draft, and of one that is void. The table says the same.
    pub fn payment_state(&self) -> Option<PaymentState> {
        let is_credited = self.due == self.credited_due;
        match self.state {
            State::Draft | State::Void => None,
            _ if !self.written_off.is_zero() => Some(PaymentState::WrittenOff),
            _ if !self.refunded.is_zero() && self.paid.is_zero() && is_credited => {
                Some(PaymentState::Refunded)
            }
            _ if self.open() <= Minor(0) => Some(PaymentState::Paid),
            _ if !self.paid.is_zero() => Some(PaymentState::PartlyPaid),
            _ => Some(PaymentState::Unpaid),
        }
    }

    /// Notes that so much of it is paid, and answers the share in the currency of the books.
    pub fn pay(&mut self, amount: Minor) -> Result<Minor> {
        self.require_issued()?;
        let open = self.open();
        if amount <= Minor(0) || amount > open {
            return Err(InvoiceError::AllocationExceeds.into());
        }
        let base = self.books.posted()?.take(amount, open)?;
        self.paid = Minor(self.paid.0 + amount.0);
        Ok(base)
    }

    /// Notes that so much of what was paid is open again, with what it had taken in the currency of the books.
    pub fn reopen(&mut self, amount: Minor, base: Minor, is_refunded: bool) -> Result<Residue> {
        let paid = self.paid.0.checked_sub(amount.0).filter(|paid| *paid >= 0);
        self.paid = Minor(paid.ok_or(PricingError::AllocationExceedsDocument)?);
        if is_refunded {
            self.refunded = Minor(self.refunded.0.checked_add(amount.0).ok_or(PricingError::TooLarge)?);
        }
        self.books.posted()?.put(base)?;
        self.residue()
    }

    /// Gives up what is open, also what was opened again after some was given up, and answers it in both currencies. The newest
    /// reason stays.
    pub fn write_off(&mut self, why: &str) -> Result<(Minor, Minor)> {
        let why = reason("reason", why)?;
        self.require_issued()?;
        let open = self.open();
        if open <= Minor(0) {
            return Err(InvoiceError::NothingOpen.into());
        }
        let base = self.books.posted()?.take(open, open)?;
        self.written_off = Minor(self.written_off.0.checked_add(open.0).ok_or(PricingError::TooLarge)?);
        self.write_off_reason = why;
        Ok((open, base))
    }

    /// Takes what rounding left in the currency of the books when nothing is open any more.
    pub fn residue(&mut self) -> Result<Residue> {
        if !self.open().is_zero() {
            return Ok(Residue(Minor(0)));
        }
        Ok(Residue(std::mem::take(&mut self.books.posted()?.open)))
    }

    /// What it is called that it was paid.
    pub fn when_paid(&self) -> (&'static str, Facts) {
        match self.payment_state() {
            Some(PaymentState::Paid) => ("paid", Facts::default()),
            _ => ("partly_paid", Facts::default()),
        }
    }

    /// What it is called that what was paid is open again.
    pub fn when_reopened(&self) -> (&'static str, Facts) {
        match self.payment_state() {
            Some(PaymentState::Refunded) => ("refunded", Facts::default()),
            _ => ("reopened", Facts::default()),
        }
    }
}
