//! Whom a credit profile is of: an account that exists, asked for where nobody here has heard of it.

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{db::Tx, rpc::Caller, standard::Draft};
use trato_proto::billing::v1 as pb;
use trato_types::{Context, Result};

use super::model::CreditProfile;
use crate::foreign::{Accounts, check_known};

/// Where the account of a credit profile stands.
const ACCOUNT: &str = "credit_profile.account";

impl Draft for CreditProfile {
    type References = Accounts;

    /// It can be changed as long as it lives.
    fn require_draft(&self) -> Result<()> {
        Ok(())
    }

    fn prepare<'a>(
        accounts: &'a Accounts,
        cx: &'a Context,
        caller: &'a Caller,
        messages: Vec<&'a mut pb::CreditProfile>,
        _: bool,
    ) -> BoxFuture<'a, Result<()>> {
        let names: Vec<&str> = messages.into_iter().map(|message| message.account.as_str()).collect();
        accounts.learn(cx, caller, ACCOUNT, names).boxed()
    }

    fn complete<'a>(
        _: &'a Accounts,
        tx: &'a mut Tx,
        profiles: Vec<&'a mut Self>,
    ) -> BoxFuture<'a, Result<Vec<Result<()>>>> {
        check_known(tx, profiles.iter().map(|profile| profile.account).collect(), ACCOUNT).boxed()
    }
}
