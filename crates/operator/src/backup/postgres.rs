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

/// The major version of a server.
pub async fn server_version(connection: &mut PgConnection) -> Result<u32> {
    let sql = "select current_setting('server_version_num')::integer / 10000";
    let version: i32 = sqlx::query_scalar(sql).fetch_one(connection).await?;
    u32::try_from(version).context("the server tells no version")
}

/// A client program for a server of this version: that of the same version among Debian's versioned folders, else their
/// newest, else the one on PATH.
pub fn program(name: &str, server: u32) -> Result<PathBuf> {
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
    versions.sort_by_key(|(version, _)| (*version == server, *version));
    let best = versions.pop().map(|(_, program)| program);
    best.or_else(|| find(name)).with_context(|| {
        format!("PostgreSQL's program {name} is neither on PATH nor in {VERSIONED}/<version>/bin")
    })
}

/// Refuses a client program that cannot do its work on a server of this version: `pg_dump` reads no newer server, and
/// `pg_restore` sets what an older one does not know.
pub async fn check_program(name: &str, server: u32) -> Result<()> {
    let program = program(name, server)?;
    let said = Command::new(&program).arg("--version").output().await;
    let said = said.with_context(|| format!("{} cannot be started", program.display()))?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let client = client_version(&said).with_context(|| format!("{name} tells no version: {said}"))?;
    let fits = if name == "pg_restore" { client <= server } else { client >= server };
    if !fits {
        bail!(
            "{name} is of version {client} and the server of {server}: take the programs of version {server}"
        );
    }
    Ok(())
}

/// `pg_dump (PostgreSQL) 17.2 (Debian 17.2-1)`.
fn client_version(said: &str) -> Option<u32> {
    let (_, version) = said.split_once("(PostgreSQL) ")?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Runs a client program against the database of an address, on a server of this version. The password is passed by a
/// variable, since everybody may read arguments.
pub async fn run(name: &str, server: u32, address: &str, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(program(name, server)?);
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
    fn the_version_of_a_client_program_is_read_from_what_it_says() {
        assert_eq!(client_version("pg_dump (PostgreSQL) 17.2 (Debian 17.2-1.pgdg120+1)\n"), Some(17));
        assert_eq!(client_version("pg_restore (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(client_version("pg_restore\n"), None);
    }

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
