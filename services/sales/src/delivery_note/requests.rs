//! Drafts of delivery notes: what stands on them is taken over from their orders, in the transaction that writes them.

use std::collections::HashMap;

use futures::{FutureExt as _, future::BoxFuture};
use sqlx::{Arguments as _, postgres::PgArguments};
use trato_platform::{
    App,
    db::{
        Record, Tx, from_sqlx,
        statement::{self, Statements},
    },
    rpc::Caller,
    standard::Draft,
};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Error, Result};
use uuid::Uuid;

use super::model::DeliveryNote;
use crate::{
    order::{Order, order_not_found},
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
        mut messages: Vec<&'a mut pb::DeliveryNote>,
        are_new: bool,
    ) -> BoxFuture<'a, Result<()>> {
        async move {
            if are_new {
                let teams = messages.iter_mut().map(|message| &mut message.team).collect();
                references.own_team.fill_in(cx, teams).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn complete<'a>(
        references: &'a References,
        tx: &'a mut Tx,
        drafts: Vec<&'a mut Self>,
    ) -> BoxFuture<'a, Result<Vec<Result<()>>>> {
        async move {
            let found = find_orders(tx, &references.orders, &drafts).await?;
            let complete = |draft: &'a mut Self| {
                let order = found.get(&draft.order_id.uuid());
                draft.take_over(order.ok_or_else(|| order_not_found(draft.order_id))?)
            };
            Ok(drafts.into_iter().map(complete).collect())
        }
        .boxed()
    }
}

/// The living orders of these drafts that the caller sees.
async fn find_orders(
    tx: &mut Tx,
    orders: &Statements,
    drafts: &[&mut DeliveryNote],
) -> Result<HashMap<Uuid, Order>> {
    let ids: Vec<Uuid> = drafts.iter().map(|draft| draft.order_id.uuid()).collect();
    let cx = tx.cx().clone();
    let mut arguments = PgArguments::default();
    arguments.add(cx.tenant.to_string()).map_err(Error::internal)?;
    arguments.add(ids).map_err(Error::internal)?;
    statement::bind_scope(&cx, &mut arguments)?;
    let rows = sqlx::query_with(orders.get_many(cx.scope), arguments)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let records = rows.iter().map(Record::<Order>::read).collect::<Result<Vec<_>>>()?;
    let living = records.into_iter().filter(|record| record.delete_time.is_none());
    Ok(living.map(|record| (record.id, record.value)).collect())
}
