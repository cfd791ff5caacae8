//! `trato tenant …`: a name for people, and whether calls are refused, in every service.
//!
//! Tenants come from tokens: none has to be registered to be served. Each command can be repeated, also after it failed
//! half-way.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    each,
    installation::Installation,
    output::{Outcome, Output},
    service::Service,
};

/// `trato tenant …`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an identifier, register it under a name, and say what to tell the issuer
    Create {
        /// Name for people
        #[arg(long)]
        display_name: String,
        /// The identifier, where it exists already
        #[arg(long)]
        id: Option<Uuid>,
    },
    /// Refuse every call of a tenant, within seconds; its events still flow
    Suspend {
        /// The tenant
        tenant: Uuid,
    },
    /// Answer the calls of a tenant again
    Resume {
        /// The tenant
        tenant: Uuid,
    },
    /// List the tenants that are registered or have events
    List,
}

/// Runs the command.
pub async fn run(command: Command, installation: &Installation, output: &Output) -> Result<Outcome> {
    let services: Vec<&Service> = installation.with_database().collect();
    match command {
        Command::Create { display_name, id } => create(&services, &display_name, id, output).await,
        Command::Suspend { tenant } => {
            each::run_structured(&services, &["tenant", "suspend", &tenant.to_string()], output).await
        }
        Command::Resume { tenant } => {
            each::run_structured(&services, &["tenant", "resume", &tenant.to_string()], output).await
        }
        Command::List => list(&services, output).await,
    }
}

async fn create(
    services: &[&Service],
    display_name: &str,
    id: Option<Uuid>,
    output: &Output,
) -> Result<Outcome> {
    let id = id.unwrap_or_else(Uuid::now_v7).to_string();
    let mut claim = "tenant".to_owned();
    for service in services {
        let named = format!("--display-name={display_name}");
        let arguments = ["tenant", "create", &id, &named, "--json"];
        let _: Value = service.ask(&arguments).await?;
        let settings: Value = toml::from_str(&service.run(&["print-config"]).await?.ok()?)?;
        if let Some(named) = settings["auth"]["claims"]["tenant"].as_str() {
            claim = named.to_owned();
        }
    }
    let text = format!(
        "{display_name} is registered as {id}\n\n\
         Tell the issuer: tokens of this tenant carry the claim `{claim}`. Its value is either this identifier, where\n\
         `any_tenant = true` stands for the issuer in auth.issuers, or a name that is mapped there in every program:\n\n  \
         tenants = {{ \"…\" = \"{id}\" }}\n"
    );
    output.answer(&json!({ "tenant": id, "display_name": display_name, "claim": claim }), &text)?;
    Ok(Outcome::Fine)
}

/// A tenant as one service knows it.
#[derive(Deserialize)]
struct Known {
    tenant: Uuid,
    display_name: String,
    state: String,
    registered: bool,
}

/// A tenant as all services know it.
#[derive(Default, Serialize)]
struct Tenant {
    display_name: String,
    registered: bool,
    /// State by service; they differ where a command failed half-way.
    states: BTreeMap<String, String>,
}

async fn list(services: &[&Service], output: &Output) -> Result<Outcome> {
    let mut all: BTreeMap<Uuid, Tenant> = BTreeMap::new();
    for service in services {
        let known: Vec<Known> = service.ask(&["tenant", "list", "--json"]).await?;
        for known in known {
            let tenant = all.entry(known.tenant).or_default();
            if tenant.display_name.is_empty() {
                tenant.display_name = known.display_name;
            }
            tenant.registered |= known.registered;
            tenant.states.insert(service.name.clone(), known.state);
        }
    }
    let mut text = String::new();
    for (id, tenant) in &all {
        let name = if tenant.display_name.is_empty() { "(not registered)" } else { &tenant.display_name };
        let states: Vec<String> =
            tenant.states.iter().map(|(service, state)| format!("{service} {state}")).collect();
        text += &format!("{id}  {name}  ({})\n", states.join(", "));
    }
    text += &format!("{} tenants\n", all.len());
    output.answer(&all, &text)?;
    Ok(Outcome::Fine)
}
