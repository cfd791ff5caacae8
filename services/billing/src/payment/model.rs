//! A payment and its verbs. What is under way is never handed over again, and what is unknown is settled by who found out.

use trato_pricing::PricingError;
use trato_types::{Currency, Date, DomainError, Error, Id, Minor, Ref, Result, id::Collection};

use super::allocations::Allocations;
use crate::{books::Books, foreign::Account, legal_entity::LegalEntity};

/// Money that came from an account or went to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// From or to whom.
    pub account: Ref<Account>,
    /// Whose money it becomes or was.
    pub legal_entity: Id<LegalEntity>,
    /// Currency of every amount.
    pub currency_code: Currency,
    /// How much; more than zero.
    pub amount: Minor,
    /// How it is made.
    pub method: Method,
    /// Which way it goes.
    pub direction: Direction,
    /// What whoever makes payments calls it; may be empty.
    pub external_key: String,
    /// What came with it; may be empty.
    pub reference: String,
    /// Day on which the money moved, or is meant to.
    pub date: Option<Date>,
    /// Where it is in its life.
    pub state: State,
    /// Why it failed or was taken back, or how its outcome was found out; may be empty.
    pub state_reason: String,
    /// How much has paid invoices.
    pub allocated: Minor,
    /// How much was given back.
    pub refunded: Minor,
    /// What it pays of each invoice.
    pub allocations: Allocations,
    /// What is left of it in the currency of the books.
    pub books: Books,
    /// Day on which it was taken over from another system, which had received it; none of what is recorded here.
    pub takeover_date: Option<Date>,
}

impl Collection for Payment {
    const COLLECTION: &'static str = "payments";
}

/// Where a payment is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Is meant to be made.
    Initiated,
    /// Is under way.
    Pending,
    /// Nobody knows what became of it.
    Unknown,
    /// Was made.
    Succeeded,
    /// Was not made.
    Failed,
    /// Part of it was given back.
    PartlyRefunded,
    /// All of it was given back.
    Refunded,
    /// The bank has taken it back.
    ChargedBack,
}

/// Which way the money goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// From the account to us.
    In,
    /// From us to the account.
    Out,
}

/// How a payment is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// From one bank account to another.
    BankTransfer,
    /// By card.
    Card,
    /// Collected by mandate.
    DirectDebit,
    /// In cash.
    Cash,
    /// By cheque.
    Cheque,
    /// Otherwise.
    Other,
}

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PaymentError {
    /// It is under way, or done.
    #[error("the payment is under way and cannot change any more")]
    NotInitiated,
    /// It is not under way.
    #[error("the payment is not under way")]
    NotPending,
    /// Its outcome is known, or it is under way.
    #[error("the outcome of the payment is not unknown")]
    NotUnknown,
    /// It has not come in.
    #[error("the payment has not come in, or is gone")]
    NotSucceeded,
    /// More is allocated than is left.
    #[error("more is allocated than is left of the payment")]
    AllocationExceeds,
    /// It has not paid that much of an invoice.
    #[error("the payment has not paid that much of the invoice")]
    NotAllocated,
    /// More is refunded than is left.
    #[error("more is refunded than is left of the payment")]
    RefundExceeds,
    /// An invoice is not there.
    #[error("there is no such invoice")]
    InvoiceNotFound,
    /// An invoice is of somebody or something else.
    #[error("the invoice is of another account, legal entity or currency than the payment")]
    InvoiceUnsuited,
}

impl DomainError for PaymentError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotInitiated => "PAYMENT_NOT_INITIATED",
            Self::NotPending => "PAYMENT_NOT_PENDING",
            Self::NotUnknown => "PAYMENT_NOT_UNKNOWN",
            Self::NotSucceeded => "PAYMENT_NOT_SUCCEEDED",
            Self::AllocationExceeds => "ALLOCATION_EXCEEDS_PAYMENT",
            Self::NotAllocated => "NOT_ALLOCATED",
            Self::RefundExceeds => "REFUND_EXCEEDS_PAYMENT",
            Self::InvoiceNotFound => "INVOICE_NOT_FOUND",
            Self::InvoiceUnsuited => "INVOICE_UNSUITED",
        }
    }
}

/// What became of a payment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was made.
    Succeeded,
    /// It was not made.
    Failed,
    /// Nobody knows.
    Unknown,
}

