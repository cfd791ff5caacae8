//! What operators revoke: one token, or all that were issued to a subject up to a moment.
//!
//! Nothing of a token is stored but its [mark](crate::auth::marks). A row is forgotten when what it is about has ended by itself.

use chrono::TimeDelta;
use serde::Serialize;
use trato_types::{Result, Timestamp};
use uuid::Uuid;

use crate::{
    auth::marks::{self, Leaked, shown},
    db::{Pool, from_sqlx},
};

/// How much longer than a token says it is remembered: the leeway of those who verify it, and clocks that differ.
const MARGIN: TimeDelta = TimeDelta::hours(1);

/// What is to be revoked.
#[derive(Clone, Debug)]
pub struct New {
    key: String,
    description: String,
    issued_until: Option<Timestamp>,
    expire_time: Timestamp,
}

impl New {
    /// A token that is at hand.
    pub fn of_token(token: Leaked) -> Self {
        let Leaked { mark, description, expires } = token;
        Self { key: mark, description, issued_until: None, expire_time: expires + MARGIN }
    }

    /// The token that an issuer gave this `jti`, and that ends before `end`.
    pub fn of_id(issuer: &str, id: &str, end: Timestamp) -> Self {
        let description = format!("the token {} of {}", shown(id), shown(issuer));
        Self { key: marks::of_id(issuer, id), description, issued_until: None, expire_time: end }
    }

    /// All tokens that were issued to a subject up to a moment, and end before `end`.
    pub fn of_subject(tenant: Uuid, subject: &str, issued_until: Timestamp, end: Timestamp) -> Self {
        Self {
            key: marks::of_subject(tenant, subject),
            description: format!("tokens of {} of tenant {tenant}", shown(subject)),
            issued_until: Some(issued_until),
            expire_time: end,
        }
    }
}

/// What is revoked, as operators see it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Revocation {
    /// What it is restored by.
    pub key: String,
    /// Whose it is.
    pub description: String,
    /// Only what was issued up to then.
    pub issued_until: Option<Timestamp>,
    /// When it was first revoked.
    pub create_time: Timestamp,
    /// When it is forgotten.
    pub expire_time: Timestamp,
}

type Row = (String, String, Option<Timestamp>, Timestamp, Timestamp);

fn read((key, description, issued_until, create_time, expire_time): Row) -> Revocation {
    Revocation { key, description, issued_until, create_time, expire_time }
}

/// Revokes; forgets what has ended meanwhile. Repeatable: the later moment holds.
pub async fn revoke(system: &Pool, new: New) -> Result<Revocation> {
    let old = "delete from platform.revocation where expire_time <= now()";
    sqlx::query(old).execute(system).await.map_err(from_sqlx)?;
    let sql = "insert into platform.revocation as known (key, description, issued_until, expire_time)
               values ($1, $2, $3, $4)
               on conflict (key) do update set
                 issued_until = greatest(known.issued_until, excluded.issued_until),
                 expire_time = greatest(known.expire_time, excluded.expire_time)
               returning key, description, issued_until, create_time, expire_time";
    let row: Row = sqlx::query_as(sql)
        .bind(new.key)
        .bind(new.description)
        .bind(new.issued_until)
        .bind(new.expire_time)
        .fetch_one(system)
        .await
        .map_err(from_sqlx)?;
    Ok(read(row))
}

/// Accepts again what was revoked; false where it was not. Repeatable.
pub async fn restore(system: &Pool, key: &str) -> Result<bool> {
    let sql = "delete from platform.revocation where key = $1";
    let done = sqlx::query(sql).bind(key).execute(system).await.map_err(from_sqlx)?;
    Ok(done.rows_affected() > 0)
}

/// All that is revoked, the oldest first.
pub async fn list(system: &Pool) -> Result<Vec<Revocation>> {
    let sql = "select key, description, issued_until, create_time, expire_time
               from platform.revocation
               where expire_time > now()
               order by create_time, key";
    let rows: Vec<Row> = sqlx::query_as(sql).fetch_all(system).await.map_err(from_sqlx)?;
    Ok(rows.into_iter().map(read).collect())
}
