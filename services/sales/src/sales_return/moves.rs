//! What returns do with the quantities of their orders: one transaction for return, order, serial numbers and the
//! number.

use std::collections::HashMap;

use rust_decimal::Decimal;
use trato_platform::{
    db::{Facts, Record, Tx, from_sqlx, statement::Statements},
    standard::{Changed, require_living},
};
use trato_pricing::Quantity;
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Error, Id, Result, Scope};

use super::{
    content::{Disposition, Line},
    model::SalesReturn,
    parse::{parse_findings, parse_received},
};
use crate::{
    delivery_note::{DeliveryNote, give_back, take_again},
    number_series::{self, DocumentKind},
    order::{LedgerError, Order, lock_order, save_order},
    parties,
};

/// Authorises a locked return with the next number of the series.
pub async fn authorise(
    tx: &mut Tx,
    before: &Record<SalesReturn>,
    body: &pb::AuthoriseReturnRequest,
) -> Result<Changed<SalesReturn>> {
    require_living(before)?;
    let exception = before.value.require_allowed(&body.exception_reason)?;
    let today = parties::store::find_day(tx, None).await?;
    let numbered = number_series::take(tx, DocumentKind::Return, &body.number_series, today).await?;
    let mut sales_return = before.value.clone();
    sales_return.authorise(numbered, exception, tx.cx().now)?;
    Ok((before.next(tx.cx(), sales_return), Facts::default()))
}

/// What returns write to beside themselves, and wait for.
#[derive(Clone, Copy, Debug)]
pub struct Returning {
    /// Statements of delivery notes.
    pub delivery_notes: Statements,
    /// Statements of orders.
    pub orders: Statements,
}

/// Notes what has come back of a locked return: it is the order's `returned` from now on.
pub async fn receive(
    Returning { delivery_notes, orders }: Returning,
    tx: &mut Tx,
    before: &Record<SalesReturn>,
    body: &pb::ReceiveReturnRequest,
) -> Result<Changed<SalesReturn>> {
    require_living(before)?;
    let mut sales_return = before.value.clone();
    sales_return.receive(parse_received(body)?, tx.cx().now)?;
    let delivered = lock_delivery_note(&delivery_notes, tx, &sales_return).await?;
    let others = received_by_others(tx, before).await?;
    sales_return.lines.require_taken(&delivered.value, &others)?;
    let order = lock_order(&orders, tx, order_of(&sales_return)?).await?;
    let mut moved = order.value.clone();
    moved.give_back(sales_return.lines.received(|_| true))?;
    save_order(&orders, tx, &order, moved, Facts::default()).await?;
    let serials = sales_return.lines.serials(|_| true);
    let (count, delivery_note) = (serials.len(), sales_return.delivery_note.uuid());
    if give_back(tx, delivery_note, serials.into_iter()).await? != count {
        // Another return has brought one of them back.
        return Err(LedgerError::OverReturned.into());
    }
    Ok((before.next(tx.cx(), sales_return), Facts::default()))
}

/// Notes what was found of a return.
pub fn inspect(
    sales_return: &mut SalesReturn,
    body: &pb::InspectReturnRequest,
    cx: &Context,
) -> Result<Facts> {
    sales_return.inspect(parse_findings(body)?, cx.now)?;
    Ok(Facts::default())
}

/// Settles a locked return: what is repaired or rejected goes to the customer again, and what is refunded is not wanted any
/// more.
pub async fn settle(
    orders: Statements,
    tx: &mut Tx,
    before: &Record<SalesReturn>,
) -> Result<Changed<SalesReturn>> {
    require_living(before)?;
    let mut sales_return = before.value.clone();
    sales_return.settle(tx.cx().now)?;
    let becomes = |line: &Line| line.found.as_ref().map(|found| found.disposition);
    let goes_back = |line: &Line| becomes(line).is_some_and(Disposition::goes_back);
    let back = sales_return.lines.received(goes_back);
    let refunded = sales_return.lines.received(|line| becomes(line) == Some(Disposition::Refund));
    if !back.is_empty() || !refunded.is_empty() {
        let order = lock_order(&orders, tx, order_of(&sales_return)?).await?;
        let mut moved = order.value.clone();
        moved.hand_back(back)?;
        moved.refund(refunded)?;
        save_order(&orders, tx, &order, moved, Facts::default()).await?;
        let serials = sales_return.lines.serials(goes_back);
        take_again(tx, sales_return.delivery_note.uuid(), serials.into_iter()).await?;
    }
    Ok((before.next(tx.cx(), sales_return), Facts::default()))
}

/// The delivery note of a return, locked: what is received of it comes one after the other. Who may receive a return may do
/// this, whether or not he sees delivery notes.
async fn lock_delivery_note(
    delivery_notes: &Statements,
    tx: &mut Tx,
    sales_return: &SalesReturn,
) -> Result<Record<DeliveryNote>> {
    let caller = tx.cx().clone();
    tx.set_cx(Context { scope: Scope::All, ..caller.clone() });
    let locked = tx.lock::<DeliveryNote>(delivery_notes, &sales_return.delivery_note.name()).await;
    tx.set_cx(caller);
    locked
}

/// How much other returns have brought back of each line of the delivery note, without what went to the customer again.
async fn received_by_others(tx: &mut Tx, own: &Record<SalesReturn>) -> Result<HashMap<String, Quantity>> {
    let tenant = tx.cx().tenant;
    let sums: Vec<(String, Decimal)> = sqlx::query_as(include_str!("../../sql/sum_received_lines.sql"))
        .bind(tenant)
        .bind(own.value.delivery_note.uuid())
        .bind(own.id)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let exact =
        |(line, sum): (String, Decimal)| Ok((line, Quantity::try_from(sum).map_err(Error::internal)?));
    sums.into_iter().map(exact).collect()
}

fn order_of(sales_return: &SalesReturn) -> Result<Id<Order>> {
    sales_return.order_id.ok_or_else(|| Error::internal("a return has no order"))
}
