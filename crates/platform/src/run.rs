//! A service as a program: its subcommands, and the order in which it starts and stops.
//!
//! Stopping: no new calls, not ready, calls in hand finish, the records of their answers are stored, the consumer after
//! its batch and the jobs, only then the relay after what they all committed, pools, telemetry last. A part that ends untold
//! stops the program in the same way, with an error.

use std::{process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use trato_types::{Error, Result, error::chain};

use crate::{
    access::{
        records::{
            self,
            export::{self, AccessRecordsCommand},
        },
        roles::Roles,
    },
    auth::{self, Verifier},
    commands::Operation,
    conditions::{queue_is_there, schema_is_right},
    config::{Environment, Loaded, Loader},
    db::{Database, migrate},
    descriptors::Descriptors,
    directory::Directory,
    events::{self, Consumer, Processor, Relay, declared, partitions},
    jobs,
    program::{BAD_CONFIGURATION, complain, say, stop_signal},
    rpc::{Admin, Readiness, Server, Setup, Turns},
    spec::{App, ServiceSpec},
    tasks::{Group, told_or_failed},
    telemetry,
    transport::Network,
};

#[derive(Parser)]
#[command(
    about = "A service of the Trato suite. Settings: a file named by TRATO_CONFIG, variables TRATO_SECTION__KEY."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until told to stop (the default).
    Serve,
    /// Bring the database to this program's schema, which needs the owner's address, and declare its queue of events.
    Migrate,
    /// Say what is wrong with the configuration, if anything.
    CheckConfig,
    /// Print the effective configuration and where each value comes from; secrets are redacted.
    PrintConfig,
    #[command(flatten)]
    Operate(Operation),
    /// Who read whose data.
    #[command(subcommand)]
    AccessRecords(AccessRecordsCommand),
}

/// Runs the program a spec describes, by its command line.
pub async fn run(spec: ServiceSpec) -> ExitCode {
    let command = Arguments::parse().command.unwrap_or(Command::Serve);
    auth::tls::install();
    let loader = required(&command, (spec.loader)(Loader::new(spec.config)));
    let loaded = match loader.load(&Environment::of_process()) {
        Ok(loaded) => loaded,
        Err(faults) => {
            complain(&faults.to_string());
            return ExitCode::from(BAD_CONFIGURATION);
        }
    };
    let outcome = match command {
        Command::Serve => serve(spec, loaded).await,
        Command::Migrate => migrate_schema(&spec, &loaded).await,
        Command::CheckConfig => say("the configuration is fine\n"),
        Command::PrintConfig => say(&loaded.print()),
        Command::Operate(operation) => operation.run(spec, &loaded).await,
        Command::AccessRecords(command) => access_records(&spec, &loaded, command).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&chain(&error));
            ExitCode::FAILURE
        }
    }
}

/// Each subcommand needs other addresses; what it does not need may be missing.
fn required(command: &Command, loader: Loader) -> Loader {
    match command {
        Command::Migrate => loader.require("database.owner_url"),
        Command::PrintConfig => loader,
        Command::Operate(operation) => operation.required(loader),
        Command::AccessRecords(_) => loader.require("database.url").require("database.system_url"),
        Command::Serve | Command::CheckConfig => loader
            .require("database.url")
            .require("database.system_url")
            .require("broker.url")
            .require("auth.issuers"),
    }
}

pub(crate) async fn migrate_schema(spec: &ServiceSpec, loaded: &Loaded) -> Result<()> {
    let done = migrate::migrate(&loaded.settings.database, spec.migrations).await?;
    let text = if done.is_empty() {
        "the schema is up to date\n".to_owned()
    } else {
        format!("ran {}\n", done.join(", "))
    };
    say(&text)?;
    // Every queue is there before the first program of a new installation serves: whoever starts last misses nothing.
    let broker = &loaded.settings.broker;
    if broker.url.expose_secret().is_empty() {
        return say("broker.url is not set, so that the queue is declared when the service starts\n");
    }
    events::declare(spec.name, &spec.subscriptions, broker).await?;
    let mut owner = migrate::owner(&loaded.settings.database).await?;
    declared::remember(&mut owner, broker, spec.name, &spec.subscriptions).await
}

async fn access_records(spec: &ServiceSpec, loaded: &Loaded, command: AccessRecordsCommand) -> Result<()> {
    let database = Database::new(&loaded.settings.database, spec.name)?;
    export::run(command, &database, &mut std::io::stdout()).await
}

async fn serve(spec: ServiceSpec, loaded: Loaded) -> Result<()> {
    let telemetry = telemetry::init(&loaded.settings.telemetry, spec.name).map_err(Error::internal)?;
    let outcome = serve_with(spec, loaded).await;
    if let Err(error) = &outcome {
        tracing::error!(error = %chain(error), "the service stops: {}", chain(error));
    }
    telemetry.shutdown().await;
    outcome
}

async fn serve_with(spec: ServiceSpec, loaded: Loaded) -> Result<()> {
    let stop = CancellationToken::new();
    let mut running = Running::start(spec, loaded, stop.clone()).await?;
    tracing::info!(address = %running.address, admin = %running.admin_address, "serving on {}", running.address);
    let outcome = told_or_failed(stop_signal(), running.failure()).await;
    stop.cancel();
    outcome.and(running.stopped().await)
}

