//! Subscribe and Replay: what a foreign consumer gets, and what not.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use futures::StreamExt as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use trato_contract::events::v1::{Event, ReplayEventsRequest, SubscribeEventsRequest};
use trato_platform::{
    auth::{
        Identity,
        marks::{self, Marks},
    },
    db::NewEvent,
    events::{Streams, stream::EventStream},
    revocations::{New, revoke},
    tenants::set_suspended,
    testing::{PATIENCE, eventually},
};
use trato_types::{Context, Error, Kind, Scope};
use uuid::Uuid;

use super::World;

async fn next(stream: &mut EventStream) -> Event {
    timeout(PATIENCE, stream.next()).await.expect("in time").expect("no end").expect("an event")
}

/// What a stream ends with, after the events that were ready.
async fn last(stream: &mut EventStream) -> Error {
    let ended = async {
        loop {
            if let Err(error) = stream.next().await.expect("a last word") {
                return error;
            }
        }
    };
    timeout(PATIENCE, ended).await.expect("in time")
}

async fn all(stream: EventStream) -> Vec<(String, i64)> {
    stream.map(|event| event.expect("an event")).map(|event| (event.subject, event.revision)).collect().await
}

fn from_start(filter: &str) -> SubscribeEventsRequest {
    SubscribeEventsRequest {
        filter: filter.to_owned(),
        from_start: true,
        ..SubscribeEventsRequest::default()
    }
}

impl World {
    fn streams(&self) -> Streams {
        Streams::new(self.service, &self.database, CancellationToken::new())
    }

    /// Ana, as her token has it.
    fn caller(&self) -> Arc<Identity> {
        let marks = Marks { subject: marks::of_subject(self.tenant, "ana"), ..Marks::default() };
        Arc::new(Identity {
            tenant: self.tenant,
            subject: "ana".into(),
            roles: Arc::from([]),
            issuer: "https://id.example.com".into(),
            expires: Utc::now() + TimeDelta::hours(1),
            marks,
        })
    }

    /// Has the process look who is barred.
    async fn look_who_is_barred(&self) {
        self.database.barred.read(&self.database.system).await.expect("the lists can be read");
    }

