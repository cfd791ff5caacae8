//! Which order a delivery note of sales is of: what is invoiced of a delivery note is not reserved for its order any more. A
//! projection of events; whoever invoices a delivery note knows it from sales at once.

use std::sync::Arc;

use futures::FutureExt as _;
use trato_platform::{
    db::{Tx, from_sqlx},
    events::{Event, Subscription},
};
use trato_proto::sales::v1 as sales;
use trato_types::Result;

/// Delivery notes, from the draft on. Any event tells it: the log forgets all but the newest of each. One that is deleted or void
/// keeps its row, which counts nothing while nothing is invoiced of it.
pub fn project_delivery_notes() -> Subscription {
    Subscription::new(
        "project-delivery-notes",
        &["trato.sales.v1.delivery_note.*"],
        Arc::new(|tx, event| project(tx, event).boxed()),
    )
    .projecting(&["delivery_note"])
}

async fn project(tx: &mut Tx, event: &Event) -> Result<()> {
    let note: sales::DeliveryNote = event.resource()?;
    remember(tx, &note.name, &note.order).await
}

/// Notes which order a delivery note is of; it never changes.
pub async fn remember(tx: &mut Tx, delivery_note: &str, order: &str) -> Result<()> {
    let tenant = tx.cx().tenant;
    sqlx::query(
        "insert into delivery_note (tenant_id, document, order_name) values ($1, $2, $3) on conflict do nothing",
    )
    .bind(tenant)
    .bind(delivery_note)
    .bind(order)
    .execute(tx.connection())
    .await
    .map_err(from_sqlx)?;
    Ok(())
}
