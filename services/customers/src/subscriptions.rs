//! What customers does when something happens elsewhere, one function per consumer.

use std::sync::Arc;

use futures::FutureExt as _;
use trato_platform::{
    db::{NewEvent, Tx, statement::Statements},
    events::{Event, Subscription},
};
use trato_proto::sales::v1::{Opportunity, OpportunityMoved, OpportunityWon};
use trato_types::{Error, MemberRef, Ref, Result};

use crate::{
    account::{self, Account},
    timeline::{self, Entry},
};

/// An account that bought is a customer.
pub fn make_customer() -> Subscription {
    let statements = Statements::of::<Account>();
    Subscription::new(
        "make-customer",
        &["trato.sales.v1.opportunity.won"],
        Arc::new(move |tx, event| make_customer_of(statements, tx, event).boxed()),
    )
}

/// What happens with opportunities stands on the timelines of their accounts and contacts.
pub fn extend_timeline() -> Subscription {
    Subscription::new(
        "extend-timeline",
        &["trato.sales.v1.opportunity.*"],
        Arc::new(|tx, event| extend_timelines(tx, event).boxed()),
    )
    .projecting(&["timeline_entry"])
    .keeping_history()
}

async fn make_customer_of(statements: Statements, tx: &mut Tx, event: &Event) -> Result<()> {
    let won: Option<OpportunityWon> = event.fact()?;
    let name = match won {
        Some(won) => won.account,
        None => event.resource::<Opportunity>()?.account,
    };
    let account = Ref::<Account>::parse(&name)
        .map_err(|error| Error::invalid("account", "INVALID_EVENT", error.to_string()))?;
    // Most winners bought before; only a change is worth a lock. A deleted account becomes one, too: it may come back.
    if account::store::is_customer(tx, account).await? {
        return Ok(());
    }
    let before = tx.lock::<Account>(&statements, &name).await?;
    let mut value = before.value.clone();
    if !value.become_customer() {
        return Ok(());
    }
    let after = before.next(tx.cx(), value);
    // It became one when it bought, which may be years before the import that says so.
    let updated = NewEvent::of(tx.cx(), "updated", Some(&before), &after).at(event.event_time);
    tx.save(&statements, &after, updated).await
}

async fn extend_timelines(tx: &mut Tx, event: &Event) -> Result<()> {
    let opportunity: Opportunity = event.resource()?;
    let moved: Option<OpportunityMoved> = event.fact()?;
    let changed = event.change.changed_mask.as_ref().map(|mask| mask.paths.as_slice()).unwrap_or_default();
    let verb = event.kind.rsplit('.').next().unwrap_or_default();
    let summary = timeline::summarize(verb, &opportunity, changed, moved.as_ref());
    let owner = event.owner.as_deref().map(MemberRef::from_subject).transpose().map_err(Error::internal)?;
    let parents = [opportunity.account, opportunity.contact];
    let entries: Vec<Entry> = parents
        .into_iter()
        .filter(|parent| !parent.is_empty())
        .map(|parent| Entry {
            parent,
            id: event.id,
            kind: event.kind.clone(),
            subject: event.subject.clone(),
            summary: summary.clone(),
            event_time: event.event_time,
            create_time: event.create_time,
            actor: event.actor.clone(),
            owner: owner.clone(),
            team: event.team,
        })
        .collect();
    timeline::store::insert(tx, &entries).await
}
