//! The names of the suite's roles, as the contract has them.

use anyhow::{Context as _, Result};

/// Applies to every caller, so no token needs to name it.
const EVERYONE: &str = "everyone";

/// Every role a token may name.
pub fn names() -> Result<Vec<String>> {
    let roles: toml::Table =
        include_str!("../../../proto/roles.toml").parse().context("proto/roles.toml is damaged")?;
    Ok(roles.into_iter().map(|(name, _)| name).filter(|name| name != EVERYONE).collect())
}
