//! How much of documents of sales may be invoiced, and how much of it is. Invoices and credit notes move the quantities by
//! themselves, in the table's own triggers, so that no way of writing one goes past them.

use std::collections::HashMap;

use rust_decimal::Decimal;
use trato_platform::db::{Constraint, Tx, constrained, from_sqlx};
use trato_pricing::Quantity;
use trato_types::{Error, Kind, Result};

/// What a violated constraint tells the client.
pub const EXCEEDED: Constraint = Constraint {
    name: "billable_line_exceeded",
    kind: Kind::Precondition,
    reason: "BASIS_EXCEEDED",
    message: "more would be invoiced than may be",
};

/// What may be invoiced of a line.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Billable {
    /// The document, such as `orders/…`.
    pub document: String,
    /// Its line.
    pub line: String,
    /// How much of it may be invoiced.
    pub basis: Quantity,
    /// Document and line for which the same quantity counts as well.
    pub parent: Option<(String, String)>,
    /// Revision of the document.
    pub revision: i64,
}

/// Records what sales has told, where it is news.
pub async fn record(tx: &mut Tx, mut billables: Vec<Billable>) -> Result<()> {
    // Everybody locks in this order.
    billables.sort();
    let parents = |part: fn(&(String, String)) -> &String| -> Vec<Option<String>> {
        billables.iter().map(|billable| billable.parent.as_ref().map(part).cloned()).collect()
    };
    let tenant = tx.cx().tenant;
    sqlx::query(include_str!("../sql/record_billable_lines.sql"))
        .bind(tenant)
        .bind(billables.iter().map(|billable| billable.document.clone()).collect::<Vec<_>>())
        .bind(billables.iter().map(|billable| billable.line.clone()).collect::<Vec<_>>())
        .bind(billables.iter().map(|billable| Decimal::from(billable.basis)).collect::<Vec<_>>())
        .bind(parents(|(document, _)| document))
        .bind(parents(|(_, line)| line))
        .bind(billables.iter().map(|billable| billable.revision).collect::<Vec<_>>())
        .execute(tx.connection())
        .await
        .map_err(|error| constrained(error, &[]))?;
    Ok(())
}

/// How much of each line of a document is invoiced and not credited, and how much is left to be invoiced, also of all that it
/// counts for. The lines stay locked until the transaction ends.
pub async fn lock(tx: &mut Tx, document: &str) -> Result<HashMap<String, (Quantity, Quantity)>> {
    let tenant = tx.cx().tenant;
    let rows: Vec<(String, Decimal, Decimal)> =
        sqlx::query_as(include_str!("../sql/lock_billable_lines.sql"))
            .bind(tenant)
            .bind(document)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
    let exact = |decimal: Decimal| Quantity::try_from(decimal).map_err(Error::internal);
    rows.into_iter().map(|(line, invoiced, left)| Ok((line, (exact(invoiced)?, exact(left)?)))).collect()
}
