//! What delivery notes do with the quantities of their orders: one transaction for note, order, serial numbers and the
//! number.

use trato_platform::{
    db::{Facts, Record, Tx, statement::Statements},
    standard::{Changed, require_living},
};
use trato_proto::sales::v1 as pb;
use trato_types::Result;

use super::{model::DeliveryNote, requests::fill_in_kits, serials};
use crate::{
    number_series::{self, DocumentKind},
    order::{lock_order, save_order},
    parties,
};

/// Issues a locked draft: takes its quantities of the order, and the next number.
pub async fn issue(
    orders: Statements,
    tx: &mut Tx,
    before: &Record<DeliveryNote>,
    body: &pb::IssueDeliveryNoteRequest,
) -> Result<Changed<DeliveryNote>> {
    require_living(before)?;
    before.value.require_draft()?;
    let mut delivery_note = before.value.clone();
    let order = lock_order(&orders, tx, delivery_note.order_id).await?;
    let mut moved = order.value.clone();
    moved.deliver(delivery_note.lines.quantities())?;
    save_order(&orders, tx, &order, moved, Facts::default()).await?;
    serials::take(tx, before.id, &delivery_note.lines).await?;
    // Once more, for a draft that was written before what is in kits was kept.
    fill_in_kits(tx, vec![(&mut delivery_note, &order.value)]).await?;
    let parties = parties::store::find(tx, delivery_note.legal_entity, order.value.account).await?;
    let today = parties::store::find_day(tx, delivery_note.legal_entity).await?;
    let numbered = number_series::take(tx, DocumentKind::DeliveryNote, &body.number_series, today).await?;
    delivery_note.issue(numbered, parties, tx.cx().now)?;
    Ok((before.next(tx.cx(), delivery_note), Facts::default()))
}

/// Voids a locked one: its quantities and serial numbers go back.
pub async fn void(
    orders: Statements,
    tx: &mut Tx,
    before: &Record<DeliveryNote>,
    body: &pb::VoidDeliveryNoteRequest,
) -> Result<Changed<DeliveryNote>> {
    require_living(before)?;
    let mut delivery_note = before.value.clone();
    delivery_note.void(&body.reason, tx.cx().now)?;
    let order = lock_order(&orders, tx, delivery_note.order_id).await?;
    let mut moved = order.value.clone();
    moved.take_back(delivery_note.lines.quantities())?;
    save_order(&orders, tx, &order, moved, Facts::default()).await?;
    serials::give_back(tx, before.id, delivery_note.lines.serials()).await?;
    Ok((before.next(tx.cx(), delivery_note), Facts::default()))
}
