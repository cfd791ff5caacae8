//! Create, update and upsert: the platform's, with references completed and checked before.
//!
//! A request id stands for what the client *sent*. What sales fills in (the default pipeline, the caller's team) may be
//! another one when the client repeats the request, or no longer be there: it is looked up within the attempt, whose
//! failure finds the first answer.

use tonic::{Request, Status};
use trato_platform::{
    db::{External, Record, RequestKey},
    rpc::{Caller, status::to_status},
    standard::{Reply, Store, answer, new_record, once},
};
use trato_proto::sales::v1 as pb;
use trato_types::{
    Context, Error, Result,
    standard::{CreateRequest as _, Fields as _, ResourceMessage as _, UpdateRequest as _},
};

use super::{
    model::Opportunity,
    references::{FIELD, References, Resolved, Trouble, account_trouble, product_refusal, reference},
    store::{self, Wanted},
};
use crate::{foreign::Account, pipeline::Stages};

/// Completes what is to be created.
pub async fn create(
    opportunities: &Store<Opportunity>,
    references: &References,
    request: Request<pb::CreateOpportunityRequest>,
) -> Reply<pb::Opportunity> {
    let caller = Caller::of(&request);
    answer(request, async |cx, mut body| {
        let caller = caller?;
        let key = RequestKey::parse(&body.take_request_id(), &body)?;
        let (sent, options) = body.into_parts();
        let attempt = async {
            let message = references.created(cx, &caller, sent).await?;
            opportunities.create_one(cx, key.as_ref(), FIELD, message, options.validate_only).await
        };
        once(opportunities.database(), cx, key.as_ref(), attempt).await
    })
    .await
}

/// Checks what an update would refer to.
pub async fn update(
    opportunities: &Store<Opportunity>,
    references: &References,
    request: Request<pb::UpdateOpportunityRequest>,
) -> Reply<pb::Opportunity> {
    let caller = Caller::of(&request);
    answer(request, async |cx, mut body| {
        let caller = caller?;
        let key = RequestKey::parse(&body.take_request_id(), &body)?;
        let (sent, mask, options) = body.into_parts();
        let attempt = async {
            let mask = mask.as_deref();
            let message = references.updated(cx, &caller, sent, mask, None).await?;
            opportunities.update_one(cx, key.as_ref(), FIELD, message, mask, options.validate_only).await
        };
        once(opportunities.database(), cx, key.as_ref(), attempt).await
    })
    .await
}

/// Like `update` when the opportunity is there, else like `create`.
pub async fn upsert(
    opportunities: &Store<Opportunity>,
    references: &References,
    request: Request<pb::UpsertOpportunityRequest>,
) -> Reply<pb::Opportunity> {
    let caller = Caller::of(&request);
    answer(request, async |cx, mut body| {
        let caller = caller?;
        let key = RequestKey::parse(&body.take_request_id(), &body)?;
        let (sent, mask, options) = body.into_parts();
        let attempt = async {
            let (message, mask) = references.upserted(cx, &caller, sent, mask).await?;
            let (mask, validate_only) = (mask.as_deref(), options.validate_only);
            opportunities.upsert_one(cx, key.as_ref(), FIELD, message, mask, validate_only).await
        };
        once(opportunities.database(), cx, key.as_ref(), attempt).await
    })
    .await
}

impl References {
    /// The stages of the pipeline that the opportunity of a move walks; none when there is no such opportunity. They
    /// say nothing to a caller who cannot see it: the standard method finds that out before they are used.
    pub async fn stages_of(
        &self,
        request: &Request<pb::MoveOpportunityRequest>,
    ) -> Result<Option<Stages>, Status> {
        let cx = request.extensions().get::<Context>();
        let cx = cx.ok_or_else(|| to_status(Error::internal("the call has no context")))?;
        let name = &request.get_ref().name;
        let Some(opportunity) = reference::<Opportunity>(name) else { return Ok(None) };
        store::stages_of(&self.database, cx, opportunity.uuid()).await.map_err(to_status)
    }

