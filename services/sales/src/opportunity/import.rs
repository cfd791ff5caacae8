//! `ImportOpportunities`: opportunities of another system, each with its past, up to 500 in one transaction.
//!
//! What is there already is left as it is and not even checked, so that a load can be repeated until it is through. The
//! events are dated in the business, and named after how the opportunity stands: `won`, `lost`, or `imported` for open
//! ones, so that whoever listens for a sale hears of the past ones too.

use std::collections::{HashMap, HashSet};

use tonic::Request;
use trato_platform::{
    db::{External, Facts, NewEvent, Record, RequestKey, Resource as _},
    rpc::{Caller, status::to_wire},
    standard::{Prepared, Reply, Store, Stored, answer, once},
};
use trato_proto::{
    sales::v1::{self as pb, import_opportunities_response as response},
    wire,
};
use trato_types::{Context, Error, Result, Violations, standard::Fields as _};

use super::{
    api::{parse, parse_state},
    model::{Opportunity, State},
    past::{MAX_STEPS, PastStep},
    references::{FIELD, References, Resolved},
};

/// Most items of one import.
const MAX_ITEMS: usize = 500;

/// Records the valid ones that are not there yet; every item is answered.
pub async fn import(
    opportunities: &Store<Opportunity>,
    references: &References,
    request: Request<pb::ImportOpportunitiesRequest>,
) -> Reply<pb::ImportOpportunitiesResponse> {
    let caller = Caller::of(&request);
    answer(request, async |cx, mut body| {
        let caller = caller?;
        let key = RequestKey::parse(&std::mem::take(&mut body.request_id), &body)?;
        require_items(body.items.len())?;
        let attempt = async {
            let (there, new) = divide(opportunities, cx, body.items).await?;
            let (places, items): (Vec<usize>, Vec<_>) = new.into_iter().unzip();
            let prepared = prepare(cx, &caller, references, items).await?;
            let answer = |stored: Vec<Stored<Opportunity>>| {
                let mut results = there;
                results.extend(places.into_iter().zip(stored));
                results.sort_by_key(|(place, _)| *place);
                let results = results.into_iter().map(|(_, stored)| render(stored)).collect();
                pb::ImportOpportunitiesResponse { results }
            };
            opportunities.store_batch(cx, key.as_ref(), prepared, body.validate_only, answer).await
        };
        once(opportunities.database(), cx, key.as_ref(), attempt).await
    })
    .await
}

fn require_items(length: usize) -> Result<()> {
    match length {
        0 => Err(Error::invalid("items", "REQUIRED", "must not be empty")),
        1..=MAX_ITEMS => Ok(()),
        _ => Err(Error::invalid("items", "TOO_MANY", format!("must have at most {MAX_ITEMS} items"))),
    }
}

type Item = pb::import_opportunities_request::Item;

/// Divides the items, each with its place, into those that are there already and those that are not.
async fn divide(
    opportunities: &Store<Opportunity>,
    cx: &Context,
    items: Vec<Item>,
) -> Result<(Vec<(usize, Stored<Opportunity>)>, Vec<(usize, Item)>)> {
    let mut by_source: HashMap<String, HashSet<String>> = HashMap::new();
    for external in items.iter().filter_map(external) {
        by_source.entry(external.source).or_default().insert(external.id);
    }
    let mut known: HashMap<External, Record<Opportunity>> = HashMap::new();
    for (source, ids) in by_source {
        let records = opportunities.read_external(cx, &source, &ids.into_iter().collect::<Vec<_>>()).await?;
        known.extend(records.into_iter().filter_map(|record| Some((record.external.clone()?, record))));
    }
    let (mut there, mut new) = (Vec::new(), Vec::new());
    for (place, item) in items.into_iter().enumerate() {
        match external(&item).and_then(|external| known.get(&external)) {
            Some(record) => there.push((place, Ok((record.clone(), false)))),
            None => new.push((place, item)),
        }
    }
    Ok((there, new))
}

/// Identity of an item; none when it has none or a malformed one, which is told later.
fn external(item: &Item) -> Option<External> {
    let opportunity = item.opportunity.as_ref()?;
    External::parse((&opportunity.source, &opportunity.external_id)).ok().flatten()
}

