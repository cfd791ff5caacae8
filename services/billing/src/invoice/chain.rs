//! The chain of a series: each invoice's hash is over its content and the hash of the one before it, so that none can be
//! changed, taken out or put in between without all later hashes telling. Pure.

use std::fmt;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use trato_types::{Currency, Date, Minor};
use uuid::Uuid;

use super::{
    content::{Amounts, Discounts, Lines, Party},
    model::Invoice,
};
use crate::legal_entity::TaxRounding;

/// A SHA-256.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first invoice of a period follows on.
    pub const START: Self = Self([0; 32]);
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What is hashed: an invoice as it was issued, as JSON in this order. What is added one day is left out where it is not
/// there, so that hashes of earlier invoices stay.
#[derive(Serialize)]
struct Content<'a> {
    form: &'static str,
    invoice: Uuid,
    number_series: Option<Uuid>,
    period: Option<&'a str>,
    ordinal: Option<i64>,
    number: Option<&'a str>,
    issue_date: Option<Date>,
    due_date: Option<Date>,
    supply_date: Option<Date>,
    account: Uuid,
    legal_entity: Uuid,
    currency_code: Currency,
    bill_to: &'a Party,
    payment_term: Option<Uuid>,
    tax_inclusive: bool,
    tax_rounding: &'static str,
    lines: &'a Lines,
    discounts: &'a Discounts,
    amounts: &'a Amounts,
    gross: Minor,
    due: Minor,
    note: &'a str,
    source_document: &'a str,
}

/// The hash of an issued invoice that follows on `previous`.
pub fn hash(id: Uuid, invoice: &Invoice, previous: Hash) -> serde_json::Result<Hash> {
    let content = Content {
        form: "trato-invoice-1",
        invoice: id,
        number_series: invoice.number_series.map(trato_types::Id::uuid),
        period: invoice.period.as_deref(),
        ordinal: invoice.ordinal,
        number: invoice.number.as_deref(),
        issue_date: invoice.issue_date,
        due_date: invoice.due_date,
        supply_date: invoice.supply_date,
        account: invoice.account.uuid(),
        legal_entity: invoice.legal_entity.uuid(),
        currency_code: invoice.currency_code,
        bill_to: &invoice.bill_to,
        payment_term: invoice.payment_term.map(trato_types::Id::uuid),
        tax_inclusive: invoice.tax_inclusive,
        tax_rounding: match invoice.tax_rounding {
            TaxRounding::Group => "GROUP",
            TaxRounding::Line => "LINE",
        },
        lines: &invoice.lines,
        discounts: &invoice.discounts,
        amounts: &invoice.amounts,
        gross: invoice.gross,
        due: invoice.due,
        note: &invoice.note,
        source_document: &invoice.source_document,
    };
    let mut digest = Sha256::new();
    digest.update(previous.0);
    digest.update(serde_json::to_vec(&content)?);
    Ok(Hash(digest.finalize().into()))
}

/// How far a chain was followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Walk {
    /// Invoices that are as they were issued.
    pub verified: i64,
    /// The place that is looked at next.
    pub ordinal: i64,
    /// What the next one follows on; unknown where the walk begins in the middle.
    pub previous: Option<Hash>,
}

/// What is wrong with an invoice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Its number was given, and it is not there.
    Missing,
    /// Its content is not what was issued.
    Changed,
    /// It does not follow on the one before it.
    Unchained,
}

impl Walk {
    /// Begins at a place.
    pub fn from(ordinal: i64) -> Self {
        Self { verified: 0, ordinal, previous: (ordinal == 1).then_some(Hash::START) }
    }

    /// Looks at the next invoice that is there, or says what is wrong with the place it should have.
    pub fn step(&mut self, id: Uuid, invoice: &Invoice) -> serde_json::Result<Result<(), Fault>> {
        if invoice.ordinal != Some(self.ordinal) {
            return Ok(Err(Fault::Missing));
        }
        let (Some(stored), Some(follows)) = (invoice.hash, invoice.previous_hash) else {
            return Ok(Err(Fault::Changed));
        };
        if hash(id, invoice, follows)? != stored {
            return Ok(Err(Fault::Changed));
        }
        if self.previous.is_some_and(|previous| previous != follows) {
            return Ok(Err(Fault::Unchained));
        }
        self.verified += 1;
        self.ordinal += 1;
        self.previous = Some(stored);
        Ok(Ok(()))
    }
}
