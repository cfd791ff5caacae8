//! P5: what the gateway adds to a call, against Envoy's `grpc_json_transcoder` in front of the same service.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{
    client::{Target, Wire},
    drive::{self, Load, Maker, Model},
    envoy::Envoy,
    figure::{Figure, Goal},
    get, import, list,
    room::{CALLERS, Room},
    usage::Meter,
};

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let tenant = import::accounts(room).await?;
    let envoy = match Envoy::start(room).await {
        Ok(envoy) => envoy,
        Err(error) => {
            let what = "gateway: CPU added per call, over Envoy's transcoder";
            return Ok(vec![Figure::missing("P5", what, Goal::AtMost(0.7), format!("no Envoy: {error:#}"))]);
        }
    };
    let token = room.token(&tenant)?;
    let gateway = room.gateway(&tenant)?;
    let theirs = Target::new(&envoy.url, &token)?;
    let direct = Target::new(&room.stack.facts().service("customers")?.grpc, &token)?;
    let gateway_pid = room.stack.pid("gateway")?.context("the gateway runs")?;

    let names = get::names(room, tenant.id).await?;
    let tokens = std::sync::Arc::new(list::tokens(&gateway).await?);
    let calls = [
        ("get", get::maker(Wire::Json, &names), get::maker(Wire::Grpc, &names)),
        ("page of 50", list::maker(Wire::Json, &tokens), list::maker(Wire::Grpc, &tokens)),
    ];
    let mut figures = Vec::new();
    room.quiet().await?;
    for (what, json, grpc) in calls {
        let (mut cpu, mut tails, mut added) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..room.rounds {
            let (their_load, their_cpu) = metered(&theirs, envoy.pid, room.span / 2, &json).await?;
            let (our_load, our_cpu) = metered(&gateway, gateway_pid, room.span / 2, &json).await?;
            cpu.push((our_cpu, their_cpu));
            tails.push((our_load.quantile(0.99), their_load.quantile(0.99)));
            let alone = median(&direct, Wire::Grpc, room.span / 4, &grpc).await?;
            let through_theirs = median(&theirs, Wire::Json, room.span / 4, &json).await?;
            let through_ours = median(&gateway, Wire::Json, room.span / 4, &json).await?;
            added.push((through_ours - alone, through_theirs - alone));
        }
        let limit =
            "Envoy's grpc_json_transcoder with its JWT filter, --concurrency 2, the same service behind it";
        let title = format!("gateway: CPU per call, {what}, JSON, c=32");
        figures.push(Figure::ratio("P5", title, "ms/call", limit, &cpu, Goal::AtMost(0.7)).stretch(0.5));
        let title = format!("gateway: p50 added over gRPC without it, {what}, c=1");
        figures.push(Figure::ratio("P5", title, "ms", limit, &added, Goal::AtMost(1.0)));
        let title = format!("gateway: p99, {what}, c=32");
        figures.push(Figure::ratio("P5", title, "ms", limit, &tails, Goal::AtMost(1.0)));
    }
    Ok(figures)
}

/// A round with the processor time of one process, in milliseconds a call.
async fn metered(target: &Target, pid: u32, span: Duration, make: &Maker) -> Result<(Load, f64)> {
    let links = target.links(Wire::Json, CALLERS).await?;
    let meter = Meter::start(vec![("it".into(), pid)]);
    let load = drive::run(links, target, Model::Closed(span), make.clone()).await?;
    let cpu: f64 = meter.stop().values().sum();
    let each = cpu / load.done as f64;
    Ok((load, each))
}

/// The median latency of one caller, in milliseconds.
async fn median(target: &Target, wire: Wire, span: Duration, make: &Maker) -> Result<f64> {
    let links = target.links(wire, 1).await?;
    Ok(drive::run(links, target, Model::Closed(span), make.clone()).await?.quantile(0.5))
}
