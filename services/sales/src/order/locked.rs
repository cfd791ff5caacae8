//! The order behind delivery notes and returns: read, or locked and stored once its quantities have moved. And the order that
//! a quote or a cart becomes, as it is stored for the first time.

use std::collections::HashMap;

use sqlx::{Arguments as _, postgres::PgArguments};
use trato_platform::db::{
    Facts, NewEvent, Record, Tx, from_sqlx,
    statement::{self, Statements},
};
use trato_types::{Error, Id, Kind, Result};
use uuid::Uuid;

use super::{account_hold, model::Order};

/// The living ones of these orders that the caller sees.
pub async fn find_orders(
    tx: &mut Tx,
    orders: &Statements,
    ids: Vec<Id<Order>>,
) -> Result<HashMap<Uuid, Order>> {
    let ids: Vec<Uuid> = ids.into_iter().map(Id::uuid).collect();
    let cx = tx.cx().clone();
    let mut arguments = PgArguments::default();
    arguments.add(cx.tenant.to_string()).map_err(Error::internal)?;
    arguments.add(ids).map_err(Error::internal)?;
    statement::bind_scope(&cx, &mut arguments)?;
    let rows = sqlx::query_with(orders.get_many(cx.scope), arguments)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let records = rows.iter().map(Record::<Order>::read).collect::<Result<Vec<_>>>()?;
    let living = records.into_iter().filter(|record| record.delete_time.is_none());
    Ok(living.map(|record| (record.id, record.value)).collect())
}

/// Locks an order; FAILED_PRECONDITION `ORDER_NOT_FOUND` for one that the caller does not see.
pub async fn lock_order(orders: &Statements, tx: &mut Tx, order: Id<Order>) -> Result<Record<Order>> {
    match tx.lock::<Order>(orders, &order.name()).await {
        Err(error) if error.kind() == Kind::NotFound => Err(order_not_found(order)),
        Ok(found) if found.delete_time.is_some() => Err(order_not_found(order)),
        locked => locked,
    }
}

/// Stores a new order; answers it with the identifier of the event that tells of it.
pub async fn insert_order(orders: &Statements, tx: &mut Tx, order: Order) -> Result<(Record<Order>, Uuid)> {
    let record = Record::new(tx.cx(), order, None);
    let event = NewEvent::of(tx.cx(), "created", None, &record);
    let event_id = event.id;
    tx.insert(orders, &[&record], vec![event]).await?;
    Ok((record, event_id))
}

/// Stores a locked order whose quantities have moved; one that is open again while its account is on hold is held with it.
pub async fn save_order(
    orders: &Statements,
    tx: &mut Tx,
    before: &Record<Order>,
    mut moved: Order,
    facts: Facts,
) -> Result<()> {
    if moved.can_be_delivered() && !before.value.is_open() {
        account_hold::take_turn(tx, moved.account).await?;
        account_hold::hold_with_account(tx, &mut moved).await?;
    }
    let after = before.next(tx.cx(), moved);
    let event = NewEvent::with_facts(tx.cx(), "progressed", Some(before), &after, facts);
    tx.save(orders, &after, event).await
}

/// FAILED_PRECONDITION for an order that is not there, or that the caller does not see.
pub fn order_not_found(order: Id<Order>) -> Error {
    let error = Error::new(Kind::Precondition, "ORDER_NOT_FOUND", "there is no such order");
    error.with("order", order.name()).about(order.name())
}
