//! The names of the suite's roles, read from where the contract keeps them.

use std::fs;

use anyhow::{Context as _, Result};

use crate::checkout::Checkout;

/// Applies to every caller, so no token needs to name it.
const EVERYONE: &str = "everyone";

/// Every role a token may name.
pub fn names(checkout: &Checkout) -> Result<Vec<String>> {
    let path = checkout.root.join("proto/roles.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let roles: toml::Table = text.parse().with_context(|| format!("{} is damaged", path.display()))?;
    Ok(roles.into_iter().map(|(name, _)| name).filter(|name| name != EVERYONE).collect())
}
