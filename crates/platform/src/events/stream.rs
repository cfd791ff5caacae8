//! Streams of the log for consumers outside the suite: `Subscribe` goes on for ever, `Replay` ends at the log's end.
//!
//! A stream reads a page, hands it to its client, and holds no connection meanwhile: a slow client slows nobody else.

use std::{
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
    time::Duration,
};

use futures::{Stream, StreamExt as _, stream::BoxStream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};
use trato_contract::events::v1 as pb;
use trato_query::{Field, Filter, Value, integer, member, reference, text, timestamp};
use trato_types::{Context, Error, Kind, Result, Timestamp};

use super::{cursor, event::Event, log::Logged, tail::Tail};
use crate::{
    auth::Identity,
    barred::Barred,
    db::{Database, Pool, from_sqlx},
    rpc::{Caller, status::to_status},
    standard::{Reply, answer},
    telemetry::metrics::metrics,
};

/// Events on their way to one client.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<pb::Event>> + Send>>;

/// The same as the answer of a method.
pub type EventReplies = BoxStream<'static, Result<pb::Event, Status>>;

/// What a filter may name.
const FIELDS: &[Field] = &[
    text("type"),
    text("subject"),
    text("actor"),
    member("owner").nullable(),
    reference("team", "teams").nullable(),
    integer("revision"),
    timestamp("event_time"),
    timestamp("create_time"),
];

/// Rows read at once.
const PAGE: usize = 200;
/// Events that may wait for one client.
const BUFFER: usize = 64;
/// Streams of one process; each holds memory for a page and a buffer.
const MOST_STREAMS: usize = 256;
/// A stream ends after this time and its client goes on with its cursor and a fresh token: nobody reads on for ever
/// with rights that were taken away.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// Least time between two looks at the log's end by one stream.
const SPACING: Duration = Duration::from_millis(10);
/// Time after which a stream looks at the log although nobody told it to.
const POLL: Duration = Duration::from_secs(5);

/// The streams of a service.
#[derive(Clone, Debug)]
pub struct Streams {
    service: &'static str,
    pool: Pool,
    tail: Tail,
    barred: Barred,
    places: Arc<Semaphore>,
    shutdown: CancellationToken,
}

/// What a stream's end depends on.
enum End {
    /// Goes on with each new event.
    Never,
    /// Ends at this position, and after so many events.
    At { position: i64, events: usize },
}

struct Reader {
    streams: Streams,
    cx: Context,
    filter: Filter,
    position: i64,
    end: End,
    client: mpsc::Sender<pb::Event>,
    _place: OwnedSemaphorePermit,
}

/// What a client gets. The error that ends it overtakes what waits to be taken: nobody reads on who may not, and who may goes on
/// with a cursor.
struct Events {
    waiting: Option<mpsc::Receiver<pb::Event>>,
    end: Option<oneshot::Receiver<Error>>,
}

impl Stream for Events {
    type Item = Result<pb::Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let told = match &mut this.end {
            Some(end) => Pin::new(end).poll(cx),
            None => Poll::Pending,
        };
        if let Poll::Ready(told) = told {
            // A reader that ends without a word has come to the log's end: what it left is still taken.
            this.end = None;
            if let Ok(error) = told {
                this.waiting = None;
                return Poll::Ready(Some(Err(error)));
            }
        }
        match &mut this.waiting {
            Some(waiting) => waiting.poll_recv(cx).map(|event| event.map(Ok)),
            None => Poll::Ready(None),
        }
    }
}

impl Streams {
    /// Streams that end, with UNAVAILABLE, when `shutdown` is set.
    pub fn new(service: &'static str, database: &Database, shutdown: CancellationToken) -> Self {
        let places = Arc::new(Semaphore::new(MOST_STREAMS));
        let watched = places.clone();
        metrics().watch_subscribers(move || MOST_STREAMS - watched.available_permits());
        let (pool, tail) = (database.pool.clone(), database.tail.clone());
        Self { service, pool, tail, barred: database.barred.clone(), places, shutdown }
    }