    async fn created(
        &self,
        cx: &Context,
        caller: &Caller,
        sent: Option<pb::Opportunity>,
    ) -> Result<Option<pb::Opportunity>> {
        let Some(Resolved { message, trouble, .. }) =
            self.resolve(cx, sent.into_iter().collect()).await?.pop()
        else {
            return Ok(None);
        };
        if trouble.refusal.is_none() && trouble.unknown_account.is_none() {
            return Ok(Some(message));
        }
        let valid = new_record::<Opportunity>(cx, Some(message.clone()), FIELD).map(|_| message);
        self.judge(cx, caller, vec![(valid, trouble)]).await?.pop().transpose()
    }

    /// Looks up only what the mask touches, and objects only to what would be news: an opportunity whose account was
    /// deleted can still be updated otherwise, by a client that sends the whole of it back.
    async fn updated(
        &self,
        cx: &Context,
        caller: &Caller,
        sent: Option<pb::Opportunity>,
        mask: Option<&[String]>,
        stored: Option<Record<Opportunity>>,
    ) -> Result<Option<pb::Opportunity>> {
        let Some(mut message) = sent else { return Ok(None) };
        let mask = mask.filter(|mask| !mask.is_empty());
        let touches =
            |name: &str| mask.is_none_or(|mask| mask.iter().any(|path| path == name || path == "*"));
        let account = reference::<Account>(&message.account).filter(|_| touches("account"));
        let product = reference(&message.product).filter(|_| touches("product"));
        // Cleared by name, the chance of winning is the stage's again.
        let is_reset = mask.is_some() && touches("probability_percent") && message.probability_percent == 0;

        let (mut refusal, mut trouble) = (None, Trouble::default());
        if account.is_some() || product.is_some() {
            let wanted = Wanted {
                products: product.into_iter().collect(),
                accounts: account.into_iter().collect(),
                ..Wanted::default()
            };
            let found = store::find_references(&self.database, cx, &wanted).await?;
            refusal = product.and_then(|product| product_refusal(&found, product));
            trouble = account.map(|account| account_trouble(&found, account)).unwrap_or_default();
        }
        let has_trouble = refusal.is_some() || trouble.refusal.is_some() || trouble.unknown_account.is_some();
        if !has_trouble && !is_reset {
            return Ok(Some(message));
        }
        let stored = match stored {
            Some(stored) => stored,
            None => match self.opportunities.read(cx, &message.name).await {
                Ok(stored) => stored,
                // The standard method reads it too, and says so.
                Err(_) => return Ok(Some(message)),
            },
        };
        if is_reset && let Some(stages) = store::stages_of(&self.database, cx, stored.id).await? {
            let stage = stages.get(&stored.value.stage);
            message.probability_percent = stage.map_or(0, |stage| stage.probability_percent);
        }
        let refusal = refusal.filter(|_| stored.value.product != product);
        let trouble = if stored.value.account == account { Trouble::default() } else { trouble };
        let trouble = Trouble { refusal: refusal.or(trouble.refusal), ..trouble };
        self.judge(cx, caller, vec![(Ok(message), trouble)]).await?.pop().transpose()
    }

    async fn upserted(
        &self,
        cx: &Context,
        caller: &Caller,
        sent: Option<pb::Opportunity>,
        mask: Option<Vec<String>>,
    ) -> Result<(Option<pb::Opportunity>, Option<Vec<String>>)> {
        let Some(message) = sent else { return Ok((None, mask)) };
        // What cannot be a key the standard method refuses, with all else that is wrong.
        let Ok(Some(external)) = External::parse(message.external()) else {
            return Ok((Some(message), mask));
        };
        let stored = self
            .opportunities
            .read_external(cx, &external.source, std::slice::from_ref(&external.id))
            .await?;
        if let Some(stored) = stored.into_iter().next() {
            let updated = self.updated(cx, caller, Some(message), mask.as_deref(), Some(stored)).await?;
            return Ok((updated, mask));
        }
        // Somebody may record it at this very moment; then only what was sent is changed, not what is filled in here.
        let mask = mask.unwrap_or_else(|| message.populated().into_iter().map(str::to_owned).collect());
        Ok((self.created(cx, caller, Some(message)).await?, Some(mask)))
    }
}
