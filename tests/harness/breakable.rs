//! The stack that tests may break: real servers and programs of its own, one for all of these tests, which take turns.
//!
//! It is started by the first of them and stopped with the last. All that happens to its processes happens on one
//! runtime, since a process ends with the runtime it was started on.

use std::{
    future::Future,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;
use trato_devstack::{Facts, Minter, Stack, StackOptions, keys::SigningKey};

use super::{report::say, tenant::Tenant};

/// Longest time a process may take until it serves again.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Names of the suite's own processes.
pub const PROGRAMS: [&str; 3] = ["customers", "sales", "gateway"];

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime can be made")
});

/// One test at a time.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The stack, for as long as a test runs on it or waits for it.
static CURRENT: Mutex<Weak<Breakable>> = Mutex::new(Weak::new());

/// A stack that may be broken.
#[derive(Debug)]
pub struct Breakable {
    stack: tokio::sync::OnceCell<Stack>,
}

/// Runs a test on the stack that may be broken, when it is its turn.
pub fn on_a_breakable_stack<F: Future<Output = ()>>(test: impl FnOnce(Arc<Breakable>) -> F) {
    let breakable = current();
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

fn current() -> Arc<Breakable> {
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    current.upgrade().unwrap_or_else(|| {
        let made = Arc::new(Breakable { stack: tokio::sync::OnceCell::new() });
        *current = Arc::downgrade(&made);
        made
    })
}

impl Breakable {
    async fn stack(&self) -> &Stack {
        let start = || async { Stack::start(StackOptions::private("resilience")).await };
        self.stack.get_or_try_init(start).await.expect("a private stack can be started")
    }

    /// Starts what is down, after a test that failed half-way too.
    async fn heal(&self) {
        let stack = self.stack().await;
        for name in ["postgres", "rabbitmq"].into_iter().chain(PROGRAMS) {
            stack.start_again(name).await.expect("it can be started");
            stack.wait_ready(name, PATIENCE).await.expect("it serves");
        }
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

    /// Starts a process anew with other variables, or with those it had before where the value is empty.
    pub async fn restart_with(&self, name: &str, variables: &[(&str, &str)]) {
        let stack = self.stack().await;
        for (variable, value) in variables {
            stack.set_env(name, variable, value).expect("it is a process of this stack");
        }
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
