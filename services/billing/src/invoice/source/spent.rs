//! Why nothing of a document is left to invoice: all of it is invoiced, or nothing of it may be yet, or any more. Clients take the
//! first for done, unless a draft is named that somebody has to issue.

use std::collections::{BTreeSet, HashMap};

use trato_platform::db::{Tx, from_sqlx};
use trato_pricing::Quantity;
use trato_types::{Error, Id, Result};
use uuid::Uuid;

use super::sold::{Sold, SoldLine, SourceError};
use crate::{billable::Room, invoice::model::Invoice, parked_task::DRAFT};

/// Says that nothing is left and, where something is invoiced, which invoice was the last one of the document, and which draft has
/// taken of it.
pub async fn why(tx: &mut Tx, sold: &Sold, ledger: &HashMap<String, Room>) -> Result<Error> {
    let mut rooms = sold.lines.iter().filter_map(|line| Some((line, ledger.get(&line.key)?)));
    // Charges of the order say nothing of a delivery note, unless it brought them.
    let is_invoiced = rooms.any(|(line, room)| {
        room.counted > Quantity::ZERO || (room.is_taken() && !line.is_charge_of_the_order())
    });
    if !is_invoiced {
        return Ok(Error::from(SourceError::NothingToInvoice).with("source_document", &sold.name));
    }
    let (invoice, draft) = (last_invoice(tx, &sold.name).await?, last_draft(tx, takers(sold, ledger)).await?);
    let reason = if draft.is_some() { SourceError::Drafted } else { SourceError::AlreadyInvoiced };
    let error = Error::from(reason).with("source_document", &sold.name);
    let named = [("invoice", invoice), (DRAFT, draft)];
    let named = named.into_iter().filter_map(|(key, id)| Some((key, Id::<Invoice>::from_uuid(id?).name())));
    Ok(named.fold(error, |error, (key, name)| error.with(key, name)))
}

/// Documents whose invoices may have taken what is not left: all that share it. Of a delivery note of whose own lines nothing is left
/// it is the note itself, for what other notes of the order have is not of it.
fn takers<'a>(sold: &'a Sold, ledger: &HashMap<String, Room>) -> Vec<&'a str> {
    let is_spent = |line: &SoldLine| ledger.get(&line.key).is_none_or(|room| room.own == Quantity::ZERO);
    if sold.order.is_some() && sold.lines.iter().all(|line| line.is_charge_of_the_order() || is_spent(line)) {
        return vec![sold.name.as_str()];
    }
    let sharing: BTreeSet<_> = sold.billables.iter().map(|billable| billable.document.as_str()).collect();
    sharing.into_iter().collect()
}

async fn last_invoice(tx: &mut Tx, document: &str) -> Result<Option<Uuid>> {
    let tenant = tx.cx().tenant;
    sqlx::query_scalar(
        "select id from invoice where tenant_id = $1 and source_document = $2 and delete_time is null
         and state <> 'VOID' order by id desc limit 1",
    )
    .bind(tenant)
    .bind(document)
    .fetch_optional(tx.connection())
    .await
    .map_err(from_sqlx)
}

async fn last_draft(tx: &mut Tx, documents: Vec<&str>) -> Result<Option<Uuid>> {
    let tenant = tx.cx().tenant;
    sqlx::query_scalar(include_str!("../../../sql/find_draft_of_source.sql"))
        .bind(tenant)
        .bind(documents)
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)
}
