//! What operators revoke: one token, or all that were issued to a subject up to a moment.
//!
//! Nothing of a token is stored but its [mark](crate::auth::marks). What is about one token at hand is forgotten when that has
//! ended by itself; how long another one may be good for nobody here knows, so that the rest stands until it is allowed again.

use chrono::{TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use trato_types::{Error, Kind, Result, Timestamp, text};
use uuid::Uuid;

use crate::{
    auth::marks::{self, Leaked, Mark},
    db::{Pool, from_sqlx},
};

/// How much longer than a token says it is remembered: the leeway of those who verify it, and clocks that differ.
const MARGIN: TimeDelta = TimeDelta::hours(1);

/// What is to be revoked.
#[derive(Clone, Debug)]
pub struct New {
    key: Mark,
    description: String,
    issued_until: Option<Timestamp>,
    expire_time: Option<Timestamp>,
}

impl New {
    /// A token that is at hand, unless it has ended.
    pub fn of_token(token: &Leaked) -> Result<Self> {
        let end = token.expires + MARGIN;
        if end <= Utc::now() {
            return Err(Error::new(Kind::Invalid, "INVALID_INPUT", "the token has ended already"));
        }
        let description = format!("a token of {} by {}", shown(&token.subject), shown(&token.issuer));
        Ok(Self { key: token.mark, description, issued_until: None, expire_time: Some(end) })
    }

    /// The token that an issuer gave this `jti`.
    pub fn of_id(issuer: &str, id: &str) -> Self {
        let description = format!("the token {} of {}", shown(id), shown(issuer));
        Self { key: marks::of_id(issuer, id), description, issued_until: None, expire_time: None }
    }

    /// All tokens that were issued to a subject up to a moment.
    pub fn of_subject(tenant: Uuid, subject: &str, issued_until: Timestamp) -> Self {
        Self {
            key: marks::of_subject(tenant, subject),
            description: format!("tokens of {} of tenant {tenant}", shown(subject)),
            issued_until: Some(issued_until),
            expire_time: None,
        }
    }
}

/// What somebody else wrote, as far as it can be shown on a line.
fn shown(written: &str) -> String {
    text::line(written, 200).unwrap_or_else(|_| "?".to_owned())
}

/// What is revoked, as operators see it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Revocation {
    /// What it is allowed by: its mark in hexadecimal digits.
    pub key: String,
    /// Whose it is.
    pub description: String,
    /// Only what was issued up to then.
    pub issued_until: Option<Timestamp>,
    /// When it was first revoked.
    pub create_time: Timestamp,
    /// When it is forgotten; none where that is not before it is allowed again.
    pub expire_time: Option<Timestamp>,
}

type Row = (String, String, Option<Timestamp>, Timestamp, Option<Timestamp>);

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
                 issued_until = greatest(known.issued_until, excluded.issued_until)
               returning encode(key, 'hex'), description, issued_until, create_time, expire_time";
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
pub async fn allow(system: &Pool, key: &str) -> Result<bool> {
    let sql = "delete from platform.revocation where encode(key, 'hex') = lower($1)";
    let done = sqlx::query(sql).bind(key).execute(system).await.map_err(from_sqlx)?;
    Ok(done.rows_affected() > 0)
}

/// All that is revoked, the oldest first.
pub async fn list(system: &Pool) -> Result<Vec<Revocation>> {
    let sql = "select encode(key, 'hex'), description, issued_until, create_time, expire_time
               from platform.revocation
               where expire_time is null or expire_time > now()
               order by create_time, key";
    let rows: Vec<Row> = sqlx::query_as(sql).fetch_all(system).await.map_err(from_sqlx)?;
    Ok(rows.into_iter().map(read).collect())
}

/// The same; nothing where there is no table of them: programs that are newer than the database, such as after a migration that
/// failed, are asked too, and what else they know is not to be lost with it.
pub async fn list_where_kept(system: &Pool) -> Result<Vec<Revocation>> {
    let sql = "select to_regclass('platform.revocation') is not null";
    let is_kept: bool = sqlx::query_scalar(sql).fetch_one(system).await.map_err(from_sqlx)?;
    if is_kept { list(system).await } else { Ok(Vec::new()) }
}

/// Puts back what was revoked in a database that this one took the place of. Repeatable: the later moment holds.
pub async fn put_back(system: &Pool, revoked: &[Revocation]) -> Result<()> {
    let sql =
        "insert into platform.revocation as known (key, description, issued_until, create_time, expire_time)
               values (decode($1, 'hex'), $2, $3, $4, $5)
               on conflict (key) do update set
                 issued_until = greatest(known.issued_until, excluded.issued_until)";
    for one in revoked {
        sqlx::query(sql)
            .bind(&one.key)
            .bind(&one.description)
            .bind(one.issued_until)
            .bind(one.create_time)
            .bind(one.expire_time)
            .execute(system)
            .await
            .map_err(from_sqlx)?;
    }
    Ok(())
}
