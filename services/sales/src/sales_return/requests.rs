//! Returns that are requested: what comes back is taken over from its delivery note, and the policy of now judges it,
//! in the transaction that writes it. The policy that judged it first stays.

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{
    App,
    db::{Tx, statement::Statements},
    rpc::Caller,
    standard::{Draft, require_living},
};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Error, Kind, Result, Violations};

use super::{content::Applied, model::SalesReturn};
use crate::{
    delivery_note::DeliveryNote,
    own_team::OwnTeam,
    return_policy::{Payer, find_published, window_end},
};

/// The field that holds the return, in every request that brings one.
const FIELD: &str = "sales_return";

/// What it takes to complete a draft.
pub struct References {
    delivery_notes: Statements,
    own_team: OwnTeam,
}

impl References {
    /// Looks into the app's database and directory.
    pub fn new(app: &App) -> Self {
        Self { delivery_notes: Statements::of::<DeliveryNote>(), own_team: OwnTeam::new(app) }
    }
}

impl Draft for SalesReturn {
    type References = References;

    fn require_draft(&self) -> Result<()> {
        Ok(self.require_requested()?)
    }

    fn prepare<'a>(
        references: &'a References,
        cx: &'a Context,
        _: &'a Caller,
        mut messages: Vec<&'a mut pb::SalesReturn>,
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
            let mut outcomes = Vec::with_capacity(drafts.len());
            for draft in drafts {
                match complete(&references.delivery_notes, tx, draft).await {
                    Err(error) if matches!(error.kind(), Kind::Internal | Kind::Unavailable) => {
                        return Err(error);
                    }
                    outcome => outcomes.push(outcome),
                }
            }
            Ok(outcomes)
        }
        .boxed()
    }
}

async fn complete(delivery_notes: &Statements, tx: &mut Tx, draft: &mut SalesReturn) -> Result<()> {
    let name = draft.delivery_note.name();
    // The lock makes what is returned of a delivery note come one after the other.
    let delivered = match tx.lock::<DeliveryNote>(delivery_notes, &name).await {
        Ok(delivered) => delivered,
        Err(error) if error.kind() == Kind::NotFound => {
            return Err(refused("DELIVERY_NOTE_NOT_FOUND", "there is no such delivery note", &name));
        }
        Err(error) => return Err(error),
    };
    require_living(&delivered)
        .map_err(|_| refused("DELIVERY_NOTE_NOT_FOUND", "there is no such delivery note", &name))?;
    let delivered = delivered.value;
    let arrived = delivered.delivery_time.ok_or_else(|| {
        refused("DELIVERY_NOTE_NOT_DELIVERED", "what the delivery note names has not arrived", &name)
    })?;
    draft.order_id = Some(delivered.order_id);
    draft.account = delivered.account;
    draft.team = draft.team.or(delivered.team);
    let mut violations = Violations::new();
    draft.lines.take_over(&delivered, FIELD, &mut violations);
    violations.into_result(Some(()))?;
    if draft.policy.is_none() {
        let published = find_published(tx, &draft.policy_code).await?;
        let published = published.ok_or_else(|| {
            let message = "no version of the return policy is published";
            Error::new(Kind::Precondition, "RETURN_POLICY_NOT_PUBLISHED", message)
                .with("field", format!("{FIELD}.policy_code"))
                .with("code", &draft.policy_code)
        })?;
        let window_end = window_end(arrived.date_naive(), published.window_days);
        draft.policy = Some(Applied {
            return_policy: published.id,
            version: published.version,
            window_days: published.window_days,
            buyer_pays: published.payer == Payer::Buyer,
            window_end,
            within_window: tx.cx().now.date_naive() <= window_end,
        });
    }
    Ok(())
}

fn refused(reason: &'static str, message: &'static str, name: &str) -> Error {
    let error = Error::new(Kind::Precondition, reason, message);
    error.with("field", format!("{FIELD}.delivery_note")).with("name", name).about(name)
}
