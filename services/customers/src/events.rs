//! `EventService`: the event log of customers, for consumers outside the suite. The streams are the platform's.

use futures::{StreamExt as _, stream::BoxStream};
use tonic::{Request, Status};
use trato_platform::{
    App,
    events::{Streams, stream::EventStream},
    rpc::status::to_status,
    standard::{Reply, answer},
};
use trato_proto::{
    customers::v1::event_service_server::EventService,
    events::v1::{Event, ReplayEventsRequest, SubscribeEventsRequest},
};

/// Serves the event log.
pub struct Api {
    streams: Streams,
}

impl Api {
    /// The service over the app's log.
    pub fn new(app: &App) -> Self {
        Self { streams: Streams::new(app.service, &app.database, app.shutdown.clone()) }
    }
}

#[tonic::async_trait]
impl EventService for Api {
    type SubscribeEventsStream = BoxStream<'static, Result<Event, Status>>;
    type ReplayEventsStream = BoxStream<'static, Result<Event, Status>>;

    async fn subscribe_events(
        &self,
        request: Request<SubscribeEventsRequest>,
    ) -> Reply<Self::SubscribeEventsStream> {
        answer(request, async |cx, body| Ok(sent(self.streams.subscribe(cx, body).await?))).await
    }
    async fn replay_events(&self, request: Request<ReplayEventsRequest>) -> Reply<Self::ReplayEventsStream> {
        answer(request, async |cx, body| Ok(sent(self.streams.replay(cx, body).await?))).await
    }
}

fn sent(events: EventStream) -> BoxStream<'static, Result<Event, Status>> {
    events.map(|event| event.map_err(to_status)).boxed()
}
