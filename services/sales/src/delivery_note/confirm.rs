//! Confirming: what the customer took of a delivery note, and when. What was refused goes back to the order, and a note of which all
//! was refused is told by another event: nothing was delivered.

use chrono::Days;
use chrono_tz::Tz;
use tonic::Request;
use trato_platform::{
    db::{Facts, NewEvent, Record, RequestKey, Resource as _, Tx, statement::Statements},
    standard::{Changed, Reply, Store, answer, finish, once, require_living},
};
use trato_proto::{sales::v1 as pb, wire};
use trato_types::{Context, Error, Result, Timestamp, error::FieldError as _, standard::VerbRequest as _};

use super::{
    model::DeliveryNote,
    parse::{parse_proof, parse_refusals},
    serials,
};
use crate::{
    order::{lock_order, render_broken, save_order},
    parties,
};

/// `ConfirmDeliveryNote`.
pub async fn confirm(
    delivery_notes: &Store<DeliveryNote>,
    orders: Statements,
    request: Request<pb::ConfirmDeliveryNoteRequest>,
) -> Reply<pb::DeliveryNote> {
    answer(request, async |cx, mut body| {
        let key = RequestKey::parse(&body.take_request_id(), &body)?;
        let attempt = confirm_one((delivery_notes, orders), cx, key.as_ref(), &body);
        once(delivery_notes.database(), cx, key.as_ref(), attempt).await
    })
    .await
}

async fn confirm_one(
    (delivery_notes, orders): (&Store<DeliveryNote>, Statements),
    cx: &Context,
    key: Option<&RequestKey>,
    body: &pb::ConfirmDeliveryNoteRequest,
) -> Result<pb::DeliveryNote> {
    let mut tx = Tx::of(delivery_notes.database(), cx).await?;
    let before = tx.lock::<DeliveryNote>(delivery_notes.statements(), &body.name).await?;
    before.require_etag(&body.etag)?;
    let (after, facts) = arrive(orders, &mut tx, &before, body).await?;
    cx.require_admits(after.value.owner(), after.value.team())?;
    let event = if after.value.is_wholly_refused()? {
        NewEvent::with_facts(cx, "refused", Some(&before), &after, facts)
    } else {
        NewEvent::with_facts(cx, "delivered", Some(&before), &after, facts)
    };
    let event_id = event.id;
    tx.save(delivery_notes.statements(), &after, event).await?;
    finish(tx, key, event_id, body.validate_only).await?;
    Ok(DeliveryNote::render(&after))
}

/// The locked one after it has arrived: what was refused goes back to the order.
async fn arrive(
    orders: Statements,
    tx: &mut Tx,
    before: &Record<DeliveryNote>,
    body: &pb::ConfirmDeliveryNoteRequest,
) -> Result<Changed<DeliveryNote>> {
    require_living(before)?;
    let proof = parse_proof(body.proof.as_ref())?;
    let zone = parties::store::find_zone(tx, before.value.legal_entity).await?;
    let time = arrival(tx.cx().now, zone, &before.value, body)?;
    let refusals = parse_refusals(&body.refusals, &before.value.lines)?;
    let mut delivery_note = before.value.clone();
    delivery_note.confirm(proof, refusals, time)?;
    let order = lock_order(&orders, tx, delivery_note.order_id).await?;
    let mut moved = order.value.clone();
    moved.take_back(delivery_note.refused())?;
    let accepted = delivery_note.accepted()?;
    let accepted = accepted.into_iter().filter(|(_, quantity)| !quantity.is_zero());
    let late = moved.arrive(accepted, parties::day_in(zone, time))?;
    let facts = if late.is_empty() { Facts::default() } else { Facts::of(&render_broken(&moved, &late)) };
    save_order(&orders, tx, &order, moved, facts).await?;
    serials::give_back(tx, before.id, delivery_note.refused_serials()).await?;
    let facts = Facts::default().at(Some(time));
    Ok((before.next(tx.cx(), delivery_note), facts))
}

/// When it arrived: at most a day from now, for clocks that are ahead, and not before the day on which it was issued there, since
/// days of returns, of promises and of taxes follow from it.
fn arrival(
    now: Timestamp,
    zone: Tz,
    delivery_note: &DeliveryNote,
    body: &pb::ConfirmDeliveryNoteRequest,
) -> Result<Timestamp> {
    let Some(time) = &body.delivery_time else { return Ok(now) };
    let time = wire::parse_timestamp(time)
        .map_err(|error| Error::invalid("delivery_time", error.reason(), error.to_string()))?;
    if now.checked_add_days(Days::new(1)).is_some_and(|latest| time > latest) {
        return Err(Error::invalid("delivery_time", "IN_FUTURE", "must not be in the future"));
    }
    if delivery_note.issued_on(zone).is_some_and(|issued| parties::day_in(zone, time) < issued) {
        let message = "must not be before the day on which the delivery note was issued";
        return Err(Error::invalid("delivery_time", "OUT_OF_ORDER", message));
    }
    Ok(time)
}