    /// `SubscribeEvents`.
    pub async fn answer_subscribe(
        &self,
        request: Request<pb::SubscribeEventsRequest>,
    ) -> Reply<EventReplies> {
        let caller = Caller::of(&request);
        answer(request, async |cx, body| Ok(replies(self.subscribe(cx, caller?.identity, body).await?))).await
    }

    /// `ReplayEvents`.
    pub async fn answer_replay(&self, request: Request<pb::ReplayEventsRequest>) -> Reply<EventReplies> {
        let caller = Caller::of(&request);
        answer(request, async |cx, body| Ok(replies(self.replay(cx, caller?.identity, body).await?))).await
    }

    /// Sends what the caller may see from a cursor on, and then each new event. It ends with UNAVAILABLE when the
    /// process stops or the stream is half an hour old: the client goes on with the cursor of the last event it got. It ends
    /// for good when the caller is barred, also where the client takes nothing.
    pub async fn subscribe(
        &self,
        cx: &Context,
        caller: Arc<Identity>,
        request: pb::SubscribeEventsRequest,
    ) -> Result<EventStream> {
        let filter = Filter::parse(&[FIELDS], &request.filter)?;
        let position = match request.cursor.as_str() {
            "" if request.from_start => 0,
            "" => self.last_position(cx).await?,
            cursor => cursor::read(self.service, cx.tenant, cursor)?,
        };
        self.open(cx, caller, filter, position, End::Never)
    }

    /// Sends what the caller may see between a cursor and the present end of the log.
    pub async fn replay(
        &self,
        cx: &Context,
        caller: Arc<Identity>,
        request: pb::ReplayEventsRequest,
    ) -> Result<EventStream> {
        let filter = Filter::parse(&[FIELDS], &request.filter)?;
        let events = match usize::try_from(request.limit) {
            Ok(0) => usize::MAX,
            Ok(limit) => limit,
            Err(_) => return Err(Error::invalid("limit", "OUT_OF_RANGE", "must not be negative")),
        };
        let position = match request.cursor.as_str() {
            "" => 0,
            cursor => cursor::read(self.service, cx.tenant, cursor)?,
        };
        let end = End::At { position: self.last_position(cx).await?, events };
        self.open(cx, caller, filter, position, end)
    }

    fn open(
        &self,
        cx: &Context,
        caller: Arc<Identity>,
        filter: Filter,
        position: i64,
        end: End,
    ) -> Result<EventStream> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| {
            Error::new(Kind::Exhausted, "TOO_MANY_STREAMS", "this process serves as many streams as it can")
                .retry_after(Duration::from_secs(5))
        })?;
        let (client, waiting) = mpsc::channel(BUFFER);
        let (last, told) = oneshot::channel();
        let reader =
            Reader { streams: self.clone(), cx: cx.clone(), filter, position, end, client, _place: place };
        tokio::spawn(reader.run(caller, last));
        Ok(Box::pin(Events { waiting: Some(waiting), end: Some(told) }))
    }

    /// The tenant's last numbered position.
    async fn last_position(&self, cx: &Context) -> Result<i64> {
        let sql = "with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
                   select coalesce(found.position, 0)
                   from c, lateral (
                     select max(event.position) as position
                     from platform.event event
                     where event.tenant_id = c.tenant::uuid and event.position is not null
                   ) found";
        sqlx::query_scalar(sql).bind(cx.tenant.to_string()).fetch_one(&self.pool).await.map_err(from_sqlx)
    }

    async fn page(&self, cx: &Context, position: i64) -> Result<Vec<Logged>> {
        sqlx::query_as(include_str!("../../sql/stream_events.sql"))
            .bind(cx.tenant.to_string())
            .bind(position)
            .bind(i64::try_from(PAGE).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(from_sqlx)
    }
}

