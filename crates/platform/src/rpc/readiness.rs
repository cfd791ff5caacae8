//! Whether this process should get calls: only what it itself needs to answer, never the state of its neighbours.
//!
//! A neighbour that is down would otherwise take every service down with it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::telemetry::metrics::metrics;

/// Collects the conditions of readiness; all clones share them.
#[derive(Clone, Debug)]
pub struct Readiness {
    state: Arc<watch::Sender<State>>,
    born: Instant,
}

/// What is known at one moment.
#[derive(Clone, Debug, Default)]
pub struct State {
    started: bool,
    draining: bool,
    /// Time from the beginning until it was first ready.
    ready_after: Option<Duration>,
    /// Why a condition does not hold; `None` when it does.
    conditions: BTreeMap<&'static str, Option<String>>,
}

/// One thing the process needs, such as a database of the right version.
#[derive(Clone, Debug)]
pub struct Condition {
    name: &'static str,
    readiness: Readiness,
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl Readiness {
    /// Not started, not ready.
    pub fn new() -> Self {
        Self { state: Arc::new(watch::Sender::new(State::default())), born: Instant::now() }
    }

    /// Adds a condition, which does not hold until it is said to.
    pub fn condition(&self, name: &'static str) -> Condition {
        self.change(|state| {
            state.conditions.insert(name, Some("not checked yet".to_owned()));
            true
        });
        Condition { name, readiness: self.clone() }
    }

    /// The process has started: all conditions are named and the servers listen. For good.
    pub fn started(&self) {
        self.change(|state| !std::mem::replace(&mut state.started, true));
    }

    /// The process is about to stop and wants no more calls. For good.
    pub fn draining(&self) {
        self.change(|state| !std::mem::replace(&mut state.draining, true));
    }

    /// True when calls are welcome.
    pub fn is_ready(&self) -> bool {
        self.state.borrow().is_ready()
    }

    /// The state at this moment.
    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Tells metrics whether the process is ready, and how long it took to be so first.
    pub(super) fn measure(&self) {
        let (now, first) = (self.clone(), self.clone());
        metrics().watch_readiness(move || now.is_ready(), move || first.state.borrow().ready_after);
    }

    fn change(&self, change: impl FnOnce(&mut State) -> bool) {
        self.state.send_if_modified(|state| {
            let changed = change(state);
            if state.ready_after.is_none() && state.is_ready() {
                state.ready_after = Some(self.born.elapsed());
            }
            changed
        });
    }
}

impl Condition {
    /// The condition holds.
    pub fn holds(&self) {
        self.set(None);
    }

    /// The condition does not hold, and why.
    pub fn fails(&self, why: impl Into<String>) {
        self.set(Some(why.into()));
    }

    fn set(&self, fault: Option<String>) {
        self.readiness.change(|state| {
            let known = state.conditions.entry(self.name).or_default();
            let changed = *known != fault;
            *known = fault;
            changed
        });
    }
}

impl State {
    /// True when calls are welcome.
    pub fn is_ready(&self) -> bool {
        self.started && !self.draining && self.conditions.values().all(Option::is_none)
    }

    /// True once the process has started.
    pub fn is_started(&self) -> bool {
        self.started
    }

    /// What keeps the process from being ready, one line each; empty when it is ready.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.started {
            faults.push("starting".to_owned());
        }
        if self.draining {
            faults.push("stopping".to_owned());
        }
        let failing = self.conditions.iter().filter_map(|(name, fault)| Some((name, fault.as_ref()?)));
        faults.extend(failing.map(|(name, why)| format!("{name}: {why}")));
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_when_it_started_and_all_it_needs_is_there() {
        let readiness = Readiness::new();
        let database = readiness.condition("database");
        assert_eq!(readiness.state().faults(), ["starting", "database: not checked yet"]);

        readiness.started();
        database.holds();
        assert!(readiness.is_ready() && readiness.state().faults().is_empty());

        database.fails("2 migrations behind");
        assert_eq!(readiness.state().faults(), ["database: 2 migrations behind"]);

        database.holds();
        readiness.draining();
        assert!(!readiness.is_ready() && readiness.state().is_started());
    }
}
