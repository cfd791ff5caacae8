//! A delivery note as clients get it.

use trato_platform::db::Record;
use trato_proto::{sales::v1 as pb, wire};
use trato_types::{Id, MemberRef, Ref};

use super::{
    content::{Line, Proof, Refusal},
    model::{DeliveryNote, State},
};
use crate::{
    kit::{Contents, render_contents},
    parties::{render_issuer, render_recipient},
};

/// The public form of a record.
pub fn render(record: &Record<DeliveryNote>) -> pb::DeliveryNote {
    let delivery_note = &record.value;
    let parties = delivery_note.parties.as_ref();
    let (source, external_id) = record.external_fields();
    let lines = delivery_note.lines.0.iter().zip(delivery_note.contents());
    pb::DeliveryNote {
        name: record.name(),
        create_time: Some(wire::timestamp(record.create_time)),
        update_time: Some(wire::timestamp(record.update_time)),
        delete_time: record.delete_time.map(wire::timestamp),
        creator: record.creator.clone(),
        etag: record.etag(),
        source,
        external_id,
        owner: delivery_note.owner.as_ref().map(MemberRef::name).unwrap_or_default(),
        team: delivery_note.team.map(Ref::name).unwrap_or_default(),
        order: delivery_note.order_id.name(),
        lines: lines.map(|(line, contents)| render_line(line, &contents)).collect(),
        ship_to: delivery_note.ship_to.clone().map(Into::into),
        note: delivery_note.note.clone(),
        account: delivery_note.account.map(Ref::name).unwrap_or_default(),
        state: render_state(delivery_note.state).into(),
        number_series: delivery_note.number_series.map(Id::name).unwrap_or_default(),
        number: delivery_note.number.clone().unwrap_or_default(),
        issue_date: delivery_note.issue_date.map(wire::date),
        carrier: delivery_note.carrier.clone(),
        tracking: delivery_note.tracking.clone(),
        dispatch_time: delivery_note.dispatch_time.map(wire::timestamp),
        delivery_time: delivery_note.delivery_time.map(wire::timestamp),
        proof: delivery_note.proof.as_ref().map(render_proof),
        refusals: delivery_note.refusals.0.iter().map(render_refusal).collect(),
        void_time: delivery_note.void_time.map(wire::timestamp),
        void_reason: delivery_note.void_reason.clone(),
        legal_entity: delivery_note.legal_entity.map(Ref::name).unwrap_or_default(),
        issuer: parties.and_then(|parties| parties.issuer.as_ref()).map(render_issuer),
        recipient: parties.and_then(|parties| parties.recipient.as_ref()).map(render_recipient),
    }
}

fn render_line(line: &Line, contents: &Contents<'_>) -> pb::delivery_note::Line {
    let good = line.good.as_ref();
    pb::delivery_note::Line {
        key: line.key.clone(),
        order_line: line.order_line.clone(),
        quantity: line.quantity.to_string(),
        lot: line.lot.clone(),
        serials: line.serials.clone(),
        product: good.map(|good| good.product.name()).unwrap_or_default(),
        description: good.map(|good| good.description.clone()).unwrap_or_default(),
        unit_code: good.map(|good| good.unit_code.clone()).unwrap_or_default(),
        parts: render_contents(contents),
        parts_omitted: contents.omitted,
    }
}

fn render_refusal(refusal: &Refusal) -> pb::delivery_note::Refusal {
    pb::delivery_note::Refusal {
        line: refusal.line.clone(),
        quantity: refusal.quantity.to_string(),
        serials: refusal.serials.clone(),
        reason: refusal.reason.clone(),
    }
}

fn render_proof(proof: &Proof) -> pb::delivery_note::Proof {
    pb::delivery_note::Proof { receiver: proof.receiver.clone(), signature: proof.signature.clone() }
}

fn render_state(state: State) -> pb::delivery_note::State {
    match state {
        State::Draft => pb::delivery_note::State::Draft,
        State::Issued => pb::delivery_note::State::Issued,
        State::Dispatched => pb::delivery_note::State::Dispatched,
        State::Delivered => pb::delivery_note::State::Delivered,
        State::PartlyRefused => pb::delivery_note::State::PartlyRefused,
        State::Void => pb::delivery_note::State::Void,
    }
}
