//! Prices documents within the transaction that writes them, and finds out whether who buys is there.

use std::collections::HashMap;

use prost::Message as _;
use trato_platform::{
    db::Tx,
    foreign::{self, Existence},
};
use trato_types::{Date, Error, Kind, Ref, Result, Violations};

use super::{model::Document, render::render};
use crate::{
    foreign::{Account, LegalEntity},
    parties,
    pricing::{Frozen, find_in},
};

/// Most bytes of a document as clients get it: whoever reads it can send it back, and nothing that carries it is too large.
const MAX_BYTES: usize = 2 << 20;

/// A document, and between whom it is.
pub struct Sale<'a> {
    /// What is bought.
    pub document: &'a mut Document,
    /// By whom.
    pub account: Option<Ref<Account>>,
    /// In whose name it is made out, where that is said.
    pub legal_entity: Option<Ref<LegalEntity>>,
}

/// What day it is where each legal entity makes documents out; looked up once for all documents of a call.
type Days = HashMap<Option<Ref<LegalEntity>>, Date>;

/// Prices each of these documents by itself, for what is left to do in `standard::Draft`. `field` holds the resource in
/// requests, such as `quote`, with the fields `account` and `document`. An error that is none of a document's is one of all.
pub async fn complete(tx: &mut Tx, field: &str, sales: Vec<Sale<'_>>) -> Result<Vec<Result<()>>> {
    let accounts = foreign::find(tx, sales.iter().filter_map(|sale| sale.account)).await?;
    let mut days = Days::new();
    let mut outcomes = Vec::with_capacity(sales.len());
    for sale in sales {
        let known = require_account(&sale, &accounts, field);
        let outcome = match known {
            Ok(()) => {
                price(tx, sale, &mut days).await.map_err(|error| within(error, &format!("{field}.document.")))
            }
            refused => refused,
        };
        match outcome {
            Err(error) if is_failure(&error) => return Err(error),
            outcome => outcomes.push(outcome),
        }
    }
    Ok(outcomes)
}

/// True when both come to the same, to the cent and line by line, whatever day it was found out on.
pub fn same_price(one: &Document, other: &Document) -> bool {
    let bare = |document: &Document| {
        let priced = document.priced.as_ref();
        priced.map(|priced| (priced.priced.clone(), priced.prices, priced.given.clone()))
    };
    bare(one) == bare(other)
}

async fn price(tx: &mut Tx, sale: Sale<'_>, days: &mut Days) -> Result<()> {
    let date = match sale.document.date {
        Some(date) => date,
        None => today(tx, sale.legal_entity, days).await?,
    };
    let question = sale.document.question(sale.account, date);
    let catalogue = find_in(tx, &question).await?;
    // Thousands of lines are computed for longer than others should wait for this thread.
    let computed = tokio::task::spawn_blocking(move || {
        Frozen::of(&question, &catalogue, question.answer(&catalogue)?).map(|(frozen, _)| frozen)
    });
    sale.document.priced = Some(computed.await.map_err(Error::internal)??);
    if render(sale.document).encoded_len() > MAX_BYTES {
        let message = format!("the document would have more than {MAX_BYTES} bytes");
        return Err(Error::new(Kind::Precondition, "ANSWER_TOO_LARGE", message).with("most", MAX_BYTES));
    }
    Ok(())
}

/// The day of what says none.
async fn today(tx: &mut Tx, legal_entity: Option<Ref<LegalEntity>>, days: &mut Days) -> Result<Date> {
    if let Some(known) = days.get(&legal_entity) {
        return Ok(*known);
    }
    let zone = parties::store::find_known_zone(tx, legal_entity).await?;
    let today = parties::day_in(zone, tx.cx().now);
    days.insert(legal_entity, today);
    Ok(today)
}

/// FAILED_PRECONDITION unless the one who buys is known and not deleted. Customers was asked before for whom nobody knew.
fn require_account(sale: &Sale<'_>, known: &HashMap<Ref<Account>, Existence>, field: &str) -> Result<()> {
    let Some(account) = sale.account else { return Ok(()) };
    let existence = known.get(&account).copied().unwrap_or(Existence::Unknown);
    existence.refusal().map_or(Ok(()), |refusal| Err(refusal.of(account, &format!("{field}.account"))))
}

/// True for an error that says nothing about a document: after it nothing more can be done in the transaction.
fn is_failure(error: &Error) -> bool {
    matches!(error.kind(), Kind::Internal | Kind::Unavailable | Kind::DeadlineExceeded)
}

/// Pricing names fields of the document; clients know those of the resource it stands in.
fn within(error: Error, prefix: &str) -> Error {
    let mut violations = Violations::new();
    match violations.absorb::<()>(prefix, Err(error)) {
        Ok(_) => violations.into_error(),
        Err(other) => other,
    }
}
