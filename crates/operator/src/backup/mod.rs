//! Backup and restore of all databases to one moment, and what a backup says of itself.

mod barred;
pub mod list;
pub mod postgres;
pub mod restore;
pub mod take;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// File that says what a backup holds. It is written last: without it there is no backup.
const MANIFEST: &str = "manifest.json";
/// Form of the manifest that this program reads and writes.
const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Debug, Deserialize, Serialize)]
pub struct Manifest {
    /// Form of this file.
    format: u32,
    /// Version of the program that made it.
    version: String,
    /// All databases are as they were at one moment, not before this time …
    from: DateTime<Utc>,
    /// … and not after this one.
    to: DateTime<Utc>,
    /// The databases by service.
    services: BTreeMap<String, Part>,
}

/// One database of a backup.
#[derive(Debug, Deserialize, Serialize)]
pub struct Part {
    /// File beside the manifest, in pg_dump's custom format.
    file: String,
    /// Its size.
    bytes: u64,
    /// Its SHA-256.
    sha256: String,
    /// Version of the server it is from.
    server: String,
    /// Highest position of the log at the moment.
    numbered: i64,
    /// Position up to which the log was known to be published.
    published: i64,
    /// Migrations that had run.
    schema: Vec<String>,
}

impl Manifest {
    /// Reads the manifest of a backup.
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read: this is no complete backup", path.display()))?;
        let manifest: Self = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        if manifest.format != FORMAT {
            bail!("{} is of form {}, and this program reads form {FORMAT}", path.display(), manifest.format);
        }
        Ok(manifest)
    }
}

/// SHA-256 of a file.
fn fingerprint(path: &Path) -> Result<String> {
    let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex::encode(hash.finalize())),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
}
