//! The product of `deploy/compose.yaml`, brought up for tests and taken down with its data.
//!
//! The file is taken as it is. What tests need besides, to look into databases for one, `tests/containers/compose.yaml`
//! adds.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use crate::{
    checkout::{Checkout, Profile},
    facts::{BrokerFacts, DatabaseFacts, Facts, GatewayFacts, IssuerFacts, PostgresFacts},
    home::{Home, Lock, Secrets},
    http,
    keys::SigningKey,
    programs::{GATEWAY, PROGRAMS},
    progress::Progress,
    tokens::{AUDIENCE, Grant, Minter},
    wait::eventually,
};

/// Files of the product, the first as users have it.
const FILES: [&str; 2] = ["deploy/compose.yaml", "tests/containers/compose.yaml"];
/// URL of the product's issuer inside it.
const ISSUER: &str = "http://issuer:8080";
/// Where the product's issuer keeps its key.
const ISSUER_KEY: &str = "/data/issuer-key.pem";
/// Longest time until all containers have been started, the migrations included.
const UP_PATIENCE: Duration = Duration::from_secs(600);
/// Longest time from then on until calls are answered.
const ANSWER_PATIENCE: Duration = Duration::from_secs(120);
/// A call of each service.
const FIRST_CALLS: [&str; 3] = ["/v1/accounts", "/v1/opportunities", "/v1/invoices"];

/// The product in containers. It outlives this value: `down` ends it, and so does the next run.
#[derive(Debug)]
pub struct Product {
    checkout: Checkout,
    home: Home,
    _lock: Lock,
    /// `docker compose`, or the program that came before it.
    command: &'static [&'static str],
    password: String,
    progress: Progress,
}

impl Product {
    /// Takes the folder of the tests' stack and finds the program that brings the product up. Starts nothing.
    pub async fn claim(progress: Progress) -> Result<Self> {
        let checkout = Checkout::find()?;
        let home = Home::test(&checkout);
        let lock = home.lock()?;
        home.delete()?;
        home.create()?;
        let password = Secrets::open(&home)?.get("compose")?;
        Ok(Self { checkout, home, _lock: lock, command: find_command().await?, password, progress })
    }

    /// Brings everything up, waits until each service has answered a call, and writes `stack.json`.
    pub async fn up(&self) -> Result<()> {
        // A killed run has left its own.
        self.run(&["down", "--volumes"]).await?;
        let started = Instant::now();
        self.progress.say("compose", "bringing up the product");
        tokio::time::timeout(UP_PATIENCE, self.run(&["up", "--detach"]))
            .await
            .context("the product does not come up")??;
        let facts = self.facts().await?;
        self.answer_first_calls(&facts).await?;
        self.examine().await?;
        let seconds = started.elapsed().as_secs_f64();
        self.progress.say("compose", format!("each service has answered {seconds:.1} s after the start"));
        facts.write(&self.facts_file())
    }

    /// The facts that tests read.
    pub fn facts_file(&self) -> PathBuf {
        self.home.facts()
    }

    /// Keeps the logs, then ends the product and deletes its data.
    pub async fn down(&self) -> Result<()> {
        let log = self.home.log("compose");
        fs::write(&log, self.ask(&["logs", "--no-color"]).await?)?;
        self.progress.say("compose", format!("taking the product down; its logs are in {}", log.display()));
        self.run(&["down", "--volumes"]).await
    }

    async fn facts(&self) -> Result<Facts> {
        let key_file = self.home.issuer_key();
        self.copy_key(&key_file).await?;
        let gateway = format!("http://{}", self.address(GATEWAY, 8080).await?);
        let admin = format!("http://{}", self.address(GATEWAY, 8081).await?);
        let postgres = self.address("postgres", 5432).await?;
        let (host, port) = postgres.rsplit_once(':').context("an address has a port")?;
        let url =
            |role: &str, database: &str| format!("postgres://{role}:{}@{postgres}/{database}", self.password);
        let mut databases = BTreeMap::new();
        let mut containers = BTreeMap::new();
        for program in &PROGRAMS {
            let name = program.name;
            containers.insert(name.to_owned(), self.container(name).await?);
            if program.database {
                let logins = DatabaseFacts {
                    owner_url: url(&format!("{name}_owner"), name),
                    url: url(name, name),
                    system_url: url(&format!("{name}_system"), name),
                    backup_url: url(&format!("{name}_backup"), name),
                };
                databases.insert(name.to_owned(), logins);
            }
        }
        Ok(Facts {
            name: "compose".into(),
            runner: std::process::id(),
            home: self.home.dir.clone(),
            data: Vec::new(),
            programs: self.checkout.programs(Profile::Debug),
            gateway: Some(GatewayFacts { url: gateway, admin, pid: None, replicas: Vec::new() }),
            services: BTreeMap::new(),
            issuer: IssuerFacts { url: ISSUER.into(), audience: AUDIENCE.into(), key_file },
            postgres: PostgresFacts {
                host: host.to_owned(),
                port: port.parse()?,
                superuser_url: url("postgres", "postgres"),
                pid: None,
            },
            databases,
            broker: BrokerFacts {
                url: format!("amqp://trato:{}@rabbitmq:5672/%2f", self.password),
                pid: None,
            },
            tenants: BTreeMap::new(),
            containers,
        })
    }

