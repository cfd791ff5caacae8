//! Drafts of delivery notes: what stands on them is taken over from their orders, in the transaction that writes them, and what is
//! in their kits with it.

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
    kit,
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
        complete(&references.orders, tx, drafts).boxed()
    }
}

async fn complete(
    orders: &Statements,
    tx: &mut Tx,
    drafts: Vec<&mut DeliveryNote>,
) -> Result<Vec<Result<()>>> {
    let ids = drafts.iter().map(|draft| draft.order_id).collect();
    let found = find_orders(tx, orders, ids).await?;
    let mut outcomes = Vec::with_capacity(drafts.len());
    let mut delivered = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let order = found.get(&draft.order_id.uuid()).ok_or_else(|| order_not_found(draft.order_id));
        let taken = order.and_then(|order| draft.take_over(order).map(|()| order));
        outcomes.push(taken.map(|order| delivered.push((draft, order))));
    }
    fill_in_kits(tx, delivered).await?;
    Ok(outcomes)
}

/// Puts in what is in the kits on delivery notes: what was kept of it with their orders. Of orders that were confirmed before it was
/// kept, it is what the catalogue has now, by one statement for all of them.
pub async fn fill_in_kits(tx: &mut Tx, delivered: Vec<(&mut DeliveryNote, &Order)>) -> Result<()> {
    let unkept = delivered.iter().filter(|(_, order)| order.kits.is_none());
    let products = unkept.flat_map(|(delivery_note, _)| delivery_note.lines.products()).collect();
    let now = kit::store::find(tx, products).await?;
    for (delivery_note, order) in delivered {
        let kits = order.kits.as_ref().unwrap_or(&now);
        delivery_note.kits = kits.only(delivery_note.lines.products());
    }
    Ok(())
}
