//! How far orders have come, heard from the events of sales: what may be invoiced of them becomes less when something is cancelled
//! or comes back, and more when something is delivered or released, also for drafts that are there and invoices made by hand.

use std::sync::Arc;

use futures::FutureExt as _;
use trato_platform::{
    db::Tx,
    events::{Event, Subscription},
};
use trato_proto::sales::v1 as sales;
use trato_types::Result;

use super::basis;
use crate::billable;

/// Orders, whatever happens to them: each event tells all of the order.
pub fn follow_bases() -> Subscription {
    Subscription::new(
        "follow-bases",
        &["trato.sales.v1.order.*"],
        Arc::new(|tx, event| follow(tx, event).boxed()),
    )
}

async fn follow(tx: &mut Tx, event: &Event) -> Result<()> {
    let order: sales::Order = event.resource()?;
    billable::record(tx, basis::of_order(&order, event.revision)?).await
}
