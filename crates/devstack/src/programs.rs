//! The one table of the suite's programs, and how each is configured and started.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    certificates::{ADDRESS, AUTHORITY, CERTIFICATE, KEY},
    facts::DatabaseFacts,
    home::{Home, write_secret},
    process::Launch,
    tenants,
    tokens::AUDIENCE,
};

/// One program of the suite.
#[derive(Debug)]
pub struct Program {
    /// Name of the service, of its database and of its process.
    pub name: &'static str,
    /// File name of the program.
    pub binary: &'static str,
    /// True when it keeps data and talks to the broker.
    pub database: bool,
    /// Prefixes of the proto packages it serves.
    pub serves: &'static [&'static str],
    /// Prefixes of the proto packages it calls.
    pub calls: &'static [&'static str],
}

/// Name of the program in front of all others.
pub const GATEWAY: &str = "gateway";

/// Every program. Business services come first, since the gateway needs their addresses.
pub const PROGRAMS: [Program; 4] = [
    Program {
        name: "customers",
        binary: "trato-customers",
        database: true,
        serves: &["trato.customers", "trato.directory"],
        calls: &[],
    },
    Program {
        name: "sales",
        binary: "trato-sales",
        database: true,
        serves: &["trato.sales"],
        calls: &["trato.customers", "trato.billing"],
    },
    Program {
        name: "billing",
        binary: "trato-billing",
        database: true,
        serves: &["trato.billing"],
        calls: &["trato.customers", "trato.sales"],
    },
    Program {
        name: GATEWAY,
        binary: "trato-gateway",
        database: false,
        serves: &[],
        calls: &["trato.customers", "trato.directory", "trato.sales", "trato.billing"],
    },
];

/// The programs of these names, in the table's order; all without names.
pub fn select(names: Option<&[String]>) -> Result<Vec<&'static Program>> {
    for name in names.unwrap_or_default() {
        find(name)?;
    }
    let chosen = |program: &&Program| names.is_none_or(|names| names.iter().any(|name| name == program.name));
    Ok(PROGRAMS.iter().filter(chosen).collect())
}

/// Finds one program by name.
pub fn find(name: &str) -> Result<&'static Program> {
    let found = PROGRAMS.iter().find(|program| program.name == name);
    found.with_context(|| {
        let names: Vec<_> = PROGRAMS.iter().map(|program| program.name).collect();
        format!("there is no program {name}; there are {}", names.join(", "))
    })
}

/// Addresses of a program's gRPC and admin ports, one pair a replica.
#[derive(Clone, Debug)]
pub struct Replica {
    /// `customers`, `customers-2`.
    pub name: String,
    /// Port of gRPC, or of HTTP for the gateway.
    pub port: u16,
    /// Port of readiness.
    pub admin: u16,
}

/// What all programs of a stack share.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The stack's folder.
    pub home: &'a Home,
    /// Folder of the built programs.
    pub programs: PathBuf,
    /// URL of the issuer.
    pub issuer: String,
    /// URL of the broker.
    pub broker: String,
    /// True when programs speak to each other by TLS.
    pub by_tls: bool,
    /// Databases by service.
    pub databases: &'a BTreeMap<String, DatabaseFacts>,
    /// Replicas by service.
    pub replicas: &'a BTreeMap<&'static str, Vec<Replica>>,
    /// Further variables: service, name, value.
    pub env: &'a [(String, String, String)],
}

