//! A running service, from its start to its end, over a real database and a real broker.

use std::{sync::Arc, time::Duration};

use futures::FutureExt as _;
use lapin::{
    Channel, Connection, ConnectionProperties,
    options::{BasicGetOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;
use trato_types::Timestamp;
use uuid::Uuid;

use crate::{
    Running, ServiceSpec,
    auth::testing::TestIssuer,
    config::{Environment, Loader},
    db::NewEvent,
    descriptors::testing::contract,
    events::{EXCHANGE, Handler, Subscription, declared, queue},
    run::migrate_schema,
    testing::{TestService, database, eventually, stack},
};

const ASKED: &str = "trato.stopping.v1.thing.asked";
const ANSWERED: &str = "trato.stopping.v1.thing.answered";

fn event(kind: &str, event_time: Timestamp) -> NewEvent {
    let (id, subject) = (Uuid::now_v7(), kind.replace('.', "/"));
    let payload = Vec::new();
    NewEvent { id, kind: kind.to_owned(), subject, revision: 1, event_time, owner: None, team: None, payload }
}

/// Records an answer once it is let go.
fn answering(asked: &Arc<Notify>, let_go: &Arc<Notify>) -> Handler {
    let (asked, let_go) = (asked.clone(), let_go.clone());
    Arc::new(move |tx, _| {
        let (asked, let_go) = (asked.clone(), let_go.clone());
        async move {
            asked.notify_one();
            let_go.notified().await;
            let answer = event(ANSWERED, tx.cx().now);
            tx.record(answer);
            Ok(())
        }
        .boxed()
    })
}

/// A queue that lives as long as its connection and gets the events of one type.
async fn listen(channel: &Channel, kind: &str) -> String {
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare("".into(), options, FieldTable::default()).await.expect("a queue");
    let name = queue.name().to_string();
    let options = QueueBindOptions::default();
    let bound = channel.queue_bind(
        name.as_str().into(),
        EXCHANGE.into(),
        kind.into(),
        options,
        FieldTable::default(),
    );
    bound.await.expect("bound");
    name
}

/// CRD-02: the queue is there before the service ever ran, for what others publish meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn migrate_declares_the_queue() {
    let broker = stack()["broker"]["url"].as_str().expect("the facts name the broker").to_owned();
    let connection = Connection::connect(&broker, ConnectionProperties::default()).await;
    let channel = connection.expect("the broker answers").create_channel().await.expect("a channel");
    let deleted = channel.queue_delete(queue("newcomer").into(), QueueDeleteOptions::default()).await;
    deleted.expect("a queue that is not there is deleted, too");
    let (asked, let_go) = (Arc::default(), Arc::default());
    let spec = ServiceSpec::new("newcomer", "", contract(&[]).leak(), "").on(Subscription::new(
        "answer",
        &[ASKED],
        answering(&asked, &let_go),
    ));
    let owner_url = database("newcomer", &[]).await.owner_url;
    let variables = [("TRATO_DATABASE__OWNER_URL", owner_url), ("TRATO_BROKER__URL", broker)];
    let variables = Environment::of(variables.map(|(name, value)| (name.to_owned(), value)));
    let loaded = (spec.loader)(Loader::new(spec.config)).load(&variables).expect("settings");

    migrate_schema(&spec, &loaded).await.expect("migrated");

    let passive = QueueDeclareOptions { passive: true, durable: true, ..QueueDeclareOptions::default() };
    let found = channel.queue_declare(queue("newcomer").into(), passive, FieldTable::default()).await;
    found.expect("the queue is there");
}

/// CRD-03: a node that is lost, or a rollout, while the broker is away takes no service out: its queue was declared before, and is
/// durable. One with a type of events that nothing is bound to yet would miss them.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_queue_was_declared_once_is_ready_without_the_broker() {
    let broker = stack()["broker"]["url"].as_str().expect("the facts name the broker").to_owned();
    let issuer = TestIssuer::start().await;
    let database = database("returning", &[]).await;
    let issuers = format!("[{{ url = \"{}\", audience = \"trato\", any_tenant = true }}]", issuer.url);
    let load = |spec: &ServiceSpec, broker: &str| {
        let variables = [
            ("TRATO_DATABASE__URL", database.url.as_str()),
            ("TRATO_DATABASE__SYSTEM_URL", database.system_url.as_str()),
            ("TRATO_DATABASE__OWNER_URL", database.owner_url.as_str()),
            ("TRATO_AUTH__ISSUERS", issuers.as_str()),
            ("TRATO_BROKER__URL", broker),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (spec.loader)(Loader::new(spec.config)).load(&Environment::of(variables)).expect("settings")
    };
    let nobody = "amqp://guest:guest@127.0.0.1:9/%2f";
    let spec = || ServiceSpec::new("returning", "", contract(&[]).leak(), "");
    let more = spec().on(Subscription::new("answer", &[ASKED], answering(&Arc::default(), &Arc::default())));

    migrate_schema(&spec(), &load(&spec(), &broker)).await.expect("migrated");

    let stop = CancellationToken::new();
    let loaded = load(&spec(), nobody);
    let running = Running::start(spec(), loaded, stop.clone()).await.expect("the service starts");
    eventually(async || if running.is_ready() { Ok(()) } else { Err("not ready".to_owned()) }).await;
    let system = &running.app.database.system;
    let known = declared::is_remembered(system, "returning", &spec().subscriptions).await;
    assert!(known.expect("the database answers"));
    let known = declared::is_remembered(system, "returning", &more.subscriptions).await;
    assert!(!known.expect("the database answers"), "nothing is bound to it yet");
    stop.cancel();
    running.stopped().await.expect("the service stops in order");
}

/// A caller that comes first waits for an answer, not for connections.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_ready_has_its_connections_open() {
    let spec = ServiceSpec::new("warm", "", contract(&[]).leak(), "");

    let service = TestService::start_with(spec, &[("TRATO_DATABASE__MIN_CONNECTIONS", "3")]).await;

    // The look at the schema may still hold one besides.
    let open = service.database.pool.status().size;
    assert!(open >= 3, "{open} connections are open");
    service.stop().await;
}

