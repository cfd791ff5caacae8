//! Drafts of quotes: completed before they are judged, and priced in the transaction that writes them.

use std::sync::Arc;

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{App, db::Tx, directory::Directory, rpc::Caller, standard::Draft};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Ref, Result};

use super::model::Quote;
use crate::{
    document::{self, Accounts, Sale},
    foreign::Team,
};

/// The field that holds the quote, in every request that brings one.
const FIELD: &str = "quote";

/// What it takes to complete a draft.
#[derive(Clone, Debug)]
pub struct References {
    accounts: Accounts,
    directory: Arc<Directory>,
}

impl References {
    /// Looks into the app's database, and asks customers where the settings say that it is.
    pub fn new(app: &App) -> Self {
        Self { accounts: Accounts::new(app), directory: app.directory.clone() }
    }

    /// The team of a caller who is in exactly one.
    async fn only_team(&self, cx: &Context) -> Result<Option<Ref<Team>>> {
        let Some(subject) = cx.actor.subject() else { return Ok(None) };
        let teams = self.directory.teams(cx.tenant, subject).await?;
        Ok(if let [team] = *teams { Some(Ref::from_uuid(team)) } else { None })
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
            if are_new && messages.iter().any(|message| message.team.is_empty()) {
                let team = references.only_team(cx).await?.map(Ref::name).unwrap_or_default();
                for message in messages.iter_mut().filter(|message| message.team.is_empty()) {
                    message.team.clone_from(&team);
                }
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
