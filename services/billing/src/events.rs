//! `EventService`: the platform's streams of this service's log.

use futures::{Stream, StreamExt as _};
use std::pin::Pin;
use tonic::{Request, Status};
use trato_platform::{
    App,
    events::{Streams, stream::EventStream},
    rpc::status::to_status,
    standard::{Reply, answer},
};
use trato_proto::{
    billing::v1::event_service_server::EventService,
    events::v1::{Event, ReplayEventsRequest, SubscribeEventsRequest},
};

/// Serves the event log.
pub struct Api {
    streams: Streams,
}

impl Api {
    /// The log of the app's database; its streams end when the app does.
    pub fn new(app: &App) -> Self {
        Self { streams: Streams::new(app.service, &app.database, app.shutdown.clone()) }
    }
}

type Events = Pin<Box<dyn Stream<Item = Result<Event, Status>> + Send>>;

#[tonic::async_trait]
impl EventService for Api {
    type SubscribeEventsStream = Events;
    type ReplayEventsStream = Events;

    async fn subscribe_events(&self, request: Request<SubscribeEventsRequest>) -> Reply<Events> {
        answer(request, async |cx, body| self.streams.subscribe(cx, body).await.map(to_wire)).await
    }
    async fn replay_events(&self, request: Request<ReplayEventsRequest>) -> Reply<Events> {
        answer(request, async |cx, body| self.streams.replay(cx, body).await.map(to_wire)).await
    }
}

fn to_wire(events: EventStream) -> Events {
    Box::pin(events.map(|event| event.map_err(to_status)))
}
