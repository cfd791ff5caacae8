//! Whether what was parked of a document is done by now, by whatever way: so that what somebody has invoiced by another request, or by
//! hand, is not invoiced twice when it is tried again, and the task ends when that is issued.
//!
//! An invoice of the document that was made since with just the lines and quantities that were asked for is taken for what was wanted:
//! nobody can tell that a second one was, and one too few is asked for once more, while one too many is paid. One of other parts is not.

use std::collections::HashMap;

use rust_decimal::Decimal;
use trato_platform::db::{Record, Tx, from_sqlx};
use trato_pricing::Quantity;
use trato_proto::billing::v1 as pb;
use trato_types::{Result, Timestamp};
use uuid::Uuid;

use super::{
    create::{Wishes, parse_wishes},
    sold::{Sold, SoldLine, SourceError},
    spent::{self, Invoiced},
};
use crate::{
    billable::Room,
    invoice::model::Invoice,
    parked_task::{Asking, Once, first_id},
};

/// ALREADY_EXISTS `ALREADY_INVOICED` where this very request of parts was parked, and what it is for was invoiced since by another way,
/// or nothing of these lines is left. What was done so stays done, also when that invoice was voided or credited since: whoever did
/// that has decided, and asks anew for another one. The lines are locked, so that who makes such an invoice has done so, or does it
/// after us.
pub async fn require_undone(
    parked: &Asking<pb::CreateInvoiceFromSourceRequest>,
    tx: &mut Tx,
    once: &Once,
    (sold, ledger): (&Sold, &HashMap<String, Room>),
    wishes: &Wishes,
) -> Result<()> {
    let Some(task) = parked.kept(tx, &sold.name, once).await? else { return Ok(()) };
    let made = find_made(tx, &sold.name, wishes, task.first_try_time, None).await?;
    if made.is_some() || task.is_done() {
        return Err(spent::already(SourceError::PartsInvoiced, &sold.name, made.unwrap_or_default()));
    }
    let is_wished = |line: &&SoldLine| wishes.iter().any(|(key, _)| *key == line.key);
    let lines: Vec<&SoldLine> = sold.lines.iter().filter(is_wished).collect();
    let has_left = |line: &&SoldLine| ledger.get(&line.key).is_some_and(|room| room.left() > Quantity::ZERO);
    if lines.iter().any(has_left) { Ok(()) } else { Err(spent::why(tx, sold, &lines, ledger).await?) }
}

/// Ends the task of the document of a draft, if one is parked that is done once the draft is issued: in that transaction, which has
/// locked the draft, and no books or numbers yet. That of another document of the chain ends with its next try.
pub async fn note_issued(
    parked: &Asking<pb::CreateInvoiceFromSourceRequest>,
    tx: &mut Tx,
    draft: &Record<Invoice>,
) -> Result<()> {
    let document = &draft.value.source_document;
    if document.is_empty() {
        return Ok(());
    }
    let Some((task, request)) = parked.take(tx, document).await? else { return Ok(()) };
    let mut is_done = is_spent(tx, document, draft.id).await?;
    if !is_done {
        let wishes = match parse_wishes(&request) {
            Ok(wishes) => wishes,
            // It was taken by another version, which had other limits.
            Err(error) => {
                parked.leave(tx, &task, &error);
                return Ok(());
            }
        };
        let since = task.value.first_try_time;
        is_done = !wishes.is_empty() && is_issued(tx, document, &wishes, since, draft.id).await?;
    }
    if is_done { parked.note_done(tx, task).await } else { Ok(()) }
}

/// True where just these parts are invoiced since a time, once this draft is issued.
async fn is_issued(
    tx: &mut Tx,
    document: &str,
    wishes: &Wishes,
    since: Timestamp,
    draft: Uuid,
) -> Result<bool> {
    let made = find_made(tx, document, wishes, since, Some(draft)).await?;
    Ok(made.is_some_and(|made| made.draft.is_none()))
}

/// The invoice of a document that was made since a time of just these parts; one of a draft that is being issued counts as issued.
async fn find_made(
    tx: &mut Tx,
    document: &str,
    wishes: &Wishes,
    since: Timestamp,
    issued: Option<Uuid>,
) -> Result<Option<Invoiced>> {
    let tenant = tx.cx().tenant;
    let made: Option<(Uuid, bool)> = sqlx::query_as(include_str!("../../../sql/find_made_parts.sql"))
        .bind(tenant)
        .bind(document)
        .bind(first_id(since))
        .bind(wishes.iter().map(|(line, _)| line.clone()).collect::<Vec<_>>())
        .bind(wishes.iter().map(|(_, quantity)| Decimal::from(*quantity)).collect::<Vec<_>>())
        .bind(issued)
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)?;
    Ok(made.map(|(id, is_draft)| Invoiced { invoice: Some(id), draft: is_draft.then_some(id) }))
}

/// True where nothing of a document is left, nor will be of another draft.
async fn is_spent(tx: &mut Tx, document: &str, draft: Uuid) -> Result<bool> {
    let tenant = tx.cx().tenant;
    sqlx::query_scalar(include_str!("../../../sql/is_source_spent.sql"))
        .bind(tenant)
        .bind(document)
        .bind(draft)
        .fetch_one(tx.connection())
        .await
        .map_err(from_sqlx)
}
