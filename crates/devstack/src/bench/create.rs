//! P1: creating an account, JSON through the gateway with everything on, against pgbench running the very same SQL.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    capture,
    client::{Call, Target, Wire},
    drive::{self, Load, Maker, Model},
    figure::{Figure, Goal},
    pgbench::Script,
    room::{CALLERS, Room, cpu_note},
};
use crate::Tenant;

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let (tenant, target) = room.tenant()?;
    drive::warm_up(&target, maker()).await?;
    let script = limit(room, &target).await?;

    let (mut rounds, mut cpu, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..room.rounds {
        room.quiet().await?;
        let meter = room.meter()?;
        let theirs = script.run(CALLERS, room.span).await?;
        let their_cpu = meter.stop();
        room.quiet().await?;
        let meter = room.meter()?;
        let ours = counted_round(room, &tenant, &target).await?;
        let our_cpu = meter.stop();
        let path = ["gateway", "customers", "postgres"];
        let of_path: f64 = path.iter().filter_map(|name| our_cpu.get(*name)).sum();
        cpu.push(of_path / ours.done as f64);
        rounds.push((ours.rate(), theirs.rate));
        if round + 1 == room.rounds {
            notes.push(cpu_note("ours", &our_cpu, ours.done));
            notes.push(cpu_note("pgbench", &their_cpu, theirs.done));
            notes.push(format!(
                "latency in the last round: p50 {:.1} ms, p99 {:.1} ms; rows counted after each round equal the calls",
                ours.quantile(0.5),
                ours.quantile(0.99)
            ));
        }
    }
    let what = "create account, JSON through the gateway, c=32";
    let limit = "pgbench, the captured SQL, prepared, c=32; the relay publishes both sides' events meanwhile";
    let mut throughput =
        Figure::ratio("P1", what, "calls/s", limit, &rounds, Goal::AtLeast(0.6)).stretch(0.75);
    throughput.notes = notes;
    let what = "create account: CPU of gateway, customers and PostgreSQL";
    Ok(vec![throughput, Figure::absolute("P1", what, "ms/call", &cpu, Goal::AtMost(0.45))])
}

/// A round of creating whose rows are counted.
pub async fn counted_round(room: &Room, tenant: &Tenant, target: &Target) -> Result<Load> {
    let before = room.accounts(tenant).await?;
    let links = target.links(Wire::Json, CALLERS).await?;
    let load = drive::run(links, target, Model::Closed(room.span), maker()).await?;
    let stored = room.accounts(tenant).await? - before;
    ensure!(stored == load.done, "{} calls were answered, {stored} rows are there", load.done);
    Ok(load)
}

/// Each call makes an account under a request id of its own.
pub fn maker() -> Maker {
    let account = account();
    Arc::new(move |_| Call::post(format!("/v1/accounts?requestId={}", Uuid::new_v4()), &account))
}

/// The account that is made.
pub fn account() -> Value {
    json!({
        "displayName": "Talleres Miramar", "legalName": "Talleres Miramar, S. A.", "sector": "retail",
        "kinds": ["PARTNER"], "emailAddress": "hello@miramar.example", "phoneNumber": "+34 912 345 678",
        "website": "https://miramar.example", "taxId": "A12345674", "employeeCount": 120,
        "annualRevenue": { "currencyCode": "EUR", "units": "4500000" },
        "address": { "lines": ["Calle Mayor 1"], "locality": "Madrid", "postalCode": "28013", "countryCode": "ES" },
    })
}

/// What one call runs, as a script.
async fn limit(room: &Room, target: &Target) -> Result<Script> {
    let make = maker();
    let mut captured = Vec::new();
    for number in 0..2 {
        let mut link = target.links(Wire::Json, 1).await?;
        let call = make(number);
        let log = room.stack.home().log("postgres");
        let statements =
            capture::statements(&room.customers, log, "customers", "insert into account", async || {
                link[0].call(target, call).await.map(drop)
            });
        captured.push(statements.await?);
    }
    let url = room.stack.facts().database("customers")?.url.clone();
    room.progress.say("P1", format!("a call runs {} statement(s)", captured[0].len()));
    capture::script(&captured[0], &captured[1], room.file("create.sql"), &url)
}
