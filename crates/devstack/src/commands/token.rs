//! `cargo dev token`: a token on standard output, for scripts and curl.

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use trato_devstack::{
    Checkout, Minter, grants::GrantOptions, home::Home, keys::SigningKey, progress::print, stack::issuer_url,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    grant: GrantOptions,
}

pub fn run(args: Args) -> Result<ExitCode> {
    let home = Home::dev(&Checkout::find()?);
    let grant = args.grant.grant()?;
    let issuer = issuer_url(&home)?;
    let key = SigningKey::load_or_generate(&home.issuer_key())?;
    print(Minter::new(Arc::new(key), &issuer).mint(&grant)?);
    Ok(ExitCode::SUCCESS)
}
