//! Publishing a version retires the one before it; returns ask which one is published.

use sqlx::Row as _;
use trato_platform::{
    db::{Facts, NewEvent, Record, Tx, from_sqlx, statement::Statements},
    standard::{Changed, require_living},
};
use trato_types::{Error, Id, Kind, Result};
use uuid::Uuid;

use super::model::{Payer, ReturnPolicy};

/// A version that is published.
#[derive(Clone, Debug)]
pub struct Published {
    /// Which one.
    pub id: Id<ReturnPolicy>,
    /// Its place among the versions of the code.
    pub version: i32,
    /// Days from the delivery on, within which something may come back.
    pub window_days: i32,
    /// Who pays for the way back.
    pub payer: Payer,
}

/// Publishes a locked draft as the next version of its code.
pub async fn publish(
    statements: Statements,
    tx: &mut Tx,
    before: &Record<ReturnPolicy>,
) -> Result<Changed<ReturnPolicy>> {
    require_living(before)?;
    before.value.require_draft()?;
    let tenant = tx.cx().tenant;
    let row = sqlx::query(include_str!("../../sql/find_versions.sql"))
        .bind(tenant)
        .bind(&before.value.code)
        .fetch_one(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let published: Option<Uuid> = row.try_get(0).map_err(from_sqlx)?;
    let last: i32 = row.try_get(1).map_err(from_sqlx)?;
    if let Some(published) = published {
        retire(&statements, tx, Id::from_uuid(published)).await?;
    }
    let mut value = before.value.clone();
    let next = last.checked_add(1).ok_or_else(|| Error::internal("a code has too many versions"))?;
    value.publish(next, tx.cx().now)?;
    Ok((before.next(tx.cx(), value), Facts::default()))
}

async fn retire(statements: &Statements, tx: &mut Tx, id: Id<ReturnPolicy>) -> Result<()> {
    let before = tx.lock::<ReturnPolicy>(statements, &id.name()).await?;
    let mut value = before.value.clone();
    // Whoever published another version meanwhile has retired it.
    value.retire(tx.cx().now).map_err(|error| {
        Error::new(
            Kind::Stale,
            "CONCURRENT_CHANGE",
            "another version of the code was published at the same moment",
        )
        .caused_by(error)
    })?;
    let after = before.next(tx.cx(), value);
    let event = NewEvent::of(tx.cx(), "retired", Some(&before), &after);
    tx.save(statements, &after, event).await
}

/// The published version of a code, whoever asks: what may come back is no secret.
pub async fn find_published(tx: &mut Tx, code: &str) -> Result<Option<Published>> {
    let tenant = tx.cx().tenant;
    let row = sqlx::query(
        "select id, version, window_days, payer from return_policy
         where tenant_id = $1 and code = $2 and state = 'PUBLISHED' and delete_time is null",
    )
    .bind(tenant)
    .bind(code)
    .fetch_optional(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let Some(row) = row else { return Ok(None) };
    let payer: String = row.try_get(3).map_err(from_sqlx)?;
    Ok(Some(Published {
        id: Id::from_uuid(row.try_get(0).map_err(from_sqlx)?),
        version: row.try_get(1).map_err(from_sqlx)?,
        window_days: row.try_get(2).map_err(from_sqlx)?,
        payer: Payer::from_name(&payer).ok_or_else(|| Error::internal("a stored payer is none"))?,
    }))
}
