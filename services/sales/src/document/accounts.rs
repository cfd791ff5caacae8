//! Accounts that nobody here has heard of: customers is asked for them before anything is written, and the projection keeps
//! the answer. What is written looks there.

use std::collections::HashSet;

use trato_platform::{
    App,
    db::{Database, from_sqlx, recorded},
    rpc::Caller,
};
use trato_types::{Context, Ref, Result};
use uuid::Uuid;

use crate::{
    account::{Customers, Refusal},
    foreign::Account,
};

/// Finds out about accounts.
#[derive(Clone, Debug)]
pub struct Accounts {
    database: Database,
    customers: Customers,
}

impl Accounts {
    /// Looks into the app's database, and asks customers where the settings say that it is.
    pub fn new(app: &App) -> Self {
        Self { database: app.database.clone(), customers: Customers::new(app) }
    }

    /// Asks customers for those of these accounts that are not known here, `field` being where the request has them. Names
    /// that are none are not asked for, and an account that is not there is not refused here: what is written says so, after
    /// what is wrong with the request itself.
    ///
    /// UNAVAILABLE `ACCOUNT_UNVERIFIED` when customers cannot say; PERMISSION_DENIED `ACCOUNT_NOT_VISIBLE` when it does not
    /// say so to the caller. Nothing is written then.
    pub async fn learn<'a>(
        &self,
        cx: &Context,
        caller: &Caller,
        field: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<()> {
        let accounts: HashSet<Ref<Account>> =
            names.into_iter().filter_map(|name| Ref::parse(name).ok()).collect();
        if accounts.is_empty() {
            return Ok(());
        }
        let unknown = self.unknown(cx, accounts).await?;
        if unknown.is_empty() {
            return Ok(());
        }
        let refusals = self.customers.refusals(cx, caller, unknown).await?;
        let unsaid = refusals
            .iter()
            .find(|(_, refusal)| matches!(refusal, Refusal::NotVisible | Refusal::Unverified(_)));
        unsaid.map_or(Ok(()), |(account, refusal)| Err(refusal.of(*account, field)))
    }

    async fn unknown(
        &self,
        cx: &Context,
        mut accounts: HashSet<Ref<Account>>,
    ) -> Result<HashSet<Ref<Account>>> {
        let ids: Vec<Uuid> = accounts.iter().map(|account| account.uuid()).collect();
        let statement = sqlx::query_scalar(include_str!("../../sql/find_known_accounts.sql"))
            .bind(cx.tenant.to_string())
            .bind(ids);
        let known = async { statement.fetch_all(&self.database.pool).await.map_err(from_sqlx) };
        let known: Vec<Uuid> = recorded(cx, "select", "account", known).await?;
        for id in known {
            accounts.remove(&Ref::from_uuid(id));
        }
        Ok(accounts)
    }
}
