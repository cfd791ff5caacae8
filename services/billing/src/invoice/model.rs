//! An invoice and its verbs. DRAFT becomes ISSUED, which becomes SENT or VOID; nothing leads back.

use trato_pricing::{Balance, Credit};
use trato_types::{Currency, Date, DomainError, Id, Minor, Ref, Result, Timestamp, id::Collection};

use super::content::{Amounts, Discounts, Left, Lines, Numbers, Party};
use crate::{
    books::Books,
    chain::Hash,
    fields::reason,
    foreign::Account,
    legal_entity::{LegalEntity, Seller, TaxRounding},
    number_series::{NumberSeries, Place},
    payment_term::PaymentTerm,
};

/// What a customer owes.
#[derive(Clone, Debug, PartialEq)]
pub struct Invoice {
    /// Who owes it.
    pub account: Ref<Account>,
    /// In whose name it is made out.
    pub legal_entity: Id<LegalEntity>,
    /// Currency of every amount.
    pub currency_code: Currency,
    /// Who is invoiced, as it stands on the document.
    pub bill_to: Party,
    /// Who invoices, as it stands on the document; none before it is issued.
    pub seller: Option<Seller>,
    /// When it is due; at once without one.
    pub payment_term: Option<Id<PaymentTerm>>,
    /// Day of supply, whose rates hold; none before it is priced.
    pub supply_date: Option<Date>,
    /// Prices and discounts include the taxes.
    pub tax_inclusive: bool,
    /// How its taxes are to be rounded; as the legal entity says, without.
    pub agreed_tax_rounding: Option<TaxRounding>,
    /// How its taxes were rounded.
    pub tax_rounding: TaxRounding,
    /// What is due is rounded to a multiple of this, in the minor unit of the currency; more than zero.
    pub smallest_payment: Option<Minor>,
    /// What is invoiced.
    pub lines: Lines,
    /// Discounts of the whole.
    pub discounts: Discounts,
    /// What all of it comes to.
    pub amounts: Amounts,
    /// Total with tax, in the minor unit of the currency.
    pub gross: Minor,
    /// What is due, in the minor unit of the currency.
    pub due: Minor,
    /// How much of the total with tax is credited.
    pub credited: Minor,
    /// What is left of it after the credits; all of it before the first.
    pub balance: Left,
    /// How much of what is due is credited.
    pub credited_due: Minor,
    /// How much payments have paid.
    pub paid: Minor,
    /// How much of what was paid is given back.
    pub refunded: Minor,
    /// How much is given up.
    pub written_off: Minor,
    /// Why it was given up, by the newest word; empty unless it was.
    pub write_off_reason: String,
    /// Its claim in the currency of the books.
    pub books: Books,
    /// Text on the document; may be empty.
    pub note: String,
    /// Document it came from; may be empty.
    pub source_document: String,
    /// By which others know what is invoiced.
    pub numbers: Numbers,
    /// Where it is in its life.
    pub state: State,
    /// Series its number is of.
    pub number_series: Option<Id<NumberSeries>>,
    /// Period of the series.
    pub period: Option<String>,
    /// Place in the period, from 1.
    pub ordinal: Option<i64>,
    /// Its number, as it stands on the document.
    pub number: Option<String>,
    /// Day of issue.
    pub issue_date: Option<Date>,
    /// Day on which it is due.
    pub due_date: Option<Date>,
    /// Hash of the invoice before it in the series.
    pub previous_hash: Option<Hash>,
    /// Its own.
    pub hash: Option<Hash>,
    /// When it was sent.
    pub send_time: Option<Timestamp>,
    /// When it was voided.
    pub void_time: Option<Timestamp>,
    /// Why it was voided; empty unless it was.
    pub void_reason: String,
    /// Day on which it was taken over from another system, which had issued it; none of what is issued here.
    pub takeover_date: Option<Date>,
}

impl Collection for Invoice {
    const COLLECTION: &'static str = "invoices";
}

/// Where an invoice is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Can be changed.
    Draft,
    /// Has its number.
    Issued,
    /// Is with the customer.
    Sent,
    /// Is worth nothing.
    Void,
}

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvoiceError {
    /// It is issued.
    #[error("the invoice is issued and cannot change any more")]
    NotDraft,
    /// Its taxes or amounts are no longer what they were when it was written.
    #[error("the taxes have changed since the draft was written; write it again")]
    PriceChanged,
    /// It is a draft, or void.
    #[error("the invoice is a draft or void")]
    NotIssued,
    /// It is with the customer.
    #[error("the invoice was sent; credit it instead")]
    Sent,
    /// Part of it is credited.
    #[error("part of the invoice is credited")]
    Credited,
    /// Nothing of it is left.
    #[error("nothing of the invoice is left to be credited")]
    CreditedInFull,
    /// Part of it is paid or given up.
    #[error("part of the invoice is paid or written off; credit it instead")]
    Paid,
    /// It is given up.
    #[error("what was open of the invoice is written off")]
    WrittenOff,
    /// Nothing of it is open.
    #[error("nothing of the invoice is open")]
    NothingOpen,
    /// More than is open.
    #[error("more is allocated than is open of the invoice")]
    AllocationExceeds,
    /// Another system issued it.
    #[error("the invoice was issued by another system; its document is there")]
    IssuedElsewhere,
}

