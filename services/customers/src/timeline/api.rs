//! `TimelineService`, and entries on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::Database,
    rpc::Caller,
    standard::{Reply, answer},
};
use trato_proto::{
    customers::v1::{self as pb, timeline_service_server::TimelineService},
    wire,
};
use trato_query::{Listing, ListingRequest};
use trato_types::{Context, Error, MemberRef, Result};

use super::{model::Entry, store};
use crate::parents::Parents;

/// Serves timelines.
pub struct Api {
    database: Database,
    parents: Parents,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { database: app.database.clone(), parents: Parents::new(app) }
    }

    async fn require_parent(&self, caller: &Caller, cx: &Context, name: &str) -> Result<()> {
        match name.split('/').next() {
            Some("accounts") => self.parents.require_account(caller, cx, name).await?,
            Some("contacts") => self.parents.require_contact(caller, cx, name).await?,
            _ => {
                let form = "must be accounts/{account} or contacts/{contact}";
                return Err(Error::invalid("parent", "INVALID_RESOURCE_NAME", form));
            }
        };
        Ok(())
    }
}

#[tonic::async_trait]
impl TimelineService for Api {
    async fn list_timeline_entries(
        &self,
        request: Request<pb::ListTimelineEntriesRequest>,
    ) -> Reply<pb::ListTimelineEntriesResponse> {
        let caller = Caller::of(&request);
        answer(request, async |cx, body| {
            let listing = Listing::parse(&ListingRequest {
                fields: &[store::FIELDS],
                filter: &body.filter,
                order_by: if body.order_by.trim().is_empty() { "event_time desc" } else { &body.order_by },
                page_size: body.page_size,
                page_token: &body.page_token,
                binding: &[&cx.tenant.to_string(), "timelineEntries", &body.parent],
                now: cx.now,
            })?;
            self.require_parent(&caller?, cx, &body.parent).await?;
            let (entries, next_page_token) = store::list(&self.database, cx, &body.parent, &listing).await?;
            let timeline_entries = entries.iter().map(render).collect();
            Ok(pb::ListTimelineEntriesResponse { timeline_entries, next_page_token })
        })
        .await
    }
}

fn render(entry: &Entry) -> pb::TimelineEntry {
    pb::TimelineEntry {
        name: format!("{}/timelineEntries/{}", entry.parent, entry.id),
        r#type: entry.kind.clone(),
        subject: entry.subject.clone(),
        summary: entry.summary.clone(),
        event_time: Some(wire::timestamp(entry.event_time)),
        create_time: Some(wire::timestamp(entry.create_time)),
        actor: entry.actor.clone(),
        owner: entry.owner.as_ref().map(MemberRef::name).unwrap_or_default(),
        team: entry.team.map(|team| format!("teams/{team}")).unwrap_or_default(),
    }
}
