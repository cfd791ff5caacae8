//! What delivery notes do with the quantities of their orders: one transaction for note, order, serial numbers and the
//! number.

use chrono::Days;
use trato_platform::{
    db::{Facts, Record, Tx, statement::Statements},
    standard::{Changed, require_living},
};
use trato_proto::{sales::v1 as pb, wire};
use trato_types::{Error, Result, Timestamp, error::FieldError as _};

use super::{
    model::DeliveryNote,
    parse::{parse_proof, parse_refusals},
    serials,
};
use crate::{
    number_series::{self, DocumentKind},
    order::{lock_order, render_broken, save_order},
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
    let parties = parties::store::find(tx, delivery_note.legal_entity, order.value.account).await?;
    let today = parties::store::find_day(tx, delivery_note.legal_entity).await?;
    let numbered = number_series::take(tx, DocumentKind::DeliveryNote, &body.number_series, today).await?;
    let issue_date = numbered.day;
    delivery_note.issue(numbered, parties, issue_date)?;
    Ok((before.next(tx.cx(), delivery_note), Facts::default()))
}

/// Notes that a locked one has arrived: what was refused goes back to the order.
pub async fn confirm(
    orders: Statements,
    tx: &mut Tx,
    before: &Record<DeliveryNote>,
    body: &pb::ConfirmDeliveryNoteRequest,
) -> Result<Changed<DeliveryNote>> {
    require_living(before)?;
    let proof = parse_proof(body.proof.as_ref())?;
    let time = arrival(body, tx.cx().now)?;
    let refusals = parse_refusals(&body.refusals, &before.value.lines)?;
    let mut delivery_note = before.value.clone();
    delivery_note.confirm(proof, refusals, time)?;
    let order = lock_order(&orders, tx, delivery_note.order_id).await?;
    let mut moved = order.value.clone();
    moved.take_back(delivery_note.refused())?;
    let accepted = delivery_note.accepted()?;
    let accepted = accepted.into_iter().filter(|(_, quantity)| !quantity.is_zero());
    let zone = parties::store::find_zone(tx, delivery_note.legal_entity).await?;
    let late = moved.arrive(accepted, parties::day_in(zone, time))?;
    let facts = if late.is_empty() { Facts::default() } else { Facts::of(&render_broken(&moved, &late)) };
    save_order(&orders, tx, &order, moved, facts).await?;
    serials::give_back(tx, before.id, delivery_note.refused_serials()).await?;
    let facts = Facts::default().at(Some(time));
    Ok((before.next(tx.cx(), delivery_note), facts))
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

/// When it arrived: at most a day from now, for clocks that are ahead.
fn arrival(body: &pb::ConfirmDeliveryNoteRequest, now: Timestamp) -> Result<Timestamp> {
    let Some(time) = &body.delivery_time else { return Ok(now) };
    let time = wire::parse_timestamp(time)
        .map_err(|error| Error::invalid("delivery_time", error.reason(), error.to_string()))?;
    if now.checked_add_days(Days::new(1)).is_some_and(|latest| time > latest) {
        return Err(Error::invalid("delivery_time", "IN_FUTURE", "must not be in the future"));
    }
    Ok(time)
}
