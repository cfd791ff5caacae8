//! The tasks that a program lives by. One that ends before it is told to ends its program, which whoever watches over it
//! starts again: a process that goes on in part looks well from outside, and answers calls whose effects nobody has.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::FutureExt as _;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use trato_types::{Error, Result, error::chain};

/// Tasks that end together.
#[derive(Debug, Default)]
pub struct Group {
    tasks: JoinSet<Result<()>>,
    stop: CancellationToken,
}

impl Group {
    /// Tasks that end when `stop` is cancelled, at the latest by `stopped`.
    pub fn until(stop: CancellationToken) -> Self {
        Self { tasks: JoinSet::new(), stop }
    }

    /// Cancelled when the tasks are to end.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task that works until the stop: to end before is a failure, as a panic is.
    pub fn keep(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            whole(name, work).await?;
            if stop.is_cancelled() { Ok(()) } else { Err(failed(name, "ended untold")) }
        });
    }

    /// Starts a task that ends when its work is done. A panic is a failure.
    pub fn once(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(whole(name, work));
    }

    /// The same for work that keeps a thread busy.
    pub fn once_blocking(&mut self, name: &'static str, work: impl FnOnce() + Send + 'static) {
        self.tasks.spawn_blocking(move || {
            catch_unwind(AssertUnwindSafe(work)).map_err(|_| failed(name, "panicked"))
        });
    }

    /// Waits for the first failure; for ever when there is none. May be dropped and asked again.
    pub async fn failure(&mut self) -> Error {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = outcome(ended) {
                return error;
            }
        }
        std::future::pending().await
    }

    /// Tells the tasks to end and waits until all did; the first failure, if there was one.
    pub async fn stopped(mut self) -> Result<()> {
        self.stop.cancel();
        let mut first = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            first = first.and(outcome(ended));
        }
        first
    }
}

/// Waits until a program is told to stop, or until a part of it fails, which is then what it ends with. Either way it is to
/// finish the calls in hand.
pub async fn told_or_failed(
    told: impl Future<Output = Result<()>>,
    failure: impl Future<Output = Error>,
) -> Result<()> {
    let error = tokio::select! {
        told = told => match told {
            Ok(()) => {
                tracing::info!("told to stop; calls in hand are finished");
                return Ok(());
            }
            Err(error) => error,
        },
        error = failure => error,
    };
    tracing::error!(error = %chain(&error), "a part failed; calls in hand are finished: {}", chain(&error));
    Err(error)
}

async fn whole(name: &'static str, work: impl Future<Output = ()> + Send) -> Result<()> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| failed(name, "panicked"))
}

fn failed(name: &str, how: &str) -> Error {
    Error::internal(format!("the task {name} {how}"))
}

fn outcome(ended: Result<Result<()>, JoinError>) -> Result<()> {
    ended.map_err(Error::internal)?
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::sync::oneshot;

    use super::*;

    /// A group with a task that works until the stop.
    fn working(stop: &CancellationToken) -> Group {
        let mut group = Group::until(stop.clone());
        group.keep("relay", stop.clone().cancelled_owned());
        group
    }

    /// CRD-03: a program does not go on without its relay or its consumer, whose end nobody would see.
    #[tokio::test]
    async fn a_task_that_panics_or_ends_untold_ends_its_program_with_an_error() {
        let (mut panicking, mut ending) = (working(&CancellationToken::new()), Group::default());
        panicking.keep("consumer", async { panic!("a defect") });
        ending.keep("jobs", ready(()));
        let mut blocking = Group::default();
        blocking.once_blocking("warm", || panic!("a defect"));

        let outcome = told_or_failed(pending(), panicking.failure()).await;
        assert!(chain(&outcome.expect_err("it panicked")).contains("the task consumer panicked"));
        assert!(chain(&ending.failure().await).contains("the task jobs ended untold"));
        assert!(chain(&blocking.failure().await).contains("the task warm panicked"));
        // What is left is still ended in order.
        panicking.stopped().await.expect("the relay ends when it is told to");
    }

    #[tokio::test]
    async fn a_task_that_ends_when_it_is_told_to_or_whose_work_is_done_is_no_failure() {
        let stop = CancellationToken::new();
        let mut group = working(&stop);
        let (done, known) = oneshot::channel();
        group.once("keys", async move { done.send(()).expect("the test waits") });

        let told = async { known.await.map_err(Error::internal) };
        told_or_failed(told, group.failure()).await.expect("it was told to stop");
        stop.cancel();
        group.stopped().await.expect("nothing failed");
    }

    /// A failure during the stop is told, and nobody is left behind for it.
    #[tokio::test]
    async fn all_tasks_end_although_one_of_them_panics_at_the_stop() {
        let stop = CancellationToken::new();
        let mut group = working(&stop);
        let (told, ended) = (stop.clone(), stop.clone());
        group.keep("consumer", async move {
            told.cancelled().await;
            panic!("a defect")
        });
        let (done, known) = oneshot::channel();
        group.keep("jobs", async move {
            ended.cancelled().await;
            done.send(()).expect("the test waits");
        });

        let outcome = group.stopped().await;

        assert!(chain(&outcome.expect_err("it panicked")).contains("the task consumer panicked"));
        known.await.expect("the other one ended in order");
    }
}
