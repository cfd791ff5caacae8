//! A service is data: what it is called, what it stores, serves, listens to and does by the clock.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tonic::{body::Body, server::NamedService, service::RoutesBuilder};
use tower::Service;
use trato_types::Result;

use crate::{
    access::{Access, roles::Roles},
    config::{Loaded, Loader, Settings},
    db::{Database, Kept, Resource, migrate::Migration},
    descriptors::Descriptors,
    directory::{self, Directory},
    events::Subscription,
    rpc::Upstream,
    transport::Network,
};

/// What handlers, subscriptions and jobs are made with.
#[derive(Clone)]
pub struct App {
    /// Name of the service.
    pub service: &'static str,
    /// All settings, the service's own sections among them.
    pub loaded: Arc<Loaded>,
    /// The service's database.
    pub database: Database,
    /// Members and teams.
    pub directory: Arc<Directory>,
    /// What each role may do.
    pub roles: Arc<Roles>,
    /// How other services are reached.
    pub network: Network,
    /// The contract.
    pub descriptors: Arc<Descriptors>,
    /// Set when the program is to stop.
    pub shutdown: CancellationToken,
}

impl App {
    /// The platform's settings.
    pub fn settings(&self) -> &Settings {
        &self.loaded.settings
    }

    /// The way to the services of a proto package, `trato.customers`, where the settings say that it is.
    pub fn upstream(&self, package: &str) -> Upstream {
        let addresses = self.settings().upstreams.addresses(package);
        Upstream::new(package, &addresses, &self.network, self.descriptors.rules_in(package))
    }

    /// The answers of an AccessService.
    pub fn access(&self) -> Access {
        Access::new(&self.database, self.directory.clone(), self.roles.clone())
    }
}

/// Adds one gRPC service to the routes and says its full name.
pub(crate) type AddService = Box<dyn FnOnce(&App, &mut RoutesBuilder) -> &'static str + Send>;

/// A periodic job; it runs on one process of the service at a time.
#[derive(Clone)]
pub struct Job {
    /// Kebab-case name: lease, metric and log key.
    pub name: &'static str,
    /// Time from the end of one run to the start of the next.
    pub period: Duration,
    /// The work of one run.
    pub run: Arc<dyn Fn(App) -> BoxFuture<'static, Result<()>> + Send + Sync>,
}

/// The table of contents of a service.
pub struct ServiceSpec {
    pub(crate) name: &'static str,
    pub(crate) config: &'static str,
    pub(crate) descriptors: &'static [u8],
    pub(crate) roles: &'static str,
    pub(crate) migrations: &'static [Migration],
    pub(crate) loader: Box<dyn Fn(Loader) -> Loader + Send + Sync>,
    pub(crate) services: Vec<AddService>,
    pub(crate) kept: Vec<Kept>,
    pub(crate) asks: &'static [&'static str],
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) warm: Option<fn()>,
}

impl ServiceSpec {
    /// A service with its compiled-in configuration, the contract's descriptors and the shipped roles. It listens to
    /// the directory from the start.
    pub fn new(
        name: &'static str,
        config: &'static str,
        descriptors: &'static [u8],
        roles: &'static str,
    ) -> Self {
        Self {
            name,
            config,
            descriptors,
            roles,
            migrations: &[],
            loader: Box::new(|loader| loader),
            services: Vec::new(),
            kept: Vec::new(),
            asks: &[],
            subscriptions: directory::subscriptions(),
            jobs: Vec::new(),
            warm: None,
        }
    }

    /// The schema, oldest file first; see `migrations!`.
    #[must_use]
    pub fn migrations(mut self, migrations: &'static [Migration]) -> Self {
        self.migrations = migrations;
        self
    }

    /// Keeps resources of a type: it is their events that the service's log has.
    #[must_use]
    pub fn keep<T: Resource>(mut self) -> Self {
        self.kept.push(Kept::of::<T>());
        self
    }

    /// Settings sections of the service's own.
    #[must_use]
    pub fn settings(mut self, sections: impl Fn(Loader) -> Loader + Send + Sync + 'static) -> Self {
        self.loader = Box::new(sections);
        self
    }

    /// Serves a gRPC service.
    #[must_use]
    pub fn serve<S>(mut self, make: impl FnOnce(&App) -> S + Send + 'static) -> Self
    where
        S: Service<http::Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        self.services.push(Box::new(|app, routes| {
            routes.add_service(make(app));
            S::NAME
        }));
        self
    }

    /// Asks the services of these proto packages, `trato.customers`: `doctor` misses their addresses.
    #[must_use]
    pub fn asks(mut self, packages: &'static [&'static str]) -> Self {
        self.asks = packages;
        self
    }

    /// Listens to events.
    #[must_use]
    pub fn on(mut self, subscription: Subscription) -> Self {
        self.subscriptions.push(subscription);
        self
    }

    /// Does something by the clock, on one process of the service at a time.
    #[must_use]
    pub fn every(
        mut self,
        name: &'static str,
        period: Duration,
        run: impl Fn(App) -> BoxFuture<'static, Result<()>> + Send + Sync + 'static,
    ) -> Self {
        self.jobs.push(Job { name, period, run: Arc::new(run) });
        self
    }

    /// Does once, at the start and beside it, what the first call would otherwise wait for; ready when it is done.
    #[must_use]
    pub fn warm(mut self, work: fn()) -> Self {
        self.warm = Some(work);
        self
    }

    /// Name of the service.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Migrations of the service's own schema.
    pub fn schema(&self) -> &'static [Migration] {
        self.migrations
    }
}
