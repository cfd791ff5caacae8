//! What every measurement shares: the private stack, its tenants and databases, the length of rounds.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde::Serialize;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    BenchOptions,
    client::Target,
    usage::{Cpu, Meter},
};
use crate::{Grant, Profile, Stack, StackOptions, Tenant, progress::Progress, wait::eventually};

/// Callers at once, of the limit and of ours.
pub const CALLERS: usize = 32;

/// Programs of the suite.
pub const PROGRAMS: [&str; 4] = ["customers", "sales", "billing", "gateway"];

/// Longest wait for the relay and the consumers to have nothing left to do.
const QUIET_PATIENCE: Duration = Duration::from_secs(300);

/// A stack under measurement.
#[derive(Debug)]
pub struct Room {
    /// The stack.
    pub stack: Stack,
    /// Rounds of each side.
    pub rounds: usize,
    /// Length of a round.
    pub span: Duration,
    /// Accounts that reads pick from.
    pub rows: usize,
    /// Where progress is told.
    pub progress: Progress,
    /// A superuser's connections, by database.
    pub customers: PgPool,
    /// The same to sales.
    pub sales: PgPool,
    /// The same to billing.
    pub billing: PgPool,
    /// Tenant of the accounts that were imported.
    pub imported: Option<Tenant>,
    load_at_start: String,
}

/// Where and when figures were measured.
#[derive(Clone, Debug, Serialize)]
pub struct Surroundings {
    /// Commit of the checkout, with `+` when files were changed.
    pub commit: String,
    /// Processors of the machine.
    pub processors: usize,
    /// Load averages of the machine before and after.
    pub load: String,
    /// Rounds of each side and their length in seconds.
    pub rounds: (usize, u64),
    /// Accounts that reads pick from.
    pub rows: usize,
    /// Version of PostgreSQL.
    pub postgres: String,
}

impl Room {
    /// Starts the stack.
    pub async fn open(options: &BenchOptions, progress: Progress) -> Result<Self> {
        let mut stack = StackOptions::private("bench")
            // One caller makes all the load; the limit is for people.
            .env("gateway", "TRATO_RATE__PER_CALLER", "1000000")
            .env("gateway", "TRATO_RATE__BURST_PER_CALLER", "1000000")
            .env("gateway", "TRATO_RATE__PER_TENANT", "1000000")
            .env("gateway", "TRATO_RATE__BURST_PER_TENANT", "1000000");
        for program in PROGRAMS {
            stack = stack.env(program, "TRATO_TELEMETRY__LOG_FILTER", "warn");
        }
        stack = StackOptions { profile: Profile::Release, progress: progress.clone(), ..stack };
        let stack = Stack::start(stack).await?;
        let superuser = stack.facts().postgres.superuser_url;
        let pool = |database| pool(&superuser, database);
        let (customers, sales, billing) = (pool("customers")?, pool("sales")?, pool("billing")?);
        Ok(Self {
            stack,
            rounds: if options.short { 3 } else { 5 },
            span: Duration::from_secs(if options.short { 3 } else { 10 }),
            rows: if options.short { 20_000 } else { 100_000 },
            progress,
            customers,
            sales,
            billing,
            imported: None,
            load_at_start: load(),
        })
    }

    /// Stops it.
    pub async fn close(self) {
        self.customers.close().await;
        self.sales.close().await;
        self.billing.close().await;
        self.stack.stop(&Progress::silent()).await;
    }

    /// A tenant nobody has used yet, and the gateway with a token that may do everything in it.
    pub fn tenant(&self) -> Result<(Tenant, Target)> {
        let tenant = Tenant::fresh();
        let target = self.gateway(&tenant)?;
        Ok((tenant, target))
    }

    /// The gateway, as an administrator of a tenant.
    pub fn gateway(&self, tenant: &Tenant) -> Result<Target> {
        Target::new(self.stack.facts().gateway_url()?, &self.token(tenant)?)
    }

    /// A token of an administrator of a tenant.
    pub fn token(&self, tenant: &Tenant) -> Result<String> {
        self.stack.facts().minter()?.mint(&Grant::new(&tenant.claim, "administrator"))
    }

    /// A file for a script.
    pub fn file(&self, name: &str) -> PathBuf {
        self.stack.home().dir.join(name)
    }

