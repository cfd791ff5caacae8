//! Why nothing of a document is left to invoice: all of it is invoiced, or nothing of it may be yet, or any more. Clients take the
//! first for done.

use std::collections::HashMap;

use trato_platform::db::{Tx, from_sqlx};
use trato_pricing::Quantity;
use trato_types::{Error, Id, Result};
use uuid::Uuid;

use super::sold::{Sold, SourceError};
use crate::{billable::Room, invoice::model::Invoice};

/// Says that nothing is left and, where something is invoiced, which invoice was the last one of the document.
pub async fn why(tx: &mut Tx, sold: &Sold, ledger: &HashMap<String, Room>) -> Result<Error> {
    let mut rooms = sold.lines.iter().filter_map(|line| Some((line, ledger.get(&line.key)?)));
    // Charges of the order say nothing of a delivery note, unless it brought them.
    let is_invoiced = rooms.any(|(line, room)| {
        room.counted > Quantity::ZERO || (room.is_taken() && !line.is_charge_of_the_order())
    });
    if !is_invoiced {
        return Ok(Error::from(SourceError::NothingToInvoice).with("source_document", &sold.name));
    }
    let tenant = tx.cx().tenant;
    let invoice: Option<Uuid> = sqlx::query_scalar(
        "select id from invoice where tenant_id = $1 and source_document = $2 and delete_time is null
         and state <> 'VOID' order by id desc limit 1",
    )
    .bind(tenant)
    .bind(&sold.name)
    .fetch_optional(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let error = Error::from(SourceError::AlreadyInvoiced).with("source_document", &sold.name);
    Ok(match invoice.map(Id::<Invoice>::from_uuid) {
        Some(invoice) => error.with("invoice", invoice.name()),
        None => error,
    })
}
