//! A whole stack: servers, databases, issuer, services and gateway as real processes.
//!
//! `cargo dev up`, the shared stack of all tests and the private stacks of destructive tests are started by this one
//! function, so that what is tested is what people run.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use futures::future::join_all;
pub use nix::sys::signal::Signal;
use tokio::sync::Notify;

use crate::{
    assembly::{Assembled, STOP_PATIENCE, assemble},
    backing::{self, Control},
    checkout::Checkout,
    facts::Facts,
    home::{Home, Lock},
    issuer::{self, Issuer},
    logs,
    options::{Place, StackOptions},
    ports::Ports,
    proc,
    programs::{self, GATEWAY},
    progress::Progress,
    wait::eventually,
};

/// A running stack. Dropping it kills its processes; `stop` ends them in order.
#[derive(Debug)]
pub struct Stack {
    home: Home,
    place: Place,
    _lock: Lock,
    issuer: Issuer,
    /// The port mapper, servers, services, gateway: in the order they were started.
    controls: Vec<Control>,
    changed: Arc<Notify>,
    facts: Facts,
}

impl Stack {
    /// Starts everything and waits until it serves. What was started is stopped again when something fails.
    pub async fn start(options: StackOptions) -> Result<Self> {
        let checkout = Checkout::find()?;
        let home = match options.place {
            Place::Dev => Home::dev(&checkout),
            Place::Test => Home::test(&checkout),
            Place::Private => {
                Home::prune_private(&checkout)?;
                Home::private(&checkout, &options.name)
            }
        };
        let lock = home.lock()?;
        outlive_predecessors(&home, &options.progress).await?;
        if options.place == Place::Test {
            home.delete()?;
            backing::forget_containers(&home).await;
        }
        home.create()?;
        let mut controls = Vec::new();
        match assemble(&options, &checkout, &home, &mut controls).await {
            Ok(Assembled { issuer, facts, changed }) => {
                let stack =
                    Self { home, place: options.place, _lock: lock, issuer, controls, changed, facts };
                stack.record()?;
                Ok(stack)
            }
            Err(error) => {
                stop_all(&controls, &options.progress).await;
                if options.place == Place::Private {
                    home.delete()?;
                }
                Err(error)
            }
        }
    }

    /// What it is made of now, with the numbers of the processes that run.
    pub fn facts(&self) -> Facts {
        let pid =
            |name: &str| self.controls.iter().find(|control| control.name() == name).and_then(Control::pid);
        let mut facts = self.facts.clone();
        facts.postgres.pid = pid("postgres");
        facts.broker.pid = pid("rabbitmq");
        if let Some(gateway) = &mut facts.gateway {
            gateway.pid = pid(GATEWAY);
            for replica in &mut gateway.replicas {
                replica.pid = pid(&replica.name);
            }
        }
        for service in facts.services.values_mut() {
            for replica in &mut service.replicas {
                replica.pid = pid(&replica.name);
            }
            service.pid = service.replicas.first().and_then(|first| first.pid);
        }
        facts
    }

    /// Writes `stack.json`.
    pub fn record(&self) -> Result<()> {
        self.facts().write(&self.home.facts())
    }

