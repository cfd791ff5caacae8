//! Which gateway a command calls, and as whom: the running stack's by default.

use std::env;

use anyhow::{Context as _, Result};
use trato_devstack::{Checkout, Facts, home::Home};

/// Role of the token that is minted when none is given.
const ROLE: &str = "data-loader";

/// Holds a token, for those who do not want it among the arguments everybody can read.
const TOKEN: &str = "TRATO_TOKEN";

#[derive(Debug, clap::Args)]
pub struct Target {
    /// Tenant of the token: acme or globex
    #[arg(long, default_value = "acme")]
    pub tenant: String,
    /// URL of the gateway; the running stack's without it
    #[arg(long)]
    gateway: Option<String>,
    /// Token of a caller with the role data-loader; TRATO_TOKEN or one of the running stack's without it
    #[arg(long)]
    token: Option<String>,
}

impl Target {
    /// URL and token.
    pub fn resolve(&self) -> Result<(String, String)> {
        let token = self.token.clone().or_else(|| env::var_os(TOKEN)?.into_string().ok());
        if let (Some(gateway), Some(token)) = (&self.gateway, &token) {
            return Ok((gateway.clone(), token.clone()));
        }
        let home = Home::dev(&Checkout::find()?);
        let facts = Facts::read(&home.facts())
            .context("it does not run; start it with `cargo dev up`, or give --gateway and --token")?;
        let gateway = self.gateway.clone().map_or_else(|| facts.gateway_url().map(str::to_owned), Ok)?;
        let token = token.map_or_else(|| facts.token(&self.tenant, ROLE), Ok)?;
        Ok((gateway, token))
    }
}
