//! An order as clients get it.

use trato_platform::db::Record;
use trato_proto::{sales::v1 as pb, wire};
use trato_types::{Id, MemberRef, Ref};

use super::{
    charges::charge_status,
    ledger::{BrokenPromise, DeliveryStatus, Entry, InvoiceStatus, InvoicingPolicy},
    model::{HoldReason, Order, State},
};
use crate::{document, kit};

/// The public form of a record.
pub fn render(record: &Record<Order>) -> pb::Order {
    let order = &record.value;
    let (source, external_id) = record.external_fields();
    pb::Order {
        name: record.name(),
        create_time: Some(wire::timestamp(record.create_time)),
        update_time: Some(wire::timestamp(record.update_time)),
        delete_time: record.delete_time.map(wire::timestamp),
        creator: record.creator.clone(),
        etag: record.etag(),
        source,
        external_id,
        owner: order.owner.as_ref().map(MemberRef::name).unwrap_or_default(),
        team: order.team.map(Ref::name).unwrap_or_default(),
        account: order.account.name(),
        document: Some(document::render(&order.document)),
        customer_po: order.customer_po.clone(),
        bill_to: order.bill_to.clone().map(Into::into),
        ship_to: order.ship_to.clone().map(Into::into),
        requested_date: order.requested_date.map(wire::date),
        promised_date: order.promised_date.map(wire::date),
        invoicing_policy: render_policy(order.invoicing_policy).into(),
        undelivered_lines: order.undelivered_lines.0.clone(),
        quote: order.quote.map(Id::name).unwrap_or_default(),
        state: render_state(order.state).into(),
        hold_reason: order.hold_reason.map_or(0, |reason| render_hold_reason(reason).into()),
        hold_note: order.hold_note.clone(),
        hold_time: order.hold_time.map(wire::timestamp),
        released_percent: order.released_percent.0.to_string(),
        number_series: order.number_series.map(Id::name).unwrap_or_default(),
        number: order.number.clone().unwrap_or_default(),
        order_date: order.order_date.map(wire::date),
        progress: order.ledger.0.iter().map(|entry| render_progress(entry, order)).collect(),
        delivery_status: render_delivery_status(order.delivery_status).into(),
        invoice_status: render_invoice_status(order.invoice_status).into(),
        next_promised_date: order.next_promised_date.map(wire::date),
        end_time: order.end_time.map(wire::timestamp),
        cancel_reason: order.cancel_reason.clone(),
        held_with_account: order.held_with_account,
        charge_progress: order.charges().map(render_charge).collect(),
        kits: order.kits.as_ref().map(kit::render_kits).unwrap_or_default(),
    }
}

/// What is told of promises that were not kept.
pub fn render_broken(order: &Order, broken: &[BrokenPromise]) -> pb::OrderPromiseBroken {
    let line = |promise: &BrokenPromise| pb::order_promise_broken::Line {
        line: promise.line.clone(),
        promised_date: Some(wire::date(promise.promised_date)),
        delivery_date: promise.delivery_date.map(wire::date),
    };
    pb::OrderPromiseBroken { account: order.account.name(), lines: broken.iter().map(line).collect() }
}

fn render_progress(entry: &Entry, order: &Order) -> pb::order::Progress {
    let invoice_status = entry.invoice_status(order.invoicing_policy, order.released_percent.0);
    pb::order::Progress {
        line: entry.line.clone(),
        ordered: entry.ordered.to_string(),
        cancelled: entry.cancelled.to_string(),
        delivered: entry.delivered.to_string(),
        arrived: entry.arrived.to_string(),
        returned: entry.returned.to_string(),
        invoiced: entry.invoiced.to_string(),
        credited: entry.credited.to_string(),
        delivery_status: render_delivery_status(entry.delivery_status()).into(),
        invoice_status: render_invoice_status(invoice_status).into(),
        promised_date: entry.promised_date.map(wire::date),
        promise_broken: entry.promise_broken,
    }
}

fn render_charge(charge: Entry) -> pb::order::ChargeProgress {
    pb::order::ChargeProgress {
        invoice_status: render_invoice_status(charge_status(&charge)).into(),
        invoiced: charge.invoiced.to_string(),
        credited: charge.credited.to_string(),
        charge: charge.line,
    }
}

fn render_state(state: State) -> pb::order::State {
    match state {
        State::Draft => pb::order::State::Draft,
        State::Confirmed => pb::order::State::Confirmed,
        State::InFulfilment => pb::order::State::InFulfilment,
        State::Fulfilled => pb::order::State::Fulfilled,
        State::Closed => pb::order::State::Closed,
        State::Cancelled => pb::order::State::Cancelled,
    }
}

fn render_hold_reason(reason: HoldReason) -> pb::order::HoldReason {
    match reason {
        HoldReason::Credit => pb::order::HoldReason::Credit,
        HoldReason::Fraud => pb::order::HoldReason::Fraud,
        HoldReason::Manual => pb::order::HoldReason::Manual,
    }
}

fn render_policy(policy: InvoicingPolicy) -> pb::order::InvoicingPolicy {
    match policy {
        InvoicingPolicy::Ordered => pb::order::InvoicingPolicy::Ordered,
        InvoicingPolicy::Delivered => pb::order::InvoicingPolicy::Delivered,
        InvoicingPolicy::Milestone => pb::order::InvoicingPolicy::Milestone,
        InvoicingPolicy::Prepaid => pb::order::InvoicingPolicy::Prepaid,
    }
}

fn render_delivery_status(status: DeliveryStatus) -> pb::order::DeliveryStatus {
    match status {
        DeliveryStatus::NotApplicable => pb::order::DeliveryStatus::NotApplicable,
        DeliveryStatus::None => pb::order::DeliveryStatus::None,
        DeliveryStatus::Partial => pb::order::DeliveryStatus::Partial,
        DeliveryStatus::Full => pb::order::DeliveryStatus::Full,
        DeliveryStatus::Over => pb::order::DeliveryStatus::Over,
        DeliveryStatus::Returned => pb::order::DeliveryStatus::Returned,
    }
}

fn render_invoice_status(status: InvoiceStatus) -> pb::order::InvoiceStatus {
    match status {
        InvoiceStatus::NothingToInvoice => pb::order::InvoiceStatus::NothingToInvoice,
        InvoiceStatus::ToInvoice => pb::order::InvoiceStatus::ToInvoice,
        InvoiceStatus::Partial => pb::order::InvoiceStatus::PartlyInvoiced,
        InvoiceStatus::Invoiced => pb::order::InvoiceStatus::Invoiced,
        InvoiceStatus::ToCredit => pb::order::InvoiceStatus::ToCredit,
        InvoiceStatus::Credited => pb::order::InvoiceStatus::Credited,
    }
}