    /// Keeps `stack.json` true until `end` comes, and answers what it gives.
    pub async fn attend<T>(&self, end: impl Future<Output = T>) -> Result<T> {
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                value = &mut end => return Ok(value),
                () = self.changed.notified() => self.record()?,
            }
        }
    }

    /// The stack's folder.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The dev issuer, whose keys a private stack may rotate.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Names of everything that can be killed: `postgres`, `rabbitmq`, `customers`, `customers-2`, `gateway`.
    pub fn names(&self) -> Vec<&str> {
        self.controls.iter().map(Control::name).collect()
    }

    /// Number of a process; none while it is down.
    pub fn pid(&self, name: &str) -> Result<Option<u32>> {
        Ok(self.control(name)?.pid())
    }

    /// `kill -9` of a process with all its children (for PostgreSQL: the backends). It stays down until `start_again`.
    pub async fn kill(&self, name: &str) -> Result<()> {
        self.control(name)?.kill().await
    }

    /// SIGTERM, a bounded wait, and force at last. It stays down until `start_again`.
    pub async fn terminate(&self, name: &str) -> Result<()> {
        match self.control(name)? {
            Control::Process(unit) => unit.stop().await,
            container @ Control::Container(_) => container.kill().await,
        }
    }

    /// Sends a signal to a process alone, not to its children; what comes of it is the process's affair.
    pub fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        let pid = self.pid(name)?.with_context(|| format!("{name} is not running"))?;
        proc::send(pid, signal)
    }

    /// Starts what was killed or terminated, on its old port with its old data. Does not wait until it serves.
    pub async fn start_again(&self, name: &str) -> Result<()> {
        self.control(name)?.start().await
    }

    /// Waits until a process serves.
    pub async fn wait_ready(&self, name: &str, within: Duration) -> Result<()> {
        self.control(name)?.wait_ready(within).await
    }

    /// Freezes a process with all its children: connections stay open and nothing answers.
    pub async fn pause(&self, name: &str) -> Result<()> {
        self.control(name)?.pause().await
    }

    /// Lets a frozen process go on.
    pub async fn resume(&self, name: &str) -> Result<()> {
        self.control(name)?.resume().await
    }

    /// Waits until a process has ended by itself, and leaves it down until `start_again`.
    pub async fn wait_end(&self, name: &str, within: Duration) -> Result<()> {
        eventually(within, &format!("the end of {name}"), async || {
            self.pid(name).is_ok_and(|pid| pid.is_none()).then_some(())
        })
        .await
    }

    /// Takes back what was set for a process since its first start.
    pub fn reset_env(&self, name: &str) -> Result<()> {
        if let Control::Process(unit) = self.control(name)? {
            unit.reset_env();
        }
        Ok(())
    }

    /// Sets a variable of a process for its next start.
    pub fn set_env(&self, name: &str, variable: &str, value: &str) -> Result<()> {
        if let Control::Process(unit) = self.control(name)? {
            unit.set_env(variable, value);
        }
        Ok(())
    }

    /// The end of a process's log.
    pub fn log(&self, name: &str, lines: usize) -> String {
        logs::tail(&self.home.log(name), lines)
    }

    /// Stops everything in order: gateway, services, servers. Data is kept, but for a private stack.
    pub async fn stop(self, progress: &Progress) {
        stop_all(&self.controls, progress).await;
    }

    fn control(&self, name: &str) -> Result<&Control> {
        self.controls.iter().find(|control| control.name() == name).with_context(|| {
            format!("this stack runs no {name} of its own; it runs {}", self.names().join(", "))
        })
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        for control in self.controls.drain(..) {
            if let Control::Process(unit) = control {
                unit.abandon();
            }
        }
        let facts = self.home.facts();
        // Nobody is left to tell; a file that stays behind names processes that `status` reports as gone.
        let _ = std::fs::remove_file(facts);
        if self.place == Place::Private {
            let _ = self.home.delete();
            let _ = std::fs::remove_dir_all(&self.home.dir);
        }
    }
}

/// Waits for what a killed run has left: its servers are shutting down and still have the data and the ports.
async fn outlive_predecessors(home: &Home, progress: &Progress) -> Result<()> {
    let mut names = vec!["postgres", "beam.smp", "epmd"];
    // The kernel keeps the first 15 letters of a name.
    names.extend(programs::PROGRAMS.iter().map(|program| &program.binary[..program.binary.len().min(15)]));
    let left = || proc::working_in(&home.folders(), &names);
    if left().is_empty() {
        return Ok(());
    }
    progress.say("stack", "waiting for the processes of a killed run to end");
    let ended = async || left().is_empty().then_some(());
    if eventually(STOP_PATIENCE, "the end of a killed run", ended).await.is_err() {
        left().into_iter().try_for_each(|pid| proc::kill_tree(pid).map(drop))?;
        eventually(STOP_PATIENCE, "the end of a killed run", ended).await?;
    }
    Ok(())
}

/// The URL the issuer of a home has, or will have.
pub fn issuer_url(home: &Home) -> Result<String> {
    let port = Ports::open(home)?.known("issuer");
    port.map(issuer::url).context("this stack has never run; start it with `cargo dev up`")
}

/// Gateway, then services, then servers, then the port mapper. What fails to stop is reported, and killed at last.
async fn stop_all(controls: &[Control], progress: &Progress) {
    let stage = |control: &Control| match control.name() {
        name if name.starts_with(GATEWAY) => 0,
        "postgres" | "rabbitmq" => 2,
        "epmd" => 3,
        _ => 1,
    };
    for number in 0..=3 {
        join_all(controls.iter().filter(|control| stage(control) == number).map(|control| async {
            match control.stop().await {
                Ok(()) => progress.say(control.name(), "stopped"),
                Err(error) => progress.say(control.name(), format!("did not stop: {error:#}")),
            }
        }))
        .await;
    }
}