impl DomainError for InvoiceError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotDraft => "INVOICE_NOT_DRAFT",
            Self::PriceChanged => "PRICE_CHANGED",
            Self::NotIssued => "INVOICE_NOT_ISSUED",
            Self::Sent => "INVOICE_SENT",
            Self::Credited => "INVOICE_CREDITED",
            Self::CreditedInFull => "NOTHING_TO_CREDIT",
            Self::Paid => "INVOICE_PAID",
            Self::WrittenOff => "INVOICE_WRITTEN_OFF",
            Self::NothingOpen => "NOTHING_OPEN",
            Self::AllocationExceeds => "ALLOCATION_EXCEEDS_INVOICE",
            Self::IssuedElsewhere => "INVOICE_ISSUED_ELSEWHERE",
        }
    }
}

impl Invoice {
    /// FAILED_PRECONDITION unless it can still be changed.
    pub fn require_draft(&self) -> Result<(), InvoiceError> {
        if self.state == State::Draft { Ok(()) } else { Err(InvoiceError::NotDraft) }
    }

    /// FAILED_PRECONDITION while it is a draft, and when it is void.
    pub fn require_issued(&self) -> Result<(), InvoiceError> {
        if matches!(self.state, State::Issued | State::Sent) { Ok(()) } else { Err(InvoiceError::NotIssued) }
    }

    /// Gives a draft its number, its days and its seller.
    pub fn issue(&mut self, place: Place, due_date: Date, seller: Seller) -> Result<(), InvoiceError> {
        self.require_draft()?;
        self.state = State::Issued;
        self.number_series = Some(place.number_series);
        self.period = Some(place.period);
        self.ordinal = Some(place.ordinal);
        self.number = Some(place.number);
        self.issue_date = Some(place.issue_date);
        self.due_date = Some(due_date);
        self.seller = Some(seller);
        Ok(())
    }

    /// What can be credited yet: nothing of what is given up. Nobody owes it any more, and a credit would be owed to who never paid.
    pub fn balance(&self) -> Result<Balance, InvoiceError> {
        let left = self.left()?;
        if self.written_off.is_zero() { Ok(left) } else { Err(InvoiceError::WrittenOff) }
    }

    /// What has not been credited yet, whatever has become of the claim.
    pub fn left(&self) -> Result<Balance, InvoiceError> {
        self.require_ours()?;
        let smallest_payment = self.smallest_payment;
        match (self.state, &self.balance.0, &self.amounts.0) {
            (State::Draft | State::Void, ..) | (_, None, None) => Err(InvoiceError::NotIssued),
            // What was left before this was kept with it does not say it.
            (_, Some(left), _) => Ok(Balance { smallest_payment, ..left.clone() }),
            (_, None, Some(priced)) => Ok(Balance::of(priced, smallest_payment)),
        }
    }

    /// Notes what a credit note took of it, and what that left.
    pub fn take_credit(&mut self, credit: &Credit, left: Balance) -> Result<(), InvoiceError> {
        let credited = self.credited.0.checked_add(credit.gross.0).map(Minor);
        let within = credited.filter(|credited| *credited <= self.gross);
        self.credited = within.ok_or(InvoiceError::CreditedInFull)?;
        self.balance = Left(Some(left));
        Ok(())
    }

    /// Notes that it is with the customer. One that is sent already stays as it is.
    pub fn send(&mut self, now: Timestamp) -> Result<(), InvoiceError> {
        match self.state {
            State::Draft | State::Void => Err(InvoiceError::NotIssued),
            State::Sent => Ok(()),
            State::Issued => {
                self.state = State::Sent;
                self.send_time = Some(now);
                Ok(())
            }
        }
    }

    /// Makes it worth nothing, for a reason of 1 to 500 characters. Its number stays.
    pub fn void(&mut self, why: &str, now: Timestamp) -> Result<()> {
        let why = reason("reason", why)?;
        self.require_ours()?;
        match self.state {
            State::Draft | State::Void => Err(InvoiceError::NotIssued.into()),
            State::Sent => Err(InvoiceError::Sent.into()),
            // Also where what is credited was free.
            State::Issued if self.balance.0.is_some() => Err(InvoiceError::Credited.into()),
            State::Issued if !(self.paid.is_zero() && self.written_off.is_zero()) => {
                Err(InvoiceError::Paid.into())
            }
            State::Issued => {
                self.state = State::Void;
                self.void_time = Some(now);
                self.void_reason = why;
                Ok(())
            }
        }
    }
}
