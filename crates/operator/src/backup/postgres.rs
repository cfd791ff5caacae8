//! PostgreSQL's client programs, and connections by the installation's addresses.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail};
use percent_encoding::percent_decode_str;
use sqlx::{ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use tokio::process::Command;
use url::Url;

use crate::service::find;

/// Where Debian keeps the programs of each version.
const VERSIONED: &str = "/usr/lib/postgresql";

/// A connection by address.
pub async fn connect(address: &str) -> Result<PgConnection> {
    let options: PgConnectOptions = address.parse().context("the address is not one of PostgreSQL")?;
    let options = options.application_name("trato");
    let role = options.get_username().to_owned();
    options.connect().await.with_context(|| format!("{role} cannot log in"))
}

/// A client program: the newest of Debian's versioned folders, else the one on PATH. A newer one reads older servers.
pub fn program(name: &str) -> Result<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(VERSIONED)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            let program = entry.path().join("bin").join(name);
            program.is_file().then_some((version, program))
        })
        .collect();
    versions.sort();
    let newest = versions.pop().map(|(_, program)| program);
    newest.or_else(|| find(name)).with_context(|| {
        format!("PostgreSQL's program {name} is neither on PATH nor in {VERSIONED}/<version>/bin")
    })
}

/// Runs a client program against the database of an address. The password is passed by a variable, since everybody may
/// read arguments.
pub async fn run(name: &str, address: &str, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(program(name)?);
    command.envs(variables(address)?).args(arguments).arg("--no-password");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = command.output().await.with_context(|| format!("{name} cannot be started"))?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// An address as libpq's variables.
fn variables(address: &str) -> Result<Vec<(&'static str, String)>> {
    let url = Url::parse(address).ok().context("the address is not a URL")?;
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut variables = vec![
        ("PGHOST", plain(url.host_str().unwrap_or("localhost"))),
        ("PGPORT", url.port().unwrap_or(5432).to_string()),
        ("PGUSER", plain(url.username())),
        ("PGPASSWORD", plain(url.password().unwrap_or_default())),
        ("PGDATABASE", plain(url.path().trim_start_matches('/'))),
    ];
    for (key, value) in url.query_pairs() {
        let variable = match key.as_ref() {
            "host" => "PGHOST",
            "port" => "PGPORT",
            "user" => "PGUSER",
            "password" => "PGPASSWORD",
            "sslmode" | "ssl-mode" => "PGSSLMODE",
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => "PGSSLROOTCERT",
            "sslcert" | "ssl-cert" => "PGSSLCERT",
            "sslkey" | "ssl-key" => "PGSSLKEY",
            _ => continue,
        };
        // Of two values of one variable the last one holds.
        variables.push((variable, value.into_owned()));
    }
    Ok(variables)
}

/// The database's name in an address, which is no secret.
pub fn database(address: &str) -> Result<String> {
    let url = Url::parse(address).ok().context("the address is not a URL")?;
    Ok(percent_decode_str(url.path().trim_start_matches('/')).decode_utf8_lossy().into_owned())
}

/// The login's name in an address.
pub fn role(address: &str) -> Result<String> {
    let url = Url::parse(address).ok().context("the address is not a URL")?;
    Ok(percent_decode_str(url.username()).decode_utf8_lossy().into_owned())
}

/// A path as an argument.
pub fn argument(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not a path of plain text", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_the_variables_of_libpq() {
        let address = "postgres://sales_backup:p%40ss%2Fword@db.example:6432/sales?sslmode=verify-full&sslrootcert=/tls/ca.crt";
        let variables = variables(address).expect("an address");
        for (name, value) in [
            ("PGHOST", "db.example"),
            ("PGPORT", "6432"),
            ("PGUSER", "sales_backup"),
            ("PGPASSWORD", "p@ss/word"),
            ("PGDATABASE", "sales"),
            ("PGSSLMODE", "verify-full"),
            ("PGSSLROOTCERT", "/tls/ca.crt"),
        ] {
            assert!(variables.contains(&(name, value.to_owned())), "{name}: {variables:?}");
        }
        assert!(super::variables("host=db user=sales").is_err());
    }
}
