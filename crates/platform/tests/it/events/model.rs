//! The inbox against a model of it, under random schedules: deliveries, redeliveries, failures, replays, drops.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::{Arc, Mutex},
};

use futures::FutureExt as _;
use proptest::{prelude::*, test_runner::Config};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use trato_platform::events::{
    Event, Handler, Incoming, Processor, Subscription,
    parked::{self, Selection},
};
use trato_types::{Error, Kind};
use uuid::Uuid;

use super::{World, noting};

const SUBJECTS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// New events, one of each of these subjects, in one batch.
    Deliver(Vec<usize>),
    /// The last so many deliveries come again, as after a crash before the acknowledgement.
    Redeliver(usize),
    /// The handler begins, or ceases, to fail for a subject.
    Toggle(usize),
    /// An operator replays what is parked of a subject.
    Replay(usize),
    /// An operator drops what is parked of a subject.
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let subject = 0..SUBJECTS;
    prop_oneof![
        4 => prop::collection::vec(subject.clone(), 1..8).prop_map(Step::Deliver),
        2 => (1..12_usize).prop_map(Step::Redeliver),
        3 => subject.clone().prop_map(Step::Toggle),
        2 => subject.clone().prop_map(Step::Replay),
        1 => subject.prop_map(Step::Drop),
    ]
}

/// What the inbox of one consumer promises, without a database.
#[derive(Default)]
struct Model {
    seen: HashSet<Uuid>,
    broken: HashSet<usize>,
    /// Per subject: revisions that took effect, and those that are held, the parked one first.
    lanes: BTreeMap<usize, (Vec<i64>, VecDeque<i64>)>,
}

impl Model {
    fn deliver(&mut self, subject: usize, event: &Event) {
        if !self.seen.insert(event.id) {
            return;
        }
        let fails = self.broken.contains(&subject);
        let (effects, held) = self.lanes.entry(subject).or_default();
        if fails || !held.is_empty() {
            held.push_back(event.revision);
        } else {
            effects.push(event.revision);
        }
    }

    fn replay(&mut self, subject: usize) {
        if !self.broken.contains(&subject) {
            let (effects, held) = self.lanes.entry(subject).or_default();
            effects.extend(held.drain(..));
        }
    }

    fn drop_parked(&mut self, subject: usize) {
        self.lanes.entry(subject).or_default().1.pop_front();
        self.replay(subject);
    }

    fn effects(&self) -> BTreeMap<String, Vec<i64>> {
        let lanes = self.lanes.iter().filter(|(_, lane)| !lane.0.is_empty());
        lanes.map(|(subject, (effects, _))| (name(*subject), effects.clone())).collect()
    }

    fn held(&self) -> Vec<(String, i64, String)> {
        let lanes = self.lanes.iter();
        let held = lanes.flat_map(|(subject, (_, held))| {
            held.iter().enumerate().map(|(at, revision)| {
                let state = if at == 0 { "PARKED" } else { "WAITING" };
                (name(*subject), *revision, state.to_owned())
            })
        });
        held.collect()
    }
}

fn name(subject: usize) -> String {
    format!("things/{subject}")
}

fn failing_for(broken: Arc<Mutex<HashSet<String>>>) -> Handler {
    let note = noting("note");
    Arc::new(move |tx, event| {
        let (note, broken) = (note.clone(), broken.clone());
        async move {
            note(tx, event).await?;
            let fails = broken.lock().expect("no panic while it was held").contains(&event.subject);
            if fails { Err(Error::new(Kind::Precondition, "NOT_NOW", "the model says so")) } else { Ok(()) }
        }
        .boxed()
    })
}

struct Run {
    world: World,
    processor: Processor,
    broken: Arc<Mutex<HashSet<String>>>,
    model: Model,
    delivered: Vec<(usize, Event)>,
    revisions: [i64; SUBJECTS],
}

impl Run {
    fn new(world: &World) -> Self {
        let world = World { tenant: Uuid::new_v4(), ..world.clone() };
        let broken = Arc::new(Mutex::new(HashSet::new()));
        let processor =
            world.processor(vec![Subscription::new("note", world.types(), failing_for(broken.clone()))]);
        Self {
            world,
            processor,
            broken,
            model: Model::default(),
            delivered: Vec::new(),
            revisions: [0; SUBJECTS],
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Deliver(subjects) => {
                let from = self.delivered.len();
                for subject in subjects {
                    self.revisions[subject] += 1;
                    let event = self.world.event(&name(subject), self.revisions[subject], "any");
                    self.delivered.push((subject, event));
                }
                self.process(from).await;
            }
            Step::Redeliver(count) => self.process(self.delivered.len().saturating_sub(count)).await,
            Step::Toggle(subject) => {
                let mut broken = self.broken.lock().expect("no panic while it was held");
                if !broken.remove(&name(subject)) {
                    broken.insert(name(subject));
                }
                if !self.model.broken.remove(&subject) {
                    self.model.broken.insert(subject);
                }
            }
            Step::Replay(subject) => {
                if let Some(held) = self.parked(subject).await {
                    parked::replay(&self.processor, &held).await.expect("replayed");
                }
                self.model.replay(subject);
            }
            Step::Drop(subject) => {
                if let Some(held) = self.parked(subject).await {
                    parked::drop_event(&self.processor, &held).await.expect("dropped");
                    self.model.drop_parked(subject);
                }
            }
        }
    }

    async fn process(&mut self, from: usize) {
        for (subject, event) in &self.delivered[from..] {
            self.model.deliver(*subject, event);
        }
        let batch: Vec<Incoming> =
            self.delivered[from..].iter().map(|(_, event)| Incoming::from(event.clone())).collect();
        self.processor.process(&batch, &CancellationToken::new()).await.expect("settled");
    }

    async fn parked(&self, subject: usize) -> Option<parked::Held> {
        let selection = Selection { tenant: Some(self.world.tenant), ..Selection::default() };
        let held = parked::list(&self.processor, &selection, 100).await.expect("listed");
        held.into_iter().find(|held| held.subject == name(subject))
    }

    async fn effects(&self) -> BTreeMap<String, Vec<i64>> {
        let mut effects: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (subject, revision) in self.world.effects("note").await {
            effects.entry(subject).or_default().push(revision);
        }
        effects
    }

    async fn held(&self) -> Vec<(String, i64, String)> {
        let held = self.world.held("note").await;
        held.into_iter().filter(|(_, _, state)| state != "DROPPED").collect()
    }
}

/// CRD-03: whatever the schedule, each event has one effect, in order per aggregate, or is held or dropped.
#[test]
fn the_inbox_does_what_its_model_does() {
    let runtime = Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::new());
    proptest!(Config { cases: 200, failure_persistence: None, ..Config::default() }, |(steps in prop::collection::vec(step(), 1..14))| {
        runtime.block_on(async {
            let mut run = Run::new(&world);
            for step in steps {
                run.take(step).await;
                prop_assert_eq!(run.effects().await, run.model.effects());
                prop_assert_eq!(run.held().await, run.model.held());
            }
            Ok(())
        })?;
    });
}
