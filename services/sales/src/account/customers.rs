//! The synchronous edge to customers: does this account exist? Asked with the caller's token and what is left of its
//! deadline, never inside a transaction, and remembered in the projection.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::{StreamExt as _, stream};
use trato_platform::{
    App,
    db::Database,
    rpc::{Caller, Upstream, elsewhere},
};
use trato_proto::{
    customers::v1::{GetAccountRequest, account_service_client::AccountServiceClient},
    wire,
};
use trato_types::{Context, Error, Kind, Ref, Result};

use super::store::{self, Known};
use crate::foreign::Account;

/// The package of the services asked, as `[upstreams]` names it.
const PACKAGE: &str = "trato.customers";
/// Questions of one call that are on their way at once.
const AT_ONCE: usize = 16;

/// Asks customers.
#[derive(Clone, Debug)]
pub struct Customers {
    upstream: Upstream,
    database: Database,
}

impl Customers {
    /// Asks where the settings say that customers is.
    pub fn new(app: &App) -> Self {
        Self { upstream: app.upstream(PACKAGE), database: app.database.clone() }
    }

    /// Asks for accounts the projection does not know, each once, and remembers the answers. Answers with the accounts
    /// that may not be referred to, and why.
    pub async fn refusals(
        &self,
        cx: &Context,
        caller: &Caller,
        accounts: impl IntoIterator<Item = Ref<Account>>,
    ) -> Result<HashMap<Ref<Account>, Refusal>> {
        let is_down = &AtomicBool::new(false);
        let asked = stream::iter(accounts).map(|account| async move {
            // Where one question found nobody, the others would only wait for their deadline.
            if is_down.load(Ordering::Relaxed) {
                return (account, Err(Refusal::Unverified(None)));
            }
            let answer = self.ask(cx, caller, account).await;
            is_down.fetch_or(matches!(answer, Err(Refusal::Unverified(_))), Ordering::Relaxed);
            (account, answer)
        });
        let answers: Vec<(Ref<Account>, Result<Known, Refusal>)> =
            elsewhere(asked.buffer_unordered(AT_ONCE).collect()).await;
        let known: Vec<Known> =
            answers.iter().filter_map(|(_, answer)| answer.as_ref().ok().copied()).collect();
        if !known.is_empty() {
            store::remember(&self.database.pool, cx.tenant, &known).await?;
        }
        let refusal = |answer: Result<Known, Refusal>| match answer {
            Ok(known) => known.delete_time.map(|_| Refusal::Deleted),
            Err(refusal) => Some(refusal),
        };
        Ok(answers.into_iter().filter_map(|(account, answer)| Some((account, refusal(answer)?))).collect())
    }

    async fn ask(&self, cx: &Context, caller: &Caller, account: Ref<Account>) -> Result<Known, Refusal> {
        let unverified = |cause: Error| Refusal::Unverified(Some(Arc::new(cause)));
        let message = GetAccountRequest { name: account.name() };
        let request = self.upstream.request(cx, caller, message).map_err(unverified)?;
        let answer = AccountServiceClient::new(self.upstream.clone()).get_account(request).await;
        let message = answer.map_err(|status| {
            let error = self.upstream.error(status);
            match error.kind() {
                Kind::NotFound => Refusal::NotFound,
                Kind::Forbidden => Refusal::NotVisible,
                _ => unverified(error),
            }
        })?;
        // The etag of a resource of the suite is its revision.
        let revision = message.get_ref().etag.parse().map_err(|error| unverified(Error::internal(error)))?;
        let delete_time = message.get_ref().delete_time.as_ref().map(wire::parse_timestamp).transpose();
        let delete_time = delete_time.map_err(|error| unverified(Error::internal(error)))?;
        Ok(Known { account, revision, delete_time })
    }
}

/// Why an account may not be referred to.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// FAILED_PRECONDITION `ACCOUNT_NOT_FOUND`: customers does not know it.
    NotFound,
    /// FAILED_PRECONDITION `ACCOUNT_DELETED`: it was deleted.
    Deleted,
    /// PERMISSION_DENIED `ACCOUNT_NOT_VISIBLE`: the caller may not ask customers for it.
    NotVisible,
    /// UNAVAILABLE `ACCOUNT_UNVERIFIED`: nobody could say, for this cause; the same call may pass later.
    Unverified(Option<Arc<Error>>),
}

impl Refusal {
    /// The error, about the account that `field` refers to.
    pub fn of(&self, account: Ref<Account>, field: &str) -> Error {
        let name = account.name();
        let error = match self {
            Self::NotFound => {
                Error::new(Kind::Precondition, "ACCOUNT_NOT_FOUND", format!("{field}: {name} does not exist"))
            }
            Self::Deleted => {
                Error::new(Kind::Precondition, "ACCOUNT_DELETED", format!("{field}: {name} is deleted"))
            }
            Self::NotVisible => {
                let message = format!("{field}: {name} is not known here yet, and the caller may not see it");
                Error::new(Kind::Forbidden, "ACCOUNT_NOT_VISIBLE", message)
            }
            Self::Unverified(cause) => {
                let message =
                    format!("{field}: {name} is not known here yet, and customers cannot be asked now");
                let error = Error::unavailable("ACCOUNT_UNVERIFIED", message);
                match cause {
                    Some(cause) => error.caused_by(Arc::clone(cause)),
                    None => error,
                }
            }
        };
        error.with("field", field).with("account", &name).about(name)
    }
}
