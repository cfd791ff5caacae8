//! Tenants of a stack: two with names people remember, and spare ones, so that each test can have its own.

use std::{
    fs::OpenOptions,
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use uuid::Uuid;

/// The tenants of every stack: value of the claim, identifier.
pub const NAMED: [(&str, Uuid); 2] = [
    ("acme", Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_00ac_4e00)),
    ("globex", Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_9106_ec00)),
];

/// A tenant as the issuer names it and as the services know it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tenant {
    /// Value of the tenant claim.
    pub claim: String,
    /// Identifier of its rows.
    pub id: Uuid,
}

impl Tenant {
    /// The spare tenant of that number.
    pub fn spare(number: usize) -> Self {
        const FIRST: u128 = 0x0190_0000_0000_7000_8000_0001_0000_0000;
        Self { claim: format!("spare-{number:04}"), id: Uuid::from_u128(FIRST + number as u128) }
    }
}

/// The named tenants and `spares` spare ones.
pub fn all(spares: usize) -> impl Iterator<Item = Tenant> {
    let named = NAMED.into_iter().map(|(claim, id)| Tenant { claim: claim.to_owned(), id });
    named.chain((0..spares).map(Tenant::spare))
}

/// Hands out a spare tenant that nobody else has got from this counter, over all test processes.
pub fn claim(counter: &Path, spares: usize) -> Result<Tenant> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(counter);
    let mut file = open.with_context(|| format!("cannot open {}", counter.display()))?;
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let number: usize = text.trim().parse().unwrap_or(0);
    if number >= spares {
        bail!("all {spares} spare tenants of this stack are taken");
    }
    file.rewind()?;
    write!(file, "{}", number + 1)?;
    Ok(Tenant::spare(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenant_has_an_identifier_of_its_own() {
        let mut ids: Vec<Uuid> = all(100).map(|tenant| tenant.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 102);
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
