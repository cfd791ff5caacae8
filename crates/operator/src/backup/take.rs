//! `trato backup`: all databases as they are at one moment, while they serve.
//!
//! The moment: every inbox is locked against writing, which stops consumers for a blink and no call; then a snapshot is
//! taken of every database; then the locks go. Whatever a consumer had heard of by then was committed by its source
//! before, so no database of the backup knows of something that another one lacks. What was on its way is in the logs,
//! and is sent again after a restore.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use serde_json::json;
use sqlx::{Connection as _, PgConnection, Row as _};
use tokio::time::timeout;

use super::{FORMAT, MANIFEST, Manifest, Part, fingerprint, list, postgres};
use crate::{
    installation::Installation,
    output::{Outcome, Output},
    service::Service,
    stage::Stage,
};

/// How often the moment is tried: a handler that takes long holds its inbox that long.
const TRIES: usize = 5;
/// Longest time for the locks and the snapshots.
const MOMENT: Duration = Duration::from_secs(30);
/// Time between two looks at a growing file.
const LOOK: Duration = Duration::from_millis(500);

/// `trato backup`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write; it must not exist, or be empty
    #[arg(long, required_unless_present = "within", conflicts_with = "within")]
    to: Option<PathBuf>,
    /// Folder in which to make a folder named by the time
    #[arg(long = "in", value_name = "FOLDER")]
    within: Option<PathBuf>,
    /// Remove the oldest backups there when this one is complete, and keep so many with it
    #[arg(long, value_name = "NUMBER", requires = "within", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
}

impl Args {
    fn folder(&self) -> PathBuf {
        match (&self.to, &self.within) {
            (Some(folder), _) => folder.clone(),
            // Clap asks for one of both.
            (None, within) => {
                within.clone().unwrap_or_default().join(Utc::now().format(list::NAME).to_string())
            }
        }
    }
}

/// A database whose content stands still for this transaction.
struct Snapshot {
    connection: PgConnection,
    id: String,
    /// A time before it, and one after it.
    around: (DateTime<Utc>, DateTime<Utc>),
    server: String,
    version: u32,
    numbered: i64,
    published: i64,
    schema: Vec<String>,
}

/// Makes a backup.
pub async fn run(args: Args, installation: &Installation, output: &Output) -> Result<Outcome> {
    let services: Vec<&Service> = installation.with_database().collect();
    for service in &services {
        backup_url(service)?;
    }
    for service in &services {
        let mut reader =
            postgres::connect(backup_url(service)?).await.with_context(|| service.name.clone())?;
        postgres::check_program("pg_dump", postgres::server_version(&mut reader).await?).await?;
        reader.close().await?;
    }
    let folder = args.folder();
    let is_new = prepare(&folder)?;
    if args.within.is_some() && !is_new {
        bail!("{} is another backup's, of the same second", folder.display());
    }
    let manifest = match make(&services, &folder, output).await {
        Ok(manifest) => manifest,
        Err(error) => {
            // What is left of it would fill the volume, and is of no use.
            return Err(match clear(&folder, is_new) {
                Ok(()) => error,
                Err(left) => error.context(format!("and {} cannot be removed: {left}", folder.display())),
            });
        }
    };
    let removed = match (&args.within, args.keep) {
        (Some(within), Some(keep)) => list::remove_all_but(within, keep)?,
        _ => Vec::new(),
    };

    let mut text = format!("{} is a backup of {}\n", folder.display(), manifest.from);
    for (service, part) in &manifest.services {
        text += &format!("  {service:<11} {} bytes, log at position {}\n", part.bytes, part.numbered);
    }
    for old in &removed {
        text += &format!("{} is removed\n", old.display());
    }
    text += "It holds everything that the databases hold: keep it as safe as them.\n";
    output.answer(&json!({ "folder": folder, "manifest": manifest, "removed": removed }), &text)?;
    Ok(Outcome::Fine)
}

