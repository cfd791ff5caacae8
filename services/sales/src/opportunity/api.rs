//! `OpportunityService`, and an opportunity on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Facts, Record, Resource},
    standard::{Reply, Store},
};
use trato_proto::{
    google::value::Date as WireDate,
    sales::v1::{self as pb, opportunity_service_server::OpportunityService},
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{
    Context, Date, Error, Id, MemberRef, Ref, Result, Timestamp, Violations,
    text::{line, paragraph},
};
use uuid::Uuid;

use super::{
    batch,
    history::History,
    import,
    model::{LostReason, Opportunity, State},
    references::References,
    requests, stage_changes, store,
};
use crate::pipeline::{self, Stages};

/// Serves opportunities.
pub struct Api {
    opportunities: Store<Opportunity>,
    references: References,
}

impl Api {
    /// The service over the app's database; it asks customers for accounts it does not know.
    pub fn new(app: &App) -> Self {
        Self { opportunities: Store::new(&app.database), references: References::new(app) }
    }
}

#[tonic::async_trait]
impl OpportunityService for Api {
    async fn get_opportunity(&self, request: Request<pb::GetOpportunityRequest>) -> Reply<pb::Opportunity> {
        self.opportunities.get(request).await
    }
    async fn list_opportunities(
        &self,
        request: Request<pb::ListOpportunitiesRequest>,
    ) -> Reply<pb::ListOpportunitiesResponse> {
        self.opportunities.list(request).await
    }
    async fn create_opportunity(
        &self,
        request: Request<pb::CreateOpportunityRequest>,
    ) -> Reply<pb::Opportunity> {
        requests::create(&self.opportunities, &self.references, request).await
    }
    async fn update_opportunity(
        &self,
        request: Request<pb::UpdateOpportunityRequest>,
    ) -> Reply<pb::Opportunity> {
        requests::update(&self.opportunities, &self.references, request).await
    }
    async fn delete_opportunity(
        &self,
        request: Request<pb::DeleteOpportunityRequest>,
    ) -> Reply<pb::Opportunity> {
        self.opportunities.delete(request).await
    }
    async fn undelete_opportunity(
        &self,
        request: Request<pb::UndeleteOpportunityRequest>,
    ) -> Reply<pb::Opportunity> {
        self.opportunities.undelete(request).await
    }
    async fn batch_get_opportunities(
        &self,
        request: Request<pb::BatchGetOpportunitiesRequest>,
    ) -> Reply<pb::BatchGetOpportunitiesResponse> {
        self.opportunities.batch_get(request).await
    }
    async fn batch_create_opportunities(
        &self,
        request: Request<pb::BatchCreateOpportunitiesRequest>,
    ) -> Reply<pb::BatchCreateOpportunitiesResponse> {
        batch::create(&self.opportunities, &self.references, request).await
    }
    async fn upsert_opportunity(
        &self,
        request: Request<pb::UpsertOpportunityRequest>,
    ) -> Reply<pb::Opportunity> {
        requests::upsert(&self.opportunities, &self.references, request).await
    }

    async fn move_opportunity(&self, request: Request<pb::MoveOpportunityRequest>) -> Reply<pb::Opportunity> {
        let stages = self.references.stages_of(&request).await?;
        let apply =
            |opportunity: &mut _, request: &_, cx: &_| move_to(opportunity, request, stages.as_ref(), cx);
        self.opportunities.change(request, "moved", apply).await
    }
    async fn win_opportunity(&self, request: Request<pb::WinOpportunityRequest>) -> Reply<pb::Opportunity> {
        self.opportunities.change(request, "won", win).await
    }
    async fn lose_opportunity(&self, request: Request<pb::LoseOpportunityRequest>) -> Reply<pb::Opportunity> {
        self.opportunities.change(request, "lost", lose).await
    }
    async fn reopen_opportunity(
        &self,
        request: Request<pb::ReopenOpportunityRequest>,
    ) -> Reply<pb::Opportunity> {
        self.opportunities.change(request, "reopened", reopen).await
    }

    async fn list_stage_changes(
        &self,
        request: Request<pb::ListStageChangesRequest>,
    ) -> Reply<pb::ListStageChangesResponse> {
        stage_changes::list(&self.opportunities, request).await
    }
    async fn import_opportunities(
        &self,
        request: Request<pb::ImportOpportunitiesRequest>,
    ) -> Reply<pb::ImportOpportunitiesResponse> {
        import::import(&self.opportunities, &self.references, request).await
    }
}

impl Resource for Opportunity {
    type Message = pb::Opportunity;
    const TABLE: &'static str = "opportunity";
    const COLLECTION: &'static str = "opportunities";
    const EVENT: &'static str = "trato.sales.v1.opportunity";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = true;

    fn fill_defaults(message: &mut pb::Opportunity, cx: &Context) {
        if message.owner.is_empty() && cx.actor.subject().is_some() {
            message.owner = cx.actor.to_string();
        }
    }

    fn parse(message: &pb::Opportunity, cx: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        // What is stored has a state; what is new does not have one yet.
        let is_new = message.state() == pb::opportunity::State::Unspecified;
        let mut opportunity = violations.absorb("", parse(message))?;
        if let Some(opportunity) = opportunity.as_mut().filter(|_| is_new) {
            opportunity.begin(cx);
        }
        if let Some(opportunity) = &opportunity {
            opportunity.check("", cx, &mut violations);
        }
        violations.into_result(opportunity)
    }

    fn render(record: &Record<Self>) -> pb::Opportunity {
        let opportunity = &record.value;
        let (source, external_id) = record.external_fields();
        pb::Opportunity {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            owner: opportunity.owner.as_ref().map(MemberRef::name).unwrap_or_default(),
            team: opportunity.team.map(Ref::name).unwrap_or_default(),
            display_name: opportunity.display_name.to_string(),
            account: opportunity.account.map(Ref::name).unwrap_or_default(),
            contact: opportunity.contact.map(Ref::name).unwrap_or_default(),
            pipeline: opportunity.pipeline.name(),
            stage: opportunity.stage.to_string(),
            stage_time: opportunity.stage_time.map(wire::timestamp),
            state: render_state(opportunity.state).into(),
            product: opportunity.product.map(Id::name).unwrap_or_default(),
            amount: opportunity.worth().map(|(amount, currency)| wire::money(amount, currency)),
            close_date: opportunity.close_date.map(wire::date),
            // It was read from an int32.
            probability_percent: i32::try_from(opportunity.probability_percent).unwrap_or_default(),
            next_step: opportunity.next_step.clone(),
            next_step_date: opportunity.next_step_date.map(wire::date),
            lost_reason: opportunity.lost_reason.map_or(0, |reason| reason.to_wire().into()),
            lost_note: opportunity.lost_note.clone(),
            close_time: opportunity.close_time.map(wire::timestamp),
            description: opportunity.description.clone(),
        }
    }

    fn owner(&self) -> Option<&str> {
        self.owner.as_ref().map(MemberRef::subject)
    }

    fn team(&self) -> Option<Uuid> {
        self.team.map(Ref::uuid)
    }
}

/// Parses an opportunity as it is told, or lists every violation. Its history is the stored one, whatever that is.
pub fn parse(message: &pb::Opportunity) -> Result<Opportunity> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let owner = check.keep("owner", MemberRef::parse_optional(&message.owner)).flatten();
    let team = check.keep("team", Ref::parse_optional(&message.team)).flatten();
    let display_name = check.keep("display_name", message.display_name.parse());
    let account = check.keep("account", Ref::parse_optional(&message.account)).flatten();
    let contact = check.keep("contact", Ref::parse_optional(&message.contact)).flatten();
    let pipeline = check.keep("pipeline", Id::parse(&message.pipeline));
    // Without a pipeline the stage could not be filled in, so it is not the client's fault.
    let stage = pipeline.and_then(|_| check.keep("stage", message.stage.parse()));
    let stage_time = parse_time(message.stage_time.as_ref(), "stage_time", check);
    let state = check.keep("state", parse_state(message.state)).unwrap_or(State::Open);
    let product = check.keep("product", Id::parse_optional(&message.product)).flatten();
    let worth = message.amount.as_ref().and_then(|money| check.keep("amount", wire::parse_amount(money)));
    let (amount, currency) = worth.unzip();
    let close_date = parse_date(message.close_date.as_ref(), "close_date", check);
    let probability = check.keep("probability_percent", pipeline::percent(message.probability_percent));
    let probability_percent = probability.unwrap_or_default().into();
    let next_step = check.keep("next_step", line(&message.next_step, 500)).unwrap_or_default();
    let next_step_date = parse_date(message.next_step_date.as_ref(), "next_step_date", check);
    let lost_reason = check.keep("lost_reason", parse_lost_reason(message.lost_reason)).flatten();
    let lost_note = check.keep("lost_note", paragraph(&message.lost_note, Opportunity::MAX_LOST_NOTE));
    let lost_note = lost_note.unwrap_or_default();
    let close_time = parse_time(message.close_time.as_ref(), "close_time", check);
    let description = check.keep("description", paragraph(&message.description, 10_000)).unwrap_or_default();
    let history = History::as_stored();
    #[rustfmt::skip]
    let opportunity = display_name.zip(pipeline).zip(stage).map(|((display_name, pipeline), stage)| Opportunity {
        owner, team, display_name, account, contact, pipeline, stage, stage_time, state, product, amount, currency,
        close_date, probability_percent, next_step, next_step_date, lost_reason, lost_note, close_time, description,
        history,
    });
    violations.into_result(opportunity)
}

