//! What billing does with orders, heard from its events: it is recorded, whatever it is. Quantities of an order are the
//! sums over the lines of its invoices, so that it does not matter whether an invoice or its credit note is heard of
//! first.

use std::{collections::BTreeSet, sync::Arc};

use futures::FutureExt as _;
use rust_decimal::Decimal;
use sqlx::types::Json;
use trato_platform::{
    db::{NewEvent, Tx, from_sqlx, statement::Statements},
    events::{Event, Subscription},
};
use trato_pricing::{PricingError, Quantity};
use trato_proto::billing::v1 as billing;
use trato_types::{Error, Id, Result, id::parse_name};
use uuid::Uuid;

use super::model::Order;
use crate::delivery_note;

/// What of a document an invoice was made from is ours.
const SOURCES: [&str; 3] = ["orders", "quotes", "deliveryNotes"];

/// Invoices that were issued or voided.
pub fn record_invoices() -> Subscription {
    let orders = Statements::of::<Order>();
    Subscription::new(
        "record-invoices",
        &["trato.billing.v1.invoice.issued", "trato.billing.v1.invoice.voided"],
        Arc::new(move |tx, event| record_invoice(orders, tx, event).boxed()),
    )
}

/// Credit notes that were issued.
pub fn record_credit_notes() -> Subscription {
    let orders = Statements::of::<Order>();
    Subscription::new(
        "record-credit-notes",
        &["trato.billing.v1.credit_note.issued"],
        Arc::new(move |tx, event| record_credit_note(orders, tx, event).boxed()),
    )
}

/// The document of ours that an invoice says it was made from.
fn source_of(name: &str) -> Option<Uuid> {
    SOURCES.iter().find_map(|collection| parse_name(collection, name).ok())
}

async fn record_invoice(orders: Statements, tx: &mut Tx, event: &Event) -> Result<()> {
    let invoice: billing::Invoice = event.resource()?;
    let Some(source) = source_of(&invoice.source_document) else { return Ok(()) };
    let Some((order, delivered)) = find_order(tx, source).await? else { return Ok(()) };
    let is_void = invoice.state() == billing::invoice::State::Void;
    let (mut lines, mut order_lines, mut quantities) = (Vec::new(), Vec::new(), Vec::<Decimal>::new());
    for line in &invoice.lines {
        let order_line = match &delivered {
            None => Some(line.source_line.clone()),
            Some(delivered) => delivered.order_line(&line.source_line).map(str::to_owned),
        };
        let Some(order_line) = order_line.filter(|line| !line.is_empty()) else { continue };
        let quantity = if is_void { Quantity::ZERO } else { quantity(&line.quantity)? };
        lines.push(line.key.clone());
        order_lines.push(order_line);
        quantities.push(quantity.into());
    }
    let tenant = tx.cx().tenant;
    sqlx::query(include_str!("../../sql/record_invoice_lines.sql"))
        .bind(tenant)
        .bind(parse_name("invoices", &invoice.name).map_err(Error::internal)?)
        .bind(lines)
        .bind(order)
        .bind(order_lines)
        .bind(quantities)
        .execute(tx.connection())
        .await
        .map_err(from_sqlx)?;
    sum_up(&orders, tx, order).await
}

async fn record_credit_note(orders: Statements, tx: &mut Tx, event: &Event) -> Result<()> {
    let credit: billing::CreditNote = event.resource()?;
    let lines: Vec<String> = credit.items.iter().map(|item| item.key.clone()).collect();
    let quantities = credit.items.iter().map(|item| Ok(Decimal::from(quantity(&item.quantity)?)));
    let quantities = quantities.collect::<Result<Vec<_>>>()?;
    let tenant = tx.cx().tenant;
    let touched: Vec<Option<Uuid>> = sqlx::query_scalar(include_str!("../../sql/record_credit_lines.sql"))
        .bind(tenant)
        .bind(parse_name("invoices", &credit.invoice).map_err(Error::internal)?)
        .bind(lines)
        .bind(quantities)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    for order in touched.into_iter().flatten().collect::<BTreeSet<_>>() {
        sum_up(&orders, tx, order).await?;
    }
    Ok(())
}

/// The order of a document of ours; for a delivery note, with its lines.
async fn find_order(tx: &mut Tx, source: Uuid) -> Result<Option<(Uuid, Option<delivery_note::Lines>)>> {
    let tenant = tx.cx().tenant;
    let found: Option<(Uuid, Option<Json<delivery_note::Lines>>)> =
        sqlx::query_as(include_str!("../../sql/find_billed_order.sql"))
            .bind(tenant)
            .bind(source)
            .fetch_optional(tx.connection())
            .await
            .map_err(from_sqlx)?;
    Ok(found.map(|(order, lines)| (order, lines.map(|lines| lines.0))))
}

/// Takes the sums over to the order, if they are news.
async fn sum_up(orders: &Statements, tx: &mut Tx, order: Uuid) -> Result<()> {
    let before = tx.lock::<Order>(orders, &Id::<Order>::from_uuid(order).name()).await?;
    let tenant = tx.cx().tenant;
    let sums: Vec<(String, Decimal, Decimal)> =
        sqlx::query_as(include_str!("../../sql/sum_billed_lines.sql"))
            .bind(tenant)
            .bind(order)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
    let mut value = before.value.clone();
    let mut is_news = false;
    for (line, invoiced, credited) in sums {
        let (invoiced, credited) = (exact(invoiced)?, exact(credited)?);
        is_news |= value.bill(&line, invoiced, credited);
    }
    if !is_news {
        return Ok(());
    }
    let after = before.next(tx.cx(), value);
    let event = NewEvent::of(tx.cx(), "billed", Some(&before), &after);
    tx.save(orders, &after, event).await
}

/// A quantity of billing, which has signs of its own for what it takes back; nothing where only an amount was credited.
fn quantity(text: &str) -> Result<Quantity> {
    let read = if text.is_empty() { Ok(Quantity::ZERO) } else { text.parse::<Quantity>() };
    let read =
        read.map_err(|error: PricingError| Error::invalid("quantity", "INVALID_EVENT", error.to_string()))?;
    Ok(read.max(read.negated()))
}

fn exact(decimal: Decimal) -> Result<Quantity> {
    Quantity::try_from(decimal).map_err(Error::internal)
}
