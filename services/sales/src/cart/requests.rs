//! Carts as they are written: completed before they are judged, and priced in the transaction that writes them. Every write is
//! activity of the buyer.

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{
    db::{Facts, Tx},
    rpc::Caller,
    standard::Draft,
};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Result};

use super::model::{Cart, State};
use crate::{
    document::{self, Sale},
    references::References,
};

/// The field that holds the cart, in every request that brings one.
pub const FIELD: &str = "cart";

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
        messages: Vec<&'a mut pb::Cart>,
        are_new: bool,
    ) -> BoxFuture<'a, Result<()>> {
        let documents = messages.into_iter().map(|message| (&mut message.team, message.account.as_str()));
        references.prepare(cx, caller, "cart.account", documents.collect(), are_new).boxed()
    }

    fn complete<'a>(
        _: &'a References,
        tx: &'a mut Tx,
        drafts: Vec<&'a mut Self>,
    ) -> BoxFuture<'a, Result<Vec<Result<()>>>> {
        async move {
            let mut drafts = drafts;
            let sales = drafts.iter_mut().map(|cart| Sale {
                account: cart.account,
                legal_entity: None,
                document: &mut cart.document,
            });
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