    fn owned(&self, subject: &str, owner: &str, team: Option<Uuid>) -> NewEvent {
        NewEvent { owner: Some(owner.to_owned()), team, ..self.new_event(subject, 1, "any") }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_goes_on_where_it_stopped_and_then_live() {
    let world = World::new().await;
    let (_relay, _) = world.relay();
    let streams = world.streams();
    for revision in 1..=300 {
        world.write(world.new_event("things/1", revision, "any")).await;
    }

    let mut first = streams.subscribe(&world.cx(), world.caller(), from_start("")).await.expect("a stream");
    let mut cursor = String::new();
    for revision in 1..=250 {
        let event = next(&mut first).await;
        assert_eq!(event.revision, revision);
        cursor = event.cursor;
    }
    drop(first);
    let request = SubscribeEventsRequest { cursor, ..SubscribeEventsRequest::default() };
    let mut second = streams.subscribe(&world.cx(), world.caller(), request).await.expect("a stream");
    for revision in 251..=300 {
        assert_eq!(next(&mut second).await.revision, revision);
    }
    world.write(world.new_event("things/2", 1, "live")).await;

    let live = next(&mut second).await;
    assert_eq!((live.subject.as_str(), live.revision), ("things/2", 1));
    assert!(live.change.expect("a change").resource.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_without_cursor_starts_now() {
    let world = World::new().await;
    let (_relay, _) = world.relay();
    let streams = world.streams();
    world.write(world.new_event("things/1", 1, "before")).await;
    let mut probe = streams.subscribe(&world.cx(), world.caller(), from_start("")).await.expect("a stream");
    next(&mut probe).await;

    let mut stream = streams
        .subscribe(&world.cx(), world.caller(), SubscribeEventsRequest::default())
        .await
        .expect("a stream");
    world.write(world.new_event("things/1", 2, "after")).await;

    assert_eq!(next(&mut stream).await.revision, 2);
}

/// PLT-12: a stream shows what its caller may see, by tenant and by scope.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_keeps_to_the_tenant_and_scope_of_its_caller() {
    let world = World::new().await;
    let (_relay, _) = world.relay();
    let streams = world.streams();
    let (team, other) = (Uuid::now_v7(), Uuid::now_v7());
    world.write(world.owned("things/1", "ana", Some(team))).await;
    world.write(world.owned("things/2", "bea", Some(team))).await;
    world.write(world.owned("things/3", "bea", Some(other))).await;
    world.write(world.new_event("things/4", 1, "nobody's")).await;
    let mut seen = streams.subscribe(&world.cx(), world.caller(), from_start("")).await.expect("a stream");
    for _ in 0..4 {
        next(&mut seen).await;
    }
    let replay = async |cx: Context| {
        let stream =
            streams.replay(&cx, world.caller(), ReplayEventsRequest::default()).await.expect("a stream");
        all(stream).await.into_iter().map(|(subject, _)| subject).collect::<Vec<_>>()
    };

    let all = replay(world.cx()).await;
    let own = replay(Context { scope: Scope::Own, ..world.cx() }).await;
    let of_team = replay(Context { scope: Scope::Team, teams: Arc::from([team]), ..world.cx() }).await;
    let foreign = replay(Context { tenant: Uuid::new_v4(), ..world.cx() }).await;

    assert_eq!(all, ["things/1", "things/2", "things/3", "things/4"]);
    assert_eq!(own, ["things/1"]);
    assert_eq!(of_team, ["things/1", "things/2"]);
    assert_eq!(foreign, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_filtered_and_limited_and_ends() {
    let world = World::new().await;
    let (_relay, _) = world.relay();
    let streams = world.streams();
    for revision in 1..=10 {
        world.write(world.new_event("things/1", revision, "any")).await;
        world.write(world.new_event("things/2", revision, "any")).await;
    }
    let mut seen = streams.subscribe(&world.cx(), world.caller(), from_start("")).await.expect("a stream");
    for _ in 0..20 {
        next(&mut seen).await;
    }

    let request = ReplayEventsRequest {
        filter: r#"subject = "things/2" AND revision > 3"#.into(),
        limit: 5,
        ..Default::default()
    };
    let some = all(streams.replay(&world.cx(), world.caller(), request).await.expect("a stream")).await;
    let owned = ReplayEventsRequest { filter: "owner = \"members/ana\"".into(), ..Default::default() };
    let none = all(streams.replay(&world.cx(), world.caller(), owned).await.expect("a stream")).await;

    assert_eq!(some, (4..=8).map(|revision| ("things/2".to_owned(), revision)).collect::<Vec<_>>());
    assert_eq!(none, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_before_a_stream_opens() {
    let world = World::new().await;
    let streams = world.streams();
    let refusal =
        async |request| streams.subscribe(&world.cx(), world.caller(), request).await.err().expect("refused");

    let cursor = SubscribeEventsRequest { cursor: "abc".to_owned(), ..Default::default() };
    assert_eq!(refusal(cursor).await.reason(), "INVALID_CURSOR");
    let filter = refusal(from_start("colour = \"red\"")).await;
    assert_eq!((filter.kind(), filter.violations()[0].reason), (Kind::Invalid, "UNKNOWN_FIELD"));
    let limit = ReplayEventsRequest { limit: -1, ..Default::default() };
    assert_eq!(
        streams.replay(&world.cx(), world.caller(), limit).await.err().expect("refused").reason(),
        "OUT_OF_RANGE"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_unavailable_when_the_process_stops() {
    let world = World::new().await;
    let shutdown = CancellationToken::new();
    let streams = Streams::new(world.service, &world.database, shutdown.clone());
    let mut stream = streams.subscribe(&world.cx(), world.caller(), from_start("")).await.expect("a stream");

    shutdown.cancel();

    let end = timeout(PATIENCE, stream.next()).await.expect("in time").expect("a last word");
    let end = end.expect_err("not an event");
    assert_eq!((end.kind(), end.reason()), (Kind::Unavailable, "SHUTTING_DOWN"));
    assert!(stream.next().await.is_none());
}

/// I4: a stream of somebody who is shut out ends, with what it had ready, and of nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_caller_is_barred() {
    let world = World::new().await;
    let (_relay, _) = world.relay();
    let streams = world.streams();
    for revision in 1..=3 {
        world.write(world.new_event("things/1", revision, "any")).await;
    }
    let ben =
        Arc::new(Identity { marks: Marks::default(), subject: "ben".into(), ..(*world.caller()).clone() });
    let mut of_ben = streams.subscribe(&world.cx(), ben, from_start("")).await.expect("a stream");
    let mut of_ana = streams.subscribe(&world.cx(), world.caller(), from_start("")).await.expect("a stream");
    next(&mut of_ana).await;
    next(&mut of_ben).await;

    let new = New::of_subject(world.tenant, "ana", Utc::now());
    revoke(&world.database.system, new).await.expect("revoked");
    world.look_who_is_barred().await;
    assert_eq!(last(&mut of_ana).await.reason(), "INVALID_TOKEN");

    for revision in 2..=3 {
        assert_eq!(next(&mut of_ben).await.revision, revision);
    }
    set_suspended(&world.database.system, world.tenant, true).await.expect("suspended");
    world.look_who_is_barred().await;
    assert_eq!(last(&mut of_ben).await.reason(), "TENANT_SUSPENDED");
}

/// I4: streams whose clients have stopped to read are freed when their caller is shut out, though nobody asks them for more.
#[tokio::test(flavor = "multi_thread")]
async fn streams_that_nobody_reads_are_freed_when_their_caller_is_barred() {
    let world = World::new().await;
    let (_relay, _) = world.relay();
    let streams = world.streams();
    // More than waits for one client: what reads the log is stuck, too.
    for revision in 1..=100 {
        world.write(world.new_event("things/1", revision, "any")).await;
    }
    let ben =
        Arc::new(Identity { marks: Marks::default(), subject: "ben".into(), ..(*world.caller()).clone() });
    let mut of_ben =
        streams.subscribe(&world.cx(), Arc::clone(&ben), from_start("")).await.expect("a stream");
    for _ in 1..=100 {
        next(&mut of_ben).await;
    }
    let mut stalled = Vec::new();
    while let Ok(mut stream) = streams.subscribe(&world.cx(), world.caller(), from_start("")).await {
        next(&mut stream).await;
        stalled.push(stream);
    }

    let new = New::of_subject(world.tenant, "ana", Utc::now());
    revoke(&world.database.system, new).await.expect("revoked");
    world.look_who_is_barred().await;

    let mut others = Vec::new();
    for _ in &stalled {
        let opened = async || {
            let stream = streams.subscribe(&world.cx(), Arc::clone(&ben), from_start("")).await;
            stream.map_err(|error| error.reason().to_owned())
        };
        others.push(eventually(opened).await);
    }
    assert_eq!(last(&mut stalled[0]).await.reason(), "INVALID_TOKEN");
}

/// Clients that read nothing: their streams hold no connection of the pool, so that others go on.
#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_hold_nobody_up() {
    let world = World::new().await;
    let (_relay, _) = world.relay();
    let streams = world.streams();
    for revision in 1..=200 {
        world.write(world.new_event("things/1", revision, "any")).await;
    }
    let mut slow = Vec::new();
    for _ in 0..40 {
        let mut stream =
            streams.subscribe(&world.cx(), world.caller(), from_start("")).await.expect("a stream");
        next(&mut stream).await;
        slow.push(stream);
    }

    let mut quick = streams.subscribe(&world.cx(), world.caller(), from_start("")).await.expect("a stream");

    for revision in 1..=200 {
        assert_eq!(next(&mut quick).await.revision, revision);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_serves_a_bounded_number_of_streams() {
    let world = World::new().await;
    let streams = world.streams();
    let mut open = Vec::new();
    let refused = loop {
        match streams.subscribe(&world.cx(), world.caller(), from_start("")).await {
            Ok(stream) => open.push(stream),
            Err(error) => break error,
        }
    };
    assert_eq!((open.len(), refused.kind(), refused.reason()), (256, Kind::Exhausted, "TOO_MANY_STREAMS"));
}
