//! A return as clients get it.

use trato_platform::db::Record;
use trato_proto::{sales::v1 as pb, wire};
use trato_types::{Id, MemberRef, Ref};

use super::{
    content::{Applied, Condition, Disposition, Line},
    model::{SalesReturn, State},
};
use crate::return_policy::{Payer, render_payer};

/// The public form of a record.
pub fn render(record: &Record<SalesReturn>) -> pb::SalesReturn {
    let sales_return = &record.value;
    let (source, external_id) = record.external_fields();
    pb::SalesReturn {
        name: record.name(),
        create_time: Some(wire::timestamp(record.create_time)),
        update_time: Some(wire::timestamp(record.update_time)),
        delete_time: record.delete_time.map(wire::timestamp),
        creator: record.creator.clone(),
        etag: record.etag(),
        source,
        external_id,
        owner: sales_return.owner.as_ref().map(MemberRef::name).unwrap_or_default(),
        team: sales_return.team.map(Ref::name).unwrap_or_default(),
        delivery_note: sales_return.delivery_note.name(),
        reason: sales_return.reason.clone(),
        policy_code: sales_return.policy_code.clone(),
        lines: sales_return.lines.0.iter().map(render_line).collect(),
        order: sales_return.order_id.map(Id::name).unwrap_or_default(),
        account: sales_return.account.map(Ref::name).unwrap_or_default(),
        state: render_state(sales_return.state).into(),
        policy: sales_return.policy.as_ref().map(render_policy),
        number_series: sales_return.number_series.map(Id::name).unwrap_or_default(),
        number: sales_return.number.clone().unwrap_or_default(),
        authorise_time: sales_return.authorise_time.map(wire::timestamp),
        exception_reason: sales_return.exception_reason.clone(),
        receive_time: sales_return.receive_time.map(wire::timestamp),
        inspect_time: sales_return.inspect_time.map(wire::timestamp),
        end_time: sales_return.end_time.map(wire::timestamp),
        reject_reason: sales_return.reject_reason.clone(),
    }
}

fn render_line(line: &Line) -> pb::sales_return::Line {
    let (good, received, found) = (line.good.as_ref(), line.received.as_ref(), line.found.as_ref());
    pb::sales_return::Line {
        key: line.key.clone(),
        delivery_line: line.delivery_line.clone(),
        quantity: line.quantity.to_string(),
        serials: line.serials.clone(),
        condition: line.condition.map_or(0, |condition| render_condition(condition).into()),
        order_line: good.map(|good| good.order_line.clone()).unwrap_or_default(),
        product: good.map(|good| good.product.name()).unwrap_or_default(),
        description: good.map(|good| good.description.clone()).unwrap_or_default(),
        received_quantity: received.map(|part| part.quantity.to_string()).unwrap_or_default(),
        received_serials: received.map(|part| part.serials.clone()).unwrap_or_default(),
        found_condition: found.map_or(0, |found| render_condition(found.condition).into()),
        disposition: found.map_or(0, |found| render_disposition(found.disposition).into()),
        inspection_note: found.map(|found| found.note.clone()).unwrap_or_default(),
    }
}

fn render_policy(policy: &Applied) -> pb::sales_return::AppliedPolicy {
    let payer = if policy.buyer_pays { Payer::Buyer } else { Payer::Seller };
    pb::sales_return::AppliedPolicy {
        return_policy: policy.return_policy.name(),
        version: policy.version,
        window_days: policy.window_days,
        payer: render_payer(payer).into(),
        window_end: Some(wire::date(policy.window_end)),
        within_window: policy.within_window,
    }
}

fn render_state(state: State) -> pb::sales_return::State {
    match state {
        State::Requested => pb::sales_return::State::Requested,
        State::Authorised => pb::sales_return::State::Authorised,
        State::Received => pb::sales_return::State::Received,
        State::Inspected => pb::sales_return::State::Inspected,
        State::Settled => pb::sales_return::State::Settled,
        State::Rejected => pb::sales_return::State::Rejected,
    }
}

fn render_condition(condition: Condition) -> pb::sales_return::Condition {
    match condition {
        Condition::Unopened => pb::sales_return::Condition::Unopened,
        Condition::Opened => pb::sales_return::Condition::Opened,
        Condition::Used => pb::sales_return::Condition::Used,
        Condition::Damaged => pb::sales_return::Condition::Damaged,
        Condition::Defective => pb::sales_return::Condition::Defective,
    }
}

fn render_disposition(disposition: Disposition) -> pb::sales_return::Disposition {
    match disposition {
        Disposition::Refund => pb::sales_return::Disposition::Refund,
        Disposition::Replace => pb::sales_return::Disposition::Replace,
        Disposition::Repair => pb::sales_return::Disposition::Repair,
        Disposition::Reject => pb::sales_return::Disposition::Reject,
    }
}