    /// Fetches the key that the product's issuer has made, to mint tokens as its `token` does.
    async fn copy_key(&self, to: &Path) -> Result<()> {
        let from = format!("{}:{ISSUER_KEY}", self.container("issuer").await?);
        // It is made when the issuer starts.
        eventually(ANSWER_PATIENCE, "the key of the product's issuer", || async {
            let copied = Command::new("docker").args(["cp", &from]).arg(to).output().await.ok()?;
            copied.status.success().then_some(())
        })
        .await
    }

    async fn answer_first_calls(&self, facts: &Facts) -> Result<()> {
        let key = SigningKey::load_or_generate(&facts.issuer.key_file)?;
        let token = Minter::new(Arc::new(key), ISSUER).mint(&Grant::new("acme", "commercial-director"))?;
        for path in FIRST_CALLS {
            let url = format!("{}{path}", facts.gateway_url()?);
            eventually(ANSWER_PATIENCE, &format!("an answer to GET {path}"), || async {
                let answer = http::client().ok()?.get(&url).bearer_auth(&token).send().await.ok()?;
                answer.status().is_success().then_some(())
            })
            .await?;
        }
        Ok(())
    }

    /// Asks the operator's program whether anything is wrong. What has just begun may need a moment.
    async fn examine(&self) -> Result<()> {
        eventually(ANSWER_PATIENCE, "an installation that `doctor` finds no fault in", || async {
            self.run(&["run", "--rm", "-T", "operator", "doctor"]).await.ok()
        })
        .await
    }

    /// Where a container's port is reached from this machine.
    async fn address(&self, service: &str, port: u16) -> Result<String> {
        Ok(self.ask(&["port", service, &port.to_string()]).await?.trim().to_owned())
    }

    /// Identifier of a container.
    async fn container(&self, service: &str) -> Result<String> {
        Ok(self.ask(&["ps", "--quiet", service]).await?.trim().to_owned())
    }

    /// Runs a command of compose; what it says goes to standard error.
    async fn run(&self, arguments: &[&str]) -> Result<()> {
        let status = self.compose(arguments).stdout(std::io::stderr()).status().await?;
        if !status.success() {
            bail!("`{} {}` failed", self.command.join(" "), arguments.join(" "));
        }
        Ok(())
    }

    /// What a command of compose prints.
    async fn ask(&self, arguments: &[&str]) -> Result<String> {
        let output = self.compose(arguments).stderr(Stdio::inherit()).output().await?;
        if !output.status.success() {
            bail!("`{} {}` failed", self.command.join(" "), arguments.join(" "));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn compose(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.command[0]);
        command.args(&self.command[1..]);
        for file in FILES {
            command.arg("--file").arg(self.checkout.root.join(file));
        }
        command
            .args(["--project-name", &format!("trato-{}-test", self.home.fingerprint())])
            .args(arguments)
            .env("TRATO_PASSWORD", &self.password)
            // Whichever is free.
            .env("TRATO_PORT", "0")
            .env_remove("TRATO_AUTH__ISSUERS")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

/// The plug-in of docker, or the program of its own that came before it and that some distributions still have.
async fn find_command() -> Result<&'static [&'static str]> {
    for command in [&["docker", "compose"] as &[&str], &["docker-compose"]] {
        let mut version = Command::new(command[0]);
        version.args(&command[1..]).arg("version").stdout(Stdio::null()).stderr(Stdio::null());
        if version.status().await.is_ok_and(|status| status.success()) {
            return Ok(command);
        }
    }
    bail!("neither `docker compose` nor `docker-compose` is installed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenants;

    #[test]
    fn the_trial_trusts_its_own_issuer_and_names_the_tenants_everybody_knows() {
        let settings: toml::Table = include_str!("../../../deploy/trial.toml").parse().expect("it is TOML");
        let issuer = &settings["auth"]["issuers"][0];
        assert_eq!(issuer["url"].as_str(), Some(ISSUER));
        assert_eq!(issuer["audience"].as_str(), Some(AUDIENCE));
        for (name, id) in tenants::NAMED {
            assert_eq!(issuer["tenants"][name].as_str(), Some(id.to_string().as_str()));
        }
    }
}
