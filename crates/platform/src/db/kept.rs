//! The resources a service keeps, by the collection in their names: what works on any of them by name alone.

use futures::{FutureExt as _, future::BoxFuture};
use sqlx::AssertSqlSafe;
use trato_types::{Context, Result};

use super::{Database, NewEvent, Record, Resource, Tx, from_sqlx, statement::Statements};

type Lift = for<'a> fn(&'a Database, &'a Context, &'a str, i64) -> BoxFuture<'a, Result<i64>>;

/// A kind of resource that a service keeps.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    collection: &'static str,
    lift: Lift,
}

impl Kept {
    /// The resources of type `T`.
    pub fn of<T: Resource>() -> Self {
        Self {
            collection: T::COLLECTION,
            lift: |database, cx, name, above| lift::<T>(database, cx, name, above).boxed(),
        }
    }

    /// True for the name of such a resource.
    pub fn is_of(&self, name: &str) -> bool {
        name.strip_prefix(self.collection).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Brings a resource to a revision above `above`, with the content it has, and records that as an update. Answers
    /// its revision; one that is above already stays.
    pub async fn lift(&self, database: &Database, cx: &Context, name: &str, above: i64) -> Result<i64> {
        (self.lift)(database, cx, name, above).await
    }
}

async fn lift<T: Resource>(database: &Database, cx: &Context, name: &str, above: i64) -> Result<i64> {
    let statements = Statements::of::<T>();
    let mut tx = Tx::of(database, cx).await?;
    let stored = tx.lock::<T>(&statements, name).await?;
    if stored.revision > above {
        return Ok(stored.revision);
    }
    // The table's name is a constant of the service.
    sqlx::query(AssertSqlSafe(format!(
        "update {} set revision = $3 where tenant_id = $1 and id = $2",
        T::TABLE
    )))
    .bind(cx.tenant)
    .bind(stored.id)
    .bind(above)
    .execute(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let before = Record { revision: above, ..stored };
    let after = before.next(tx.cx(), before.value.clone());
    let event = NewEvent::of(tx.cx(), "updated", Some(&before), &after);
    tx.save(&statements, &after, event).await?;
    tx.commit().await?;
    Ok(after.revision)
}
