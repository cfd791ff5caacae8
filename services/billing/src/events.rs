//! `EventService`: the platform's streams of this service's log.

use tonic::Request;
use trato_platform::{
    App,
    events::{Streams, stream::EventReplies},
    standard::Reply,
};
use trato_proto::{
    billing::v1::event_service_server::EventService,
    events::v1::{ReplayEventsRequest, SubscribeEventsRequest},
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

#[tonic::async_trait]
impl EventService for Api {
    type SubscribeEventsStream = EventReplies;
    type ReplayEventsStream = EventReplies;

    async fn subscribe_events(&self, request: Request<SubscribeEventsRequest>) -> Reply<EventReplies> {
        self.streams.answer_subscribe(request).await
    }
    async fn replay_events(&self, request: Request<ReplayEventsRequest>) -> Reply<EventReplies> {
        self.streams.answer_replay(request).await
    }
}
