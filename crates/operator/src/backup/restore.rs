//! `trato restore`: databases as they were at the moment of a backup, one or all, and then agreement.
//!
//! What was in the queues of a restored service is in the logs, or belongs to a past that no longer happened; either way
//! the queue is emptied, and what is lacking is sent again. Numbering goes on far above what was ever given out. Whoever was
//! shut out stays shut out.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use super::{Manifest, barred::Barred, fingerprint, postgres};
use crate::{
    installation::Installation,
    output::{Outcome, Output},
    reconcile::reconcile,
    service::Service,
    stage::Stage,
};

/// Longest wait for the logins of programs that have just been stopped to end.
const STOPPING: Duration = Duration::from_secs(15);
/// Longest wait for running services to take what is in their queues.
const DRAINING: Duration = Duration::from_secs(600);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(300);
/// Time between two looks at the size of a database, which looks at each of its files.
const WATCH: Duration = Duration::from_secs(5);

/// `trato restore`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the backup
    #[arg(long)]
    from: PathBuf,
    /// Only this service, whose database goes back further than the others; may be repeated
    #[arg(long)]
    service: Vec<String>,
    /// Replace databases that hold something
    #[arg(long)]
    replace: bool,
}

/// What waits at the broker for a service.
#[derive(Debug, Deserialize)]
struct Depth {
    messages: u32,
    consumers: u32,
}

/// Restores and reconciles. The programs of what is restored must not run.
pub async fn run(args: Args, installation: &Installation, output: &Output) -> Result<Outcome> {
    let manifest = Manifest::read(&args.from)?;
    let services = chosen(&args, &manifest, installation)?;
    // Everything that can be wrong is found before anything is taken away.
    for service in &services {
        check_file(service, &manifest, &args.from, output)?;
        check_database(service, args.replace).await.with_context(|| service.name.clone())?;
        service.variable("TRATO_BROKER__URL")?;
    }
    let barred = Barred::read(installation).await;
    for service in &services {
        restore(service, &manifest, &args.from, &barred, output)
            .await
            .with_context(|| service.name.clone())?;
    }
    empty_queues(&services, installation, output).await?;
    let reconciliation = reconcile(installation, false, output).await?;

    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    let text = format!(
        "{} {} as of {}\n{}{}Start the programs again.\n",
        names.join(", "),
        if names.len() == 1 { "is" } else { "are" },
        manifest.from,
        barred.text(),
        reconciliation.text(false)
    );
    let answer = json!({
        "restored": names, "moment": manifest.from, "barred": barred, "reconciliation": reconciliation,
    });
    output.answer(&answer, &text)?;
    Ok(reconciliation.outcome())
}

fn chosen<'a>(args: &Args, manifest: &Manifest, installation: &'a Installation) -> Result<Vec<&'a Service>> {
    let services: Vec<&Service> = match args.service.as_slice() {
        [] => installation.with_database().collect(),
        names => installation.select(names)?,
    };
    for service in &services {
        if !manifest.services.contains_key(&service.name) {
            bail!("the backup holds no database of {}", service.name);
        }
    }
    Ok(services)
}

fn check_file(service: &Service, manifest: &Manifest, folder: &Path, output: &Output) -> Result<()> {
    let _stage = output.stage(format!("checking the file of {}", service.name));
    let part = &manifest.services[&service.name];
    let path = folder.join(&part.file);
    if fingerprint(&path)? != part.sha256 {
        bail!("{} is not what the backup wrote: its SHA-256 differs", path.display());
    }
    Ok(())
}

/// Refuses a database in use, and one that holds something unless it may be replaced.
async fn check_database(service: &Service, replace: bool) -> Result<()> {
    let mut owner = owner(service).await?;
    let sql = "select count(*) from pg_class
               where relnamespace in (select oid from pg_namespace where nspname in ('public', 'platform'))
                 and relkind in ('r', 'p')";
    let tables: i64 = sqlx::query_scalar(sql).fetch_one(&mut owner).await?;
    if tables > 0 && !replace {
        bail!("its database holds something; --replace says that it may be taken away");
    }
    let roles = [
        postgres::role(service.variable("TRATO_DATABASE__URL")?)?,
        postgres::role(service.variable("TRATO_DATABASE__SYSTEM_URL")?)?,
    ];
    let begun = Instant::now();
    postgres::check_program("pg_restore", postgres::server_version(&mut owner).await?).await?;
    loop {
        let sql = "select count(*) from pg_stat_activity where datname = current_database() and usename::text = any($1)";
        let logins: i64 = sqlx::query_scalar(sql).bind(&roles[..]).fetch_one(&mut owner).await?;
        if logins == 0 {
            break;
        }
        if begun.elapsed() > STOPPING {
            bail!(
                "its programs still run ({logins} logins): stop them first, and start them after the restore"
            );
        }
        tokio::time::sleep(LOOK).await;
    }
    owner.close().await?;
    Ok(())
}

