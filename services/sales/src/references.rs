//! What carts, quotes and orders take to be completed before any transaction: the team of who begins one without saying
//! it, and that the account exists whom it is for.

use trato_platform::{App, rpc::Caller};
use trato_types::{Context, Result};

use crate::{account::Accounts, own_team::OwnTeam};

/// Completes what is about to be written.
#[derive(Clone, Debug)]
pub struct References {
    accounts: Accounts,
    own_team: OwnTeam,
}

impl References {
    /// Looks into the app's database and directory, and asks customers where the settings say that it is.
    pub fn new(app: &App) -> Self {
        Self { accounts: Accounts::new(app), own_team: OwnTeam::new(app) }
    }

    /// Completes documents, each by its team and the name of its account; `account_field` is where the request has that.
    pub async fn prepare(
        &self,
        cx: &Context,
        caller: &Caller,
        account_field: &str,
        documents: Vec<(&mut String, &str)>,
        are_new: bool,
    ) -> Result<()> {
        let (teams, accounts): (Vec<&mut String>, Vec<&str>) = documents.into_iter().unzip();
        self.own_team.fill_in(cx, teams, are_new).await?;
        self.accounts.learn(cx, caller, account_field, accounts).await
    }
}