/// CRD-03: a process that stops publishes what its consumer still commits, so that no event waits for the next start.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_handler_commits_at_the_end_is_published_before_the_process_ends() {
    let broker = stack()["broker"]["url"].as_str().expect("the facts name the broker").to_owned();
    let (asked, let_go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let spec = ServiceSpec::new("stopping", "", contract(&[]).leak(), "").on(Subscription::new(
        "answer",
        &[ASKED],
        answering(&asked, &let_go),
    ));
    let settings = [("TRATO_BROKER__URL", broker.as_str()), ("TRATO_DATABASE__SYSTEM_MAX_CONNECTIONS", "4")];
    let service = TestService::start_with(spec, &settings).await;
    let connection = Connection::connect(&broker, ConnectionProperties::default()).await;
    let channel = connection.expect("the broker answers").create_channel().await.expect("a channel");
    let answers = listen(&channel, ANSWERED).await;
    let mut tx = service.transaction(Uuid::new_v4()).await;
    let question = event(ASKED, tx.cx().now);
    tx.record(question);
    tx.commit().await.expect("committed");
    asked.notified().await;

    let mut stopping = tokio::spawn(service.stop());
    // Long enough for everything to end that does not wait for the handler.
    assert!(
        timeout(Duration::from_secs(1), &mut stopping).await.is_err(),
        "the batch in hand is settled first"
    );
    let_go.notify_one();
    stopping.await.expect("the service stops in order");

    let answer = channel.basic_get(answers.into(), BasicGetOptions { no_ack: true }).await;
    let answer = answer.expect("the queue can be read").expect("the answer was published");
    assert_eq!(answer.routing_key.as_str(), ANSWERED);
}
