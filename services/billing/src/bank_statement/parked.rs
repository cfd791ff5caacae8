//! Entries that were not booked: why, what is kept of them, and how one is tried again.

use futures::{FutureExt as _, future::BoxFuture};
use serde::{Deserialize, Serialize};
use trato_platform::db::Tx;
use trato_proto::{billing::v1 as pb, wire};
use trato_types::{Currency, DomainError, Error, Id, Result};

use super::{
    import::{Importer, TURN},
    model::Line,
};
use crate::{
    legal_entity::LegalEntity,
    parked_task::{Attempt, By, ParkedTask},
    payment::Payment,
};

/// What parks entries.
pub const KIND: &str = "import-bank-statement";

/// An entry of an account of a legal entity. It is stored as JSON.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BankEntry {
    /// Whose account.
    pub legal_entity: Id<LegalEntity>,
    /// What moved.
    pub line: Line,
}

/// Why an entry is not booked. What the books refuse has their reason.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unbooked {
    /// One invoice has its amount open, and nothing else speaks for it.
    #[error("{0} has this amount open, and nothing else says that it is meant")]
    AmountOnly(String),
    /// A number stands in it that may be anything, and nothing else speaks for the invoice.
    #[error(
        "{0} has a number that stands in it, which may be anything: neither amount nor payer says that it is meant"
    )]
    NumberOnly(String),
    /// Several may be meant.
    #[error("several invoices come into question")]
    Ambiguous,
    /// Nobody knows what it is for.
    #[error("nothing that is open suits")]
    NoMatch,
    /// A payment that it is not of has its key.
    #[error("{0} has its key, and has not come, or is of another amount, currency or day")]
    KeyTaken(String),
    /// It takes back another entry.
    #[error("the bank takes back another entry by it")]
    Reversal,
    /// Nobody knows its currency.
    #[error("there is no currency {0}")]
    UnknownCurrency(Currency),
}

impl DomainError for Unbooked {
    fn reason(&self) -> &'static str {
        match self {
            Self::AmountOnly(_) => "AMOUNT_ONLY",
            Self::NumberOnly(_) => "NUMBER_ONLY",
            Self::Ambiguous => "AMBIGUOUS",
            Self::NoMatch => "NO_MATCH",
            Self::KeyTaken(_) => "KEY_TAKEN",
            Self::Reversal => "REVERSAL",
            Self::UnknownCurrency(_) => "UNKNOWN_CURRENCY",
        }
    }
}

/// What the task of an entry is about: the key is unique within the accounts of a legal entity.
pub fn subject(legal_entity: Id<LegalEntity>, key: &str) -> String {
    format!("{}/bankEntries/{key}", legal_entity.name())
}

/// The public form of an entry that is parked.
pub fn render_entry(entry: &BankEntry) -> pb::parked_task::BankEntry {
    let line = &entry.line;
    pb::parked_task::BankEntry {
        legal_entity: entry.legal_entity.name(),
        key: line.key.clone(),
        date: Some(wire::date(line.date)),
        amount: Some(wire::money(line.signed(), line.currency)),
        reference: line.reference.clone(),
        counterparty: line.counterparty.clone(),
    }
}

impl BankEntry {
    /// True for a payment that books it.
    fn is_booked_by(&self, payment: &Payment) -> bool {
        let line = &self.line;
        (line.amount, line.currency) == (payment.amount, payment.currency_code)
            && line.is_credit == payment.comes_in()
    }
}

impl Importer {
    /// Notes that an entry which is parked is booked by a payment that was made, if any is that has its key. It comes last in a
    /// transaction: whoever imports a statement waits for it, and it for him, so that no entry is parked for which a payment is
    /// recorded at this moment.
    pub async fn note_payment(&self, tx: &mut Tx, payment: &Payment) -> Result<()> {
        if payment.external_key.is_empty() {
            return Ok(());
        }
        tx.share_turn(TURN, &payment.legal_entity.uuid().to_string()).await?;
        let subject = subject(payment.legal_entity, &payment.external_key);
        let latest = self.parking.latest(tx, vec![&subject]).await?;
        let is_booked =
            |task: &ParkedTask| task.bank_entry.as_ref().is_some_and(|entry| entry.is_booked_by(payment));
        let booked = latest.into_values().filter(|task| is_booked(&task.value));
        self.parking.note_done(tx, booked.collect()).await
    }
}

impl Attempt for Importer {
    /// Matches an entry again with what is open by now.
    fn attempt<'a>(&'a self, (cx, _): By<'a>, task: &'a ParkedTask) -> BoxFuture<'a, Result<()>> {
        async move {
            let entry = task.bank_entry.as_ref();
            let entry = entry.ok_or_else(|| Error::internal("a task without its bank entry"))?;
            let mut tx = Tx::of(&self.till.database, cx).await?;
            match self.book_one(&mut tx, entry).await? {
                None => tx.commit().await,
                Some(error) => {
                    tx.roll_back().await?;
                    Err(error)
                }
            }
        }
        .boxed()
    }
}
