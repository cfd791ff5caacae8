//! The projection of accounts. Whoever writes to it brings the revision he speaks of; an older one changes nothing, so
//! that events, their replays and the answers of customers may come in any order.

use sqlx::PgExecutor;
use trato_platform::db::from_sqlx;
use trato_types::{Ref, Result, Timestamp};
use uuid::Uuid;

use crate::foreign::Account;

/// What is known of one account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Known {
    /// The account.
    pub account: Ref<Account>,
    /// The revision in which it was so.
    pub revision: i64,
    /// When it was deleted, if it is.
    pub delete_time: Option<Timestamp>,
}

/// Puts in what is known, where it is news.
pub async fn remember(executor: impl PgExecutor<'_>, tenant: Uuid, known: &[Known]) -> Result<()> {
    let accounts: Vec<Uuid> = known.iter().map(|known| known.account.uuid()).collect();
    let revisions: Vec<i64> = known.iter().map(|known| known.revision).collect();
    let delete_times: Vec<Option<Timestamp>> = known.iter().map(|known| known.delete_time).collect();
    sqlx::query(include_str!("../../sql/remember_accounts.sql"))
        .bind(tenant.to_string())
        .bind(accounts)
        .bind(revisions)
        .bind(delete_times)
        .execute(executor)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}
