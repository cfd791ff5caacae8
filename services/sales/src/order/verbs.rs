//! What requests ask of an order's verbs.

use std::collections::HashSet;

use trato_platform::{
    db::{Facts, Record, Tx, statement::Statements},
    standard::{Changed, require_living},
};
use trato_pricing::Quantity;
use trato_proto::{sales::v1 as pb, wire};
use trato_types::{Context, Error, Id, Result, Violations};

use super::{
    account_hold, billed,
    model::{HoldReason, Order, OrderError, State},
    parse::parse_hold_reason,
    requests::FIELD,
};
use crate::{
    document::{self, Sale},
    kit,
    number_series::{self, DocumentKind},
    parties, promotion,
};

/// Most lines of a request.
const MAX_LINES: usize = 1000;

/// FAILED_PRECONDITION unless it is a draft that lives and is not held.
pub fn require_confirmable(order: &Record<Order>) -> Result<()> {
    require_living(order)?;
    order.value.require_draft()?;
    Ok(order.value.require_not_held()?)
}

/// Confirms a locked draft with the next number of the series, if it comes to the same as when it was written. What its
/// promotions give is taken of them. What came of a quote keeps the prices that were agreed on, and the quote has done so. What is in
/// its kits is what is in them now.
pub async fn confirm(
    promotions: Statements,
    tx: &mut Tx,
    before: &Record<Order>,
    body: &pb::ConfirmOrderRequest,
) -> Result<Changed<Order>> {
    require_confirmable(before)?;
    let is_quoted = before.value.quote.is_some();
    let has_changed = !is_quoted && has_changed(tx, &before.value).await?;
    // What may take long comes before the rows for which others wait.
    let kits = kit::store::find(tx, before.value.products()).await?;
    if !is_quoted {
        let priced = before.value.document.priced.as_ref();
        let given = priced.ok_or_else(|| Error::internal("an order was not priced"))?.promotions()?;
        // That a promotion is used up says more than that the price has changed.
        promotion::take(tx, &promotions, before.id, given).await?;
        if has_changed {
            return Err(OrderError::PriceChanged.into());
        }
    }
    account_hold::take_turn(tx, before.value.account).await?;
    let today = parties::store::find_day(tx, None).await?;
    let numbered = number_series::take(tx, DocumentKind::Order, &body.number_series, today).await?;
    let mut order = before.value.clone();
    let order_date = numbered.day;
    order.confirm(numbered, order_date, &kits)?;
    billed::catch_up(tx, before.id, &mut order).await?;
    account_hold::hold_with_account(tx, &mut order).await?;
    Ok((before.next(tx.cx(), order), Facts::default()))
}

/// True when a draft, priced by what holds now, comes to something else than when it was written.
async fn has_changed(tx: &mut Tx, draft: &Order) -> Result<bool> {
    let mut again = draft.document.clone();
    let sale = Sale { document: &mut again, account: Some(draft.account), legal_entity: None };
    document::complete(tx, FIELD, vec![sale]).await?.into_iter().collect::<Result<()>>()?;
    Ok(!document::same_price(&again, &draft.document))
}

/// Holds an order.
pub fn hold(order: &mut Order, body: &pb::HoldOrderRequest, cx: &Context) -> Result<Facts> {
    order.hold(parse_hold_reason(body.reason)?, &body.note, cx.now)?;
    Ok(Facts::default())
}

/// Releases a locked order. One that was held for something else than credit is held with its account then, if that is on hold.
pub async fn release(tx: &mut Tx, before: &Record<Order>) -> Result<Changed<Order>> {
    require_living(before)?;
    let mut order = before.value.clone();
    order.release()?;
    if before.value.hold_reason != Some(HoldReason::Credit) {
        account_hold::hold_with_account(tx, &mut order).await?;
    }
    Ok((before.next(tx.cx(), order), Facts::default()))
}

/// Lets a share be invoiced.
pub fn release_milestone(
    order: &mut Order,
    body: &pb::ReleaseMilestoneRequest,
    _: &Context,
) -> Result<Facts> {
    let percent = body.released_percent.parse().map_err(|error: trato_pricing::PricingError| {
        Error::invalid("released_percent", error.reason(), error.to_string())
    })?;
    order.release_milestone(percent)?;
    Ok(Facts::default())
}

/// Takes quantities off a locked order.
pub async fn cancel_lines(
    promotions: Statements,
    tx: &mut Tx,
    before: &Record<Order>,
    body: &pb::CancelOrderLinesRequest,
) -> Result<Changed<Order>> {
    require_living(before)?;
    let mut order = before.value.clone();
    order.cancel_lines(&cancelled(body)?, tx.cx().now)?;
    give_promotions_back(promotions, tx, before, &order).await?;
    Ok((before.next(tx.cx(), order), Facts::default()))
}

/// Cancels a locked order.
pub async fn cancel(
    promotions: Statements,
    tx: &mut Tx,
    before: &Record<Order>,
    body: &pb::CancelOrderRequest,
) -> Result<Changed<Order>> {
    require_living(before)?;
    let mut order = before.value.clone();
    order.cancel(&body.reason, tx.cx().now)?;
    give_promotions_back(promotions, tx, before, &order).await?;
    Ok((before.next(tx.cx(), order), Facts::default()))
}

/// Once an order is cancelled, what was taken of its promotions goes back: by its confirmation, or by the acceptance of its
/// quote, of which there will be no other order.
async fn give_promotions_back(
    promotions: Statements,
    tx: &mut Tx,
    before: &Record<Order>,
    after: &Order,
) -> Result<()> {
    let quote = before.value.quote;
    let has_taken = before.value.state != State::Draft || quote.is_some();
    match &before.value.document.priced {
        Some(priced) if has_taken && after.state == State::Cancelled => {
            let document = quote.map_or(before.id, Id::uuid);
            promotion::give_back(tx, &promotions, document, priced.promotions()?).await
        }
        _ => Ok(()),
    }
}

fn cancelled(body: &pb::CancelOrderLinesRequest) -> Result<Vec<(String, Quantity)>> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let given = check.keep("lines", wire::at_most(&body.lines, MAX_LINES)).unwrap_or_default();
    if body.lines.is_empty() {
        check.add("lines", "REQUIRED", "must not be empty");
    }
    let (mut lines, mut keys) = (Vec::with_capacity(given.len()), HashSet::new());
    for (at, line) in given.iter().enumerate() {
        let quantity = line.quantity.parse().and_then(Quantity::positive);
        let quantity = check.keep(&format!("lines[{at}].quantity"), quantity);
        if !keys.insert(line.line.as_str()) {
            check.add(format!("lines[{at}].line"), "DUPLICATE", "a line before it is the same");
        }
        lines.extend(quantity.map(|quantity| (line.line.clone(), quantity)));
    }
    violations.into_result(Some(lines))
}
