//! `ReturnPolicyService`, and a return policy on the wire.

use futures::{FutureExt as _, future::BoxFuture};
use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Facts, Record, Resource, Tx, statement::Statements},
    standard::{Draft, Drafts, Reply, Store},
};
use trato_proto::{
    sales::v1::{self as pb, return_policy_service_server::ReturnPolicyService},
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{Context, Result, Violations, text::paragraph};

use super::{
    model::{self, Payer, ReturnPolicy, State},
    publish, store,
};

/// Serves return policies.
pub struct Api {
    return_policies: Store<ReturnPolicy>,
    drafts: Drafts<ReturnPolicy>,
    statements: Statements,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self {
            return_policies: Store::new(&app.database),
            drafts: Drafts::new(&app.database, ()),
            statements: Statements::of::<ReturnPolicy>(),
        }
    }
}

#[tonic::async_trait]
impl ReturnPolicyService for Api {
    async fn get_return_policy(
        &self,
        request: Request<pb::GetReturnPolicyRequest>,
    ) -> Reply<pb::ReturnPolicy> {
        self.return_policies.get(request).await
    }
    async fn list_return_policies(
        &self,
        request: Request<pb::ListReturnPoliciesRequest>,
    ) -> Reply<pb::ListReturnPoliciesResponse> {
        self.return_policies.list(request).await
    }
    async fn create_return_policy(
        &self,
        request: Request<pb::CreateReturnPolicyRequest>,
    ) -> Reply<pb::ReturnPolicy> {
        self.drafts.create(request).await
    }
    async fn update_return_policy(
        &self,
        request: Request<pb::UpdateReturnPolicyRequest>,
    ) -> Reply<pb::ReturnPolicy> {
        self.drafts.update(request).await
    }
    async fn delete_return_policy(
        &self,
        request: Request<pb::DeleteReturnPolicyRequest>,
    ) -> Reply<pb::ReturnPolicy> {
        self.return_policies.delete(request).await
    }
    async fn undelete_return_policy(
        &self,
        request: Request<pb::UndeleteReturnPolicyRequest>,
    ) -> Reply<pb::ReturnPolicy> {
        self.return_policies.undelete(request).await
    }
    async fn batch_get_return_policies(
        &self,
        request: Request<pb::BatchGetReturnPoliciesRequest>,
    ) -> Reply<pb::BatchGetReturnPoliciesResponse> {
        self.return_policies.batch_get(request).await
    }
    async fn batch_create_return_policies(
        &self,
        request: Request<pb::BatchCreateReturnPoliciesRequest>,
    ) -> Reply<pb::BatchCreateReturnPoliciesResponse> {
        self.drafts.batch_create(request).await
    }
    async fn upsert_return_policy(
        &self,
        request: Request<pb::UpsertReturnPolicyRequest>,
    ) -> Reply<pb::ReturnPolicy> {
        self.drafts.upsert(request).await
    }

    async fn publish_return_policy(
        &self,
        request: Request<pb::PublishReturnPolicyRequest>,
    ) -> Reply<pb::ReturnPolicy> {
        let statements = self.statements;
        self.return_policies
            .change_in(request, "published", |tx, before, _| publish::publish(statements, tx, before).boxed())
            .await
    }
    async fn retire_return_policy(
        &self,
        request: Request<pb::RetireReturnPolicyRequest>,
    ) -> Reply<pb::ReturnPolicy> {
        self.return_policies.change(request, "retired", retire).await
    }
}

impl Draft for ReturnPolicy {
    type References = ();

    fn require_draft(&self) -> Result<()> {
        Ok(Self::require_draft(self)?)
    }

    /// There is nothing to complete.
    fn complete<'a>(
        _: &'a (),
        _: &'a mut Tx,
        drafts: Vec<&'a mut Self>,
    ) -> BoxFuture<'a, Result<Vec<Result<()>>>> {
        async move { Ok(drafts.into_iter().map(|_| Ok(())).collect()) }.boxed()
    }
}

impl Resource for ReturnPolicy {
    type Message = pb::ReturnPolicy;
    const TABLE: &'static str = "return_policy";
    const COLLECTION: &'static str = "returnPolicies";
    const EVENT: &'static str = "trato.sales.v1.return_policy";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::ReturnPolicy, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let display_name = check.keep("display_name", message.display_name.parse());
        let code = check.keep("code", model::code(&message.code));
        let window_days = check.keep("window_days", model::window(message.window_days));
        let conditions = check.keep("conditions", paragraph(&message.conditions, 5_000)).unwrap_or_default();
        let payer = check.keep("payer", parse_payer(message.payer));
        let window_days = window_days.unwrap_or_default();
        let policy = display_name.zip(code).zip(payer).map(|((display_name, code), payer)| Self {
            display_name,
            code,
            window_days,
            conditions,
            payer,
            state: State::Draft,
            version: None,
            publish_time: None,
            retire_time: None,
        });
        violations.into_result(policy)
    }

    fn render(record: &Record<Self>) -> pb::ReturnPolicy {
        let policy = &record.value;
        let (source, external_id) = record.external_fields();
        pb::ReturnPolicy {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            display_name: policy.display_name.to_string(),
            code: policy.code.clone(),
            window_days: policy.window_days,
            conditions: policy.conditions.clone(),
            payer: render_payer(policy.payer).into(),
            state: render_state(policy.state).into(),
            version: policy.version.unwrap_or_default(),
            publish_time: policy.publish_time.map(wire::timestamp),
            retire_time: policy.retire_time.map(wire::timestamp),
        }
    }
}

fn retire(policy: &mut ReturnPolicy, _: &pb::RetireReturnPolicyRequest, cx: &Context) -> Result<Facts> {
    policy.retire(cx.now)?;
    Ok(Facts::default())
}

fn parse_payer(payer: i32) -> Result<Payer, UnknownName> {
    match pb::return_policy::Payer::try_from(payer) {
        Ok(pb::return_policy::Payer::Buyer) => Ok(Payer::Buyer),
        Ok(pb::return_policy::Payer::Seller) => Ok(Payer::Seller),
        Ok(pb::return_policy::Payer::Unspecified) | Err(_) => Err(UnknownName),
    }
}

/// Who pays, on the wire.
pub fn render_payer(payer: Payer) -> pb::return_policy::Payer {
    match payer {
        Payer::Buyer => pb::return_policy::Payer::Buyer,
        Payer::Seller => pb::return_policy::Payer::Seller,
    }
}

fn render_state(state: State) -> pb::return_policy::State {
    match state {
        State::Draft => pb::return_policy::State::Draft,
        State::Published => pb::return_policy::State::Published,
        State::Retired => pb::return_policy::State::Retired,
    }
}
