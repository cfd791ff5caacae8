//! `DunningStateService`.

use prost::Message as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, RequestKey, Resource, Tx},
    standard::{Reply, Store, answer, once},
};
use trato_proto::{
    billing::v1::{self as pb, dunning_state_service_server::DunningStateService},
    wire as form,
};
use trato_query::Field;
use trato_types::{Context, Error, Ref, Result, Violations};
use uuid::Uuid;

use super::{
    model::DunningState,
    run::{Asked, Page, Runner},
    store, wire,
};

/// Accounts of a page, unless said.
const PAGE: usize = 100;
/// Most accounts of a page.
const MOST: usize = 500;

/// Serves dunning states, and runs dunning.
pub struct Api {
    dunning_states: Store<DunningState>,
    runner: Runner,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { dunning_states: Store::new(&app.database), runner: Runner::new(&app.database) }
    }
}

#[tonic::async_trait]
impl DunningStateService for Api {
    async fn get_dunning_state(
        &self,
        request: Request<pb::GetDunningStateRequest>,
    ) -> Reply<pb::DunningState> {
        self.dunning_states.get(request).await
    }
    async fn list_dunning_states(
        &self,
        request: Request<pb::ListDunningStatesRequest>,
    ) -> Reply<pb::ListDunningStatesResponse> {
        self.dunning_states.list(request).await
    }

    async fn run_dunning(&self, request: Request<pb::RunDunningRequest>) -> Reply<pb::RunDunningResponse> {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&std::mem::take(&mut body.request_id), &body)?;
            once(&self.runner.database, cx, key.as_ref(), self.run(cx, key.as_ref(), &body)).await
        })
        .await
    }
}

impl Api {
    /// A run is many transactions, so that its answer is remembered by one more. One that was done and is not remembered is done
    /// again, which changes nothing.
    async fn run(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        body: &pb::RunDunningRequest,
    ) -> Result<pb::RunDunningResponse> {
        if let Some(key) = key
            && let Some(answer) = key.answered(&self.runner.database.pool, cx).await?
        {
            return answer.decode();
        }
        let page = self.runner.run(cx, &parse(body)?).await?;
        let answer = render(page);
        if let Some(key) = key
            && !body.validate_only
        {
            let mut tx = Tx::of(&self.runner.database, cx).await?;
            tx.remember(key, answer.encode_to_vec()).await?;
            tx.commit().await?;
        }
        Ok(answer)
    }
}

impl Resource for DunningState {
    type Message = pb::DunningState;
    const TABLE: &'static str = "dunning_state";
    const COLLECTION: &'static str = "dunningStates";
    const EVENT: &'static str = "trato.billing.v1.dunning_state";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(_: &pb::DunningState, _: &Context) -> Result<Self> {
        Err(Error::internal("dunning states are made by runs of dunning only"))
    }

    fn render(record: &Record<Self>) -> pb::DunningState {
        wire::render(record)
    }
}

fn parse(body: &pb::RunDunningRequest) -> Result<Asked> {
    let mut violations = Violations::new();
    let as_of = body.as_of.as_ref().and_then(|date| violations.keep("as_of", form::parse_date(date)));
    let account = violations.keep("account", Ref::parse_optional(&body.account));
    let size = match usize::try_from(body.page_size) {
        Ok(0) => PAGE,
        Ok(size) => size.min(MOST),
        Err(_) => {
            violations.add("page_size", "INVALID_PAGE_SIZE", "must not be negative");
            PAGE
        }
    };
    let after = Uuid::parse_str(&body.page_token).ok();
    if after.is_none() && !body.page_token.is_empty() {
        violations.add("page_token", "INVALID_PAGE_TOKEN", "is no token of this method");
    }
    let is_trial = body.validate_only;
    violations.into_result(account.map(|account| Asked { as_of, account, size, after, is_trial }))
}

fn render(page: Page) -> pb::RunDunningResponse {
    use pb::run_dunning_response::{Outcome, outcome::Change};
    let mut outcomes = Vec::new();
    for (account, done) in page.done {
        match done {
            Ok(found) => outcomes.extend(found),
            Err(error) => {
                outcomes.push(Outcome {
                    account: account.name(),
                    change: Change::Failed.into(),
                    explanation: error.to_string(),
                    failure_reason: error.reason().to_owned(),
                    ..Default::default()
                });
            }
        }
    }
    let next_page_token = page.next.map(|next| next.to_string()).unwrap_or_default();
    pb::RunDunningResponse { outcomes, next_page_token }
}