async fn prepare(
    cx: &Context,
    caller: &Caller,
    references: &References,
    items: Vec<Item>,
) -> Result<Vec<Result<Prepared<Opportunity>>>> {
    let (messages, changes): (Vec<_>, Vec<_>) = items
        .into_iter()
        .map(|item| {
            let mut message = item.opportunity.unwrap_or_default();
            Opportunity::fill_defaults(&mut message, cx);
            (message, item.stage_changes)
        })
        .unzip();
    let resolved = references.resolve(cx, messages).await?;
    let built = resolved.into_iter().zip(changes).map(|(mut resolved, changes)| {
        let prepared = build(cx, &mut resolved, &changes);
        (prepared, resolved.trouble)
    });
    references.judge(cx, caller, built.collect()).await
}

/// A valid record and its event, or everything that is wrong with the item.
fn build(
    cx: &Context,
    resolved: &mut Resolved,
    changes: &[pb::ImportedStageChange],
) -> Result<Prepared<Opportunity>> {
    let message = &resolved.message;
    let prefix = format!("{FIELD}.");
    let mut violations = Violations::new();
    message.check_required(&prefix, &mut violations);
    let external = External::parse((&message.source, &message.external_id));
    let external = violations.absorb(&prefix, external)?.flatten();
    if external.is_none() {
        violations.add(
            format!("{prefix}external_id"),
            "REQUIRED",
            "an import says where each item comes from",
        );
    }
    let past = parse_past(changes, &mut violations)?;
    let mut opportunity = violations.absorb(&prefix, parse(message))?;
    if let Some(refusal) = resolved.trouble.refusal.take() {
        // Without what it refers to there is no more to check; what is wrong in itself is said first.
        return Err(if violations.is_empty() { refusal } else { violations.into_error() });
    }
    if let (Some(opportunity), Some(past), Some(stages)) = (&mut opportunity, past, &resolved.stages) {
        violations.absorb("", opportunity.recount(&past, stages, cx).into_result(Some(())))?;
    }
    let (opportunity, external) = violations.into_result(opportunity.zip(external))?;
    cx.require_admits(opportunity.owner(), opportunity.team())?;
    let record = Record::new(cx, opportunity, Some(external));
    let event = event(cx, &record);
    Ok((record, event))
}

/// The dated steps; none when one of them is no step.
fn parse_past(
    changes: &[pb::ImportedStageChange],
    violations: &mut Violations,
) -> Result<Option<Vec<PastStep>>> {
    let changes = violations.keep("stage_changes", wire::at_most(changes, MAX_STEPS)).unwrap_or_default();
    let mut past = Vec::with_capacity(changes.len());
    for (index, change) in changes.iter().enumerate() {
        past.extend(violations.absorb(&format!("stage_changes[{index}]."), parse_step(change))?);
    }
    Ok(Some(past).filter(|past| past.len() == changes.len()))
}

fn parse_step(change: &pb::ImportedStageChange) -> Result<PastStep> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let stage = check.keep("stage", change.stage.parse());
    let state = check.keep("state", parse_state(change.state));
    let time = change.event_time.as_ref();
    let event_time = time.and_then(|time| check.keep("event_time", wire::parse_timestamp(time)));
    let worth = change.amount.as_ref().and_then(|money| check.keep("amount", wire::parse_amount(money)));
    let step = stage.zip(state).map(|(stage, state)| PastStep { stage, state, event_time, worth });
    violations.into_result(step)
}

/// Dated by the last known step; at the recording where none is dated.
fn event(cx: &Context, record: &Record<Opportunity>) -> NewEvent {
    let opportunity = &record.value;
    let (verb, facts) = match opportunity.state {
        State::Open => ("imported", Facts::default()),
        State::Won => ("won", Facts::of(&opportunity.won())),
        State::Lost => ("lost", Facts::of(&opportunity.lost())),
    };
    NewEvent::with_facts(cx, verb, None, record, facts.at(opportunity.history.last_event_time()))
}

fn render(stored: Stored<Opportunity>) -> response::Result {
    let (outcome, created) = match stored {
        Ok((record, created)) => {
            (response::result::Outcome::Opportunity(Opportunity::render(&record)), created)
        }
        Err(error) => (response::result::Outcome::Error(to_wire(&error)), false),
    };
    response::Result { outcome: Some(outcome), created }
}
