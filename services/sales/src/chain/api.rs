//! `ChainService`, and a chain that stands still on the wire.

use std::sync::Arc;

use chrono::TimeDelta;
use tonic::Request;
use trato_platform::{
    App,
    config::Loaded,
    db::Database,
    standard::{Reply, answer},
    telemetry::propagate::trace_id,
};
use trato_proto::{
    sales::v1::{self as pb, chain_service_server::ChainService, stalled_chain},
    wire,
};
use trato_query::{Listing, ListingRequest};
use trato_types::{Context, Id, MemberRef, Ref, Result, Violations};

use super::{
    model::{StalledChain, Wait},
    settings::stalled_after,
    store::{self, FIELDS, OLDEST_FIRST},
};

/// Shortest and longest time that can be asked for, in seconds: a minute and 3,650 days.
const SHORTEST_SECONDS: i64 = 60;
const LONGEST_SECONDS: i64 = 3_650 * 86_400;

/// Serves what stands still.
pub struct Api {
    database: Database,
    settings: Arc<Loaded>,
}

impl Api {
    /// The service over the app's database, with its settings.
    pub fn new(app: &App) -> Self {
        Self { database: app.database.clone(), settings: Arc::clone(&app.loaded) }
    }

    /// How long documents must not have changed, and the page that is asked for.
    fn parse(&self, cx: &Context, body: &pb::ListStalledChainsRequest) -> Result<(TimeDelta, Listing)> {
        let mut violations = Violations::new();
        let stalled_for = match &body.stalled_for {
            None => Some(stalled_after(&self.settings)?),
            Some(length) => parse_length(length),
        };
        if stalled_for.is_none() {
            violations.add("stalled_for", "OUT_OF_RANGE", "must be from a minute to 3,650 days");
        }
        let length = stalled_for.map(|length| length.to_string()).unwrap_or_default();
        let listing = Listing::parse(&ListingRequest {
            fields: &[FIELDS],
            filter: &body.filter,
            order_by: OLDEST_FIRST,
            page_size: body.page_size,
            page_token: &body.page_token,
            binding: &[&cx.tenant.to_string(), "stalledChains", &length],
            now: cx.now,
        });
        let listing = violations.absorb("", listing)?;
        violations.into_result(stalled_for.zip(listing))
    }
}

#[tonic::async_trait]
impl ChainService for Api {
    async fn list_stalled_chains(
        &self,
        request: Request<pb::ListStalledChainsRequest>,
    ) -> Reply<pb::ListStalledChainsResponse> {
        answer(request, async |cx, body| {
            let (stalled_for, listing) = self.parse(cx, &body)?;
            let (chains, next_page_token) = store::list(&self.database, cx, stalled_for, &listing).await?;
            let stalled_chains = chains.iter().map(render).collect();
            Ok(pb::ListStalledChainsResponse { stalled_chains, next_page_token })
        })
        .await
    }
}

/// None for what is too short or too long, or no duration at all.
fn parse_length(length: &prost_types::Duration) -> Option<TimeDelta> {
    let nanos = u32::try_from(length.nanos).ok()?;
    TimeDelta::new(length.seconds, nanos).filter(|length| {
        (TimeDelta::seconds(SHORTEST_SECONDS)..=TimeDelta::seconds(LONGEST_SECONDS)).contains(length)
    })
}

fn render(chain: &StalledChain) -> pb::StalledChain {
    pb::StalledChain {
        correlation_id: chain.traceparent.as_deref().and_then(trace_id).unwrap_or_default().to_owned(),
        document: chain.document.clone(),
        waiting_for: render_wait(chain.waiting_for).into(),
        since: Some(wire::timestamp(chain.since)),
        root: chain.root(),
        opportunity: chain.opportunity.map(Id::name).unwrap_or_default(),
        account: chain.account.name(),
        owner: chain.owner.as_ref().map(MemberRef::name).unwrap_or_default(),
        team: chain.team.map(Ref::name).unwrap_or_default(),
        gross: Some(wire::money(chain.gross, chain.currency)),
    }
}

fn render_wait(wait: Wait) -> stalled_chain::Wait {
    match wait {
        Wait::Order => stalled_chain::Wait::Order,
        Wait::Confirmation => stalled_chain::Wait::Confirmation,
        Wait::Release => stalled_chain::Wait::Release,
        Wait::Delivery => stalled_chain::Wait::Delivery,
        Wait::Proof => stalled_chain::Wait::Proof,
        Wait::Invoice => stalled_chain::Wait::Invoice,
        Wait::Credit => stalled_chain::Wait::Credit,
        Wait::Settlement => stalled_chain::Wait::Settlement,
        Wait::Authorisation => stalled_chain::Wait::Authorisation,
        Wait::Arrival => stalled_chain::Wait::Arrival,
    }
}
