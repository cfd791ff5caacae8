//! A cart as clients get it.

use trato_platform::db::Record;
use trato_proto::{
    sales::v1::{self as pb, cart},
    wire,
};
use trato_types::{Id, MemberRef, Ref};

use super::model::{Cart, State, Step};
use crate::document;

/// The public form of a record.
pub fn render(record: &Record<Cart>) -> pb::Cart {
    let cart = &record.value;
    let (source, external_id) = record.external_fields();
    pb::Cart {
        name: record.name(),
        create_time: Some(wire::timestamp(record.create_time)),
        update_time: Some(wire::timestamp(record.update_time)),
        delete_time: record.delete_time.map(wire::timestamp),
        creator: record.creator.clone(),
        etag: record.etag(),
        source,
        external_id,
        owner: cart.owner.as_ref().map(MemberRef::name).unwrap_or_default(),
        team: cart.team.map(Ref::name).unwrap_or_default(),
        account: cart.account.map(Ref::name).unwrap_or_default(),
        session_id: cart.session_id.clone().unwrap_or_default(),
        document: Some(document::render(&cart.document)),
        bill_to: cart.bill_to.clone().map(Into::into),
        ship_to: cart.ship_to.clone().map(Into::into),
        step: render_step(cart.step).into(),
        furthest_step: render_step(cart.furthest_step).into(),
        state: render_state(cart.state).into(),
        last_activity_time: Some(wire::timestamp(cart.last_activity_time)),
        abandon_step: cart.abandon_step.map_or(0, |step| render_step(step).into()),
        abandon_time: cart.abandon_time.map(wire::timestamp),
        recover_time: cart.recover_time.map(wire::timestamp),
        order: cart.order_id.map(Id::name).unwrap_or_default(),
    }
}

/// The public form of a step.
pub fn render_step(step: Step) -> cart::Step {
    match step {
        Step::Lines => cart::Step::Lines,
        Step::Address => cart::Step::Address,
        Step::Delivery => cart::Step::Delivery,
        Step::Payment => cart::Step::Payment,
        Step::Review => cart::Step::Review,
    }
}

fn render_state(state: State) -> cart::State {
    match state {
        State::Open => cart::State::Open,
        State::Abandoned => cart::State::Abandoned,
        State::CheckedOut => cart::State::CheckedOut,
    }
}
