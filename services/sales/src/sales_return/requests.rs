//! Returns that are requested: what comes back is taken over from its delivery note, and the policy of now judges it,
//! in the transaction that writes it. The policy that judged it first stays.

use std::collections::{BTreeSet, HashMap};

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{
    App,
    db::{Record, Tx, statement::Statements},
    rpc::Caller,
    standard::{Draft, require_living},
};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Error, Id, Kind, Result, Violations};
use uuid::Uuid;

use super::{content::Applied, model::SalesReturn};
use crate::{
    delivery_note::DeliveryNote,
    own_team::OwnTeam,
    parties,
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
        messages: Vec<&'a mut pb::SalesReturn>,
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
            let delivered = lock_delivery_notes(&references.delivery_notes, tx, &drafts).await?;
            let mut outcomes = Vec::with_capacity(drafts.len());
            for draft in drafts {
                match complete(&delivered, tx, draft).await {
                    // After these nothing more can be done in the transaction.
                    Err(error)
                        if matches!(
                            error.kind(),
                            Kind::Internal | Kind::Unavailable | Kind::DeadlineExceeded
                        ) =>
                    {
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

/// The delivery notes of these drafts that the caller sees, locked: what is returned of one comes one after the other. They
/// are locked in one order, so that nobody waits in a circle.
async fn lock_delivery_notes(
    delivery_notes: &Statements,
    tx: &mut Tx,
    drafts: &[&mut SalesReturn],
) -> Result<HashMap<Uuid, Record<DeliveryNote>>> {
    let ids: BTreeSet<Uuid> = drafts.iter().map(|draft| draft.delivery_note.uuid()).collect();
    let mut locked = HashMap::with_capacity(ids.len());
    for id in ids {
        match tx.lock::<DeliveryNote>(delivery_notes, &Id::<DeliveryNote>::from_uuid(id).name()).await {
            Ok(delivered) => drop(locked.insert(id, delivered)),
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(locked)
}

async fn complete(
    delivered: &HashMap<Uuid, Record<DeliveryNote>>,
    tx: &mut Tx,
    draft: &mut SalesReturn,
) -> Result<()> {
    let name = draft.delivery_note.name();
    let living = delivered.get(&draft.delivery_note.uuid()).filter(|note| require_living(note).is_ok());
    let delivered = &living
        .ok_or_else(|| refused("DELIVERY_NOTE_NOT_FOUND", "there is no such delivery note", &name))?
        .value;
    let arrived = delivered.delivery_time.ok_or_else(|| {
        refused("DELIVERY_NOTE_NOT_DELIVERED", "what the delivery note names has not arrived", &name)
    })?;
    draft.order_id = Some(delivered.order_id);
    draft.account = delivered.account;
    draft.team = draft.team.or(delivered.team);
    let mut violations = Violations::new();
    draft.lines.take_over(delivered, FIELD, &mut violations);
    violations.into_result(Some(()))?;
    if draft.policy.is_none() {
        let published = find_published(tx, &draft.policy_code).await?;
        let published = published.ok_or_else(|| {
            let message = "no version of the return policy is published";
            Error::new(Kind::Precondition, "RETURN_POLICY_NOT_PUBLISHED", message)
                .with("field", format!("{FIELD}.policy_code"))
                .with("code", &draft.policy_code)
        })?;
        let zone = parties::store::find_zone(tx, delivered.legal_entity).await?;
        let window_end = window_end(parties::day_in(zone, arrived), published.window_days);
        draft.policy = Some(Applied {
            return_policy: published.id,
            version: published.version,
            window_days: published.window_days,
            buyer_pays: published.payer == Payer::Buyer,
            window_end,
            within_window: parties::day_in(zone, tx.cx().now) <= window_end,
        });
    }
    Ok(())
}

fn refused(reason: &'static str, message: &'static str, name: &str) -> Error {
    let error = Error::new(Kind::Precondition, reason, message);
    error.with("field", format!("{FIELD}.delivery_note")).with("name", name).about(name)
}
