//! `[chains]`: when a chain from quote to cash stands still, unless a caller says.

use chrono::TimeDelta;
use serde::Deserialize;
use trato_platform::config::{Checker, Loaded, Section};
use trato_types::{Error, Result};

/// The section; its keys are explained in `config.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Hours without a change of the document.
    pub stalled_after_hours: u32,
}

impl Section for Settings {
    const NAME: &'static str = "chains";

    fn check(&self, check: &mut Checker<'_>) {
        check.range("stalled_after_hours", self.stalled_after_hours, 1..=8760);
    }
}

/// How long a document must not have changed.
pub fn stalled_after(settings: &Loaded) -> Result<TimeDelta> {
    let chains = settings.section::<Settings>();
    let chains = chains.ok_or_else(|| Error::internal("the service does not load the section chains"))?;
    Ok(TimeDelta::hours(chains.stalled_after_hours.into()))
}
