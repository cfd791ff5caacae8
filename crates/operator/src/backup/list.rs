//! `trato backups`: what backups there are in a folder, and which of them are to go.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{MANIFEST, Manifest};
use crate::output::{Outcome, Output};

/// How a folder is named by its time.
pub const NAME: &str = "%Y-%m-%dT%H-%M-%SZ";
/// Age of a folder named by its time after which nobody is at work in it any more.
const OVER: TimeDelta = TimeDelta::days(1);

/// `trato backups`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with one folder a backup
    #[arg(long = "in", value_name = "FOLDER")]
    within: PathBuf,
    /// Remove the oldest, and keep so many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
}

/// A backup that is complete.
#[derive(Debug, Serialize)]
struct Found {
    folder: PathBuf,
    moment: DateTime<Utc>,
    version: String,
    bytes: u64,
}

/// Lists the complete backups, the newest first.
pub fn run(args: &Args, output: &Output) -> Result<Outcome> {
    let removed = args.keep.map(|keep| remove_all_but(&args.within, keep)).transpose()?.unwrap_or_default();
    let found = complete(&args.within)?;
    let mut text: String = removed.iter().map(|old| format!("{} is removed\n", old.display())).collect();
    for one in &found {
        let Found { folder, moment, version, bytes } = one;
        text += &format!("{}  {moment}  {bytes} bytes, by version {version}\n", folder.display());
    }
    output.answer(&serde_json::json!({ "backups": found, "removed": removed }), &text)?;
    Ok(Outcome::Fine)
}

/// Removes the oldest complete backups, and what a killed program has left of others; keeps so many, and all that is
/// something else or may still be in the making. Answers which went.
pub fn remove_all_but(within: &Path, keep: u32) -> Result<Vec<PathBuf>> {
    // Looked for first: what loses its manifest below would be among them.
    let mut removed = broken_off(within)?;
    for one in complete(within)?.into_iter().skip(usize::try_from(keep)?) {
        // Without its manifest it is no backup any more, whatever becomes of the rest.
        let gone = fs::remove_file(one.folder.join(MANIFEST));
        gone.with_context(|| format!("{} cannot be removed", one.folder.display()))?;
        removed.push(one.folder);
    }
    for folder in &removed {
        fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    Ok(removed)
}

/// Folders named by a time long ago that have no manifest, and in which nothing has changed for long.
fn broken_off(within: &Path) -> Result<Vec<PathBuf>> {
    let before = Utc::now() - OVER;
    let mut found = folders(within)?;
    found.retain(|folder| {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_old = NaiveDateTime::parse_from_str(name, NAME).is_ok_and(|time| time < before.naive_utc());
        // One that cannot be looked at is left alone.
        is_old
            && matches!(folder.join(MANIFEST).try_exists(), Ok(false))
            && last_change(folder).is_ok_and(|change| change < before)
    });
    Ok(found)
}

/// When something in a folder last changed.
fn last_change(folder: &Path) -> io::Result<DateTime<Utc>> {
    let mut last = fs::metadata(folder)?.modified()?;
    for entry in fs::read_dir(folder)? {
        last = last.max(entry?.metadata()?.modified()?);
    }
    Ok(last.into())
}

fn folders(within: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(within).with_context(|| format!("cannot read {}", within.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// The complete backups, the newest first.
fn complete(within: &Path) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for folder in folders(within)? {
        if let Ok(manifest) = Manifest::read(&folder) {
            let bytes = manifest.services.values().map(|part| part.bytes).sum();
            found.push(Found { folder, moment: manifest.from, version: manifest.version, bytes });
        }
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.moment));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::FORMAT;

    #[test]
    fn the_oldest_complete_backups_go_and_nothing_else_does() {
        let within = tempfile::tempdir().expect("a folder");
        let now = Utc::now();
        let [a, b, c] = [4, 1, 2].map(|age| {
            let moment = now - TimeDelta::days(age);
            let folder = within.path().join(moment.format(NAME).to_string());
            fs::create_dir(&folder).expect("a folder");
            let manifest = Manifest {
                format: FORMAT,
                version: "1".into(),
                from: moment,
                to: moment,
                services: Default::default(),
            };
            let text = serde_json::to_string(&manifest).expect("JSON");
            fs::write(folder.join(MANIFEST), text).expect("written");
            fs::write(folder.join("sales.dump"), "rows").expect("written");
            folder
        });
        let being_made = within.path().join(now.format(NAME).to_string());
        let [broken_off, being_copied] =
            [5, 6].map(|age| within.path().join((now - TimeDelta::days(age)).format(NAME).to_string()));
        let another = within.path().join("by-hand");
        for folder in [&being_made, &broken_off, &being_copied, &another] {
            fs::create_dir(folder).expect("a folder");
        }
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(5 * 86_400);
        let times = fs::FileTimes::new().set_modified(long_ago);
        fs::File::open(&broken_off).and_then(|folder| folder.set_times(times)).expect("it is ours");

        let removed = remove_all_but(within.path(), 2).expect("removed");

        assert_eq!(removed, [broken_off, a]);
        let left: Vec<_> =
            complete(within.path()).expect("readable").into_iter().map(|one| one.folder).collect();
        assert_eq!(left, [b, c]);
        assert!(being_made.exists() && being_copied.exists() && another.exists());
    }
}
