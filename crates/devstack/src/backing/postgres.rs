//! A private PostgreSQL: its own data folder and port, never the machine's own cluster.
//!
//! Logins use plain passwords over the loopback address: SCRAM costs a client in a debug build tens of milliseconds a
//! connection, and who can read loopback traffic is root already.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use sqlx::{ConnectOptions as _, Connection as _, postgres::PgConnectOptions};

use super::{
    Postgres,
    locate::{self, Found, PostgresPrograms},
};
use crate::{
    account::Account,
    home::Home,
    process::Launch,
    unit::{Ready, Unit, Watch},
};

/// Longest path of a Unix socket less the name PostgreSQL gives it.
const LONGEST_SOCKET_FOLDER: usize = 80;

/// Longest time `initdb` may take.
const INITDB_PATIENCE: Duration = Duration::from_secs(120);

/// Makes the cluster when there is none, and starts it.
pub async fn start(
    programs: &PostgresPrograms,
    home: &Home,
    port: u16,
    password: &str,
    watch: &Watch,
) -> Result<Postgres> {
    let account = Account::for_server("postgres")?;
    let folder = home.server_folder("postgres", &account)?;
    let data = folder.join("data");
    if !data.join("PG_VERSION").is_file() {
        watch.progress.say("postgres", format!("making a new cluster in {}", data.display()));
        make_cluster(programs, home, &account, &folder, password).await?;
    }
    let sockets = folder.join("sockets");
    fs::create_dir_all(&sockets)?;
    account.own(&sockets)?;

    let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
    let launch = launch(programs, home, &account, &folder, "postgres", "postgres")
        .arg("-D")
        .arg(&data)
        .args(settings(port, &sockets))
        // A fast shutdown, even when this program is killed.
        .death_signal(Signal::SIGINT);
    let unit = Unit::new(
        launch,
        Ready::Postgres { url: url.clone() },
        (Signal::SIGINT, Duration::from_secs(30)),
        watch,
    );
    let version = programs.major;
    watch.progress.say("postgres", format!("starting PostgreSQL {version}"));
    unit.start().await?;
    unit.wait_ready(Duration::from_secs(90)).await?;
    watch.progress.say("postgres", format!("PostgreSQL {version} is ready on 127.0.0.1:{port}"));
    Ok(Postgres { url, control: Some(super::Control::Process(unit)) })
}

/// The major version of the data in a home, when there is data.
pub fn version_of_data(home: &Home) -> Result<Option<u32>> {
    let folder = home.server_folder("postgres", &Account::for_server("postgres")?)?;
    match fs::read_to_string(folder.join("data/PG_VERSION")) {
        Ok(version) => Ok(version.trim().parse().ok()),
        Err(_) => Ok(None),
    }
}

/// Finds programs that fit the data in the home; says what to do when the data is of another version.
pub fn locate(home: &Home) -> Result<Found<PostgresPrograms>> {
    let wanted = version_of_data(home)?;
    match (locate::postgres(wanted), wanted) {
        (Found::Missing, Some(version)) if !matches!(locate::postgres(None), Found::Missing) => {
            bail!(
                "the data in {} is of PostgreSQL {version}, which is not installed any more; \
                 install postgresql-{version}, or start afresh with `cargo dev reset`",
                home.dir.display()
            )
        }
        (found, _) => Ok(found),
    }
}

/// True when the server accepts this login.
pub async fn answers(url: &str) -> bool {
    let Ok(options) = url.parse::<PgConnectOptions>() else { return false };
    match options.disable_statement_logging().connect().await {
        Ok(connection) => connection.close().await.is_ok(),
        Err(_) => false,
    }
}

async fn make_cluster(
    programs: &PostgresPrograms,
    home: &Home,
    account: &Account,
    folder: &Path,
    password: &str,
) -> Result<()> {
    // A cluster half made, by an interrupted start, is thrown away: only the rename makes it valid.
    let new = folder.join("data.new");
    if new.exists() {
        fs::remove_dir_all(&new)?;
    }
    let password_file = folder.join("password");
    fs::write(&password_file, password)?;
    fs::set_permissions(&password_file, Permissions::from_mode(0o600))?;
    account.own(&password_file)?;
    let made = launch(programs, home, account, folder, "initdb", "initdb")
        .arg("-D")
        .arg(&new)
        .args(["-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"])
        .args(["--auth-local=password", "--auth-host=password"])
        .arg(format!("--pwfile={}", password_file.display()))
        .run(INITDB_PATIENCE)
        .await;
    fs::remove_file(&password_file)?;
    made?;
    fs::rename(&new, folder.join("data")).context("the new cluster cannot be put in its place")
}

fn launch(
    programs: &PostgresPrograms,
    home: &Home,
    account: &Account,
    folder: &Path,
    name: &str,
    program: &str,
) -> Launch {
    Launch::new(name, programs.folder.join(program), folder, home.log(name))
        .clear_env()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder)
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
        .account(account)
}

fn settings(port: u16, sockets: &Path) -> Vec<String> {
    let sockets = if sockets.as_os_str().len() > LONGEST_SOCKET_FOLDER {
        String::new()
    } else {
        sockets.display().to_string()
    };
    [
        ("port", port.to_string()),
        ("listen_addresses", "127.0.0.1".into()),
        ("unix_socket_directories", sockets),
        ("max_connections", "300".into()),
        ("fsync", "on".into()),
        // After a crash one call per file system instead of one per file.
        ("recovery_init_sync_method", "syncfs".into()),
        ("log_line_prefix", "%m [%p] %q%u@%d ".into()),
        ("timezone", "UTC".into()),
    ]
    .into_iter()
    .flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")])
    .collect()
}
