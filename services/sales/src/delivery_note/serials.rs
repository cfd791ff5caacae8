//! Serial numbers that are with customers: one row for each product and number, from issue until it comes back.

use trato_platform::db::{Constraint, Tx, constrained, from_sqlx};
use trato_types::{Id, Result};
use uuid::Uuid;

use super::content::Lines;
use crate::product::Product;

const CONSTRAINTS: &[Constraint] = &[Constraint::taken(
    "delivered_serial_pkey",
    "SERIAL_TAKEN",
    "a product of this serial number is with a customer already",
)];

/// Notes that these leave; ALREADY_EXISTS `SERIAL_TAKEN` when one of them is with a customer.
pub async fn take(tx: &mut Tx, delivery_note: Uuid, lines: &Lines) -> Result<()> {
    take_again(tx, delivery_note, lines.serials()).await
}

/// Notes that these go to the customer, again on the delivery note on which they left.
pub async fn take_again<'a>(
    tx: &mut Tx,
    delivery_note: Uuid,
    given: impl Iterator<Item = (Id<Product>, &'a str)>,
) -> Result<()> {
    let (products, serials) = columns(given);
    if serials.is_empty() {
        return Ok(());
    }
    let tenant = tx.cx().tenant;
    sqlx::query(include_str!("../../sql/take_serials.sql"))
        .bind(tenant)
        .bind(delivery_note)
        .bind(products)
        .bind(serials)
        .execute(tx.connection())
        .await
        .map_err(|error| constrained(error, CONSTRAINTS))?;
    Ok(())
}

/// Notes that these are with nobody any more; answers how many of them were with the customer of the delivery note.
pub async fn give_back<'a>(
    tx: &mut Tx,
    delivery_note: Uuid,
    given: impl Iterator<Item = (Id<Product>, &'a str)>,
) -> Result<usize> {
    let (products, serials) = columns(given);
    if serials.is_empty() {
        return Ok(0);
    }
    let tenant = tx.cx().tenant;
    let done = sqlx::query(include_str!("../../sql/give_serials_back.sql"))
        .bind(tenant)
        .bind(delivery_note)
        .bind(products)
        .bind(serials)
        .execute(tx.connection())
        .await
        .map_err(from_sqlx)?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}

fn columns<'a>(serials: impl Iterator<Item = (Id<Product>, &'a str)>) -> (Vec<Uuid>, Vec<String>) {
    // In one order, so that two who take the same ones wait for one another and not each for the other.
    let mut pairs: Vec<_> = serials.map(|(product, serial)| (product.uuid(), serial.to_owned())).collect();
    pairs.sort();
    pairs.into_iter().unzip()
}
