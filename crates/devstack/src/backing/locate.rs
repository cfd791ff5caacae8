//! Finds PostgreSQL and RabbitMQ on the machine, in a version that is new enough.
//!
//! Debian keeps PostgreSQL's server programs outside the PATH, and its `rabbitmq-server` on the PATH is a wrapper that
//! insists on the machine's own node; so the programs behind are looked up where packages put them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Oldest PostgreSQL that will do.
pub const OLDEST_POSTGRES: u32 = 15;
/// Oldest RabbitMQ that will do.
pub const OLDEST_RABBITMQ: (u32, u32) = (3, 10);

/// PostgreSQL's programs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PostgresPrograms {
    /// Folder of `initdb`, `postgres` and perhaps `psql`.
    pub folder: PathBuf,
    /// Major version.
    pub major: u32,
}

/// RabbitMQ's programs and Erlang's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RabbitmqPrograms {
    /// The start script of the node itself.
    pub server: PathBuf,
    /// Erlang's port mapper.
    pub epmd: PathBuf,
    /// Version in words, `3.10.8`.
    pub version: String,
}

/// What was found of one server.
#[derive(Debug)]
pub enum Found<T> {
    /// It will do.
    Usable(T),
    /// It is there, but too old; the text says what was found.
    TooOld(String),
    /// It is not there.
    Missing,
}

/// Finds PostgreSQL. `wanted` names the major version that existing data needs; otherwise the newest is taken.
pub fn postgres(wanted: Option<u32>) -> Found<PostgresPrograms> {
    let mut folders: Vec<PathBuf> =
        children(Path::new("/usr/lib/postgresql")).map(|version| version.join("bin")).collect();
    folders.extend(
        children(Path::new("/usr")).filter(|folder| named(folder, "pgsql-")).map(|folder| folder.join("bin")),
    );
    folders.extend(search_path());
    let mut found: Vec<PostgresPrograms> = folders.into_iter().filter_map(postgres_in).collect();
    found.sort_by_key(|programs| programs.major);
    let best = match wanted {
        Some(major) => found.into_iter().find(|programs| programs.major == major),
        None => found.pop(),
    };
    match best {
        Some(programs) if programs.major >= OLDEST_POSTGRES => Found::Usable(programs),
        Some(programs) => Found::TooOld(format!("PostgreSQL {}", programs.major)),
        None => Found::Missing,
    }
}

/// Finds RabbitMQ and Erlang; the newest version is taken.
pub fn rabbitmq() -> Found<RabbitmqPrograms> {
    let mut homes = vec![PathBuf::from("/opt/rabbitmq"), PathBuf::from("/usr/local/rabbitmq")];
    for folder in ["/usr/lib/rabbitmq/lib", "/opt", "/usr/local/lib", "/usr/local"] {
        homes.extend(children(Path::new(folder)).filter(|home| named(home, "rabbitmq_server-")));
    }
    // A link on the PATH that leads into an unpacked archive.
    homes.extend(search_path().filter_map(|folder| {
        let script = fs::canonicalize(folder.join("rabbitmq-server")).ok()?;
        Some(script.parent()?.parent()?.to_owned())
    }));
    let mut found: Vec<_> = homes.iter().filter_map(|home| Some((rabbitmq_version(home)?, home))).collect();
    found.sort();
    let Some(((number, version), home)) = found.pop() else { return Found::Missing };
    if number < OLDEST_RABBITMQ {
        return Found::TooOld(format!("RabbitMQ {version}"));
    }
    match find_epmd() {
        Some(epmd) => {
            Found::Usable(RabbitmqPrograms { server: home.join("sbin/rabbitmq-server"), epmd, version })
        }
        None => Found::Missing,
    }
}

/// Finds a program on the PATH.
pub fn on_path(program: &str) -> Option<PathBuf> {
    search_path().map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn postgres_in(folder: PathBuf) -> Option<PostgresPrograms> {
    if !folder.join("initdb").is_file() {
        return None;
    }
    // A link on the PATH leads to the folder where the other programs lie.
    let postgres = fs::canonicalize(folder.join("postgres")).ok()?;
    let said = Command::new(&postgres).arg("--version").output().ok()?;
    let major = major_version(&String::from_utf8_lossy(&said.stdout))?;
    Some(PostgresPrograms { folder: postgres.parent()?.to_owned(), major })
}

/// `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)` is 15.
fn major_version(said: &str) -> Option<u32> {
    let version =
        said.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    version.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

/// Version of the RabbitMQ unpacked in `home`, by the name of its main plugin: `plugins/rabbit-3.10.8`.
fn rabbitmq_version(home: &Path) -> Option<((u32, u32), String)> {
    if !home.join("sbin/rabbitmq-server").is_file() {
        return None;
    }
    children(&home.join("plugins")).find_map(|plugin| {
        let version =
            plugin.file_name()?.to_str()?.strip_prefix("rabbit-")?.trim_end_matches(".ez").to_owned();
        let mut numbers = version.split('.').map_while(|number| number.parse().ok());
        Some(((numbers.next()?, numbers.next()?), version))
    })
}

fn find_epmd() -> Option<PathBuf> {
    let elsewhere =
        ["/usr/lib/erlang/bin/epmd", "/usr/lib64/erlang/bin/epmd", "/usr/local/lib/erlang/bin/epmd"];
    on_path("epmd").or_else(|| elsewhere.into_iter().map(PathBuf::from).find(|path| path.is_file()))
}

fn search_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(sbin).collect::<Vec<_>>().into_iter()
}

fn children(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn named(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_version("no such thing"), None);
    }
}