async fn owner(service: &Service) -> Result<PgConnection> {
    postgres::connect(service.variable("TRATO_DATABASE__OWNER_URL")?).await
}

/// Puts the content of the dump in place of what is there, brings it to the program's schema, and has the log go on far
/// above what was given out. Policies come after the rows, so that the owner may write them.
async fn restore(
    service: &Service,
    manifest: &Manifest,
    folder: &Path,
    barred: &Barred,
    output: &Output,
) -> Result<()> {
    let stage = output.counting(format!("restoring {}", service.name), "bytes");
    let mut owner = owner(service).await?;
    // Whoever else holds a table, a dump or a person, is not waited for without an end.
    sqlx::raw_sql("set lock_timeout = '60s'").execute(&mut owner).await?;
    sqlx::raw_sql(include_str!("empty.sql")).execute(&mut owner).await.context("it cannot be emptied")?;
    let server = postgres::server_version(&mut owner).await?;
    let path = folder.join(&manifest.services[&service.name].file);
    let address = service.variable("TRATO_DATABASE__OWNER_URL")?;
    let database = postgres::database(address)?;
    let arguments = [
        "--dbname",
        &database,
        "--no-owner",
        "--single-transaction",
        "--exit-on-error",
        postgres::argument(&path)?,
    ];
    tokio::select! {
        done = postgres::run("pg_restore", server, address, &arguments) => done?,
        () = watch(&mut owner, &stage) => {}
    }
    // It only watched: that it broke meanwhile is no harm.
    let _ = owner.close().await;
    drop(stage);
    service.run(&["migrate"]).await?.ok()?;
    barred.put_back(service).await?;
    let _: Value = service.ask(&["events", "leap", "--json"]).await?;
    Ok(())
}

/// Says how large the database is, which shows what `pg_restore` has written before it commits; never ends.
async fn watch(owner: &mut PgConnection, stage: &Stage) {
    loop {
        let sql = "select pg_database_size(current_database())";
        let size: sqlx::Result<i64> = sqlx::query_scalar(sql).fetch_one(&mut *owner).await;
        // A size that cannot be told is no reason to end a restore.
        if let Ok(size) = size {
            stage.reach(size.cast_unsigned());
        }
        tokio::time::sleep(WATCH).await;
    }
}

/// Empties the queues of what was restored, and of what does not run. Running services take what is in theirs, so that
/// all they can have heard of is in their inboxes.
async fn empty_queues(restored: &[&Service], installation: &Installation, output: &Output) -> Result<()> {
    for service in restored {
        // What a program had in hand when it ended comes back into the queue first.
        let begun = Instant::now();
        while depth(service).await?.consumers > 0 {
            if begun.elapsed() > STOPPING {
                bail!("somebody still takes what is in the queue of {}", service.name);
            }
            tokio::time::sleep(LOOK).await;
        }
        purge(service).await?;
    }
    for service in installation.with_database() {
        if restored.iter().any(|one| one.name == service.name) {
            continue;
        }
        let text = format!("waiting for {} to take what is in its queue", service.name);
        let stage = output.counting(text, "messages left");
        let begun = Instant::now();
        loop {
            let depth = depth(service).await?;
            stage.reach(depth.messages.into());
            match depth {
                Depth { messages: 0, .. } => break,
                Depth { consumers: 0, .. } => {
                    purge(service).await?;
                    break;
                }
                Depth { messages, .. } if begun.elapsed() > DRAINING => {
                    bail!(
                        "{} leaves {messages} messages in its queue; run `trato reconcile` when it took them",
                        service.name
                    )
                }
                Depth { .. } => tokio::time::sleep(LOOK).await,
            }
        }
    }
    Ok(())
}

async fn purge(service: &Service) -> Result<()> {
    let _: Value = service.ask(&["events", "purge", "--json"]).await?;
    Ok(())
}

async fn depth(service: &Service) -> Result<Depth> {
    let depth: Option<Depth> = service.ask(&["events", "queue", "--json"]).await?;
    depth.with_context(|| format!("{} has no queue; run `trato migrate`", service.name))
}
