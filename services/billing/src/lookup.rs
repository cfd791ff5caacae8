//! Living records by their identifiers, read in a transaction.

use std::collections::{HashMap, HashSet};

use sqlx::{Arguments as _, postgres::PgArguments};
use trato_platform::db::{
    Record, Resource, Tx, from_sqlx,
    statement::{self, Statements},
};
use trato_types::{Error, Result};
use uuid::Uuid;

/// Those of these records that are there and not deleted.
pub async fn living<T: Resource>(
    tx: &mut Tx,
    statements: &Statements,
    ids: HashSet<Uuid>,
) -> Result<HashMap<Uuid, T>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let cx = tx.cx().clone();
    let mut arguments = PgArguments::default();
    arguments.add(cx.tenant.to_string()).map_err(Error::internal)?;
    arguments.add(ids.into_iter().collect::<Vec<_>>()).map_err(Error::internal)?;
    statement::bind_scope(&cx, &mut arguments)?;
    let rows = sqlx::query_with(statements.get_many(cx.scope), arguments)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let records = rows.iter().map(Record::<T>::read).collect::<Result<Vec<_>>>()?;
    let is_living = |record: &Record<T>| record.delete_time.is_none();
    Ok(records.into_iter().filter(is_living).map(|record| (record.id, record.value)).collect())
}
