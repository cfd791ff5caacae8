//! Carts as they are written: completed before they are judged, and priced in the transaction that writes them. Every write is
//! activity of the buyer.

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{
    App,
    db::{Facts, Tx},
    rpc::Caller,
    standard::Draft,
};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Result};

use super::model::{Cart, State};
use crate::{
    account::Accounts,
    document::{self, Sale},
    own_team::OwnTeam,
};

/// The field that holds the cart, in every request that brings one.
pub const FIELD: &str = "cart";

/// What it takes to complete a cart.
pub struct References {
    accounts: Accounts,
    own_team: OwnTeam,
}

impl References {
    /// Looks into the app's database, and asks customers where the settings say that it is.
    pub fn new(app: &App) -> Self {
        Self { accounts: Accounts::new(app), own_team: OwnTeam::new(app) }
    }
}

impl Draft for Cart {
    type References = References;

    fn require_draft(&self) -> Result<()> {
        self.require_unordered()
    }

    fn update_event(&self) -> (&'static str, Facts) {
        match self.state {
            State::Abandoned => ("recovered", Facts::default()),
            State::Open | State::CheckedOut => ("updated", Facts::default()),
        }
    }

    fn prepare<'a>(
        references: &'a References,
        cx: &'a Context,
        caller: &'a Caller,
        mut messages: Vec<&'a mut pb::Cart>,
        are_new: bool,
    ) -> BoxFuture<'a, Result<()>> {
        async move {
            if are_new {
                let teams = messages.iter_mut().map(|message| &mut message.team).collect();
                references.own_team.fill_in(cx, teams).await?;
            }
            let accounts = messages.iter().map(|message| message.account.as_str());
            references.accounts.learn(cx, caller, "cart.account", accounts).await
        }
        .boxed()
    }

    fn complete<'a>(
        _: &'a References,
        tx: &'a mut Tx,
        drafts: Vec<&'a mut Self>,
    ) -> BoxFuture<'a, Result<Vec<Result<()>>>> {
        async move {
            let mut drafts = drafts;
            let sales =
                drafts.iter_mut().map(|cart| Sale { account: cart.account, document: &mut cart.document });
            let outcomes = document::complete(tx, FIELD, sales.collect()).await?;
            for cart in drafts {
                cart.sum_up();
                cart.touch(tx.cx().now);
            }
            Ok(outcomes)
        }
        .boxed()
    }
}
