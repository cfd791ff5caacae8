//! `trato support-bundle`: what helpers need to see, and nothing they must not: no secrets, no data of tenants.
//!
//! Settings are redacted by the programs themselves; whatever is written is searched once more for every password that
//! the installation knows.

use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use anyhow::{Context as _, Result};
use chrono::Utc;
use flate2::{Compression, write::GzEncoder};
use percent_encoding::percent_decode_str;
use serde_json::json;
use url::Url;

use crate::{
    doctor,
    installation::Installation,
    output::{Outcome, Output, complain},
};

/// `trato support-bundle`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File to write; - for standard output
    #[arg(long, default_value = "trato-support.tar.gz")]
    to: PathBuf,
}

impl Args {
    fn is_standard_output(&self) -> bool {
        self.to.as_os_str() == "-"
    }
}

/// Writes the bundle.
pub async fn run(args: Args, installation: &Installation, output: &Output) -> Result<Outcome> {
    let mut files: Vec<(String, String)> = Vec::new();
    let examination = doctor::examine(installation, output).await;
    files.push(("doctor.json".to_owned(), serde_json::to_string_pretty(&examination)?));
    files.push(("doctor.txt".to_owned(), examination.text()));
    for service in &installation.services {
        let names: Vec<&str> = service.variables.keys().map(String::as_str).collect();
        files.push((format!("{}/variables.txt", service.name), names.join("\n") + "\n"));
        let said = service.run(&["print-config"]).await;
        let text = said.and_then(|said| said.ok()).unwrap_or_else(|error| format!("{error:#}\n"));
        files.push((format!("{}/configuration.toml", service.name), text));
    }
    let secrets = secrets(installation);
    let about = json!({ "made": Utc::now(), "version": env!("CARGO_PKG_VERSION") });
    files.push(("about.json".to_owned(), serde_json::to_string_pretty(&about)?));

    for (_, text) in &mut files {
        *text = redact(text, &secrets);
    }
    let names: Vec<&String> = files.iter().map(|(name, _)| name).collect();
    let list: String = names.iter().map(|name| format!("  {name}\n")).collect();
    if args.is_standard_output() {
        pack(&files, std::io::stdout().lock())?.flush()?;
        complain(&format!("look at it before you send it:\n{list}"));
        return Ok(Outcome::Fine);
    }
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&args.to);
    let file = file.with_context(|| format!("cannot write {}", args.to.display()))?;
    pack(&files, file)?.sync_all()?;
    let text = format!("wrote {}; look at it before you send it:\n{list}", args.to.display());
    output.answer(&json!({ "file": args.to, "content": names }), &text)?;
    Ok(Outcome::Fine)
}

/// Writes the files as one archive; answers what it was written to.
fn pack<W: Write>(files: &[(String, String)], to: W) -> Result<W> {
    let mut archive = tar::Builder::new(GzEncoder::new(to, Compression::default()));
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(Utc::now().timestamp()).unwrap_or_default());
        archive.append_data(&mut header, format!("trato-support/{name}"), text.as_bytes())?;
    }
    Ok(archive.into_inner()?.finish()?)
}

/// Every password in an address that the installation gives, as written and as meant.
fn secrets(installation: &Installation) -> Vec<String> {
    let mut secrets = Vec::new();
    for service in &installation.services {
        for value in service.variables.values().chain(&service.backup_url) {
            let Some(password) = Url::parse(value).ok().and_then(|url| url.password().map(str::to_owned))
            else {
                continue;
            };
            secrets.push(percent_decode_str(&password).decode_utf8_lossy().into_owned());
            secrets.push(password);
        }
    }
    secrets.retain(|secret| !secret.is_empty());
    // The longest first, so that one that holds another goes whole.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
}

fn redact(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[redacted]"))
}
