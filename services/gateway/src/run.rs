//! The gateway as a program: its subcommands, and the order in which it starts and stops.
//!
//! Stopping: not ready, nothing accepted any more, streams end, calls in hand finish, telemetry last. A part that ends untold
//! stops the program in the same way, with an error.

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use tokio::{net::TcpListener, time::interval};
use tokio_util::sync::CancellationToken;
use trato_platform::{
    auth,
    commands::Output,
    config::{Environment, Loaded},
    doctor,
    program::{BAD_CONFIGURATION, complain, say, stop_signal},
    rpc::{Admin, Readiness},
    tasks::{Group, told_or_failed},
    telemetry,
};
use trato_types::{Error, Result, error::chain};

use crate::{
    config::{self, Config},
    edge::{Contract, Gateway},
    server,
};

#[derive(Parser)]
#[command(
    about = "The gateway of the Trato suite. Settings: a file named by TRATO_CONFIG, variables TRATO_SECTION__KEY."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until told to stop (the default).
    Serve,
    /// Do nothing: the gateway keeps no data. It is here so that all programs are deployed alike.
    Migrate,
    /// Say what is wrong with the configuration or with the contract's HTTP bindings, if anything.
    CheckConfig,
    /// Print the effective configuration and where each value comes from; secrets are redacted.
    PrintConfig,
    /// Print the OpenAPI document.
    Openapi,
    /// Say what is wrong with the gateway and what it needs.
    Doctor {
        #[command(flatten)]
        output: Output,
    },
}

/// Runs the gateway for the services of a contract, by its command line.
pub async fn run(contract: Contract) -> ExitCode {
    let command = Arguments::parse().command.unwrap_or(Command::Serve);
    auth::tls::install();
    let mut loader = config::loader();
    if matches!(command, Command::Serve | Command::CheckConfig) {
        loader = loader.require("auth.issuers").require("upstreams");
    }
    let loaded = match loader.load(&Environment::of_process()) {
        Ok(loaded) => loaded,
        Err(faults) => {
            complain(&faults.to_string());
            return ExitCode::from(BAD_CONFIGURATION);
        }
    };
    let outcome = match command {
        Command::Serve => serve(&loaded, contract).await,
        Command::Migrate => say("the gateway keeps no data\n"),
        Command::CheckConfig => gateway(&loaded, contract).and_then(|_| say("the configuration is fine\n")),
        Command::PrintConfig => say(&loaded.print()),
        Command::Openapi => gateway(&loaded, contract).and_then(|gateway| say(gateway.openapi()?)),
        Command::Doctor { output } => {
            let report = doctor::examine_edge("gateway", &loaded).await;
            output.write(&mut std::io::stdout(), &report, &report.text())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn gateway(loaded: &Loaded, contract: Contract) -> Result<Gateway> {
    let config =
        Config::of(loaded).ok_or_else(|| Error::internal("the gateway's settings were not loaded"))?;
    Gateway::new(config, contract).map_err(Error::internal)
}

async fn serve(loaded: &Loaded, contract: Contract) -> Result<()> {
    let telemetry = telemetry::init(&loaded.settings.telemetry, "gateway").map_err(Error::internal)?;
    let outcome = serve_until_told(loaded, contract).await;
    if let Err(error) = &outcome {
        tracing::error!(error = %chain(error), "the gateway stops: {}", chain(error));
    }
    telemetry.shutdown().await;
    outcome
}

async fn serve_until_told(loaded: &Loaded, contract: Contract) -> Result<()> {
    let mut running = Running::start(Arc::new(gateway(loaded, contract)?)).await?;
    let (address, admin) = (running.address, running.admin_address);
    tracing::info!(%address, %admin, "serving on {address}");
    let outcome = told_or_failed(stop_signal(), running.failure()).await;
    outcome.and(running.stop().await)
}

/// Counts the processes of the gateway as often as names are asked.
async fn keep_counting(gateway: Arc<Gateway>, stop: CancellationToken) {
    let mut clock = interval(gateway.config().platform.transport.resolve());
    let counting = async {
        loop {
            clock.tick().await;
            gateway.count_gateways().await;
        }
    };
    stop.run_until_cancelled(counting).await;
}

/// A gateway that serves. Tests start it in the same way, with other settings.
#[derive(Debug)]
pub struct Running {
    /// Where clients are answered.
    pub address: SocketAddr,
    /// Where probes are answered.
    pub admin_address: SocketAddr,
    readiness: Readiness,
    serving: Group,
    admin: Group,
}

impl Running {
    /// Binds the ports of the settings, fetches the issuers' keys and serves.
    pub async fn start(gateway: Arc<Gateway>) -> Result<Self> {
        let settings = gateway.config().platform.server.clone();
        let listener = TcpListener::bind(settings.listen).await.map_err(Error::internal)?;
        let readiness = Readiness::new();
        let admin = Admin::bind(settings.admin_listen, readiness.clone()).await.map_err(Error::internal)?;
        let address = listener.local_addr().map_err(Error::internal)?;
        let admin_address = admin.local_addr().map_err(Error::internal)?;
        let (mut serving, mut probes) = (Group::default(), Group::default());
        probes.keep("probes", admin.serve(probes.stop()));
        for service in gateway.unserved() {
            tracing::warn!(service, "no address is configured for {service}; its calls will be UNAVAILABLE");
        }
        gateway.warm().await;
        gateway.set_serving(true).await;
        serving.keep("count of gateways", keep_counting(Arc::clone(&gateway), serving.stop()));
        serving.keep("server", server::serve(gateway, listener, serving.stop()));
        readiness.started();
        Ok(Self { address, admin_address, readiness, serving, admin: probes })
    }

    /// Waits for the first part that ends although it was not told to; for ever when none does.
    pub async fn failure(&mut self) -> Error {
        tokio::select! {
            error = self.serving.failure() => error,
            error = self.admin.failure() => error,
        }
    }

    /// Stops in order and waits for the end, of each part also when the one before failed.
    pub async fn stop(self) -> Result<()> {
        self.readiness.draining();
        let served = self.serving.stopped().await;
        served.and(self.admin.stopped().await)
    }
}
