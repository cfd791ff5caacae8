//! The order behind delivery notes and returns: locked, and stored once its quantities have moved.

use trato_platform::db::{Facts, NewEvent, Record, Tx, statement::Statements};
use trato_types::{Error, Id, Kind, Result};

use super::model::Order;

/// Locks an order; FAILED_PRECONDITION `ORDER_NOT_FOUND` for one that the caller does not see.
pub async fn lock_order(orders: &Statements, tx: &mut Tx, order: Id<Order>) -> Result<Record<Order>> {
    match tx.lock::<Order>(orders, &order.name()).await {
        Err(error) if error.kind() == Kind::NotFound => Err(order_not_found(order)),
        Ok(found) if found.delete_time.is_some() => Err(order_not_found(order)),
        locked => locked,
    }
}

/// Stores a locked order whose quantities have moved.
pub async fn save_order(
    orders: &Statements,
    tx: &mut Tx,
    before: &Record<Order>,
    moved: Order,
    facts: Facts,
) -> Result<()> {
    let after = before.next(tx.cx(), moved);
    let event = NewEvent::with_facts(tx.cx(), "progressed", Some(before), &after, facts);
    tx.save(orders, &after, event).await
}

/// FAILED_PRECONDITION for an order that is not there, or that the caller does not see.
pub fn order_not_found(order: Id<Order>) -> Error {
    let error = Error::new(Kind::Precondition, "ORDER_NOT_FOUND", "there is no such order");
    error.with("order", order.name()).about(order.name())
}
