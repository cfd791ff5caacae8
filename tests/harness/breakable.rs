//! The stacks that tests may break: real servers and programs of their own. All of these tests take turns.
//!
//! A stack is started by the first test that needs it and stopped with the last. All that happens to its processes
//! happens on one runtime, since a process ends with the runtime it was started on.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;
use trato_devstack::{Facts, Minter, Stack, StackOptions, keys::SigningKey, stack::Signal};

use super::{programs::PROGRAMS, report::say, tenant::Tenant};

/// Longest time a process may take until it serves again; a server on a busy machine takes its time.
pub const PATIENCE: Duration = Duration::from_secs(180);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime can be made")
});

/// One test at a time.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The stacks, for as long as a test runs on them or waits for them.
static SINGLE: Mutex<Weak<Breakable>> = Mutex::new(Weak::new());
static TWINS: Mutex<Weak<Breakable>> = Mutex::new(Weak::new());

/// A stack that may be broken.
#[derive(Debug)]
pub struct Breakable {
    options: StackOptions,
    stack: tokio::sync::OnceCell<Stack>,
    /// Processes that run with other variables than they were made with.
    changed: Mutex<BTreeSet<String>>,
    /// Processes that hang.
    paused: Mutex<BTreeSet<String>>,
}

/// Runs a test on the stack that may be broken, when it is its turn.
pub fn on_a_breakable_stack<F: Future<Output = ()>>(test: impl FnOnce(Arc<Breakable>) -> F) {
    run(&SINGLE, || StackOptions::private("resilience"), test);
}

/// Runs a test on a stack of two processes of every program, the gateway included, when it is its turn.
pub fn on_a_stack_of_twins<F: Future<Output = ()>>(test: impl FnOnce(Arc<Breakable>) -> F) {
    run(&TWINS, || StackOptions::private("twins").replicas(2).gateways(2), test);
}

fn run<F: Future<Output = ()>>(
    current: &Mutex<Weak<Breakable>>,
    options: fn() -> StackOptions,
    test: impl FnOnce(Arc<Breakable>) -> F,
) {
    let breakable = attached(current, options);
    RUNTIME.block_on(async {
        let turn = TURN.lock().await;
        breakable.heal().await;
        test(breakable.clone()).await;
        drop(turn);
    });
    // The last one stops the processes, which its runtime must be there for.
    let entered = RUNTIME.enter();
    drop(breakable);
    drop(entered);
}

fn attached(current: &Mutex<Weak<Breakable>>, options: fn() -> StackOptions) -> Arc<Breakable> {
    let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
    current.upgrade().unwrap_or_else(|| {
        let made = Arc::new(Breakable {
            options: options(),
            stack: tokio::sync::OnceCell::new(),
            changed: Mutex::default(),
            paused: Mutex::default(),
        });
        *current = Arc::downgrade(&made);
        made
    })
}

impl Breakable {
    async fn stack(&self) -> &Stack {
        let start = || async { Stack::start(self.options.clone()).await };
        self.stack.get_or_try_init(start).await.expect("a private stack can be started")
    }

    /// Starts what is down and takes back what was changed, after a test that failed half-way too.
    async fn heal(&self) {
        let stack = self.stack().await;
        let paused = std::mem::take(&mut *self.paused());
        for name in paused {
            // One that was killed since then is started below.
            let _ = stack.resume(&name).await;
        }
        let changed = std::mem::take(&mut *self.changed());
        for name in changed {
            stack.reset_env(&name).expect("it is a process of this stack");
            stack.terminate(&name).await.expect("it can be stopped");
        }
        for name in self.names().await {
            stack.start_again(&name).await.expect("it can be started");
            stack.wait_ready(&name, PATIENCE).await.expect("it serves");
        }
    }

    fn changed(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn paused(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names of all that can be broken, servers first.
    async fn names(&self) -> Vec<String> {
        let names = self.stack().await.names();
        names.into_iter().filter(|name| *name != "epmd").map(str::to_owned).collect()
    }

    /// What it is made of now.
    pub async fn facts(&self) -> Facts {
        self.stack().await.facts()
    }

    /// A tenant of a test's own.
    pub async fn tenant(&self) -> Tenant {
        Tenant::fresh_on(&self.facts().await)
    }

    /// `kill -9` of a process with all its children. It stays down.
    pub async fn kill(&self, name: &str) {
        self.stack().await.kill(name).await.expect("it can be killed");
    }

    /// Ends a process in good order: it finishes what it has in hand. It stays down.
    pub async fn terminate(&self, name: &str) {
        self.stack().await.terminate(name).await.expect("it can be stopped");
    }

    /// SIGSTOP: a process holds its connections and says nothing until it is resumed, at the latest by the next test.
    pub async fn pause(&self, name: &str) {
        self.paused().insert(name.to_owned());
        self.stack().await.pause(name).await.expect("it can be paused");
    }

    /// Lets a paused process go on.
    pub async fn resume(&self, name: &str) {
        self.stack().await.resume(name).await.expect("it can go on");
        self.paused().remove(name);
    }

    /// Ends a process by a signal of its own and waits until it has ended.
    pub async fn end_by(&self, name: &str, signal: Signal) {
        let stack = self.stack().await;
        stack.signal(name, signal).expect("it runs");
        stack.wait_end(name, PATIENCE).await.expect("it ends");
    }

    /// Starts a process again and waits until it serves; answers how long that took.
    pub async fn revive(&self, name: &str) -> Duration {
        let begun = Instant::now();
        let stack = self.stack().await;
        stack.start_again(name).await.expect("it can be started again");
        if let Err(error) = stack.wait_ready(name, PATIENCE).await {
            panic!("{name} does not come back: {error:#}\n{}", stack.log(name, 30));
        }
        begun.elapsed()
    }

    /// Starts a process anew with the variables it was made with.
    pub async fn restart_as_made(&self, name: &str) {
        let stack = self.stack().await;
        stack.reset_env(name).expect("it is a process of this stack");
        stack.terminate(name).await.expect("it can be stopped");
        self.revive(name).await;
    }

    /// Starts a process anew with other variables. The next test finds it as it was made.
    pub async fn restart_with(&self, name: &str, variables: &[(&str, &str)]) {
        let stack = self.stack().await;
        for (variable, value) in variables {
            stack.set_env(name, variable, value).expect("it is a process of this stack");
        }
        self.changed().insert(name.to_owned());
        stack.terminate(name).await.expect("it can be stopped");
        self.revive(name).await;
    }

    /// Lets the issuer publish one more key, and answers it with a minter of its tokens. All other tokens stay good.
    pub async fn add_key(&self) -> (Minter, Arc<SigningKey>) {
        let issuer = self.stack().await.issuer();
        let key = issuer.rotate(true).expect("a key can be made");
        (issuer.minter(), key)
    }

    /// Lets the issuer publish a key no longer.
    pub async fn withdraw_key(&self, key: &SigningKey) {
        self.stack().await.issuer().withdraw(key);
    }

    /// Panics when the log of any program tells of a panic.
    pub async fn nobody_panicked(&self) {
        let facts = self.facts().await;
        for (name, log) in super::stack::logs(&facts) {
            let is_ours = PROGRAMS.iter().any(|program| name.starts_with(program));
            if let Some(at) = log.find("panicked at").filter(|_| is_ours) {
                say(&log[at.saturating_sub(300)..log.len().min(at + 700)]);
                panic!("{name} panicked");
            }
        }
    }
}
