//! Prices documents within the transaction that writes them, and finds out whether who buys is there.

use std::collections::HashMap;

use prost::Message as _;
use sqlx::Row as _;
use trato_platform::db::{Tx, from_sqlx};
use trato_types::{Error, Kind, Ref, Result, Violations};
use uuid::Uuid;

use super::{model::Document, render::render};
use crate::{
    account::Refusal,
    foreign::Account,
    pricing::{Frozen, find_in},
};

/// Most bytes of a document as clients get it: whoever reads it can send it back, and nothing that carries it is too large.
const MAX_BYTES: usize = 2 << 20;

/// A document and who buys.
pub struct Sale<'a> {
    /// What is bought.
    pub document: &'a mut Document,
    /// By whom.
    pub account: Option<Ref<Account>>,
}

/// Prices each of these documents by itself, for what is left to do in `standard::Draft`. `field` holds the resource in
/// requests, such as `quote`, with the fields `account` and `document`. An error that is none of a document's is one of all.
pub async fn complete(tx: &mut Tx, field: &str, sales: Vec<Sale<'_>>) -> Result<Vec<Result<()>>> {
    let accounts = sales.iter().filter_map(|sale| sale.account).collect::<Vec<_>>();
    let accounts = find_accounts(tx, &accounts).await?;
    let mut outcomes = Vec::with_capacity(sales.len());
    for sale in sales {
        let known = require_account(&sale, &accounts, field);
        let outcome = match known {
            Ok(()) => price(tx, sale).await.map_err(|error| within(error, &format!("{field}.document."))),
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

async fn price(tx: &mut Tx, sale: Sale<'_>) -> Result<()> {
    let question = sale.document.question(sale.account, tx.cx().now.date_naive());
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

/// Whether accounts are deleted, as far as they are known.
async fn find_accounts(tx: &mut Tx, accounts: &[Ref<Account>]) -> Result<HashMap<Uuid, bool>> {
    if accounts.is_empty() {
        return Ok(HashMap::new());
    }
    let tenant = tx.cx().tenant;
    let ids: Vec<Uuid> = accounts.iter().map(|account| account.uuid()).collect();
    let found = sqlx::query(
        "select id, delete_time is not null from account where tenant_id = $1 and id = any($2::uuid[])",
    )
    .bind(tenant)
    .bind(ids)
    .fetch_all(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let read = |row: &sqlx::postgres::PgRow| {
        Ok((row.try_get(0).map_err(from_sqlx)?, row.try_get(1).map_err(from_sqlx)?))
    };
    found.iter().map(read).collect()
}

/// FAILED_PRECONDITION unless the one who buys is known and not deleted. Customers was asked before for whom nobody knew.
fn require_account(sale: &Sale<'_>, known: &HashMap<Uuid, bool>, field: &str) -> Result<()> {
    let Some(account) = sale.account else { return Ok(()) };
    let field = format!("{field}.account");
    match known.get(&account.uuid()) {
        Some(false) => Ok(()),
        Some(true) => Err(Refusal::Deleted.of(account, &field)),
        None => Err(Refusal::NotFound.of(account, &field)),
    }
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
