//! `cargo dev psql`: a shell in the database of a service, as one of its three roles.

use std::{ffi::OsString, os::unix::process::CommandExt as _, process::ExitCode};

use anyhow::{Context as _, Result};
use sqlx::postgres::PgConnectOptions;
use trato_devstack::{Checkout, Facts, backing, home::Home, tenants};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose database
    service: String,
    /// As which role
    #[arg(long, value_enum, default_value_t = Role::Service)]
    role: Role,
    /// See the rows of this tenant; without one, row security shows none
    #[arg(long)]
    tenant: Option<String>,
    /// Further arguments of psql, after `--`
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Role {
    /// The role that owns the schema
    Owner,
    /// The role that serves
    Service,
    /// The role of relay and jobs
    System,
}

pub fn run(args: Args) -> Result<ExitCode> {
    let home = Home::dev(&Checkout::find()?);
    let facts = Facts::read(&home.facts()).context("it does not run; start it with `cargo dev up`")?;
    let database = facts.database(&args.service)?;
    let url = match args.role {
        Role::Owner => &database.owner_url,
        Role::Service => &database.url,
        Role::System => &database.system_url,
    };
    let psql = backing::psql().context("psql is not installed (package postgresql-client)")?;
    let options: PgConnectOptions = url.parse()?;
    let password = url.split('@').next().and_then(|login| login.rsplit(':').next()).unwrap_or_default();
    let mut command = std::process::Command::new(psql);
    // By variables, since the arguments of a process can be read by everybody.
    command
        .env("PGHOST", options.get_host())
        .env("PGPORT", options.get_port().to_string())
        .env("PGUSER", options.get_username())
        .env("PGDATABASE", options.get_database().unwrap_or(&args.service))
        .env("PGPASSWORD", password)
        .args(&args.arguments);
    if let Some(tenant) = &args.tenant {
        let named = tenants::NAMED.iter().find(|(name, _)| name == tenant);
        let id = named.map_or_else(|| tenant.clone(), |(_, id)| id.to_string());
        command.env("PGOPTIONS", format!("-c trato.tenant_id={id}"));
    }
    Err(command.exec()).context("psql cannot be started")
}
