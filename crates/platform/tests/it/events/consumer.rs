//! From delivery to effect: batches, duplicates, order, poison.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI32, Ordering},
    },
};

use futures::FutureExt as _;
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{
        BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions,
    },
    types::FieldTable,
};
use rand::seq::SliceRandom as _;
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;
use trato_platform::{
    events::{EXCHANGE, Event, Incoming, Subscription, dead_queue, declare, queue, replay},
    testing::eventually,
};
use trato_types::{Error, Kind};

use super::{World, broker_url, in_order, noting, projecting};

fn incoming(events: &[Event]) -> Vec<Incoming> {
    events.iter().cloned().map(Incoming::from).collect()
}

/// CRD-03 (F7): every message three times and shuffled leaves the read model that the order would have left.
#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_disorder_leave_the_same_read_model() {
    let orderly = World::new().await;
    let unruly = World { tenant: uuid::Uuid::new_v4(), ..orderly.clone() };
    let types = orderly.types();
    let never = CancellationToken::new();
    let processor = orderly.processor(vec![
        Subscription::new("keep-latest", types, projecting()),
        Subscription::new("note", types, noting("note")),
    ]);
    let mut events: Vec<Event> = Vec::new();
    for revision in 1..=30 {
        for subject in 0..10 {
            events.push(orderly.event(
                &format!("things/{subject}"),
                revision,
                &format!("{subject} at {revision}"),
            ));
        }
    }
    let mut copies: Vec<Event> = events.iter().flat_map(|event| vec![event.clone(); 3]).collect();
    copies.iter_mut().for_each(|event| event.tenant = unruly.tenant);
    copies.shuffle(&mut rand::rng());

    for batch in events.chunks(64) {
        processor.process(&incoming(batch), &never).await.expect("settled");
    }
    for batch in copies.chunks(100) {
        processor.process(&incoming(batch), &never).await.expect("settled");
    }

    assert_eq!(orderly.latest().await.len(), 10);
    assert_eq!(unruly.latest().await, orderly.latest().await);
    assert_eq!(unruly.effects("note").await.len(), 300, "each took effect once");
    assert!(in_order(&orderly.effects("note").await));
}