impl Reader {
    async fn run(mut self, caller: Arc<Identity>, last: oneshot::Sender<Error>) {
        let client = self.client.clone();
        let shutdown = self.streams.shutdown.clone();
        let barred = self.streams.barred.until_barred(caller);
        let ends = tokio::select! {
            outcome = self.read() => outcome.err(),
            () = client.closed() => None,
            // A client that takes nothing is not asked whether it may: here its stream is freed all the same.
            error = barred => Some(error),
            () = shutdown.cancelled() => {
                Some(Error::unavailable("SHUTTING_DOWN", "the process stops; go on with the last cursor"))
            }
            () = sleep(LONGEST) => {
                Some(Error::unavailable("STREAM_EXPIRED", "the stream is too old; go on with the last cursor"))
            }
        };
        if let Some(error) = ends {
            // Nobody is left to hear it where the client has gone.
            let _ = last.send(error);
        }
    }

    /// Reads until the end. Client gone: no error.
    async fn read(&mut self) -> Result<()> {
        let mut tail = self.streams.tail.watch();
        loop {
            let looked = Instant::now();
            tail.mark_unchanged();
            let page = self.streams.page(&self.cx, self.position).await?;
            let more = page.len() == PAGE;
            for row in page {
                if !self.pass(row).await {
                    return Ok(());
                }
            }
            if more {
                continue;
            }
            if let End::At { .. } = self.end {
                return Ok(());
            }
            sleep_until(looked + SPACING).await;
            changed(&mut tail).await;
        }
    }

    /// Sends a row that is to be sent; false when the stream is over.
    async fn pass(&mut self, row: Logged) -> bool {
        if let End::At { position, events } = self.end
            && (row.position > position || events == 0)
        {
            return false;
        }
        self.position = row.position;
        let admitted = self.cx.admits(row.owner.as_deref(), row.team);
        if !admitted || !self.filter.matches(&|name| value(&row, name)) {
            return true;
        }
        if let End::At { events, .. } = &mut self.end {
            *events -= 1;
        }
        let cursor = cursor::write(self.streams.service, self.cx.tenant, row.position);
        self.client.send(to_message(row.into_event(), cursor)).await.is_ok()
    }
}

fn replies(events: EventStream) -> EventReplies {
    events.map(|event| event.map_err(to_status)).boxed()
}

async fn changed(tail: &mut watch::Receiver<i64>) {
    // Either way the log is looked at again; an elapsed wait is no failure.
    let _ = timeout(POLL, tail.changed()).await;
}

fn value(row: &Logged, name: &str) -> Option<Value> {
    match name {
        "type" => Some(Value::Text(row.kind.clone())),
        "subject" => Some(Value::Text(row.subject.clone())),
        "actor" => Some(Value::Text(row.actor.clone())),
        "owner" => row.owner.clone().map(Value::Text),
        "team" => row.team.map(Value::Uuid),
        "revision" => Some(Value::Integer(row.revision)),
        "event_time" => Some(Value::Timestamp(row.event_time)),
        "create_time" => Some(Value::Timestamp(row.create_time)),
        _ => None,
    }
}

fn to_message(event: Event, cursor: String) -> pb::Event {
    pb::Event {
        event_id: event.id.to_string(),
        r#type: event.kind,
        subject: event.subject,
        revision: event.revision,
        event_time: Some(to_wire(event.event_time)),
        create_time: Some(to_wire(event.create_time)),
        actor: event.actor,
        cause: event.cause.map(|cause| cause.to_string()).unwrap_or_default(),
        owner: event.owner.map(|subject| format!("members/{subject}")).unwrap_or_default(),
        team: event.team.map(|team| format!("teams/{team}")).unwrap_or_default(),
        traceparent: event.traceparent.unwrap_or_default(),
        change: Some(event.change),
        cursor,
    }
}

fn to_wire(time: Timestamp) -> prost_types::Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default();
    prost_types::Timestamp { seconds: time.timestamp(), nanos }
}
