//! What returns do with the quantities of their orders: one transaction for return, order, serial numbers and the
//! number.

use trato_platform::{
    db::{Facts, Record, Tx, statement::Statements},
    standard::{Changed, require_living},
};
use trato_proto::sales::v1 as pb;
use trato_types::{Error, Id, Result};

use super::{
    content::{Disposition, Line},
    model::SalesReturn,
    parse::{parse_findings, parse_received},
};
use crate::{
    delivery_note::{give_back, take_again},
    number_series::{self, DocumentKind},
    order::{LedgerError, Order, lock_order, save_order},
};

/// Authorises a locked return with the next number of the series.
pub async fn authorise(
    tx: &mut Tx,
    before: &Record<SalesReturn>,
    body: &pb::AuthoriseReturnRequest,
) -> Result<Changed<SalesReturn>> {
    require_living(before)?;
    let exception = before.value.require_allowed(&body.exception_reason)?;
    let numbered = number_series::take(tx, DocumentKind::Return, &body.number_series).await?;
    let mut sales_return = before.value.clone();
    sales_return.authorise(numbered, exception, tx.cx().now)?;
    Ok((before.next(tx.cx(), sales_return), Facts::default()))
}

/// Notes what has come back of a locked return: it is the order's `returned` from now on.
pub async fn receive(
    orders: Statements,
    tx: &mut Tx,
    before: &Record<SalesReturn>,
    body: &pb::ReceiveReturnRequest,
) -> Result<Changed<SalesReturn>> {
    require_living(before)?;
    let mut sales_return = before.value.clone();
    sales_return.receive(parse_received(body)?, tx.cx().now)?;
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
    cx: &trato_types::Context,
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

fn order_of(sales_return: &SalesReturn) -> Result<Id<Order>> {
    sales_return.order_id.ok_or_else(|| Error::internal("a return has no order"))
}
