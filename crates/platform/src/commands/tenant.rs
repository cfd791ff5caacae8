//! `tenant …`: tenants as one service knows them. Tenants come from tokens; here they get a name and may be suspended.

use std::{fmt::Write as _, io::Write};

use clap::Subcommand;
use trato_types::Result;
use uuid::Uuid;

use super::Output;
use crate::{
    db::Database,
    tenants::{self, Known},
};

/// `tenant …`.
#[derive(Clone, Debug, Subcommand)]
pub enum TenantCommand {
    /// Register a tenant, or give a known one another name.
    Create {
        /// Its identifier, as tokens will name it.
        tenant: Uuid,
        /// Its name for people.
        #[arg(long)]
        display_name: String,
        #[command(flatten)]
        output: Output,
    },
    /// Refuse every call of a tenant, within seconds. Its events still flow.
    Suspend {
        /// The tenant.
        tenant: Uuid,
        #[command(flatten)]
        output: Output,
    },
    /// Answer the calls of a tenant again.
    Resume {
        /// The tenant.
        tenant: Uuid,
        #[command(flatten)]
        output: Output,
    },
    /// List the tenants that are registered or have events here.
    List {
        #[command(flatten)]
        output: Output,
    },
}

impl TenantCommand {
    /// Runs it on a service's database.
    pub async fn run(self, database: &Database, to: &mut (dyn Write + Send)) -> Result<()> {
        match self {
            Self::Create { tenant, display_name, output } => {
                let known = tenants::register(&database.system, tenant, &display_name).await?;
                output.write(to, &known, &text(std::slice::from_ref(&known)))
            }
            Self::Suspend { tenant, output } => {
                let known = tenants::set_suspended(&database.system, tenant, true).await?;
                output.write(to, &known, &text(std::slice::from_ref(&known)))
            }
            Self::Resume { tenant, output } => {
                let known = tenants::set_suspended(&database.system, tenant, false).await?;
                output.write(to, &known, &text(std::slice::from_ref(&known)))
            }
            Self::List { output } => {
                let known = tenants::list(&database.system).await?;
                output.write(to, &known, &text(&known))
            }
        }
    }
}

fn text(known: &[Known]) -> String {
    let mut text = String::new();
    for tenant in known {
        let name = if tenant.display_name.is_empty() { "(not registered)" } else { &tenant.display_name };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}  {:<9}  {name}", tenant.tenant, tenant.state);
    }
    text
}
