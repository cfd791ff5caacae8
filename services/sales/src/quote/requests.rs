//! Drafts of quotes: completed before they are judged, and priced in the transaction that writes them.

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{db::Tx, rpc::Caller, standard::Draft};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Result};

use super::model::Quote;
use crate::{
    document::{self, Sale},
    references::References,
};

/// The field that holds the quote, in every request that brings one.
const FIELD: &str = "quote";

impl Draft for Quote {
    type References = References;

    fn require_draft(&self) -> Result<()> {
        Ok(Self::require_draft(self)?)
    }

    fn prepare<'a>(
        references: &'a References,
        cx: &'a Context,
        caller: &'a Caller,
        messages: Vec<&'a mut pb::Quote>,
        are_new: bool,
    ) -> BoxFuture<'a, Result<()>> {
        let documents = messages.into_iter().map(|message| (&mut message.team, message.account.as_str()));
        references.prepare(cx, caller, "quote.account", documents.collect(), are_new).boxed()
    }

    fn complete<'a>(
        _: &'a References,
        tx: &'a mut Tx,
        drafts: Vec<&'a mut Self>,
    ) -> BoxFuture<'a, Result<Vec<Result<()>>>> {
        async move {
            let mut drafts = drafts;
            let sales = drafts.iter_mut().map(|quote| Sale {
                account: Some(quote.account),
                legal_entity: quote.legal_entity,
                document: &mut quote.document,
            });
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
