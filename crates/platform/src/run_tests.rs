//! A running service, from its start to its end, over a real database and a real broker.

use std::{sync::Arc, time::Duration};

use futures::FutureExt as _;
use lapin::{
    Channel, Connection, ConnectionProperties,
    options::{BasicGetOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
    uri::AMQPUri,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use trato_types::Timestamp;
use uuid::Uuid;

use crate::{
    Running, ServiceSpec,
    auth::testing::TestIssuer,
    conditions::queue_is_there,
    config::{Environment, Loaded, Loader},
    db::{Database, NewEvent},
    descriptors::testing::contract,
    events::{Consumer, EXCHANGE, Handler, Processor, Subscription, declared, queue},
    rpc::Readiness,
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
    let loaded = load(
        &spec,
        &[("TRATO_DATABASE__OWNER_URL", owner_url.as_str()), ("TRATO_BROKER__URL", broker.as_str())],
    );

    migrate_schema(&spec, &loaded).await.expect("migrated");

    let passive = QueueDeclareOptions { passive: true, durable: true, ..QueueDeclareOptions::default() };
    let found = channel.queue_declare(queue("newcomer").into(), passive, FieldTable::default()).await;
    found.expect("the queue is there");
}

/// CRD-03: a node that is lost, or a rollout, while the broker is away takes no service out: its queue was declared before, and is
/// durable. One with a type of events that nothing is bound to yet would miss them.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_queue_was_declared_once_is_ready_without_the_broker() {
    let (broker, forwarding) = forwarded(stack()["broker"]["url"].as_str().expect("a broker")).await;
    let issuer = TestIssuer::start().await;
    let database = database("returning", &[]).await;
    let issuers = format!("[{{ url = \"{}\", audience = \"trato\", any_tenant = true }}]", issuer.url);
    let configured = |spec: &ServiceSpec| {
        load(
            spec,
            &[
                ("TRATO_DATABASE__URL", database.url.as_str()),
                ("TRATO_DATABASE__SYSTEM_URL", database.system_url.as_str()),
                ("TRATO_DATABASE__OWNER_URL", database.owner_url.as_str()),
                ("TRATO_AUTH__ISSUERS", issuers.as_str()),
                ("TRATO_BROKER__URL", broker.as_str()),
            ],
        )
    };
    let spec = || ServiceSpec::new("returning", "", contract(&[]).leak(), "");
    let more = spec().on(Subscription::new("answer", &[ASKED], answering(&Arc::default(), &Arc::default())));

    migrate_schema(&spec(), &configured(&spec())).await.expect("migrated");
    forwarding.abort();
    assert!(forwarding.await.is_err(), "nobody listens there any more");

    let stop = CancellationToken::new();
    let loaded = configured(&spec());
    let settings = loaded.settings.broker.clone();
    let running = Running::start(spec(), loaded, stop.clone()).await.expect("the service starts");
    eventually(async || if running.is_ready() { Ok(()) } else { Err("not ready".to_owned()) }).await;
    let system = &running.app.database.system;
    let known = declared::is_remembered(system, &settings, "returning", &spec().subscriptions).await;
    assert!(known.expect("the database answers"));
    let known = declared::is_remembered(system, &settings, "returning", &more.subscriptions).await;
    assert!(!known.expect("the database answers"), "nothing is bound to it yet");
    stop.cancel();
    running.stopped().await.expect("the service stops in order");
}

/// CRD-03: a rollout with a wrong secret stops at its first process, although the queue was declared once: the ones that
/// still hear events stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_the_broker_refuses_is_not_ready() {
    let broker: AMQPUri = stack()["broker"]["url"].as_str().expect("a broker").parse().expect("a URL");
    let (mut stranger, mut lost) = (broker.clone(), broker);
    stranger.authority.userinfo.password = "wrong".to_owned();
    lost.vhost = "no-such-host".to_owned();
    let database = database("refused", &[]).await;

    for (url, says) in [(stranger, "ACCESS"), (lost, "vhost")] {
        let fault = fault_without_queue(&database.system_url, &url.to_string(), true).await;

        assert!(fault.starts_with("queue: the broker cannot be used") && fault.contains(says), "{fault}");
    }
}

/// CRD-03: what is not remembered, or cannot be looked up, is not taken for declared.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_queue_is_not_remembered_waits_for_the_broker() {
    let database = database("forgetful", &[]).await;
    let nobody = "amqp://guest:guest@127.0.0.1:9/%2f";

    let never = fault_without_queue(&database.system_url, nobody, false).await;
    let unknown = fault_without_queue("postgres://127.0.0.1:9/nothing", nobody, false).await;

    assert!(never.starts_with("queue: it was never declared at this broker"), "{never}");
    assert!(unknown.starts_with("queue: it is not known whether it was ever declared: "), "{unknown}");
}

/// What keeps a service from being ready that does not get its queue, once it has found out about its broker.
async fn fault_without_queue(database: &str, broker: &str, is_remembered: bool) -> String {
    let spec = ServiceSpec::new("refused", "", contract(&[]).leak(), "");
    let settings = load(
        &spec,
        &[
            ("TRATO_DATABASE__URL", database),
            ("TRATO_DATABASE__SYSTEM_URL", database),
            ("TRATO_BROKER__URL", broker),
        ],
    )
    .settings;
    let database = Database::new(&settings.database, "refused").expect("addresses");
    if is_remembered {
        let remembered = declared::remember(&database.system, &settings.broker, "refused", &[]).await;
        remembered.expect("the database answers");
    }
    let consumer = Consumer::new("refused", Processor::new(database, Vec::new()), &settings.broker);
    let (readiness, stop) = (Readiness::new(), CancellationToken::new());
    let condition = readiness.condition("queue");
    readiness.started();
    let waiting = tokio::spawn(queue_is_there(consumer.clone(), condition, stop.clone()));
    let consuming = tokio::spawn(consumer.run(stop.clone()));
    let passing = ["not checked yet", "has not answered yet", "queue: the broker cannot be reached"];
    let fault = eventually(async || {
        let fault = readiness.state().faults().pop().unwrap_or_else(|| "ready".to_owned());
        if passing.iter().any(|text| fault.contains(text)) { Err(fault) } else { Ok(fault) }
    })
    .await;
    stop.cancel();
    waiting.await.expect("it ends at the stop");
    consuming.await.expect("it ends at the stop");
    fault
}

/// Settings of a service by its variables.
fn load(spec: &ServiceSpec, variables: &[(&str, &str)]) -> Loaded {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    (spec.loader)(Loader::new(spec.config)).load(&Environment::of(variables)).expect("settings")
}

/// Another address of the broker, which is there until the task is aborted.
async fn forwarded(broker: &str) -> (String, JoinHandle<()>) {
    let mut uri: AMQPUri = broker.parse().expect("a URL");
    let target = (uri.authority.host.clone(), uri.authority.port);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    uri.authority.host = "127.0.0.1".to_owned();
    uri.authority.port = listener.local_addr().expect("bound").port();
    let forwarding = tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let mut to = TcpStream::connect(target.clone()).await.expect("the broker listens");
            tokio::spawn(async move { copy_bidirectional(&mut from, &mut to).await });
        }
    });
    (uri.to_string(), forwarding)
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
