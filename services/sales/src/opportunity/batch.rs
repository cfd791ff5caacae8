//! `BatchCreateOpportunities`: the platform's batch, with references completed and checked for all items together.

use tonic::Request;
use trato_platform::{
    db::{NewEvent, RequestKey, Resource as _},
    rpc::{Caller, status::to_wire},
    standard::{Prepared, Reply, Store, Stored, answer, new_record, once, require_batch},
};
use trato_proto::sales::v1 as pb;
use trato_types::{
    Context, Error, Result,
    standard::{BatchCreateRequest as _, BatchCreateResponse as _, CreateRequest as _, Outcome},
};

use super::{
    model::Opportunity,
    references::{FIELD, References},
};

/// Records the valid ones; every item is answered.
pub async fn create(
    opportunities: &Store<Opportunity>,
    references: &References,
    request: Request<pb::BatchCreateOpportunitiesRequest>,
) -> Reply<pb::BatchCreateOpportunitiesResponse> {
    let caller = Caller::of(&request);
    answer(request, async |cx, mut body| {
        let caller = caller?;
        let key = RequestKey::parse(&body.take_request_id(), &body)?;
        let (items, options) = body.into_parts();
        require_batch("requests", items.len())?;
        let attempt = async {
            let prepared = prepare(cx, &caller, references, items).await?;
            let answer = |stored: Vec<Stored<Opportunity>>| {
                pb::BatchCreateOpportunitiesResponse::each(stored.into_iter().map(outcome).collect())
            };
            opportunities.store_batch(cx, key.as_ref(), prepared, options.validate_only, answer).await
        };
        once(opportunities.database(), cx, key.as_ref(), attempt).await
    })
    .await
}

async fn prepare(
    cx: &Context,
    caller: &Caller,
    references: &References,
    items: Vec<pb::CreateOpportunityRequest>,
) -> Result<Vec<Result<Prepared<Opportunity>>>> {
    // An item without opportunity is refused in its place, like any other that is not valid.
    let faults: Vec<Option<Error>> = items.iter().map(fault).collect();
    let messages = items.into_iter().map(|item| item.into_parts().0.unwrap_or_default()).collect();
    let resolved = references.resolve(cx, messages).await?;
    let built = resolved.into_iter().zip(faults).map(|(resolved, fault)| {
        let record = match fault {
            Some(fault) => Err(fault),
            None => new_record::<Opportunity>(cx, Some(resolved.message), FIELD),
        };
        let prepared = record.map(|record| {
            let event = NewEvent::of(cx, "created", None, &record);
            (record, event)
        });
        (prepared, resolved.trouble)
    });
    references.judge(cx, caller, built.collect()).await
}

fn fault(item: &pb::CreateOpportunityRequest) -> Option<Error> {
    if !item.request_id.is_empty() || item.validate_only {
        let message = "only the batch itself has request_id and validate_only";
        return Some(Error::invalid("request_id", "NOT_ALLOWED", message));
    }
    item.opportunity.is_none().then(|| Error::invalid(FIELD, "REQUIRED", "is required"))
}

fn outcome(stored: Stored<Opportunity>) -> Outcome<pb::Opportunity, tonic_types::Status> {
    match stored {
        Ok((record, true)) => Outcome::Created(Opportunity::render(&record)),
        Ok((record, false)) => Outcome::Existing(Opportunity::render(&record)),
        Err(error) => Outcome::Refused(to_wire(&error)),
    }
}
