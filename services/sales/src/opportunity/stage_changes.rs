//! `ListStageChanges`: the history of one opportunity, page by page. A step is known by its number, which counts from 1
//! and stays what it is, because histories only grow.

use tonic::Request;
use trato_platform::{
    db::Record,
    standard::{Reply, Store, answer},
};
use trato_proto::{sales::v1 as pb, wire};
use trato_query::{Listing, ListingRequest, Value};
use trato_types::{Context, Error, Id, Result, error::FieldError as _};
use uuid::Uuid;

use super::{api::render_state, history::Step, model::Opportunity};

/// Lists the steps of an opportunity the caller may see, oldest first.
pub async fn list(
    opportunities: &Store<Opportunity>,
    request: Request<pb::ListStageChangesRequest>,
) -> Reply<pb::ListStageChangesResponse> {
    answer(request, async |cx, body| {
        let parent = Id::<Opportunity>::parse(&body.parent);
        parent.map_err(|error| Error::invalid("parent", error.reason(), error.to_string()))?;
        let listing = parse(cx, &body)?;
        let opportunity = opportunities.read(cx, &body.parent).await?;
        let steps = opportunity.value.history.steps();
        let begin = seen(&listing).min(steps.len());
        let end = steps.len().min(begin + listing.page_size());
        let next_page_token =
            if end < steps.len() { listing.next_page_token(&[], number_as_id(end)) } else { String::new() };
        let stage_changes = (begin..end).map(|index| render(&opportunity, steps, index)).collect();
        Ok(pb::ListStageChangesResponse { stage_changes, next_page_token })
    })
    .await
}

/// The page that is asked for. Its order is that of the steps' numbers, which stand in the place of identifiers.
fn parse(cx: &Context, body: &pb::ListStageChangesRequest) -> Result<Listing> {
    Listing::parse(&ListingRequest {
        fields: &[],
        filter: "",
        order_by: "",
        page_size: body.page_size,
        page_token: &body.page_token,
        binding: &[&cx.tenant.to_string(), "stageChanges", &body.parent],
        now: cx.now,
    })
}

/// Number of the last step of the page before.
fn seen(listing: &Listing) -> usize {
    let last = listing.condition("", 1).values.into_iter().find_map(|value| match value {
        Value::Uuid(id) => usize::try_from(id.as_u128()).ok(),
        _ => None,
    });
    last.unwrap_or_default()
}

fn number_as_id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128)
}

fn render(opportunity: &Record<Opportunity>, steps: &[Step], index: usize) -> pb::StageChange {
    let step = &steps[index];
    let before = index.checked_sub(1).and_then(|index| steps.get(index)).and_then(|step| step.event_time);
    let time_in_stage = step.event_time.zip(before).map(|(after, before)| after - before);
    pb::StageChange {
        name: format!("{}/stageChanges/{}", opportunity.name(), index + 1),
        from_stage: step.from.as_ref().map(|from| from.stage.to_string()).unwrap_or_default(),
        to_stage: step.to.stage.to_string(),
        from_state: step.from.as_ref().map_or(0, |from| render_state(from.state).into()),
        to_state: render_state(step.to.state).into(),
        event_time: step.event_time.map(wire::timestamp),
        create_time: Some(wire::timestamp(step.create_time)),
        time_in_stage: time_in_stage
            .map(|time| prost_types::Duration { seconds: time.num_seconds(), nanos: time.subsec_nanos() }),
        amount: step.worth().map(|(amount, currency)| wire::money(amount, currency)),
        probability_percent: i32::try_from(step.probability_percent).unwrap_or_default(),
        actor: step.actor.clone(),
    }
}
