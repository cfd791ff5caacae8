//! What an operator does about parked events.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use clap::Parser;
use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;
use trato_platform::{
    commands::{DeadLettersCommand, run_dead_letters},
    db::Database,
    events::{
        Event, Handler, Incoming, Processor, Subscription,
        parked::{self, Selection},
    },
};
use trato_types::{Error, Kind};

use super::{World, noting};

#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    command: DeadLettersCommand,
}

/// Runs `dead-letters …` and gives what it wrote.
async fn parked_command(processor: &Processor, words: &[&str]) -> Result<String, Error> {
    let program = Program::try_parse_from(std::iter::once("dead-letters").chain(words.iter().copied()))
        .expect("a command");
    let mut written = Vec::new();
    run_dead_letters(program.command, processor, None, None, &mut written).await?;
    Ok(String::from_utf8(written).expect("text"))
}

/// A handler that fails while the switch is on.
fn switched(broken: Arc<AtomicBool>) -> Handler {
    let note = noting("note");
    Arc::new(move |tx, event| {
        let (note, broken) = (note.clone(), broken.clone());
        async move {
            note(tx, event).await?;
            if broken.load(Ordering::SeqCst) && event.subject == "things/1" {
                return Err(Error::new(Kind::Precondition, "NOT_NOW", "the switch is on"));
            }
            Ok(())
        }
        .boxed()
    })
}

struct Broken {
    world: World,
    processor: Processor,
    switch: Arc<AtomicBool>,
    events: Vec<Event>,
}

/// Three events of one aggregate, the first of which failed.
async fn broken() -> Broken {
    let world = World::new().await;
    let switch = Arc::new(AtomicBool::new(true));
    let processor = world.processor(vec![Subscription::new("note", world.types(), switched(switch.clone()))]);
    let events: Vec<Event> = (1..=3).map(|revision| world.event("things/1", revision, "well")).collect();
    let incoming: Vec<Incoming> = events.iter().cloned().map(Incoming::from).collect();
    processor.process(&incoming, &CancellationToken::new()).await.expect("settled");
    Broken { world, processor, switch, events }
}

impl Broken {
    async fn effects(&self) -> Vec<i64> {
        self.world.effects("note").await.into_iter().map(|(_, revision)| revision).collect()
    }
}

/// CRD-03 (F8): the tool that puts a parked event back takes those behind it along, in order.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_takes_what_waits_along_in_order() {
    let broken = broken().await;
    let list = parked_command(&broken.processor, &["list"]).await.expect("listed");
    assert!(list.contains("NOT_NOW") && list.contains("things/1 r1") && list.contains("2 waiting"), "{list}");
    let event = broken.events[0].id.to_string();
    let show = parked_command(&broken.processor, &["show", &event, "--json"]).await.expect("shown");
    let show: serde_json::Value = serde_json::from_str(&show).expect("JSON");
    assert_eq!(
        (&show["state"], &show["reason"], &show["attempts"]),
        (&"PARKED".into(), &"NOT_NOW".into(), &1.into())
    );

    let still = parked_command(&broken.processor, &["replay", &event]).await.expect("tried");
    assert!(still.contains("0 handled") && still.contains("NOT_NOW"), "{still}");
    assert_eq!(broken.effects().await, [0; 0]);
    broken.switch.store(false, Ordering::SeqCst);
    let replayed = parked_command(&broken.processor, &["replay", "--all", "--json"]).await.expect("replayed");

    let replayed: serde_json::Value = serde_json::from_str(&replayed).expect("JSON");
    assert_eq!(replayed[0]["handled"], 3);
    assert_eq!(broken.effects().await, [1, 2, 3]);
    assert!(broken.world.held("note").await.is_empty());
    assert_eq!(
        parked_command(&broken.processor, &["list", "--json"]).await.expect("listed").trim(),
        "{\"parked\":[],\"messages\":null}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_event_is_recognised_when_it_comes_again() {
    let broken = broken().await;
    broken.switch.store(false, Ordering::SeqCst);
    let event = broken.events[0].id.to_string();

    parked_command(&broken.processor, &["drop", &event]).await.expect("dropped");
    let again = [Incoming::from(broken.events[0].clone())];
    broken.processor.process(&again, &CancellationToken::new()).await.expect("settled");

    assert_eq!(broken.effects().await, [2, 3]);
    assert_eq!(broken.world.held("note").await, [("things/1".into(), 1, "DROPPED".into())]);
    let gone = parked_command(&broken.processor, &["show", &event]).await.expect_err("nothing is held");
    assert_eq!(gone.reason(), "NOT_HELD");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_event_can_be_dropped_from_the_middle() {
    let broken = broken().await;

    parked_command(&broken.processor, &["drop", &broken.events[1].id.to_string()]).await.expect("dropped");
    broken.switch.store(false, Ordering::SeqCst);
    parked_command(&broken.processor, &["replay", "--all"]).await.expect("replayed");

    assert_eq!(broken.effects().await, [1, 3]);
}

/// New events of the aggregate arrive while an operator replays it.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_arrives_during_a_replay_does_not_overtake() {
    for _ in 0..10 {
        let broken = broken().await;
        broken.switch.store(false, Ordering::SeqCst);
        let held = parked::list(&broken.processor, &Selection::default(), 10).await.expect("listed");
        let held = held.iter().find(|held| held.tenant == broken.world.tenant).expect("held");
        let arriving = async {
            for revision in 4..=12 {
                let event = [Incoming::from(broken.world.event("things/1", revision, "well"))];
                broken.processor.process(&event, &CancellationToken::new()).await.expect("settled");
            }
        };

        let (replayed, ()) = tokio::join!(parked::replay(&broken.processor, held), arriving);

        assert!(replayed.expect("replayed").parked.is_none());
        assert_eq!(broken.effects().await, (1..=12).collect::<Vec<_>>());
        assert!(broken.world.held("note").await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_consumer_that_is_gone_can_only_be_dropped() {
    let broken = broken().await;
    let without: Database = broken.world.database.clone();
    let without = Processor::new(without, Vec::new());
    let event = broken.events[0].id.to_string();

    let refused = parked_command(&without, &["replay", &event]).await.expect_err("the consumer is gone");

    assert_eq!(refused.reason(), "UNKNOWN_CONSUMER");
}
