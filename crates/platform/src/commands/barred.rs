//! `barred …`: who is refused although the token is good, in the form in which a restore carries it over.

use std::io::Write;

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::{AsyncRead, BufReader};
use trato_types::Result;
use uuid::Uuid;

use super::{Output, output::Input};
use crate::{
    db::Database,
    revocations::{self, Revocation},
    tenants,
};

/// `barred …`.
#[derive(Clone, Debug, Subcommand)]
pub enum BarredCommand {
    /// Show which tenants are suspended and what is revoked; never a token.
    Show {
        #[command(flatten)]
        output: Output,
    },
    /// Bar, beside whoever is, all that `show --json` showed of another database; reads that on standard input.
    Add {
        #[command(flatten)]
        output: Output,
    },
}

/// All who are barred.
#[derive(Debug, Deserialize, Serialize)]
struct All {
    suspended: Vec<Uuid>,
    revoked: Vec<Revocation>,
}

impl BarredCommand {
    /// Runs it on a service's database; `add` reads `from`.
    pub async fn run(
        self,
        database: &Database,
        from: impl AsyncRead + Unpin,
        to: &mut (dyn Write + Send),
    ) -> Result<()> {
        let system = &database.system;
        match self {
            Self::Show { output } => {
                // A first migration that failed is a usual reason to restore: a database that has no revocations yet may have
                // suspended tenants, which would be let in again if this failed for what is not there.
                let all = All {
                    suspended: tenants::suspended(system).await?,
                    revoked: revocations::list_where_kept(system).await?,
                };
                output.write(to, &all, &counted(all.suspended.len(), all.revoked.len()))
            }
            Self::Add { output } => {
                let (mut suspended, mut revoked) = (0, 0);
                let mut input = Input::new(BufReader::new(from));
                for all in input.next::<All>(usize::MAX).await? {
                    for tenant in &all.suspended {
                        tenants::set_suspended(system, *tenant, true).await?;
                    }
                    revocations::put_back(system, &all.revoked).await?;
                    suspended += all.suspended.len();
                    revoked += all.revoked.len();
                }
                let answer = json!({ "suspended": suspended, "revoked": revoked });
                output.write(to, &answer, &counted(suspended, revoked))
            }
        }
    }
}

fn counted(suspended: usize, revoked: usize) -> String {
    format!("{suspended} tenants suspended, {revoked} revocations of tokens\n")
}