fn move_to(
    opportunity: &mut Opportunity,
    request: &pb::MoveOpportunityRequest,
    stages: Option<&Stages>,
    cx: &Context,
) -> Result<Facts> {
    if request.stage.is_empty() {
        return Err(Error::invalid("stage", "REQUIRED", "is required"));
    }
    // A text that is no key is no stage of the pipeline either.
    let stage = request.stage.parse().ok().and_then(|key| stages?.get(&key));
    let moved = opportunity.move_to(stage, cx).map_err(|error| error.with("stage", &request.stage))?;
    Ok(moved.map(|moved| dated(Facts::of(&moved), opportunity)).unwrap_or_default())
}

fn win(opportunity: &mut Opportunity, request: &pb::WinOpportunityRequest, cx: &Context) -> Result<Facts> {
    let mut violations = Violations::new();
    let close_date = parse_date(request.close_date.as_ref(), "close_date", &mut violations);
    violations.into_result(Some(()))?;
    let won = opportunity.win(close_date, cx)?;
    Ok(dated(Facts::of(&won), opportunity))
}

fn lose(opportunity: &mut Opportunity, request: &pb::LoseOpportunityRequest, cx: &Context) -> Result<Facts> {
    let mut violations = Violations::new();
    let reason = violations.keep("reason", parse_lost_reason(request.reason)).flatten();
    let close_date = parse_date(request.close_date.as_ref(), "close_date", &mut violations);
    let lost = match violations.absorb("", opportunity.lose(reason, &request.note, close_date, cx)) {
        // What is wrong with the request is said before what is wrong with the state.
        Err(error) if violations.is_empty() => return Err(error),
        lost => lost.ok().flatten(),
    };
    let lost = violations.into_result(lost)?;
    Ok(dated(Facts::of(&lost), opportunity))
}

