//! What payments refer to. Who pays is asked for where nobody here has heard of them, before any transaction.

use std::collections::HashSet;

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{
    App,
    db::{Tx, statement::Statements},
    rpc::Caller,
    standard::Draft,
};
use trato_proto::billing::v1 as pb;
use trato_types::{Context, Error, Kind, Result};

use super::model::Payment;
use crate::{
    foreign::{Accounts, check_known},
    legal_entity::LegalEntity,
    lookup::living,
};

/// Where the account of a payment stands.
const ACCOUNT: &str = "payment.account";

/// Looks up what payments refer to.
#[derive(Clone, Debug)]
pub struct References {
    accounts: Accounts,
    legal_entities: Statements,
}

impl References {
    /// Prepares the statements, and asks for accounts where the settings say that they are.
    pub fn new(app: &App) -> Self {
        Self { accounts: Accounts::new(app), legal_entities: Statements::of::<LegalEntity>() }
    }

    /// Finds out about these accounts, before any transaction.
    pub async fn learn<'a>(
        &self,
        cx: &Context,
        caller: &Caller,
        accounts: impl IntoIterator<Item = &'a str>,
    ) -> Result<()> {
        self.accounts.learn(cx, caller, ACCOUNT, accounts).await
    }
}

impl Draft for Payment {
    type References = References;

    fn require_draft(&self) -> Result<()> {
        Ok(self.require_initiated()?)
    }

    fn prepare<'a>(
        references: &'a References,
        cx: &'a Context,
        caller: &'a Caller,
        messages: Vec<&'a mut pb::Payment>,
        _: bool,
    ) -> BoxFuture<'a, Result<()>> {
        let accounts: Vec<&str> = messages.into_iter().map(|message| message.account.as_str()).collect();
        references.learn(cx, caller, accounts).boxed()
    }

    fn complete<'a>(
        references: &'a References,
        tx: &'a mut Tx,
        drafts: Vec<&'a mut Self>,
    ) -> BoxFuture<'a, Result<Vec<Result<()>>>> {
        async move {
            let accounts = drafts.iter().map(|draft| draft.account).collect();
            let known = check_known(tx, accounts, ACCOUNT).await?;
            let ids: HashSet<_> = drafts.iter().map(|draft| draft.legal_entity.uuid()).collect();
            let found = living::<LegalEntity>(tx, &references.legal_entities, ids).await?;
            let check = |(draft, known): (&mut Self, Result<()>)| {
                if !found.contains_key(&draft.legal_entity.uuid()) {
                    let message = "there is no such legal entity";
                    return Err(Error::new(Kind::Precondition, "LEGAL_ENTITY_NOT_FOUND", message));
                }
                known
            };
            Ok(drafts.into_iter().zip(known).map(check).collect())
        }
        .boxed()
    }
}
