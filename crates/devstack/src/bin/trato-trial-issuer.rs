//! The issuer of a trial: whoever may run its `token` is whoever they say. Never the issuer of an installation.
//!
//! It lives in a container of its own beside the product (`deploy/compose.yaml`), with its key in a volume.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Result;
use clap::Parser;
use trato_devstack::{
    Minter,
    grants::GrantOptions,
    issuer::Issuer,
    keys::SigningKey,
    progress::{print, print_error},
    signals::Signals,
};

/// Publishes a key and mints tokens that are signed with it. For trials: it asks nobody who they are.
#[derive(Debug, clap::Parser)]
#[command(version)]
struct Cli {
    /// File of the private key; made when there is none
    #[arg(long, global = true, default_value = "/data/issuer-key.pem")]
    key: PathBuf,
    /// URL by which services know it, the `iss` of its tokens
    #[arg(long, global = true, default_value = "http://issuer:8080")]
    url: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Answers discovery and the key set until it is told to stop
    Serve {
        /// Where it listens
        #[arg(long, default_value = "0.0.0.0:8080")]
        listen: SocketAddr,
    },
    /// Prints a token
    Token(GrantOptions),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    let mut signals = Signals::catch()?;
    let key = SigningKey::load_or_generate(&cli.key)?;
    match cli.command {
        Command::Serve { listen } => {
            let issuer = Issuer::start_at(listen, cli.url, key).await?;
            print(format!(
                "{} is known for keys that anybody here may sign with; for trials only",
                issuer.url()
            ));
            signals.next().await;
        }
        Command::Token(options) => print(Minter::new(Arc::new(key), &cli.url).mint(&options.grant()?)?),
    }
    Ok(())
}
