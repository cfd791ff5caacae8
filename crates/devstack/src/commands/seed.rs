//! `cargo dev seed`: a small believable company in a tenant.

use std::process::ExitCode;

use anyhow::Result;
use tokio_util::sync::CancellationToken;
use trato_devstack::{
    progress::print,
    seed::{self, SeedOptions},
    signals::Signals,
};

use super::target::Target;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let (gateway, token) = args.target.resolve()?;
    let stop = CancellationToken::new();
    let mut signals = Signals::catch()?;
    let seeding = seed::run(SeedOptions { gateway, token, tenant: args.target.tenant, stop: stop.clone() });
    tokio::pin!(seeding);
    let sown = loop {
        tokio::select! {
            sown = &mut seeding => break sown?,
            code = signals.next() => {
                if stop.is_cancelled() {
                    return Ok(ExitCode::from(code));
                }
                stop.cancel();
            }
        }
    };
    print(format!("{:<14} {:>9} {:>14}", "", "created", "already there"));
    for kind in sown {
        print(format!("{:<14} {:>9} {:>14}", kind.collection, kind.created, kind.existing));
    }
    Ok(ExitCode::SUCCESS)
}