/// Writes the dumps, and then the manifest.
async fn make(services: &[&Service], folder: &Path, output: &Output) -> Result<Manifest> {
    let stage = output.stage("taking a snapshot of every database");
    let snapshots = snapshots(services).await?;
    drop(stage);
    let from =
        snapshots.iter().map(|snapshot| snapshot.around.0).min().context("no service has a database")?;
    let to = snapshots.iter().map(|snapshot| snapshot.around.1).max().context("no service has a database")?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let mut manifest = Manifest { format: FORMAT, version, from, to, services: Default::default() };
    for (service, snapshot) in services.iter().zip(snapshots) {
        let part = dump(service, snapshot, folder, output).await?;
        manifest.services.insert(service.name.clone(), part);
    }
    write(folder, &manifest)?;
    Ok(manifest)
}

fn backup_url(service: &Service) -> Result<&str> {
    service.backup_url.as_deref().with_context(|| {
        format!("the installation does not give TRATO_DATABASE__BACKUP_URL of {}", service.name)
    })
}

/// Sees to it that there is an empty folder; false when it was there already.
fn prepare(folder: &Path) -> Result<bool> {
    if let Ok(mut entries) = fs::read_dir(folder) {
        if entries.next().is_some() {
            bail!("{} is not empty", folder.display());
        }
        return Ok(false);
    }
    let cannot = || format!("cannot make {}", folder.display());
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(parent).with_context(cannot)?;
    }
    DirBuilder::new().mode(0o700).create(folder).with_context(cannot)?;
    Ok(true)
}

/// Removes what was written, and the folder too where it was made for that.
fn clear(folder: &Path, is_new: bool) -> io::Result<()> {
    if is_new {
        return fs::remove_dir_all(folder);
    }
    fs::read_dir(folder)?.try_for_each(|entry| fs::remove_file(entry?.path()))
}

/// A snapshot of every database, all of one moment.
async fn snapshots(services: &[&Service]) -> Result<Vec<Snapshot>> {
    for _ in 1..TRIES {
        // A handler is slow, or another backup is under way; what it waits for is released in between.
        if let Some(snapshots) = try_snapshots(services).await? {
            return Ok(snapshots);
        }
    }
    try_snapshots(services).await?.with_context(|| {
        format!("a consumer kept its inbox locked for too long, {TRIES} times in turn; try again later")
    })
}

/// None when an inbox could not be locked in time.
async fn try_snapshots(services: &[&Service]) -> Result<Option<Vec<Snapshot>>> {
    // The logins first, so that nothing but the locks and the snapshots happens while consumers wait.
    let mut owners = try_join_all(services.iter().map(|service| async {
        let address = service.variable("TRATO_DATABASE__OWNER_URL")?;
        postgres::connect(address).await.with_context(|| service.name.clone())
    }))
    .await?;
    let readers = try_join_all(services.iter().map(|service| async {
        postgres::connect(backup_url(service)?).await.with_context(|| service.name.clone())
    }))
    .await?;
    let moment = async {
        let locked = try_join_all(owners.iter_mut().map(lock_inbox)).await?;
        if locked.contains(&false) {
            return Ok(None);
        }
        let snapshots = try_join_all(readers.into_iter().map(snapshot)).await?;
        // Fails where a lock was lost before, so that the snapshots may be of different moments.
        for owner in &mut owners {
            sqlx::raw_sql("commit").execute(owner).await?;
        }
        Ok(Some(snapshots))
    };
    // Given up, the connections close, and with them go the locks for which every consumer waits.
    timeout(MOMENT, moment).await.context("a database fell silent while the inboxes were locked")?
}

/// Keeps consumers from noting what they hear until the connection closes; false when one is at it for too long.
async fn lock_inbox(owner: &mut PgConnection) -> Result<bool> {
    sqlx::raw_sql(
        "begin; set local lock_timeout = '5s'; set local idle_in_transaction_session_timeout = '60s'",
    )
    .execute(&mut *owner)
    .await?;
    match sqlx::raw_sql("lock table platform.inbox in share mode").execute(owner).await {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("55P03") => Ok(false),
        Err(error) => Err(error).context("the inbox cannot be locked"),
    }
}

