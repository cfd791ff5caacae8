//! Drafts of quotes: completed before they are judged, and priced in the transaction that writes them.

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{App, db::Tx, rpc::Caller, standard::Draft};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Result};

use super::model::Quote;
use crate::{
    account::Accounts,
    document::{self, Sale},
    own_team::OwnTeam,
};

/// The field that holds the quote, in every request that brings one.
const FIELD: &str = "quote";

/// What it takes to complete a draft.
#[derive(Clone, Debug)]
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

impl Draft for Quote {
    type References = References;

    fn require_draft(&self) -> Result<()> {
        Ok(Self::require_draft(self)?)
    }

    fn prepare<'a>(
        references: &'a References,
        cx: &'a Context,
        caller: &'a Caller,
        mut messages: Vec<&'a mut pb::Quote>,
        are_new: bool,
    ) -> BoxFuture<'a, Result<()>> {
        async move {
            if are_new {
                let teams = messages.iter_mut().map(|message| &mut message.team).collect();
                references.own_team.fill_in(cx, teams).await?;
            }
            let accounts = messages.iter().map(|message| message.account.as_str());
            references.accounts.learn(cx, caller, "quote.account", accounts).await
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
            let sales = drafts
                .iter_mut()
                .map(|quote| Sale { document: &mut quote.document, account: Some(quote.account) });
            let outcomes = document::complete(tx, FIELD, sales.collect()).await?;
            for quote in drafts {
                let totals = quote.document.totals();
                quote.currency_code = quote.document.currency;
                (quote.net, quote.gross) = (totals.net, totals.gross);
            }
            Ok(outcomes)
        }
        .boxed()
    }
}
