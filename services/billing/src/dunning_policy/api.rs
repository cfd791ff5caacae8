//! `DunningPolicyService`, and a dunning policy on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_proto::{
    billing::v1::{self as pb, dunning_policy_service_server::DunningPolicyService},
    google::value::Money,
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{Context, Id, Minor, Result, Violations};

use super::{
    model::{self, Action, DunningPolicy, Minimum, Minimums, Step, Steps},
    store,
};
use crate::fields::{self, Code};

/// Serves dunning policies.
pub struct Api {
    dunning_policies: Store<DunningPolicy>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { dunning_policies: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl DunningPolicyService for Api {
    async fn get_dunning_policy(
        &self,
        request: Request<pb::GetDunningPolicyRequest>,
    ) -> Reply<pb::DunningPolicy> {
        self.dunning_policies.get(request).await
    }
    async fn list_dunning_policies(
        &self,
        request: Request<pb::ListDunningPoliciesRequest>,
    ) -> Reply<pb::ListDunningPoliciesResponse> {
        self.dunning_policies.list(request).await
    }
    async fn create_dunning_policy(
        &self,
        request: Request<pb::CreateDunningPolicyRequest>,
    ) -> Reply<pb::DunningPolicy> {
        self.dunning_policies.create(request).await
    }
    async fn update_dunning_policy(
        &self,
        request: Request<pb::UpdateDunningPolicyRequest>,
    ) -> Reply<pb::DunningPolicy> {
        self.dunning_policies.update(request).await
    }
    async fn delete_dunning_policy(
        &self,
        request: Request<pb::DeleteDunningPolicyRequest>,
    ) -> Reply<pb::DunningPolicy> {
        self.dunning_policies.delete(request).await
    }
    async fn undelete_dunning_policy(
        &self,
        request: Request<pb::UndeleteDunningPolicyRequest>,
    ) -> Reply<pb::DunningPolicy> {
        self.dunning_policies.undelete(request).await
    }
    async fn batch_get_dunning_policies(
        &self,
        request: Request<pb::BatchGetDunningPoliciesRequest>,
    ) -> Reply<pb::BatchGetDunningPoliciesResponse> {
        self.dunning_policies.batch_get(request).await
    }
    async fn batch_create_dunning_policies(
        &self,
        request: Request<pb::BatchCreateDunningPoliciesRequest>,
    ) -> Reply<pb::BatchCreateDunningPoliciesResponse> {
        self.dunning_policies.batch_create(request).await
    }
    async fn upsert_dunning_policy(
        &self,
        request: Request<pb::UpsertDunningPolicyRequest>,
    ) -> Reply<pb::DunningPolicy> {
        self.dunning_policies.upsert(request).await
    }
}

impl Resource for DunningPolicy {
    type Message = pb::DunningPolicy;
    const TABLE: &'static str = "dunning_policy";
    const COLLECTION: &'static str = "dunningPolicies";
    const EVENT: &'static str = "trato.billing.v1.dunning_policy";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::DunningPolicy, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let display_name = violations.keep("display_name", message.display_name.parse());
        let legal_entity = violations.keep("legal_entity", Id::parse_optional(&message.legal_entity));
        let steps = parse_steps(&message.steps, &mut violations)?;
        let minimums = parse_minimums(&message.minimums, &mut violations)?;
        let given = display_name.zip(legal_entity).zip(steps).zip(minimums);
        let policy = given.map(|(((display_name, legal_entity), steps), minimums)| Self {
            display_name,
            legal_entity,
            steps,
            minimums,
        });
        violations.into_result(policy)
    }

    fn render(record: &Record<Self>) -> pb::DunningPolicy {
        let policy = &record.value;
        let (source, external_id) = record.external_fields();
        let minimum = |minimum: &Minimum| wire::money(minimum.amount, minimum.currency_code);
        pb::DunningPolicy {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            display_name: policy.display_name.to_string(),
            legal_entity: policy.legal_entity.map(Id::name).unwrap_or_default(),
            steps: policy.steps.iter().map(render_step).collect(),
            minimums: policy.minimums.iter().map(minimum).collect(),
        }
    }
}

fn parse_steps(messages: &[pb::dunning_policy::Step], violations: &mut Violations) -> Result<Option<Steps>> {
    let given = violations.keep("steps", wire::at_most(messages, Steps::MAX)).unwrap_or_default();
    let mut steps = Vec::with_capacity(given.len());
    for (index, message) in given.iter().enumerate() {
        steps.extend(violations.absorb(&format!("steps[{index}]."), parse_step(message))?);
    }
    // What holds for all of them together can only be said when each is valid.
    if steps.len() < messages.len() { Ok(None) } else { violations.absorb("", Steps::new(steps)) }
}

fn parse_step(message: &pb::dunning_policy::Step) -> Result<Step> {
    let mut violations = Violations::new();
    let after_days = violations.keep("after_days", model::after_days(message.after_days));
    let action = violations.keep("action", parse_action(message.action));
    let template = violations.keep("template", wire::parse_optional::<Code>(&message.template));
    if action == Some(Action::Notify) && template == Some(None) {
        violations.add("template", "REQUIRED", "is required where the customer is told");
    }
    let template = template.map(|template| wire::text(template.as_ref()));
    let given = after_days.zip(action).zip(template);
    let step = given.map(|((after_days, action), template)| Step { after_days, action, template });
    violations.into_result(step)
}

fn parse_minimums(messages: &[Money], violations: &mut Violations) -> Result<Option<Minimums>> {
    let given = violations.keep("minimums", wire::at_most(messages, Minimums::MAX)).unwrap_or_default();
    let mut minimums = Vec::with_capacity(given.len());
    for (index, message) in given.iter().enumerate() {
        let field = format!("minimums[{index}]");
        let Some((amount, currency_code)) = violations.keep(&field, fields::amount(Some(message))) else {
            continue;
        };
        if amount <= Minor(0) {
            violations.add(field, "NOT_POSITIVE", "must be more than zero");
            continue;
        }
        minimums.push(Minimum { currency_code, amount });
    }
    if minimums.len() < messages.len() { Ok(None) } else { violations.absorb("", Minimums::new(minimums)) }
}

fn render_step(step: &Step) -> pb::dunning_policy::Step {
    pb::dunning_policy::Step {
        after_days: step.after_days,
        action: render_action(step.action).into(),
        template: step.template.clone(),
    }
}

fn parse_action(action: i32) -> Result<Action, UnknownName> {
    match pb::dunning_policy::Action::try_from(action) {
        Ok(pb::dunning_policy::Action::Notify) => Ok(Action::Notify),
        Ok(pb::dunning_policy::Action::Hold) => Ok(Action::Hold),
        Ok(pb::dunning_policy::Action::Block) => Ok(Action::Block),
        Ok(pb::dunning_policy::Action::Collection) => Ok(Action::Collection),
        Ok(pb::dunning_policy::Action::Unspecified) | Err(_) => Err(UnknownName),
    }
}

/// Writes an action.
pub fn render_action(action: Action) -> pb::dunning_policy::Action {
    match action {
        Action::Notify => pb::dunning_policy::Action::Notify,
        Action::Hold => pb::dunning_policy::Action::Hold,
        Action::Block => pb::dunning_policy::Action::Block,
        Action::Collection => pb::dunning_policy::Action::Collection,
    }
}
