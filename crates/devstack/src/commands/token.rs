//! `cargo dev token`: a token on standard output, for scripts and curl.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use trato_devstack::{
    Checkout, Grant, Minter, home::Home, keys::SigningKey, progress::print, roles, stack::issuer_url, tenants,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Tenant: acme or globex
    #[arg(long, default_value = "acme")]
    tenant: String,
    /// Role of the caller; may be repeated
    #[arg(long = "role", required = true)]
    roles: Vec<String>,
    /// Subject; ROLE.TENANT without it
    #[arg(long)]
    subject: Option<String>,
    /// How long it is good for: 30s, 15m, 12h, 7d
    #[arg(long, default_value = "12h", value_parser = duration)]
    ttl: Duration,
}

pub fn run(args: Args) -> Result<ExitCode> {
    let checkout = Checkout::find()?;
    let home = Home::dev(&checkout);
    if !tenants::NAMED.iter().any(|(name, _)| *name == args.tenant) {
        bail!(
            "there is no tenant {}; there are {}",
            args.tenant,
            tenants::NAMED.map(|(name, _)| name).join(", ")
        );
    }
    let known = roles::names(&checkout)?;
    if let Some(role) = args.roles.iter().find(|role| !known.contains(role)) {
        bail!("there is no role {role}; there are {}", known.join(", "));
    }
    let issuer = issuer_url(&home)?;
    let key = SigningKey::load_or_generate(&home.issuer_key())?;
    let grant = Grant { tenant: args.tenant, roles: args.roles, subject: args.subject, ttl: args.ttl };
    print(Minter::new(Arc::new(key), &issuer).mint(&grant)?);
    Ok(ExitCode::SUCCESS)
}

/// `90s`, `15m`, `12h`, `7d`.
fn duration(text: &str) -> Result<Duration> {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => bail!("must be a number and one of s, m, h, d"),
    };
    let number: u64 = number.parse().context("must be a number and one of s, m, h, d")?;
    Ok(Duration::from_secs(number.saturating_mul(unit)))
}
