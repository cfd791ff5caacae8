//! pgbench as the limit: the same SQL, prepared, with as many clients.

use std::{path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail};
use sqlx::postgres::PgConnectOptions;
use tokio::process::Command;

use crate::backing;

/// A script and whom to run it as.
#[derive(Debug)]
pub struct Script {
    program: PathBuf,
    file: PathBuf,
    url: String,
    variables: Vec<(String, String)>,
}

/// What came of a round.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Transactions done.
    pub done: u64,
    /// Transactions a second, connecting not counted.
    pub rate: f64,
}

impl Script {
    /// Writes the script to `file`, to be run with the login of `url`.
    pub fn write(file: PathBuf, url: &str, text: &str, variables: Vec<(String, String)>) -> Result<Self> {
        let beside = backing::psql().and_then(|psql| Some(psql.parent()?.join("pgbench")));
        let program = beside.filter(|path| path.is_file()).or_else(|| backing::on_path("pgbench"));
        let program = program.context("there is no pgbench; it is part of the package postgresql")?;
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Self { program, file, url: url.to_owned(), variables })
    }

    /// Runs it for a time with so many clients. A failed transaction fails the round.
    pub async fn run(&self, clients: usize, span: Duration) -> Result<Outcome> {
        let server: PgConnectOptions = self.url.parse()?;
        let password = self.url.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
        let password = password.and_then(|(login, _)| login.split_once(':')).map_or("", |(_, secret)| secret);
        let mut command = Command::new(&self.program);
        command
            .args(["-n", "-M", "prepared", "-j", "2"])
            .args(["-c", &clients.to_string(), "-T", &span.as_secs().max(1).to_string()])
            .args(["-h", server.get_host(), "-p", &server.get_port().to_string()])
            .args(["-U", server.get_username()])
            .arg("-f")
            .arg(&self.file)
            .args(self.variables.iter().map(|(name, value)| format!("-D{name}={value}")))
            .arg(server.get_database().unwrap_or("postgres"))
            .env("PGPASSWORD", password)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command.output().await.context("pgbench cannot be started")?;
        let (said, complained) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let failed = number(&said, "number of failed transactions: ").unwrap_or(0.0);
        if !output.status.success() || failed > 0.0 {
            bail!("pgbench failed: {}", complained.trim());
        }
        let done = number(&said, "number of transactions actually processed: ");
        let (done, rate) = done.zip(number(&said, "tps = ")).context("pgbench says no rate")?;
        Ok(Outcome { done: done as u64, rate })
    }
}

/// The number after a phrase.
fn number(text: &str, phrase: &str) -> Option<f64> {
    let (_, rest) = text.split_once(phrase)?;
    rest.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_what_pgbench_says() {
        let text = "number of transactions actually processed: 51\ntps = 25.75 (without initial)\n";
        assert_eq!(number(text, "tps = "), Some(25.75));
        assert_eq!(number(text, "number of transactions actually processed: "), Some(51.0));
    }
}
