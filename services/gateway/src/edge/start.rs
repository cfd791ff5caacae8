//! Everything that is worked out once, before the first request.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicBool},
};

use tokio_util::sync::CancellationToken;
use trato_platform::{auth::Verifier, rpc::Places, transport::Network};
use trato_types::Error;

use super::{
    Contract, Gateway, cors::Cors, local::Local, pages::Pages, pressure::Pressure, rate::Rates,
    stream::Tables,
};
use crate::{
    config::Config,
    response::Errors,
    routes::{RouteErrors, Routes},
    schema::{Schema, SchemaError},
    upstreams::Upstreams,
};

/// Why the descriptors or settings cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The bytes are no descriptors.
    #[error("the descriptors cannot be read")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// A message cannot be carried as JSON.
    #[error("the contract cannot be served as JSON")]
    Schema(#[from] SchemaError),
    /// HTTP bindings are malformed or ambiguous.
    #[error(transparent)]
    Routes(#[from] RouteErrors),
    /// Reflection refuses the descriptors.
    #[error("the descriptors cannot be served by reflection")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// `google.rpc.Status` is missing.
    #[error("the descriptors lack google.rpc.Status")]
    NoStatus,
    /// The token verifier cannot be made.
    #[error("tokens cannot be verified")]
    Verifier(#[source] Error),
    /// The certificates cannot be used.
    #[error("the services cannot be reached")]
    Network(#[source] Error),
}

impl Gateway {
    /// Reads the contract and refuses what cannot be served. Connects to nothing yet.
    pub fn new(config: Config, contract: Contract) -> Result<Self, StartError> {
        let pool = contract.read()?;
        let schema = Schema::new(&pool)?;
        let routes = Routes::new(&pool, &schema)?;
        let errors = Errors::new(&schema).ok_or(StartError::NoStatus)?;
        let upstreams = upstreams(&config).map_err(StartError::Network)?;
        let by_method =
            routes.methods().iter().map(|method| upstreams.find(&method.package).cloned()).collect();
        let drain = CancellationToken::new();
        Ok(Self {
            pages: Pages::new(),
            local: Local::new(contract.documented, &pool)?,
            contract,
            verifier: Verifier::new(&config.platform.auth).map_err(StartError::Verifier)?,
            rates: Rates::new(&config.rate),
            cors: Cors::new(&config.cors),
            places: Places::new(config.platform.server.max_concurrency),
            tables: Arc::new(Tables { schema, errors }),
            upstreams: by_method,
            pressures: pressures(&routes),
            other: "other".into(),
            knows_gateways: AtomicBool::new(true),
            routes,
            config,
            drain,
        })
    }
}

/// One for each package, by the position of its methods.
fn pressures(routes: &Routes) -> Vec<Arc<Pressure>> {
    let mut by_package = HashMap::<&str, Arc<Pressure>>::new();
    let packages = routes.methods().iter().map(|method| method.package.as_str());
    packages.map(|package| by_package.entry(package).or_default().clone()).collect()
}

fn upstreams(config: &Config) -> Result<Upstreams, Error> {
    let network = Network::new(&config.platform)?;
    let configured = &config.platform.upstreams;
    let addresses = configured.packages().map(|package| (package, configured.addresses(package)));
    Ok(Upstreams::new(addresses, &network, config.gateway.max_response_bytes))
}
