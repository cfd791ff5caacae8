//! Requests that bring an opportunity, made ready for the standard methods: completed and checked.
//!
//! A request that was answered before is let through as it came. Its pipeline may be gone and its account deleted by
//! now; the standard method finds the first answer by the request id and gives it again.

use tonic::{Request, Status};
use trato_platform::{
    db::{External, Record, RequestKey},
    rpc::{Caller, status::to_status},
    standard::new_record,
};
use trato_proto::sales::v1 as pb;
use trato_types::{
    Context, Error, Result,
    standard::{CreateRequest, Fields as _, ResourceMessage as _, UpdateRequest},
};

use super::{
    completed::Completed,
    model::Opportunity,
    references::{FIELD, References, Resolved, Trouble, account_trouble, product_refusal, reference},
    store::{self, Wanted},
};
use crate::{foreign::Account, pipeline::Stages};

impl References {
    /// Completes what is to be created.
    pub async fn complete_create(
        &self,
        request: Request<pb::CreateOpportunityRequest>,
    ) -> Result<Request<Completed<pb::CreateOpportunityRequest>>, Status> {
        let (cx, caller, sent) = parties(&request)?;
        let opportunity = match self.created(&cx, &caller, sent.opportunity.clone()).await {
            Ok(opportunity) => opportunity,
            Err(error) => {
                self.require_answered(&cx, sent.clone(), CreateRequest::take_request_id, error).await?;
                sent.opportunity
            }
        };
        Ok(request.map(|sent| Completed::of_create(sent, opportunity)))
    }

    /// Checks what an update would refer to.
    pub async fn complete_update(
        &self,
        request: Request<pb::UpdateOpportunityRequest>,
    ) -> Result<Request<Completed<pb::UpdateOpportunityRequest>>, Status> {
        let (cx, caller, sent) = parties(&request)?;
        let mask = sent.update_mask.clone().map(|mask| mask.paths);
        let opportunity =
            match self.updated(&cx, &caller, sent.opportunity.clone(), mask.as_deref(), None).await {
                Ok(opportunity) => opportunity,
                Err(error) => {
                    self.require_answered(&cx, sent.clone(), UpdateRequest::take_request_id, error).await?;
                    sent.opportunity
                }
            };
        Ok(request.map(|sent| Completed::of_update(sent, opportunity, mask)))
    }

    /// Like `complete_update` when the opportunity is there, else like `complete_create`.
    pub async fn complete_upsert(
        &self,
        request: Request<pb::UpsertOpportunityRequest>,
    ) -> Result<Request<Completed<pb::UpsertOpportunityRequest>>, Status> {
        let (cx, caller, sent) = parties(&request)?;
        let mask = sent.update_mask.clone().map(|mask| mask.paths);
        let (opportunity, mask) =
            match self.upserted(&cx, &caller, sent.opportunity.clone(), mask.clone()).await {
                Ok(upserted) => upserted,
                Err(error) => {
                    self.require_answered(&cx, sent.clone(), UpdateRequest::take_request_id, error).await?;
                    (sent.opportunity, mask)
                }
            };
        Ok(request.map(|sent| Completed::of_update(sent, opportunity, mask)))
    }

    /// The stages of the pipeline that the opportunity of a move walks; none when there is no such opportunity. They
    /// say nothing to a caller who cannot see it: the standard method finds that out before they are used.
    pub async fn stages_of(
        &self,
        request: &Request<pb::MoveOpportunityRequest>,
    ) -> Result<Option<Stages>, Status> {
        let (cx, _, sent) = parties(request)?;
        let Some(opportunity) = reference::<Opportunity>(&sent.name) else { return Ok(None) };
        store::stages_of(&self.database, &cx, opportunity.uuid()).await.map_err(to_status)
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

    /// The error, unless the request was answered before.
    async fn require_answered<R: prost::Message>(
        &self,
        cx: &Context,
        mut sent: R,
        take_request_id: fn(&mut R) -> String,
        error: Error,
    ) -> Result<(), Status> {
        let key = RequestKey::parse(&take_request_id(&mut sent), &sent).map_err(to_status)?;
        let Some(key) = key else { return Err(to_status(error)) };
        match key.answered(&self.database.pool, cx).await.map_err(to_status)? {
            Some(_) => Ok(()),
            None => Err(to_status(error)),
        }
    }
}

/// The caller and what it sent.
fn parties<R: Clone>(request: &Request<R>) -> Result<(Context, Caller, R), Status> {
    let cx = request.extensions().get::<Context>().cloned();
    let cx = cx.ok_or_else(|| to_status(Error::internal("the call has no context")))?;
    Ok((cx, Caller::of(request).map_err(to_status)?, request.get_ref().clone()))
}