    /// Begins to measure processor time of servers and programs.
    pub fn meter(&self) -> Result<Meter> {
        let mut roots = Vec::new();
        for name in PROGRAMS.iter().chain(&["postgres", "rabbitmq"]) {
            if let Some(pid) = self.stack.pid(name)? {
                roots.push(((*name).to_owned(), pid));
            }
        }
        Ok(Meter::start(roots))
    }

    /// The processes of these names, as far as they are this machine's.
    pub fn roots(&self, names: &[&str]) -> Result<Vec<u32>> {
        names.iter().filter_map(|name| self.stack.pid(name).transpose()).collect()
    }

    /// Waits until every event is published and every queue handled, so that a round does not pay for the one before.
    pub async fn quiet(&self) -> Result<()> {
        const UNPUBLISHED: &str = "select exists (select from platform.event where position is null) \
            or exists (select from platform.lease where published < numbered)";
        let begun = Instant::now();
        eventually(QUIET_PATIENCE, "the relay to have published everything", async || {
            for pool in [&self.customers, &self.sales, &self.billing] {
                let busy: bool = sqlx::query_scalar(UNPUBLISHED).fetch_one(pool).await.ok()?;
                if busy {
                    return None;
                }
            }
            Some(())
        })
        .await?;
        // What was published is handled when the inboxes stop growing.
        let mut before = self.handled().await?;
        loop {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let after = self.handled().await?;
            if after == before || begun.elapsed() > QUIET_PATIENCE {
                return Ok(());
            }
            before = after;
        }
    }

    /// Rows of all inboxes.
    async fn handled(&self) -> Result<i64> {
        let mut handled = 0;
        for pool in [&self.customers, &self.sales, &self.billing] {
            let rows: i64 = sqlx::query_scalar("select count(*) from platform.inbox").fetch_one(pool).await?;
            handled += rows;
        }
        Ok(handled)
    }

    /// Accounts of a tenant.
    pub async fn accounts(&self, tenant: &Tenant) -> Result<u64> {
        let rows: i64 = sqlx::query_scalar("select count(*) from account where tenant_id = $1")
            .bind(tenant.id)
            .fetch_one(&self.customers)
            .await?;
        Ok(u64::try_from(rows)?)
    }

    /// Ends a program and starts it again with other variables; answers how long it took to be ready, in milliseconds.
    pub async fn restart(&self, program: &str, variables: &[(&str, String)]) -> Result<f64> {
        self.stack.terminate(program).await?;
        for (name, value) in variables {
            self.stack.set_env(program, name, value)?;
        }
        let begun = Instant::now();
        self.stack.start_again(program).await?;
        self.stack.wait_ready(program, Duration::from_secs(60)).await?;
        Ok(begun.elapsed().as_secs_f64() * 1000.0)
    }

    /// Ends a program and starts it again without the variables that `restart` has given it.
    pub async fn restart_as_made(&self, program: &str) -> Result<f64> {
        self.stack.reset_env(program)?;
        self.restart(program, &[]).await
    }

    /// What a reader needs to know to judge the figures.
    pub async fn surroundings(&self) -> Result<Surroundings> {
        let postgres: String = sqlx::query_scalar("show server_version").fetch_one(&self.customers).await?;
        Ok(Surroundings {
            commit: commit(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            load: format!("{} before, {} after", self.load_at_start, load()),
            rounds: (self.rounds, self.span.as_secs()),
            rows: self.rows,
            postgres,
        })
    }
}

/// Milliseconds of processor time a call, by process, as a remark.
pub fn cpu_note(side: &str, cpu: &Cpu, calls: u64) -> String {
    let calls = calls.max(1) as f64;
    let parts: Vec<String> = cpu
        .iter()
        .filter(|(_, millis)| **millis / calls >= 0.0005)
        .map(|(name, millis)| format!("{name} {:.3}", millis / calls))
        .collect();
    let sum: f64 = cpu.values().sum::<f64>() / calls;
    format!("CPU ms a call, {side}: {sum:.3} ({})", parts.join(", "))
}

/// A superuser's connections to a database.
pub fn pool(superuser: &str, database: &str) -> Result<PgPool> {
    let options: PgConnectOptions = superuser.parse()?;
    Ok(PgPoolOptions::new().max_connections(2).connect_lazy_with(options.database(database)))
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short", "HEAD"]).context("no git").unwrap_or_default();
    let changed = git(&["status", "--porcelain"]).is_some_and(|status| !status.is_empty());
    format!("{commit}{}", if changed { "+" } else { "" })
}