fn reopen(opportunity: &mut Opportunity, _: &pb::ReopenOpportunityRequest, cx: &Context) -> Result<Facts> {
    opportunity.reopen(cx)?;
    Ok(dated(Facts::default(), opportunity))
}

/// Dates what a verb tells like the step it took, which may have been taken on an earlier day.
fn dated(facts: Facts, opportunity: &Opportunity) -> Facts {
    facts.at(opportunity.history.last_event_time())
}

fn parse_date(date: Option<&WireDate>, field: &str, violations: &mut Violations) -> Option<Date> {
    date.and_then(|date| violations.keep(field, wire::parse_date(date)))
}

fn parse_time(
    time: Option<&prost_types::Timestamp>,
    field: &str,
    violations: &mut Violations,
) -> Option<Timestamp> {
    time.and_then(|time| violations.keep(field, wire::parse_timestamp(time)))
}

/// Reads a state; an unspecified one is open.
pub fn parse_state(state: i32) -> Result<State, UnknownName> {
    match pb::opportunity::State::try_from(state) {
        Ok(pb::opportunity::State::Unspecified | pb::opportunity::State::Open) => Ok(State::Open),
        Ok(pb::opportunity::State::Won) => Ok(State::Won),
        Ok(pb::opportunity::State::Lost) => Ok(State::Lost),
        Err(_) => Err(UnknownName),
    }
}

/// Writes a state.
pub fn render_state(state: State) -> pb::opportunity::State {
    match state {
        State::Open => pb::opportunity::State::Open,
        State::Won => pb::opportunity::State::Won,
        State::Lost => pb::opportunity::State::Lost,
    }
}

fn parse_lost_reason(reason: i32) -> Result<Option<LostReason>, UnknownName> {
    pb::opportunity::LostReason::try_from(reason).map(LostReason::from_wire).map_err(|_| UnknownName)
}
