//! `cargo dev seed`: a small believable company, through the gateway like everything else.
//!
//! It sells coffee machines: two teams, two pipelines, hotels and bars with departments and people, sales under way, won,
//! lost and opened again. Everything has the source `seed`, so that running it again changes nothing.

mod data;
mod history;
mod send;
#[cfg(test)]
mod tests;

use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;
use tokio_util::sync::CancellationToken;

use crate::{
    client::{Client, Feed},
    tokens::Grant,
};

pub use send::Sown;

/// Source of everything that is seeded.
pub const SOURCE: &str = "seed";

/// How long to go on without any success.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where to seed.
#[derive(Clone, Debug)]
pub struct SeedOptions {
    /// URL of the gateway.
    pub gateway: String,
    /// Token of a caller who may create, link and import, such as one with the role `data-loader`.
    pub token: String,
    /// Value of the tenant claim: the tokens a stack prints have subjects `{role}.{tenant}`, and so have three members.
    pub tenant: String,
    /// Cancelled, it ends after the calls in flight.
    pub stop: CancellationToken,
}

/// Seeds a tenant and answers what was made by collection. Anything refused is an error: the data is ours.
pub async fn run(options: SeedOptions) -> Result<Vec<Sown>> {
    let data = data::read()?;
    let client = Client::new(&options.gateway, &options.token)?;
    let feed = Feed::new(client, PATIENCE, options.stop, ProgressBar::hidden());
    send::everything(feed, data, &options.tenant).await
}

/// The subject of the token a stack prints for a role.
fn subject_of(role: &str, tenant: &str) -> String {
    Grant::new(tenant, role).subject_or_default()
}