/// CRD-03 (F8): what fails is parked with its reason, its aggregate waits, everything else flows.
#[tokio::test(flavor = "multi_thread")]
async fn a_poisonous_event_holds_its_own_aggregate_only() {
    let world = World::new().await;
    let processor = world.processor(vec![
        Subscription::new("note", world.types(), noting("note")),
        Subscription::new("keep-latest", world.types(), projecting()),
    ]);
    let never = CancellationToken::new();
    let events = [
        world.event("things/1", 1, "well"),
        world.event("things/2", 1, "panic now"),
        world.event("things/3", 1, "well"),
        world.event("things/2", 2, "well"),
        world.event("things/4", 1, "fail now"),
        world.event("things/3", 2, "well"),
    ];

    processor.process(&incoming(&events), &never).await.expect("settled");
    processor.process(&incoming(&[world.event("things/2", 3, "well")]), &never).await.expect("settled");
    // The broker sends all of it again.
    processor.process(&incoming(&events), &never).await.expect("settled");

    let effects = world.effects("note").await;
    assert_eq!(effects, [("things/1".into(), 1), ("things/3".into(), 1), ("things/3".into(), 2)]);
    let held = world.held("note").await;
    let held: Vec<_> =
        held.iter().map(|(subject, revision, state)| (subject.as_str(), *revision, state.as_str())).collect();
    let expected = [
        ("things/2", 1, "PARKED"),
        ("things/2", 2, "WAITING"),
        ("things/2", 3, "WAITING"),
        ("things/4", 1, "PARKED"),
    ];
    assert_eq!(held, expected);
    assert!(world.held("keep-latest").await.is_empty(), "another consumer's failure is not this one's");
    assert_eq!(world.latest().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_passes_by_itself_is_tried_again_and_not_parked() {
    let world = World::new().await;
    let failures = Arc::new(AtomicI32::new(4));
    let note = noting("note");
    let flaky: trato_platform::events::Handler = {
        let failures = failures.clone();
        Arc::new(move |tx, event| {
            let (note, failures) = (note.clone(), failures.clone());
            async move {
                note(tx, event).await?;
                if failures.fetch_sub(1, Ordering::SeqCst) > 0 {
                    return Err(Error::unavailable(
                        "DATABASE_CONFLICT",
                        "a concurrent change got in the way",
                    ));
                }
                Ok(())
            }
            .boxed()
        })
    };
    let processor = world.processor(vec![Subscription::new("note", world.types(), flaky)]);

    let events = incoming(&[world.event("things/1", 1, "well")]);
    processor.process(&events, &CancellationToken::new()).await.expect("settled");

    assert_eq!(world.effects("note").await, [("things/1".into(), 1)]);
    assert!(world.held("note").await.is_empty());
}

/// CRD-03 (F4): where the database is lost before a whole batch is done, again and again, smaller ones get through.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_lost_again_and_again_stops_nothing() {
    const LASTS: usize = 7;
    let world = World::new().await;
    let note = noting("note");
    let handled = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
    let interrupted: trato_platform::events::Handler = {
        let handled = handled.clone();
        Arc::new(move |tx, event| {
            let (note, handled) = (note.clone(), handled.clone());
            async move {
                note(tx, event).await?;
                let transaction: String = sqlx::query_scalar("select pg_current_xact_id()::text")
                    .fetch_one(tx.connection())
                    .await
                    .expect("it has written");
                let mut handled = handled.lock().expect("nobody panicked");
                let count = handled.entry(transaction).or_default();
                *count += 1;
                if *count > LASTS {
                    Err(Error::unavailable("DATABASE_UNAVAILABLE", "it is gone"))
                } else {
                    Ok(())
                }
            }
            .boxed()
        })
    };
    let processor = world.processor(vec![Subscription::new("note", world.types(), interrupted)]);
    let events: Vec<Event> = (1..=50).map(|revision| world.event("things/1", revision, "well")).collect();

    processor.process(&incoming(&events), &CancellationToken::new()).await.expect("settled");

    assert_eq!(world.effects("note").await.len(), events.len());
    assert!(world.held("note").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_does_not_pass_is_parked_after_five_tries() {
    let world = World::new().await;
    let tries = Arc::new(AtomicI32::new(0));
    let counting: trato_platform::events::Handler = {
        let tries = tries.clone();
        Arc::new(move |_, _| {
            tries.fetch_add(1, Ordering::SeqCst);
            async { Err(Error::new(Kind::Exhausted, "FULL", "there is no room")) }.boxed()
        })
    };
    let processor = world.processor(vec![Subscription::new("note", world.types(), counting)]);

    let events = incoming(&[world.event("things/1", 1, "well")]);
    processor.process(&events, &CancellationToken::new()).await.expect("settled");

    assert_eq!(world.held("note").await, [("things/1".into(), 1, "PARKED".into())]);
    assert_eq!(tries.load(Ordering::SeqCst), 6, "once in the batch, five times alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_hides_a_failed_statement_is_found_out() {
    let world = World::new().await;
    let hiding: trato_platform::events::Handler = Arc::new(|tx, _| {
        async move {
            let _ =
                sqlx::query("insert into effect (tenant_id) values (null)").execute(tx.connection()).await;
            Ok(())
        }
        .boxed()
    });
    let processor = world.processor(vec![Subscription::new("note", world.types(), hiding)]);

    let events = incoming(&[world.event("things/1", 1, "well")]);
    processor.process(&events, &CancellationToken::new()).await.expect("settled");

    assert_eq!(world.held("note").await, [("things/1".into(), 1, "PARKED".into())]);
}

/// CRD-03 (F8): a message without readable headers goes to the dead queue with its reason, and comes back on request.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_headers_goes_to_the_dead_queue() {
    let world = World::new().await;
    let (_consumer, _) = world.consumer(vec![Subscription::new("note", world.types(), noting("note"))]).await;
    let (_relay, _) = world.relay();
    let connection = Connection::connect(broker_url().expose_secret(), ConnectionProperties::default())
        .await
        .expect("the broker answers");
    let channel = connection.create_channel().await.expect("a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");

    let kind = world.kind("updated");
    channel
        .basic_publish(
            EXCHANGE.into(),
            kind.into(),
            BasicPublishOptions::default(),
            b"poison",
            BasicProperties::default(),
        )
        .await
        .expect("sent")
        .await
        .expect("confirmed");
    world.write(world.new_event("things/1", 1, "well")).await;

    world.effects_of("note", 1).await;
    let dead = dead_queue(world.service);
    let message =
        channel.basic_get(dead.as_str().into(), BasicGetOptions::default()).await.expect("readable");
    let message = message.expect("the message is in the dead queue");
    assert_eq!(message.data, b"poison");
    let headers = message.properties.headers().clone().expect("headers");
    let reason =
        headers.inner().get("trato_reason").and_then(|reason| reason.as_long_string()).expect("a reason");
    assert!(reason.to_string().starts_with("UNREADABLE_HEADERS"), "{reason}");
    message
        .nack(lapin::options::BasicNackOptions { requeue: true, multiple: false })
        .await
        .expect("put back");

    let moved = replay::replay_dead(world.service, &world.broker(), 10).await.expect("replayed");
    assert_eq!(moved, 1);
    eventually(async || {
        // It is as unreadable as before, so that it comes to the same place again.
        let again = channel.basic_get(dead.as_str().into(), BasicGetOptions { no_ack: true }).await;
        again
            .map_err(|error| error.to_string())?
            .map(|_| ())
            .ok_or_else(|| "the dead queue is empty".to_owned())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_whose_queue_is_deleted_makes_it_anew() {
    let world = World::new().await;
    let (_consumer, _) = world.consumer(vec![Subscription::new("note", world.types(), noting("note"))]).await;
    let (_relay, _) = world.relay();
    world.write(world.new_event("things/1", 1, "well")).await;
    world.effects_of("note", 1).await;
    let connection = Connection::connect(broker_url().expose_secret(), ConnectionProperties::default())
        .await
        .expect("the broker answers");
    let channel = connection.create_channel().await.expect("a channel");

    channel.queue_delete(queue(world.service).into(), QueueDeleteOptions::default()).await.expect("deleted");
    eventually(async || {
        let channel = connection.create_channel().await.map_err(|error| error.to_string())?;
        let passive = QueueDeclareOptions { passive: true, durable: true, ..QueueDeclareOptions::default() };
        let found = channel.queue_declare(queue(world.service).into(), passive, FieldTable::default()).await;
        found.map_err(|error| error.to_string()).and_then(|found| match found.consumer_count() {
            0 => Err("nobody consumes".to_owned()),
            _ => Ok(()),
        })
    })
    .await;
    world.write(world.new_event("things/1", 2, "well")).await;

    world.effects_of("note", 2).await;
}

/// CRD-02: what `migrate` declared keeps events for a service that never ran yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_starts_last_misses_nothing() {
    let world = World::new().await;
    let subscriptions = vec![Subscription::new("note", world.types(), noting("note"))];
    declare(world.service, &subscriptions, &world.broker()).await.expect("declared");
    declare(world.service, &subscriptions, &world.broker()).await.expect("declared once more");
    let (_relay, _) = world.relay();
    world.write(world.new_event("things/1", 1, "well")).await;
    assert_eq!(world.published().await.len(), 1);

    let (_consumer, _) = world.consumer(subscriptions).await;

    assert_eq!(world.effects_of("note", 1).await, [("things/1".into(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_payload_is_parked_like_any_failure() {
    let world = World::new().await;
    let (_consumer, _) = world.consumer(vec![Subscription::new("note", world.types(), noting("note"))]).await;
    let (_relay, _) = world.relay();

    let mut event = world.new_event("things/1", 1, "well");
    event.payload = b"\xff\xff\xff".to_vec();
    world.write(event).await;
    world.write(world.new_event("things/1", 2, "well")).await;
    world.write(world.new_event("things/2", 1, "well")).await;

    assert_eq!(world.effects_of("note", 1).await, [("things/2".into(), 1)]);
    let held = world.held("note").await;
    assert_eq!(held, [("things/1".into(), 1, "PARKED".into()), ("things/1".into(), 2, "WAITING".into())]);
}
