//! Where the checkout and its build output lie.
//!
//! Found at run time, so that a binary that was moved or a target folder set elsewhere still works.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

/// A checkout of this repository.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// Folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's build output.
    pub target: PathBuf,
}

/// Which build of the programs runs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Cargo's `dev` profile.
    #[default]
    Debug,
    /// Cargo's `release` profile.
    Release,
}

impl Profile {
    /// Name of the folder under `target/`.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

impl Checkout {
    /// Finds the workspace around the package cargo runs, or around the current folder.
    pub fn find() -> Result<Self> {
        let start = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(package) => PathBuf::from(package),
            None => env::current_dir().context("the current folder cannot be read")?,
        };
        let root = start.ancestors().find(|folder| is_workspace(folder));
        let Some(root) = root else {
            bail!("no Cargo workspace at or above {}; run this inside the checkout", start.display());
        };
        Ok(Self { root: root.to_owned(), target: target_folder(root) })
    }

    /// Folder of the built programs.
    pub fn programs(&self, profile: Profile) -> PathBuf {
        self.target.join(profile.folder())
    }
}

fn is_workspace(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "[workspace]"))
}

/// The running program lies in the target folder, which cargo marks by a CACHEDIR.TAG; that holds for every way to set it.
fn target_folder(root: &Path) -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let marked = program.ancestors().skip(1).find(|folder| folder.join("CACHEDIR.TAG").is_file());
    marked.map_or_else(|| root.join("target"), Path::to_owned)
}
