//! Periodic work: each job runs on one process of the service at a time, whoever holds its lease.
//!
//! The lease is also the schedule: after a run it is released to be taken again when the next run is due, so that the
//! period holds across processes and restarts. A process that dies loses the lease after half a minute.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt as _;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use trato_types::{Error, Kind, Result, error::chain};

use crate::{
    App, Job,
    events::lease::{Lease, Lost, Term},
};

/// Time after which the job of a silent process is taken over.
const TTL: Duration = Duration::from_secs(30);
/// Time after which a failed run is repeated, unless the job's period is shorter.
const RETRY: Duration = Duration::from_secs(60);
/// Longest time between two looks at a lease.
const LOOK: Duration = Duration::from_secs(10);

/// Runs jobs until `shutdown`; a run under way is then dropped, and its transactions with it.
pub async fn run(app: App, jobs: Vec<Job>, shutdown: CancellationToken) {
    let mut tasks = JoinSet::new();
    for job in jobs {
        tasks.spawn(keep_running(app.clone(), job, shutdown.clone()));
    }
    while tasks.join_next().await.is_some() {}
}

async fn keep_running(app: App, job: Job, shutdown: CancellationToken) {
    let lease = Lease::new(app.database.system.clone(), format!("job/{}", job.name), TTL);
    let look = LOOK.min(job.period);
    while !shutdown.is_cancelled() {
        match lease.take(false).await {
            Ok(Some(term)) => run_once(&app, &job, &lease, &term, &shutdown).await,
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(job = job.name, error = %error, "the job's turn is not known; it waits")
            }
        }
        // Ends early at shutdown.
        let _ = timeout(look, shutdown.cancelled()).await;
    }
}

async fn run_once(app: &App, job: &Job, lease: &Lease, term: &Term, shutdown: &CancellationToken) {
    let span = tracing::info_span!("job", otel.name = job.name, job = job.name);
    let work = AssertUnwindSafe((job.run)(app.clone())).catch_unwind().instrument(span);
    let outcome: Result<()> = tokio::select! {
        outcome = work => outcome.unwrap_or_else(|_| {
            Err(Error::new(Kind::Internal, "JOB_PANICKED", "the job panicked"))
        }),
        // Another process has taken the job over; this one must not go on.
        () = fenced(lease, term) => {
            tracing::warn!(job = job.name, "the job {} passed on to another process", job.name);
            return;
        }
        () = shutdown.cancelled() => Err(Error::unavailable("SHUTTING_DOWN", "the process stops")),
    };
    let pause = match outcome {
        Ok(()) => job.period,
        Err(_) if shutdown.is_cancelled() => Duration::ZERO,
        Err(error) => {
            tracing::error!(job = job.name, error = %chain(&error), "the job {} failed; it is tried again", job.name);
            RETRY.min(job.period)
        }
    };
    if let Err(error) = lease.release(term, pause).await {
        tracing::warn!(job = job.name, error = %error, "the job's lease was not released; it runs out by itself");
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
