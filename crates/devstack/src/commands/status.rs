//! `cargo dev status`: what runs, and whether it is ready. The exit code is 0 only when all of it is.

use std::process::ExitCode;

use anyhow::Result;
use trato_devstack::{Checkout, Facts, backing, home::Home, http, proc, progress::print};

pub async fn run() -> Result<ExitCode> {
    let home = Home::dev(&Checkout::find()?);
    let Some(holder) = home.holder() else {
        print("not running; start it with `cargo dev up`");
        return Ok(ExitCode::FAILURE);
    };
    let Ok(facts) = Facts::read(&home.facts()) else {
        print(format!("starting or stopping (process {holder})"));
        return Ok(ExitCode::FAILURE);
    };
    let mut all = true;
    let mut line = |name: &str, address: &str, pid: Option<u32>, ready: bool| {
        let ready = ready && pid.is_none_or(proc::is_alive);
        all &= ready;
        let pid = pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        print(format!(
            "{name:<12} {:<9} process {pid:<8} {address}",
            if ready { "ready" } else { "NOT READY" }
        ));
    };
    if let Some(gateway) = &facts.gateway {
        line("gateway", &gateway.url, gateway.pid, http::is_ready(&gateway.admin).await);
    }
    for replica in facts.services.values().flat_map(|service| &service.replicas) {
        line(&replica.name, &replica.grpc, replica.pid, http::is_ready(&replica.admin).await);
    }
    let address = format!("{}:{}", facts.postgres.host, facts.postgres.port);
    line(
        "postgres",
        &address,
        facts.postgres.pid,
        backing::postgres_answers(&facts.postgres.superuser_url).await,
    );
    line("rabbitmq", &facts.broker.url, facts.broker.pid, backing::broker_answers(&facts.broker.url).await);
    line("issuer", &facts.issuer.url, Some(holder), http::has_key_set(&facts.issuer.url).await);
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
