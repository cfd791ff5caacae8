//! Drafts of orders: priced in the transaction that writes them. What came of a quote keeps the document that was
//! agreed on.

use std::collections::HashMap;

use futures::{FutureExt as _, future::BoxFuture};
use sqlx::{Row as _, types::Json};
use trato_platform::{
    db::{Tx, from_sqlx},
    rpc::Caller,
    standard::Draft,
};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Ref, Result, Violations};
use uuid::Uuid;

use super::{
    goods::Good,
    model::{Order, OrderError},
};
use crate::{
    document::{self, Document, Sale},
    foreign::Account,
    references::References,
};

/// The field that holds the order, in every request that brings one.
pub const FIELD: &str = "order";

impl Draft for Order {
    type References = References;

    fn require_draft(&self) -> Result<()> {
        Ok(Self::require_draft(self)?)
    }

    fn prepare<'a>(
        references: &'a References,
        cx: &'a Context,
        caller: &'a Caller,
        messages: Vec<&'a mut pb::Order>,
        are_new: bool,
    ) -> BoxFuture<'a, Result<()>> {
        let documents = messages.into_iter().map(|message| (&mut message.team, message.account.as_str()));
        references.prepare(cx, caller, "order.account", documents.collect(), are_new).boxed()
    }

    fn complete<'a>(
        _: &'a References,
        tx: &'a mut Tx,
        drafts: Vec<&'a mut Self>,
    ) -> BoxFuture<'a, Result<Vec<Result<()>>>> {
        complete(tx, drafts).boxed()
    }
}

async fn complete(tx: &mut Tx, mut drafts: Vec<&mut Order>) -> Result<Vec<Result<()>>> {
    let agreed = find_agreed(tx, &drafts).await?;
    let priced = drafts.iter_mut().filter(|draft| draft.quote.is_none());
    let sales = priced
        .map(|draft| Sale { account: Some(draft.account), legal_entity: None, document: &mut draft.document })
        .collect();
    let mut outcomes = document::complete(tx, FIELD, sales).await?.into_iter();
    let mut completed = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let outcome = match draft.quote {
            Some(quote) => keep(draft, agreed.get(&quote.uuid())),
            None => outcomes.next().unwrap_or(Ok(())),
        };
        completed.push(outcome.and_then(|()| finish(draft)));
    }
    Ok(completed)
}

/// What a quote says that was accepted.
struct Agreed {
    account: Ref<Account>,
    document: Document,
}

/// What the quotes say that these orders came of.
async fn find_agreed(tx: &mut Tx, drafts: &[&mut Order]) -> Result<HashMap<Uuid, Agreed>> {
    let quotes: Vec<Uuid> = drafts.iter().filter_map(|draft| Some(draft.quote?.uuid())).collect();
    if quotes.is_empty() {
        return Ok(HashMap::new());
    }
    let tenant = tx.cx().tenant;
    let rows =
        sqlx::query("select id, account, document from quote where tenant_id = $1 and id = any($2::uuid[])")
            .bind(tenant)
            .bind(quotes)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
    let read = |row: &sqlx::postgres::PgRow| {
        let account = Ref::from_uuid(row.try_get(1).map_err(from_sqlx)?);
        let document: Json<Document> = row.try_get(2).map_err(from_sqlx)?;
        Ok((row.try_get(0).map_err(from_sqlx)?, Agreed { account, document: document.0 }))
    };
    rows.iter().map(read).collect()
}

/// Puts the document that was agreed on in place of the same without prices.
fn keep(draft: &mut Order, agreed: Option<&Agreed>) -> Result<()> {
    let Agreed { account, document } = agreed.ok_or(OrderError::DocumentAgreed)?;
    let unpriced = Document { priced: None, ..document.clone() };
    if (*account, &unpriced) != (draft.account, &draft.document) {
        return Err(OrderError::DocumentAgreed.into());
    }
    draft.document = document.clone();
    Ok(())
}

/// What can be said once it is known what the document consists of.
fn finish(draft: &mut Order) -> Result<()> {
    let goods = Good::all(&draft.document);
    let mut violations = Violations::new();
    for (at, key) in draft.undelivered_lines.0.iter().enumerate() {
        if !goods.iter().any(|good| good.line == *key) {
            let field = format!("{FIELD}.undelivered_lines[{at}]");
            violations.add(field, "UNKNOWN_LINE_KEY", "the document has no such line");
        }
    }
    draft.sum_up();
    violations.into_result(Some(()))
}
