//! `EventService`: the event log of customers, for consumers outside the suite. The streams are the platform's.

use tonic::Request;
use trato_platform::{
    App,
    events::{Streams, stream::EventReplies},
    standard::Reply,
};
use trato_proto::{
    customers::v1::event_service_server::EventService,
    events::v1::{ReplayEventsRequest, SubscribeEventsRequest},
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
    type SubscribeEventsStream = EventReplies;
    type ReplayEventsStream = EventReplies;

    async fn subscribe_events(&self, request: Request<SubscribeEventsRequest>) -> Reply<EventReplies> {
        self.streams.answer_subscribe(request).await
    }
    async fn replay_events(&self, request: Request<ReplayEventsRequest>) -> Reply<EventReplies> {
        self.streams.answer_replay(request).await
    }
}
