//! `trato backups`: what backups there are in a folder, and which of them are to go.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{MANIFEST, Manifest};
use crate::output::{Outcome, Output};

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

/// Removes the oldest complete backups and keeps so many; answers which went. What is no complete backup is left alone: it
/// may be one that is being made, or something else.
pub fn remove_all_but(within: &Path, keep: u32) -> Result<Vec<PathBuf>> {
    let keep = usize::try_from(keep)?;
    let old = complete(within)?.into_iter().skip(keep);
    old.map(|one| {
        // Without its manifest it is no backup any more, whatever becomes of the rest.
        let removed =
            fs::remove_file(one.folder.join(MANIFEST)).and_then(|()| fs::remove_dir_all(&one.folder));
        removed.with_context(|| format!("{} cannot be removed", one.folder.display()))?;
        Ok(one.folder)
    })
    .collect()
}

/// The complete backups, the newest first.
fn complete(within: &Path) -> Result<Vec<Found>> {
    let entries = fs::read_dir(within).with_context(|| format!("cannot read {}", within.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let folder = entry?.path();
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
    use chrono::TimeDelta;

    use super::*;
    use crate::backup::FORMAT;

    #[test]
    fn the_oldest_complete_backups_go_and_nothing_else_does() {
        let within = tempfile::tempdir().expect("a folder");
        let now = Utc::now();
        for (name, age) in [("a", 3), ("b", 1), ("c", 2)] {
            let folder = within.path().join(name);
            fs::create_dir(&folder).expect("a folder");
            let moment = now - TimeDelta::days(age);
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
        }
        fs::create_dir(within.path().join("being-made")).expect("a folder");

        let removed = remove_all_but(within.path(), 2).expect("removed");

        assert_eq!(removed, [within.path().join("a")]);
        let left: Vec<_> =
            complete(within.path()).expect("readable").into_iter().map(|one| one.folder).collect();
        assert_eq!(left, [within.path().join("b"), within.path().join("c")]);
        assert!(within.path().join("being-made").exists());
    }
}
