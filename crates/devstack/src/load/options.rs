//! How to load.

use std::{path::PathBuf, time::Duration};

use tokio_util::sync::CancellationToken;

use super::mapping::Mapping;

/// What to load, where to, and how patiently.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Folder of the export.
    pub folder: PathBuf,
    /// URL of the gateway.
    pub gateway: String,
    /// Token of a caller who may create and import, such as one with the role `data-loader`.
    pub token: String,
    /// What is done with dirt; every suggestion is taken where none is given.
    pub mapping: Option<Mapping>,
    /// Rows in one call, at most 500.
    pub batch: usize,
    /// How long to go on without any success.
    pub patience: Duration,
    /// Cancelled, it ends the load after the calls in flight.
    pub stop: CancellationToken,
    /// True to show on standard error how far it is.
    pub visible: bool,
}

impl LoadOptions {
    /// A silent load that takes every suggestion.
    pub fn new(folder: impl Into<PathBuf>, gateway: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            folder: folder.into(),
            gateway: gateway.into(),
            token: token.into(),
            mapping: None,
            batch: 200,
            patience: Duration::from_secs(600),
            stop: CancellationToken::new(),
            visible: false,
        }
    }
}
