//! What billing does with orders, heard from its events: it is recorded, whatever it is. Quantities of an order are the
//! sums over the lines of its invoices, so that it does not matter whether an invoice or its credit note is heard of
//! first, nor whether there is an order by then: what was invoiced of a quote waits for its order, and what was invoiced
//! of a draft for its confirmation.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::FutureExt as _;
use rust_decimal::Decimal;
use sqlx::types::Json;
use trato_platform::{
    db::{NewEvent, Record, Tx, from_sqlx, statement::Statements},
    events::{Event, Subscription},
};
use trato_pricing::{PricingError, Quantity};
use trato_proto::billing::v1 as billing;
use trato_types::{Error, Id, Result, id::parse_name};
use uuid::Uuid;

use super::model::Order;
use crate::{delivery_note, quote::Quote};

/// What of a document an invoice was made from is ours.
const SOURCES: [&str; 3] = ["orders", "quotes", "deliveryNotes"];

/// What billing puts before the key of a charge of the order, where it invoices a delivery note, whose lines have keys of their
/// own.
const CHARGES: &str = "charges/";

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
    let quote = lock_quote(tx, source).await?;
    let (order, delivered) = find_order(tx, source).await?.unzip();
    if order.is_none() && quote.is_none() {
        return Ok(());
    }
    let before = match order {
        Some(order) => Some(lock(&orders, tx, order).await?),
        None => None,
    };
    let delivered = delivered.flatten();
    let is_void = invoice.state() == billing::invoice::State::Void;
    let (mut lines, mut order_lines, mut quantities) = (Vec::new(), Vec::new(), Vec::<Decimal>::new());
    for line in &invoice.lines {
        let order_line = match &delivered {
            None => Some(line.source_line.clone()),
            Some(delivered) => delivered_key(delivered, &line.source_line).map(str::to_owned),
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
        .bind(quote)
        .execute(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let Some(before) = before else { return Ok(()) };
    sum_up(&orders, tx, &before).await
}

/// Key of the line or charge of the order of which an invoice of a delivery note says that it invoices this.
fn delivered_key<'a>(delivered: &'a delivery_note::Lines, source_line: &'a str) -> Option<&'a str> {
    delivered.order_line(source_line).or_else(|| source_line.strip_prefix(CHARGES))
}

async fn record_credit_note(orders: Statements, tx: &mut Tx, event: &Event) -> Result<()> {
    let credit: billing::CreditNote = event.resource()?;
    let lines: Vec<String> = credit.items.iter().map(|item| item.key.clone()).collect();
    let quantities = credit.items.iter().map(|item| Ok(Decimal::from(quantity(&item.quantity)?)));
    let quantities = quantities.collect::<Result<Vec<_>>>()?;
    let tenant = tx.cx().tenant;
    let invoice = parse_name("invoices", &credit.invoice).map_err(Error::internal)?;
    let mut locked = BTreeMap::new();
    for order in orders_of(tx, invoice, &lines).await? {
        locked.insert(order, lock(&orders, tx, order).await?);
    }
    let touched: Vec<Option<Uuid>> = sqlx::query_scalar(include_str!("../../sql/record_credit_lines.sql"))
        .bind(tenant)
        .bind(invoice)
        .bind(lines)
        .bind(quantities)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    for order in touched.into_iter().flatten().collect::<BTreeSet<_>>() {
        // A quote may have got its order meanwhile.
        let before = match locked.remove(&order) {
            Some(before) => before,
            None => lock(&orders, tx, order).await?,
        };
        sum_up(&orders, tx, &before).await?;
    }
    Ok(())
}

/// The orders, in the order of their ids, that these lines of an invoice are known to be of.
async fn orders_of(tx: &mut Tx, invoice: Uuid, lines: &[String]) -> Result<Vec<Uuid>> {
    let tenant = tx.cx().tenant;
    let sql = "select distinct order_id from billed_line
        where tenant_id = $1 and invoice = $2 and line = any($3) and order_id is not null
        order by order_id";
    sqlx::query_scalar(sql)
        .bind(tenant)
        .bind(invoice)
        .bind(lines)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)
}

/// Locks an order before its lines are written: whoever confirms it has it, and comes to the lines then.
async fn lock(orders: &Statements, tx: &mut Tx, order: Uuid) -> Result<Record<Order>> {
    tx.lock::<Order>(orders, &Id::<Order>::from_uuid(order).name()).await
}

/// The quote of this id, if there is one. Whoever makes it an order waits for us, or we for him: what is invoiced of it finds
/// the order, or is found by it.
async fn lock_quote(tx: &mut Tx, source: Uuid) -> Result<Option<Uuid>> {
    let tenant = tx.cx().tenant;
    sqlx::query_scalar("select id from quote where tenant_id = $1 and id = $2 for share")
        .bind(tenant)
        .bind(source)
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)
}

/// Gives the order of a quote what was invoiced of the quote before. What it has already is not locked.
pub async fn attach(tx: &mut Tx, order: Uuid, quote: Id<Quote>) -> Result<()> {
    let tenant = tx.cx().tenant;
    let sql = "update billed_line set order_id = $2
        where tenant_id = $1 and quote = $3 and order_id is distinct from $2";
    sqlx::query(sql)
        .bind(tenant)
        .bind(order)
        .bind(quote.uuid())
        .execute(tx.connection())
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// Takes over to a locked order that is being confirmed what was invoiced and credited of it before.
pub async fn catch_up(tx: &mut Tx, id: Uuid, order: &mut Order) -> Result<()> {
    if let Some(quote) = order.quote {
        attach(tx, id, quote).await?;
    }
    take_over(tx, id, order).await.map(drop)
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

/// Takes the sums over to a locked order, if they are news.
async fn sum_up(orders: &Statements, tx: &mut Tx, before: &Record<Order>) -> Result<()> {
    let mut value = before.value.clone();
    if !take_over(tx, before.id, &mut value).await? {
        return Ok(());
    }
    let after = before.next(tx.cx(), value);
    let event = NewEvent::of(tx.cx(), "billed", Some(before), &after);
    tx.save(orders, &after, event).await
}

/// Takes the sums over to a locked order. True when one of them is news.
async fn take_over(tx: &mut Tx, id: Uuid, order: &mut Order) -> Result<bool> {
    let tenant = tx.cx().tenant;
    let sums: Vec<(String, Decimal, Decimal)> =
        sqlx::query_as(include_str!("../../sql/sum_billed_lines.sql"))
            .bind(tenant)
            .bind(id)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
    let mut is_news = false;
    for (line, invoiced, credited) in sums {
        let (invoiced, credited) = (exact(invoiced)?, exact(credited)?);
        is_news |= order.bill(&line, invoiced, credited);
    }
    Ok(is_news)
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
