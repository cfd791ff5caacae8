//! A unit: one process of a stack that can be killed, paused, stopped and started again under the same name and port.
//!
//! Under supervision a unit that dies unbidden is reported and started again with growing pauses.

use std::{
    pin::Pin,
    process::ExitStatus,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use tokio::sync::Notify;

use crate::{
    http, logs, proc,
    process::{Launch, Process},
    progress::Progress,
    wait::eventually,
};

/// First pause before a dead process is started again; doubled at each death.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Longest pause, and the life span after which a process counts as healthy again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How to tell that a process serves.
#[derive(Clone, Debug)]
pub enum Ready {
    /// `GET {admin}/readyz` answers 200.
    Http {
        /// Address of the admin port.
        admin: String,
    },
    /// PostgreSQL accepts this login.
    Postgres {
        /// Connection URL.
        url: String,
    },
    /// RabbitMQ greets at this address.
    Amqp {
        /// Host and port.
        address: String,
    },
    /// It serves as soon as it runs.
    Running,
}

/// One process of a stack.
#[derive(Debug)]
pub struct Unit {
    /// Its name: `customers`, `customers-2`, `postgres`.
    pub name: String,
    ready: Ready,
    /// What ends it in an orderly way, and how long that may take.
    stop: (Signal, Duration),
    state: Mutex<State>,
    watch: Watch,
}

/// What a unit under supervision tells, and whom.
#[derive(Clone, Debug)]
pub struct Watch {
    /// True when a dead unit is started again.
    pub supervise: bool,
    /// Where deaths and restarts are reported.
    pub progress: Progress,
    /// Woken when the number of a process has changed.
    pub changed: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    launch: Launch,
    /// How many variables the launch began with.
    variables: usize,
    process: Option<Process>,
    started: Instant,
    pause: Duration,
}

/// The end of a process: its number and how it ended.
type End = Pin<Box<dyn Future<Output = (u32, Option<ExitStatus>)> + Send>>;

impl Unit {
    /// A unit that does not run yet.
    pub fn new(launch: Launch, ready: Ready, stop: (Signal, Duration), watch: &Watch) -> Arc<Self> {
        let name = launch.name.clone();
        let variables = launch.env.len();
        let state = State { launch, variables, process: None, started: Instant::now(), pause: FIRST_PAUSE };
        Arc::new(Self { name, ready, stop, state: Mutex::new(state), watch: watch.clone() })
    }

    /// Starts it; a unit that runs is left alone. Does not wait until it serves.
    pub async fn start(self: &Arc<Self>) -> Result<()> {
        if self.pid().is_some() {
            return Ok(());
        }
        let ended = self.begin().await?;
        if self.watch.supervise {
            // Weak, so that a unit nobody holds any more ends with its process.
            tokio::spawn(supervise(Arc::downgrade(self), ended));
        }
        Ok(())
    }

    /// Starts the process and answers its end.
    async fn begin(&self) -> Result<End> {
        let launch = self.state().launch.clone();
        let process = launch.spawn().await?;
        let (pid, exited) = (process.pid(), process.exited());
        {
            let mut state = self.state();
            state.started = Instant::now();
            state.process = Some(process);
        }
        self.watch.changed.notify_one();
        Ok(Box::pin(async move { (pid, exited.await) }))
    }

    /// Number of the running process.
    pub fn pid(&self) -> Option<u32> {
        let state = self.state();
        state.process.as_ref().filter(|process| process.exit_status().is_none()).map(Process::pid)
    }

    /// Waits until it serves; fails early, with the end of its log, when it dies instead.
    pub async fn wait_ready(&self, within: Duration) -> Result<()> {
        let what = format!("{} to be ready", self.name);
        let answer = eventually(within, &what, || async {
            if self.pid().is_none() {
                return Some(false);
            }
            self.is_ready().await.then_some(true)
        })
        .await;
        match answer {
            Ok(true) => Ok(()),
            Ok(false) => bail!("{} ended before it was ready{}", self.name, self.log_end()),
            Err(error) => Err(error.context(format!("{} is not ready{}", self.name, self.log_end()))),
        }
    }

    /// Asks once whether it serves.
    pub async fn is_ready(&self) -> bool {
        match &self.ready {
            Ready::Http { admin } => http::is_ready(admin).await,
            Ready::Postgres { url } => crate::backing::postgres::answers(url).await,
            Ready::Amqp { address } => crate::backing::rabbitmq::greets(address).await,
            Ready::Running => true,
        }
    }

    /// `kill -9` of the process and all its children. It stays down until it is started again.
    pub async fn kill(&self) -> Result<()> {
        match self.take_down() {
            Some(process) => process.kill().await.with_context(|| format!("{} cannot be killed", self.name)),
            None => Ok(()),
        }
    }

    /// Ends it in an orderly way, by force if that takes too long. It stays down until it is started again.
    pub async fn stop(&self) -> Result<()> {
        let (signal, patience) = self.stop;
        match self.take_down() {
            Some(process) => {
                // One that is paused could not hear the request.
                proc::send_tree(process.pid(), Signal::SIGCONT)?;
                process
                    .stop(signal, patience)
                    .await
                    .with_context(|| format!("{} cannot be stopped", self.name))
            }
            None => Ok(()),
        }
    }

    /// Kills it without waiting for its end.
    pub fn abandon(&self) {
        drop(self.take_down());
    }

    /// SIGSTOP to the process and all its children: it holds its connections and says nothing.
    pub fn pause(&self) -> Result<()> {
        self.signal_tree(Signal::SIGSTOP)
    }

    /// Lets a paused unit go on.
    pub fn resume(&self) -> Result<()> {
        self.signal_tree(Signal::SIGCONT)
    }

    /// Sets a variable for the next start.
    pub fn set_env(&self, name: &str, value: &str) {
        self.state().launch.env.push((name.into(), Some(value.into())));
    }

    /// Takes back what was set since the unit was made.
    pub fn reset_env(&self) {
        let mut state = self.state();
        let variables = state.variables;
        state.launch.env.truncate(variables);
    }

    fn signal_tree(&self, signal: Signal) -> Result<()> {
        let pid = self.pid().with_context(|| format!("{} is not running", self.name))?;
        proc::send_tree(pid, signal)
    }

    fn take_down(&self) -> Option<Process> {
        self.state().process.take()
    }

    /// Starts the process again that has ended, unless somebody wanted it to end; answers its next end.
    async fn begin_again(&self, (pid, status): (u32, Option<ExitStatus>)) -> Option<End> {
        let (pause, log) = {
            let mut state = self.state();
            if !state.holds(pid) {
                return None;
            }
            if state.started.elapsed() > LONGEST_PAUSE {
                state.pause = FIRST_PAUSE;
            }
            let pause = state.pause;
            state.pause = (pause * 2).min(LONGEST_PAUSE);
            (pause, state.launch.log.display().to_string())
        };
        let how = status.map_or_else(|| "ended".to_owned(), |status| status.to_string());
        let again =
            format!("died ({how}); starting it again in {:.1} s. Its log: {log}", pause.as_secs_f64());
        self.watch.progress.say(&self.name, again);
        self.watch.changed.notify_one();
        tokio::time::sleep(pause).await;
        if !self.state().holds(pid) {
            return None;
        }
        match self.begin().await {
            Ok(end) => Some(end),
            Err(error) => {
                self.watch.progress.say(&self.name, format!("cannot be started again: {error:#}"));
                None
            }
        }
    }

    fn log_end(&self) -> String {
        let log = self.state().launch.log.clone();
        format!("; the end of {}:\n{}", log.display(), logs::tail(&log, 25))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// True while the process of that number is the unit's own; not when it was taken down or replaced.
    fn holds(&self, pid: u32) -> bool {
        self.process.as_ref().is_some_and(|process| process.pid() == pid)
    }
}

/// Starts a unit again whenever its process dies unbidden, for as long as somebody holds it.
async fn supervise(unit: Weak<Unit>, mut ended: End) {
    loop {
        let end = ended.await;
        let Some(unit) = unit.upgrade() else { return };
        let Some(next) = unit.begin_again(end).await else { return };
        ended = next;
        if unit.wait_ready(LONGEST_PAUSE).await.is_ok() {
            unit.watch.progress.say(&unit.name, "is ready again");
        }
    }
}