/// A service that serves. Tests start it in the same way, with other settings.
pub struct Running {
    /// Where gRPC is answered.
    pub address: std::net::SocketAddr,
    /// Where probes are answered.
    pub admin_address: std::net::SocketAddr,
    /// The parts handlers are made with.
    pub app: App,
    readiness: Readiness,
    server: Group,
    records: Group,
    background: Group,
    relay: Group,
    admin: Group,
}

impl Running {
    /// Binds the ports, then starts everything; ready once the schema is right and the queue was declared, now or before.
    /// `stop` ends the serving of calls; `stopped` waits for the end of all parts.
    pub async fn start(spec: ServiceSpec, loaded: Loaded, stop: CancellationToken) -> Result<Self> {
        let settings = loaded.settings.clone();
        let descriptors = Arc::new(Descriptors::read(spec.descriptors).map_err(Error::internal)?);
        let network = Network::new(&settings)?;
        let roles = Roles::load(&settings.access.roles_file, spec.roles, descriptors.permissions());
        let database = Database::new(&settings.database, spec.name)?;
        let directory = Arc::new(Directory::new(&database));
        let app = App {
            service: spec.name,
            loaded: Arc::new(loaded),
            database,
            directory: directory.clone(),
            roles: Arc::new(roles.map_err(Error::internal)?),
            network: network.clone(),
            descriptors: Arc::clone(&descriptors),
            shutdown: stop.clone(),
        };
        let verifier = Verifier::new(&settings.auth)?;
        let (recorder, writer) = records::recorder(&settings.access, &app.database.system);
        let readiness = Readiness::new();
        let admin =
            Admin::bind(settings.server.admin_listen, readiness.clone()).await.map_err(Error::internal)?;
        let mut routes = RoutesBuilder::default();
        let names: Vec<&str> = spec.services.into_iter().map(|add| add(&app, &mut routes)).collect();
        let server = Server::bind(Setup {
            service: spec.name,
            settings: settings.server.clone(),
            descriptors: spec.descriptors,
            rules: descriptors.rules_of(&names).map_err(Error::internal)?,
            routes: routes.routes(),
            verifier: verifier.clone(),
            roles: app.roles.clone(),
            teams: directory,
            recorder,
            barred: app.database.barred.clone(),
            turns: Turns::of(&app.database.pool),
            readiness: readiness.clone(),
            tls: network.tls().cloned(),
        })
        .await
        .map_err(Error::internal)?;
        let address = server.local_addr();
        let admin_address = admin.local_addr().map_err(Error::internal)?;

        // Background work outlives the calls, and the relay outlives it: what the last ones committed is still published.
        let (mut records, mut background, mut relay) = (Group::default(), Group::default(), Group::default());
        // It ends by itself when nobody is left who could give it a record, as when the server has ended.
        records.once("access-records", writer.run(records.stop()));
        background.once("keys", async move { verifier.warm().await });
        let schema = schema_is_right(
            app.database.clone(),
            spec.migrations,
            readiness.condition("schema"),
            background.stop(),
        );
        background.once("schema", schema);
        let barred = app.database.barred.clone();
        background.keep("barred", barred.keep_reading(app.database.system.clone(), background.stop()));
        if let Some(work) = spec.warm {
            let warm = readiness.condition("warm");
            background.once_blocking("warm", move || {
                work();
                warm.holds();
            });
        }
        // Only tests of a service alone go without a broker; `serve` requires it.
        if !settings.broker.url.expose_secret().is_empty() {
            let processor = Processor::new(app.database.clone(), spec.subscriptions);
            let consumer = Consumer::new(spec.name, processor, &settings.broker);
            let queue = queue_is_there(consumer.clone(), readiness.condition("queue"), background.stop());
            background.once("queue", queue);
            background.keep("consumer", consumer.run(background.stop()));
            let publishing = Relay::new(spec.name, &app.database, &settings.broker, &settings.events);
            relay.keep("relay", publishing.run(relay.stop()));
        }
        let mut due = partitions::jobs();
        due.extend(spec.jobs);
        background.keep("jobs", jobs::run(app.clone(), due, background.stop()));
        readiness.started();

        let (mut serving, mut probes) = (Group::until(stop.clone()), Group::default());
        serving.keep("server", server.serve(stop));
        probes.keep("probes", admin.serve(probes.stop()));
        Ok(Self {
            address,
            admin_address,
            app,
            readiness,
            server: serving,
            records,
            background,
            relay,
            admin: probes,
        })
    }

    /// True when calls are welcome.
    pub fn is_ready(&self) -> bool {
        self.readiness.is_ready()
    }

    /// Waits for the first part that ends although it was not told to; for ever when none does.
    pub async fn failure(&mut self) -> Error {
        tokio::select! {
            error = self.server.failure() => error,
            error = self.records.failure() => error,
            error = self.background.failure() => error,
            error = self.relay.failure() => error,
            error = self.admin.failure() => error,
        }
    }

    /// Waits for the end after the stop signal, part by part: each also when one before it failed.
    pub async fn stopped(self) -> Result<()> {
        self.readiness.draining();
        let mut outcome = Ok(());
        for part in [self.server, self.records, self.background, self.relay] {
            outcome = outcome.and(part.stopped().await);
        }
        self.app.database.close().await;
        outcome.and(self.admin.stopped().await)
    }
}
