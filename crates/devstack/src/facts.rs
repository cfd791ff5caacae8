//! What a running stack is made of, as `stack.json` tells it to scripts and tests.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    home::write_secret,
    keys::SigningKey,
    tokens::{Grant, Minter},
    variables::{self, TEST_STACK},
};

/// Everything a client of a stack needs to know. Holds secrets: only its owner may read the file.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Facts {
    /// Name of the stack.
    pub name: String,
    /// Process that runs the stack.
    pub runner: u32,
    /// Folder of the stack's files.
    pub home: PathBuf,
    /// Folders that hold the servers' data; not all below `home`, where the servers' account cannot reach it.
    pub data: Vec<PathBuf>,
    /// Folder of the programs that run.
    pub programs: PathBuf,
    /// The gateway; none in a stack without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayFacts>,
    /// Business services by name.
    pub services: BTreeMap<String, ServiceFacts>,
    /// The dev issuer.
    pub issuer: IssuerFacts,
    /// The server of all databases.
    pub postgres: PostgresFacts,
    /// Databases by service.
    pub databases: BTreeMap<String, DatabaseFacts>,
    /// The broker.
    pub broker: BrokerFacts,
    /// Named tenants.
    pub tenants: BTreeMap<String, TenantFacts>,
    /// Containers by program, where the programs run in containers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub containers: BTreeMap<String, String>,
}

/// Where the gateway answers: its first process, and all of them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct GatewayFacts {
    /// JSON, gRPC and gRPC-Web.
    pub url: String,
    /// Readiness.
    pub admin: String,
    /// Its process; none while it is down.
    pub pid: Option<u32>,
    /// Every process of it, the first included.
    #[serde(default)]
    pub replicas: Vec<GatewayReplica>,
}

/// One process of the gateway.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct GatewayReplica {
    /// Name of the process, `gateway-2`.
    pub name: String,
    /// JSON, gRPC and gRPC-Web.
    pub url: String,
    /// The process; none while it is down.
    pub pid: Option<u32>,
}

/// Where a service answers: the first replica, and all of them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ServiceFacts {
    /// gRPC of the first replica.
    pub grpc: String,
    /// Readiness of the first replica.
    pub admin: String,
    /// Process of the first replica; none while it is down.
    pub pid: Option<u32>,
    /// Every replica, the first included.
    pub replicas: Vec<ReplicaFacts>,
}

/// One process of a service.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ReplicaFacts {
    /// Name of the process, `customers-2`.
    pub name: String,
    /// gRPC.
    pub grpc: String,
    /// Readiness.
    pub admin: String,
    /// Its process; none while it is down.
    pub pid: Option<u32>,
}

/// The dev issuer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct IssuerFacts {
    /// Its URL, the `iss` of tokens.
    pub url: String,
    /// The `aud` of tokens.
    pub audience: String,
    /// File of its private key.
    pub key_file: PathBuf,
}

/// The PostgreSQL server.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PostgresFacts {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Login of a superuser.
    pub superuser_url: String,
    /// Its process, when it is a child of the runner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

/// Logins of one service's database.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DatabaseFacts {
    /// The role that owns and migrates it.
    pub owner_url: String,
    /// The role that serves.
    pub url: String,
    /// The role of relay and jobs.
    pub system_url: String,
    /// The role that copies the database.
    pub backup_url: String,
}

/// The RabbitMQ broker.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct BrokerFacts {
    /// Login of the services.
    pub url: String,
    /// Its process, when it is a child of the runner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

/// A named tenant.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct TenantFacts {
    /// Identifier of its rows.
    pub id: Uuid,
    /// Tokens by role.
    pub tokens: BTreeMap<String, String>,
}

impl Facts {
    /// Reads a `stack.json`.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// The stack that `cargo dev test` has started for all tests.
    pub fn attach() -> Result<Self> {
        let path = variables::get(TEST_STACK).with_context(|| {
            format!("{TEST_STACK} is not set: run the tests by `cargo dev test [filter]`")
        })?;
        Self::read(Path::new(&path))
            .context("the stack of the tests is gone: run them by `cargo dev test [filter]`")
    }

    /// Writes the file; scripts see the old or the new one, never half of it.
    pub fn write(&self, path: &Path) -> Result<()> {
        write_secret(path, &(serde_json::to_string_pretty(self)? + "\n"))
    }

    /// URL of the gateway.
    pub fn gateway_url(&self) -> Result<&str> {
        Ok(&self.gateway.as_ref().context("this stack has no gateway")?.url)
    }

    /// A service by name.
    pub fn service(&self, name: &str) -> Result<&ServiceFacts> {
        self.services.get(name).with_context(|| format!("this stack has no service {name}"))
    }

    /// The database of a service.
    pub fn database(&self, service: &str) -> Result<&DatabaseFacts> {
        self.databases.get(service).with_context(|| format!("this stack has no database of {service}"))
    }

    /// Mints tokens this stack's services accept.
    pub fn minter(&self) -> Result<Minter> {
        let key = SigningKey::load_or_generate(&self.issuer.key_file)?;
        Ok(Minter::new(Arc::new(key), &self.issuer.url))
    }

    /// A token for one role in a tenant.
    pub fn token(&self, tenant: &str, role: &str) -> Result<String> {
        self.minter()?.mint(&Grant::new(tenant, role))
    }
}