#[derive(Serialize)]
struct Settings {
    auth: AuthSettings,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    /// Addresses by package, several separated by commas.
    upstreams: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct AuthSettings {
    issuers: Vec<IssuerSettings>,
}

#[derive(Serialize)]
struct IssuerSettings {
    url: String,
    audience: &'static str,
    algorithms: [&'static str; 1],
    any_tenant: bool,
    tenants: BTreeMap<&'static str, Uuid>,
}

impl Surroundings<'_> {
    /// Writes the settings of a program that are not secret, and answers where.
    pub fn write_settings(&self, program: &Program) -> Result<PathBuf> {
        let issuer = IssuerSettings {
            url: self.issuer.clone(),
            audience: AUDIENCE,
            algorithms: ["ES256"],
            any_tenant: true,
            tenants: tenants::NAMED.into(),
        };
        let mut upstreams = BTreeMap::new();
        for package in program.calls {
            if let Some(addresses) = self.addresses(package) {
                upstreams.insert(*package, addresses);
            }
        }
        let settings = Settings { auth: AuthSettings { issuers: vec![issuer] }, upstreams };
        let path = self.home.dir.join("config").join(format!("{}.toml", program.name));
        fs::write(&path, toml::to_string(&settings)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Writes a program's part of the installation folder, in which `trato` finds it.
    pub fn write_installation(&self, program: &Program) -> Result<()> {
        let folder = self.home.installation().join(program.name);
        // What an earlier run has left may be of a database that is gone.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut variables = self.launch(program, program.name)?.env;
        if let Some(database) = self.databases.get(program.name) {
            variables.push(("TRATO_DATABASE__OWNER_URL".into(), Some((&database.owner_url).into())));
            variables.push(("TRATO_DATABASE__BACKUP_URL".into(), Some((&database.backup_url).into())));
        }
        for (name, value) in variables.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            write_secret(&folder.join(name), &value.to_string_lossy())?;
        }
        Ok(())
    }

    /// How to run `migrate` of a program.
    pub fn migrate(&self, program: &Program) -> Result<Launch> {
        let name = format!("{}-migrate", program.name);
        let launch = self.launch(program, &name)?.arg("migrate");
        Ok(match self.databases.get(program.name) {
            Some(database) => launch.env("TRATO_DATABASE__OWNER_URL", &database.owner_url),
            None => launch,
        })
    }

    /// How to run `serve` of one replica of a program.
    pub fn serve(&self, program: &Program, replica: &Replica) -> Result<Launch> {
        let mut launch = self
            .launch(program, &replica.name)?
            .arg("serve")
            .env("TRATO_SERVER__LISTEN", format!("127.0.0.1:{}", replica.port))
            .env("TRATO_SERVER__ADMIN_LISTEN", format!("127.0.0.1:{}", replica.admin));
        for (_, name, value) in self.env.iter().filter(|(service, ..)| service == program.name) {
            launch = launch.env(name, value);
        }
        Ok(launch)
    }

    fn launch(&self, program: &Program, name: &str) -> Result<Launch> {
        let path = self.programs.join(program.binary);
        if !path.is_file() {
            bail!("{} is not built; `cargo dev up` and `cargo dev test` build it", path.display());
        }
        let config = self.home.dir.join("config").join(format!("{}.toml", program.name));
        let mut launch = Launch::new(name, path, &self.home.dir, self.home.log(name))
            .env("TRATO_CONFIG", config)
            .death_signal(Signal::SIGKILL);
        // The runner's own variables are no settings of a service; those with two underscores are, and pass through.
        let own = env::vars_os().map(|(name, _)| name).filter(|name| {
            name.to_str().is_some_and(|name| {
                name.starts_with("TRATO_") && !name.contains("__") && name != "TRATO_CONFIG"
            })
        });
        launch.env.extend(own.map(|name| (name, None)));
        if program.database {
            launch = launch.env("TRATO_BROKER__URL", &self.broker);
            if self.broker.starts_with("amqps:") {
                let authority = self.home.tls("rabbitmq").join(AUTHORITY);
                launch = launch.env("TRATO_BROKER__AUTHORITY", authority);
            }
        }
        if self.by_tls {
            let folder = self.home.tls(program.name);
            launch = launch
                .env("TRATO_TLS__CERTIFICATE", folder.join(CERTIFICATE))
                .env("TRATO_TLS__KEY", folder.join(KEY))
                .env("TRATO_TLS__AUTHORITY", folder.join(AUTHORITY));
        }
        if let Some(database) = self.databases.get(program.name) {
            launch = launch
                .env("TRATO_DATABASE__URL", &database.url)
                .env("TRATO_DATABASE__SYSTEM_URL", &database.system_url);
        }
        Ok(launch)
    }

    /// The URL of a port of gRPC.
    pub fn grpc(&self, port: u16) -> String {
        if self.by_tls { format!("https://{ADDRESS}:{port}") } else { url(port) }
    }

    /// Where a package is served in this stack; none when its program is left out.
    fn addresses(&self, package: &str) -> Option<String> {
        let program = PROGRAMS.iter().find(|program| program.serves.contains(&package))?;
        let addresses = self.replicas.get(program.name)?.iter().map(|replica| self.grpc(replica.port));
        Some(addresses.collect::<Vec<_>>().join(","))
    }
}

/// The URL of a port of this machine.
pub fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_that_is_called_is_served_by_one_program() {
        for package in PROGRAMS.iter().flat_map(|program| program.calls) {
            let serving = PROGRAMS.iter().filter(|program| program.serves.contains(package)).count();
            assert_eq!(serving, 1, "{package}");
        }
    }
}
