//! What a token shall say, as the options of a command: of `cargo dev token` and of the issuer for trials.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use uuid::Uuid;

use crate::{roles, tenants, tokens::Grant};

/// Options that describe a token.
#[derive(Debug, clap::Args)]
pub struct GrantOptions {
    /// Tenant: acme, globex or an identifier (a UUID)
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

impl GrantOptions {
    /// The grant; a tenant or a role that is not there is refused with those that are.
    pub fn grant(self) -> Result<Grant> {
        let named = tenants::NAMED.map(|(name, _)| name);
        if !named.contains(&self.tenant.as_str()) && Uuid::parse_str(&self.tenant).is_err() {
            bail!("there is no tenant {}; there are {}, and every UUID", self.tenant, named.join(", "));
        }
        let known = roles::names()?;
        if let Some(role) = self.roles.iter().find(|role| !known.contains(role)) {
            bail!("there is no role {role}; there are {}", known.join(", "));
        }
        Ok(Grant { tenant: self.tenant, roles: self.roles, subject: self.subject, ttl: self.ttl })
    }
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