async fn snapshot(mut connection: PgConnection) -> Result<Snapshot> {
    // The snapshot lives as long as this transaction, which is idle while pg_dump works.
    let begin = "begin isolation level repeatable read read only";
    for sql in ["set idle_in_transaction_session_timeout = 0", begin] {
        sqlx::raw_sql(sql).execute(&mut connection).await?;
    }
    let sql = "select pg_export_snapshot() as id, now() as begun, clock_timestamp() as taken, current_setting('server_version') as server,
                 current_setting('server_version_num')::integer / 10000 as version,
                 coalesce((select numbered from platform.lease where name = 'relay'), 0) as numbered,
                 coalesce((select published from platform.lease where name = 'relay'), 0) as published,
                 (select coalesce(array_agg(component || '/' || name order by component, name), '{}')
                  from public.schema_version) as schema";
    let row = sqlx::query(sql).fetch_one(&mut connection).await.context("no snapshot can be taken")?;
    let around = (row.try_get("begun")?, row.try_get("taken")?);
    let (id, server) = (row.try_get("id")?, row.try_get("server")?);
    let (numbered, published, schema) =
        (row.try_get("numbered")?, row.try_get("published")?, row.try_get("schema")?);
    let version = u32::try_from(row.try_get::<i32, _>("version")?).context("the server tells no version")?;
    Ok(Snapshot { connection, id, around, server, version, numbered, published, schema })
}

async fn dump(service: &Service, snapshot: Snapshot, folder: &Path, output: &Output) -> Result<Part> {
    let stage = output.counting(format!("writing {}", service.name), "bytes");
    let file = format!("{}.dump", service.name);
    let path = folder.join(&file);
    let named = format!("--snapshot={}", snapshot.id);
    let arguments = ["--format=custom", &named, "--file", postgres::argument(&path)?];
    tokio::select! {
        done = postgres::run("pg_dump", snapshot.version, backup_url(service)?, &arguments) => done.with_context(|| service.name.clone())?,
        () = watch(&path, &stage) => {}
    }
    let Snapshot { connection, server, numbered, published, schema, .. } = snapshot;
    // The dump is written, and the snapshot of no use any more: that its connection broke meanwhile is no harm.
    let _ = connection.close().await;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    File::open(&path)?.sync_all()?;
    Ok(Part {
        bytes: fs::metadata(&path)?.len(),
        sha256: fingerprint(&path)?,
        file,
        server,
        numbered,
        published,
        schema,
    })
}

/// Says how large the file is; never ends.
async fn watch(path: &Path, stage: &Stage) {
    loop {
        tokio::time::sleep(LOOK).await;
        stage.reach(fs::metadata(path).map_or(0, |file| file.len()));
    }
}

/// Writes the manifest, whole or not at all.
fn write(folder: &Path, manifest: &Manifest) -> Result<()> {
    let new = folder.join("manifest.new");
    let mut file = File::create(&new)?;
    file.write_all((serde_json::to_string_pretty(manifest)? + "\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, folder.join(MANIFEST))?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_backup_goes_and_a_folder_that_was_there_stays() {
        let within = tempfile::tempdir().expect("a folder");
        let [new, old] = ["a/new", "old"].map(|name| within.path().join(name));
        fs::create_dir(&old).expect("a folder");

        for (folder, is_new) in [(&new, true), (&old, false)] {
            assert_eq!(prepare(folder).expect("it is empty"), is_new);
            fs::write(folder.join("sales.dump"), "rows").expect("written");
            assert!(prepare(folder).is_err(), "it is not empty");
            clear(folder, is_new).expect("it is ours");
        }

        assert!(!new.exists());
        assert!(fs::read_dir(&old).expect("it stays").next().is_none());
    }
}
