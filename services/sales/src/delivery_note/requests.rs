//! Drafts of delivery notes: what stands on them is taken over from their orders, in the transaction that writes them.

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{
    App,
    db::{Tx, statement::Statements},
    rpc::Caller,
    standard::Draft,
};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Result};

use super::model::DeliveryNote;
use crate::{
    order::{Order, find_orders, order_not_found},
    own_team::OwnTeam,
};

/// What it takes to complete a draft.
pub struct References {
    orders: Statements,
    own_team: OwnTeam,
}

impl References {
    /// Looks into the app's database and directory.
    pub fn new(app: &App) -> Self {
        Self { orders: Statements::of::<Order>(), own_team: OwnTeam::new(app) }
    }
}

impl Draft for DeliveryNote {
    type References = References;

    fn require_draft(&self) -> Result<()> {
        Ok(Self::require_draft(self)?)
    }

    fn prepare<'a>(
        references: &'a References,
        cx: &'a Context,
        _: &'a Caller,
        messages: Vec<&'a mut pb::DeliveryNote>,
        are_new: bool,
    ) -> BoxFuture<'a, Result<()>> {
        let teams = messages.into_iter().map(|message| &mut message.team).collect();
        references.own_team.fill_in(cx, teams, are_new).boxed()
    }

    fn complete<'a>(
        references: &'a References,
        tx: &'a mut Tx,
        drafts: Vec<&'a mut Self>,
    ) -> BoxFuture<'a, Result<Vec<Result<()>>>> {
        async move {
            let ids = drafts.iter().map(|draft| draft.order_id).collect();
            let found = find_orders(tx, &references.orders, ids).await?;
            let complete = |draft: &'a mut Self| {
                let order = found.get(&draft.order_id.uuid());
                draft.take_over(order.ok_or_else(|| order_not_found(draft.order_id))?)
            };
            Ok(drafts.into_iter().map(complete).collect())
        }
        .boxed()
    }
}
