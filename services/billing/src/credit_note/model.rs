//! A credit note and its verbs. DRAFT becomes ISSUED; nothing leads back.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use trato_pricing::{Balance, Credit, CreditRequest, GroupTotal, PricingError};
use trato_types::{Currency, Date, DomainError, Error, Id, Minor, Ref, Result, Violations, id::Collection};

use crate::{
    chain::Hash,
    foreign::Account,
    invoice::{Invoice, InvoiceError, Party},
    legal_entity::{LegalEntity, Seller},
    number_series::{NumberSeries, Place},
};

/// What is taken back of an invoice.
#[derive(Clone, Debug, PartialEq)]
pub struct CreditNote {
    /// The invoice.
    pub invoice: Id<Invoice>,
    /// Why.
    pub reason: String,
    /// What is asked for; all that is left when empty.
    pub wishes: Wishes,
    /// Who owes less by it; that of the invoice, and none before it is computed.
    pub account: Option<Ref<Account>>,
    /// In whose name it is made out; that of the invoice.
    pub legal_entity: Option<Id<LegalEntity>>,
    /// Currency of every amount; that of the invoice.
    pub currency_code: Option<Currency>,
    /// Who was invoiced; as it stands on the invoice.
    pub bill_to: Option<Party>,
    /// Who credits, as it stands on the document; none before it is issued.
    pub seller: Option<Seller>,
    /// What it credits; none before it is computed.
    pub credit: Credited,
    /// Why no tax is due, group by group of what it credits.
    pub reasons: Reasons,
    /// Total with tax, in the minor unit of the currency.
    pub gross: Minor,
    /// What is given back, in the minor unit of the currency.
    pub due: Minor,
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
    /// The return that it credits, in sales; empty when it is of none.
    pub sales_return: String,
    /// Hash of the credit note before it in the series.
    pub previous_hash: Option<Hash>,
    /// Its own.
    pub hash: Option<Hash>,
}

impl Collection for CreditNote {
    const COLLECTION: &'static str = "creditNotes";
}

/// Where a credit note is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Can be changed, and takes nothing.
    Draft,
    /// Has its number, and has taken what it says.
    Issued,
}

/// What is asked for, line by line.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Wishes {
    /// Currency of the amounts that are asked for; none where there are none.
    pub currency: Option<Currency>,
    /// Lines of the invoice, each with how much of it.
    pub lines: Vec<CreditRequest>,
}

/// The amounts of a credit note, without the steps that led to them.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Credited(pub Option<Credit>);

/// Why no tax is due, of each tax group of a credit in its order; as it stands on the invoice.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Reasons(pub Vec<Vec<Arc<str>>>);

impl Reasons {
    /// Those of the groups of a credit, from the invoice that is credited.
    fn of(credit: &Credit, invoice: &Invoice) -> Self {
        let groups = invoice.amounts.0.as_ref().map(|priced| priced.groups.as_slice()).unwrap_or_default();
        let reasons = |total: &GroupTotal| {
            let group = groups.iter().find(|group| group.key == total.key);
            group.map(|group| group.reasons.clone()).unwrap_or_default()
        };
        Self(credit.groups.iter().map(reasons).collect())
    }
}

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CreditNoteError {
    /// It is issued.
    #[error("the credit note is issued and cannot change any more")]
    NotDraft,
    /// It is a draft.
    #[error("the credit note is a draft")]
    NotIssued,
    /// The invoice is not there.
    #[error("there is no such invoice")]
    InvoiceNotFound,
}

impl DomainError for CreditNoteError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotDraft => "CREDIT_NOTE_NOT_DRAFT",
            Self::NotIssued => "CREDIT_NOTE_NOT_ISSUED",
            Self::InvoiceNotFound => "INVOICE_NOT_FOUND",
        }
    }
}

impl CreditNote {
    /// FAILED_PRECONDITION unless it can still be changed.
    pub fn require_draft(&self) -> Result<(), CreditNoteError> {
        if self.state == State::Draft { Ok(()) } else { Err(CreditNoteError::NotDraft) }
    }

    /// FAILED_PRECONDITION while it is a draft.
    pub fn require_issued(&self) -> Result<(), CreditNoteError> {
        if self.state == State::Issued { Ok(()) } else { Err(CreditNoteError::NotIssued) }
    }

    /// Computes what it credits of what is left of the invoice, and answers what that leaves. FAILED_PRECONDITION
    /// `NOTHING_TO_CREDIT` when neither a quantity nor an amount is left: what was free is credited by its quantity alone.
    /// INVALID_ARGUMENT `NEGATIVE_AMOUNT` when less than nothing would be given back.
    pub fn compute(&mut self, invoice: &Invoice) -> Result<(Credit, Balance)> {
        let balance = invoice.balance()?;
        if self.wishes.currency.is_some_and(|currency| currency != invoice.currency_code) {
            let message = "must be in the currency of the invoice";
            return Err(Error::invalid("credit_note.lines", "CURRENCY_DIFFERS", message));
        }
        let wishes = &self.wishes.lines;
        let taken = if wishes.is_empty() { balance.credit_rest() } else { balance.credit(wishes) };
        let (mut credit, left) = taken.map_err(by_our_names)?;
        if credit.is_nothing() {
            return Err(InvoiceError::CreditedInFull.into());
        }
        // Only lines below zero could make it less than nothing, which would be another invoice.
        if credit.gross < credit.withheld.max(Minor(0)) {
            let message = "must not come to less than nothing";
            return Err(Error::invalid("credit_note.lines", PricingError::Negative.reason(), message));
        }
        credit.trace.steps.clear();
        self.account = Some(invoice.account);
        self.legal_entity = Some(invoice.legal_entity);
        self.currency_code = Some(invoice.currency_code);
        self.bill_to = Some(invoice.bill_to.clone());
        self.reasons = Reasons::of(&credit, invoice);
        self.gross = credit.gross;
        self.due = credit.due;
        self.credit = Credited(Some(credit.clone()));
        Ok((credit, left))
    }

    /// Gives a draft its number, its day and its seller.
    pub fn issue(&mut self, place: Place, seller: Seller) -> Result<(), CreditNoteError> {
        self.require_draft()?;
        self.state = State::Issued;
        self.number_series = Some(place.number_series);
        self.period = Some(place.period);
        self.ordinal = Some(place.ordinal);
        self.number = Some(place.number);
        self.issue_date = Some(place.issue_date);
        self.seller = Some(seller);
        Ok(())
    }
}

/// The arithmetic names lines of its own request; clients know those of the credit note.
fn by_our_names(error: Error) -> Error {
    if error.violations().is_empty() {
        return error;
    }
    let mut violations = Violations::new();
    for violation in error.violations() {
        let field = format!("credit_note.{}", violation.field);
        violations.add(field, violation.reason, violation.description.as_str());
    }
    violations.into_error()
}
