//! Periodic work: each job runs on one process of the service at a time, whoever holds its lease.
//!
//! The lease is also the schedule: after a run it is released to be taken again when the next run is due, so that the
//! period holds across processes and restarts. A process that dies loses the lease after half a minute.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, field::Empty};
use trato_types::{Error, Kind, Result, error::chain};

use crate::{
    App, Job,
    db::Pool,
    events::lease::{Lease, Lost, Term},
    telemetry::metrics::metrics,
};

/// Time after which the job of a silent process is taken over.
const TTL: Duration = Duration::from_secs(30);
/// Time after which a failed run is repeated, unless the job's period is shorter.
const RETRY: Duration = Duration::from_secs(60);
/// Longest time between two looks at a lease.
const LOOK: Duration = Duration::from_secs(10);

/// A job with what it needs to run.
struct Task {
    name: &'static str,
    period: Duration,
    run: Box<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>,
}

/// Runs jobs until `shutdown`; a run under way is then dropped, and its transactions with it.
pub async fn run(app: App, jobs: Vec<Job>, shutdown: CancellationToken) {
    let system = app.database.system.clone();
    let tasks = jobs.into_iter().map(|job| {
        let app = app.clone();
        Task { name: job.name, period: job.period, run: Box::new(move || (job.run)(app.clone())) }
    });
    run_tasks(&system, tasks.collect(), &shutdown).await;
}

async fn run_tasks(system: &Pool, tasks: Vec<Task>, shutdown: &CancellationToken) {
    let mut running = JoinSet::new();
    for task in tasks {
        let lease = Lease::new(system.clone(), format!("job/{}", task.name), TTL);
        running.spawn(keep_running(task, lease, shutdown.clone()));
    }
    while let Some(ended) = running.join_next().await {
        // A job that panics is caught; what panics here is its loop, which the process must not go on without.
        if let Err(error) = ended
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

async fn keep_running(task: Task, lease: Lease, shutdown: CancellationToken) {
    metrics().job_planned(task.name);
    let look = LOOK.min(task.period);
    while !shutdown.is_cancelled() {
        match lease.take(false).await {
            Ok(Some(term)) => run_once(&task, &lease, &term, &shutdown).await,
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(job = task.name, error = %error, "the job's turn is not known; it waits")
            }
        }
        // Ends early at shutdown.
        let _ = timeout(look, shutdown.cancelled()).await;
    }
}

async fn run_once(task: &Task, lease: &Lease, term: &Term, shutdown: &CancellationToken) {
    let job = task.name;
    let span = tracing::info_span!("job", otel.name = job, otel.status_code = Empty, job, error.type = Empty);
    let started = Instant::now();
    let work = AssertUnwindSafe((task.run)()).catch_unwind().instrument(span.clone());
    let outcome: Result<()> = tokio::select! {
        outcome = work => outcome.unwrap_or_else(|_| {
            Err(Error::new(Kind::Internal, "JOB_PANICKED", "the job panicked"))
        }),
        // Another process has taken the job over; this one must not go on.
        () = fenced(lease, term) => {
            tracing::warn!(job, "the job {job} passed on to another process");
            return;
        }
        () = shutdown.cancelled() => Err(Error::unavailable("SHUTTING_DOWN", "the process stops")),
    };
    let pause = match outcome {
        Ok(()) => {
            metrics().job_ran(job, None, started.elapsed());
            task.period
        }
        Err(_) if shutdown.is_cancelled() => Duration::ZERO,
        Err(error) => {
            metrics().job_ran(job, Some(error.reason()), started.elapsed());
            span.record("error.type", error.reason());
            span.record("otel.status_code", "ERROR");
            tracing::error!(job, error = %chain(&error), "the job {job} failed; it is tried again");
            RETRY.min(task.period)
        }
    };
    if let Err(error) = lease.release(term, pause).await {
        tracing::warn!(job, error = %error, "the job's lease was not released; it runs out by itself");
    }
}

/// Extends the lease while the job runs; ends when it is lost.
async fn fenced(lease: &Lease, term: &Term) {
    loop {
        sleep(lease.ttl / 3).await;
        match lease.renew(term).await {
            Ok(()) => {}
            Err(Lost::Fenced) => return,
            Err(Lost::Database(error)) => tracing::warn!(error = %error, "a job's lease was not extended"),
        }
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;
    use crate::testing::{database, eventually, pool};

    fn task(
        name: &'static str,
        period: Duration,
        runs: &Arc<AtomicUsize>,
        outcome: fn() -> Result<()>,
    ) -> Task {
        let runs = runs.clone();
        let run = move || {
            let runs = runs.clone();
            async move {
                runs.fetch_add(1, Ordering::SeqCst);
                outcome()
            }
            .boxed()
        };
        Task { name, period, run: Box::new(run) }
    }

    async fn system() -> Pool {
        let url = database("jobs", &[]).await.system_url;
        pool(&url)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_job_runs_on_one_of_many_processes_once_per_period() {
        let (system, shutdown, runs) =
            (system().await, CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let hour = Duration::from_secs(3_600);

        let processes: Vec<_> = (0..8)
            .map(|_| {
                let (system, shutdown, task) =
                    (system.clone(), shutdown.clone(), task("once", hour, &runs, || Ok(())));
                tokio::spawn(async move { run_tasks(&system, vec![task], &shutdown).await })
            })
            .collect();
        let due = eventually(async || {
            let due = "select extract(epoch from expire_time - clock_timestamp())::float8 from platform.lease where name = $1";
            let due: Option<f64> =
                sqlx::query_scalar(due).bind("job/once").fetch_optional(&system).await.map_err(|error| error.to_string())?;
            due.filter(|due| *due > 3_000.0).ok_or_else(|| format!("due in {due:?} s"))
        })
        .await;
        shutdown.cancel();
        for process in processes {
            process.await.expect("it ends");
        }

        assert!(due <= 3_600.0);
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_job_that_fails_or_panics_is_tried_again() {
        let (system, shutdown, runs) =
            (system().await, CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let failing = task("failing", Duration::from_millis(20), &runs, || Err(Error::internal("no luck")));
        let panicking = task("panicking", Duration::from_millis(20), &runs, || panic!("no luck at all"));

        let running = {
            let (system, shutdown) = (system.clone(), shutdown.clone());
            tokio::spawn(async move { run_tasks(&system, vec![failing, panicking], &shutdown).await })
        };
        eventually(async || {
            let count = runs.load(Ordering::SeqCst);
            if count >= 6 { Ok(()) } else { Err(format!("{count} runs")) }
        })
        .await;

        shutdown.cancel();
        running.await.expect("it ends");
    }
}