impl Payment {
    /// A transfer that came in by a bank's account of it.
    pub fn transfer(
        (account, legal_entity): (Ref<Account>, Id<LegalEntity>),
        (amount, currency_code): (Minor, Currency),
        external_key: String,
        reference: String,
        date: Date,
    ) -> Self {
        Self {
            account,
            legal_entity,
            currency_code,
            amount,
            method: Method::BankTransfer,
            direction: Direction::In,
            external_key,
            reference,
            date: Some(date),
            state: State::Initiated,
            state_reason: String::new(),
            allocated: Minor(0),
            refunded: Minor(0),
            allocations: Allocations::default(),
            books: Books::default(),
            takeover_date: None,
        }
    }

    /// FAILED_PRECONDITION unless it can still be changed.
    pub fn require_initiated(&self) -> Result<(), PaymentError> {
        if self.state == State::Initiated { Ok(()) } else { Err(PaymentError::NotInitiated) }
    }

    /// Hands it over to whoever makes it.
    pub fn submit(&mut self) -> Result<(), PaymentError> {
        self.require_initiated()?;
        self.state = State::Pending;
        Ok(())
    }

    /// Notes what became of one that is under way. One that succeeded is not posted by that.
    pub fn settle(&mut self, outcome: Outcome, why: String) -> Result<(), PaymentError> {
        if self.state != State::Pending {
            return Err(PaymentError::NotPending);
        }
        self.state = match outcome {
            Outcome::Succeeded => State::Succeeded,
            Outcome::Failed => State::Failed,
            Outcome::Unknown => State::Unknown,
        };
        self.state_reason = why;
        Ok(())
    }

    /// Settles one of which nobody knew what became of it.
    pub fn reconcile(&mut self, has_succeeded: bool, evidence: String) -> Result<(), PaymentError> {
        if self.state != State::Unknown {
            return Err(PaymentError::NotUnknown);
        }
        self.state = if has_succeeded { State::Succeeded } else { State::Failed };
        self.state_reason = evidence;
        Ok(())
    }

    /// Settles one that is under way, or of which nobody knew what became of it, as made: there is evidence of it.
    pub fn prove(&mut self, evidence: String) -> Result<(), PaymentError> {
        match self.state {
            State::Pending => self.settle(Outcome::Succeeded, evidence),
            _ => self.reconcile(true, evidence),
        }
    }

    /// True when the money comes to us.
    pub fn comes_in(&self) -> bool {
        self.direction == Direction::In
    }

    /// What is left of one that came in: not allocated, and not given or taken back.
    pub fn left(&self) -> Minor {
        match (self.direction, self.state) {
            (Direction::In, State::Succeeded | State::PartlyRefunded | State::Refunded) => {
                Minor(self.amount.0 - self.allocated.0 - self.refunded.0)
            }
            _ => Minor(0),
        }
    }

    /// FAILED_PRECONDITION unless it came in and is still with us, at least in part.
    pub fn require_here(&self) -> Result<(), PaymentError> {
        match (self.direction, self.state) {
            (Direction::In, State::Succeeded | State::PartlyRefunded) => Ok(()),
            _ => Err(PaymentError::NotSucceeded),
        }
    }

    /// Gives back some of what is left, and answers what that is in the currency of the books.
    pub fn refund(&mut self, amount: Minor, why: String) -> Result<Minor> {
        self.require_here()?;
        let left = self.left();
        if amount <= Minor(0) || amount > left {
            return Err(PaymentError::RefundExceeds.into());
        }
        let base = self.books.posted()?.take(amount, left)?;
        self.refunded = Minor(self.refunded.0.checked_add(amount.0).ok_or(PricingError::TooLarge)?);
        self.state = if self.refunded == self.amount { State::Refunded } else { State::PartlyRefunded };
        self.state_reason = why;
        Ok(base)
    }

    /// Takes back what is left, after what it paid was taken back, and answers it in both currencies.
    pub fn charge_back(&mut self, why: String) -> Result<(Minor, Minor)> {
        self.require_here()?;
        if !self.allocated.is_zero() {
            return Err(Error::internal("a payment is charged back before what it paid"));
        }
        let left = self.left();
        let base = self.books.posted()?.take(left, left)?;
        self.state = State::ChargedBack;
        self.state_reason = why;
        Ok((left, base))
    }
}
