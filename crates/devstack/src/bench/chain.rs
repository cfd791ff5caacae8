//! P12: whole chains from an opportunity to cash through the gateway, beside those of Tryton, and the same while everything is
//! killed in turn.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    client::{Call, Link, Target, Wire},
    create,
    drive::{self, Load, Model},
    figure::{Figure, Goal},
    room::{Room, cpu_note},
    tryton::Peer,
};
use crate::{
    Tenant,
    trade::{self, Billed, CALLS, Client, Ground},
};

/// Chains that go on at once.
const CHAINS: usize = 8;
/// What is killed, in turn.
const VICTIMS: [&str; 6] = ["sales", "billing", "customers", "gateway", "postgres", "rabbitmq"];
/// Time between what is killed.
const APART: Duration = Duration::from_secs(2);
/// Pause before a call is made again.
const PAUSE: Duration = Duration::from_millis(50);
/// Longest time in which a call is made again and again.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let (tenant, target) = room.tenant()?;
    let mut caller = Caller::new(&target, Patience::None);
    let ground = Ground::make(&mut caller).await?;
    let mut told = run(&target, &ground, Patience::None, Until::over(room.span)).await?.done;
    drive::warm_up(&target, create::maker()).await?;
    let mut peer = Peer::start(room).await;

    let (mut ratios, mut cpu, mut rates, mut notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..room.rounds {
        room.quiet().await?;
        let links = target.links(Wire::Json, CHAINS).await?;
        let creating = drive::run(links, &target, Model::Closed(room.span), create::maker()).await?;
        room.quiet().await?;
        let meter = room.meter()?;
        let chains = run(&target, &ground, Patience::None, Until::over(room.span)).await?;
        let used = meter.stop();
        told += chains.done;
        ratios.push((chains.quantile(0.99), creating.quantile(0.99)));
        let each = used.values().sum::<f64>() / chains.done as f64;
        cpu.push(each);
        rates.push(chains.rate());
        peer.round(room, each).await;
        if round + 1 == room.rounds {
            notes.push(cpu_note("a chain", &used, chains.done));
            notes.push(format!(
                "a chain in the last round: p50 {:.0} ms, p99 {:.0} ms, of {CALLS} calls",
                chains.quantile(0.5),
                chains.quantile(0.99)
            ));
        }
    }

    let spared = peer.figure(room).await;
    let (killed, kills) = while_all_is_killed(room, &target, &ground).await?;
    told += killed.done;
    count(room, &tenant, told).await?;
    let what = "a chain from opportunity to cash, p99, 8 at once";
    let limit = "create account, p99, 8 at once";
    let mut latency = Figure::ratio("P12", what, "ms", limit, &ratios, Goal::AtMost(10.0));
    latency.notes = notes;
    let what = "chains from opportunity to cash, 8 at once";
    let rate = Figure::absolute("P12", what, "chains/s", &rates, Goal::Unset);
    let what = "a chain from opportunity to cash, all programs and servers";
    let cost = Figure::absolute("P12", what, "CPU ms/chain", &cpu, Goal::Unset);
    let what = "the same while each program and server is killed in turn";
    let killed = Figure::absolute("P12", what, "chains/s", &[killed.rate()], Goal::Unset).note(format!(
        "{} chains in {kills} kills, each finished once: p50 {:.0} ms, p99 {:.0} ms",
        killed.done,
        killed.quantile(0.5),
        killed.quantile(0.99)
    ));
    Ok(vec![latency, rate, cost, spared, killed])
}

/// Runs chains for the time of a round: a load of every program.
pub async fn load(room: &Room) -> Result<()> {
    let (_, target) = room.tenant()?;
    let ground = Ground::make(&mut Caller::new(&target, Patience::None)).await?;
    run(&target, &ground, Patience::None, Until::over(room.span)).await.map(drop)
}

/// Chains go on while everything is killed and started again, one after the other.
async fn while_all_is_killed(room: &Room, target: &Target, ground: &Ground) -> Result<(Load, usize)> {
    let over = Until::told();
    let going = tokio::spawn({
        let (target, ground, over) = (target.clone(), ground.clone(), over.clone());
        async move { run(&target, &ground, Patience::Long, over).await }
    });
    for victim in VICTIMS {
        tokio::time::sleep(APART).await;
        room.stack.kill(victim).await?;
        room.stack.start_again(victim).await?;
        room.stack.wait_ready(victim, PATIENCE).await?;
    }
    tokio::time::sleep(APART).await;
    over.tell();
    Ok((going.await??, VICTIMS.len()))
}

/// Holds the databases to what was told: as many documents of each kind as chains were told to be finished, and the numbers 1 to n.
async fn count(room: &Room, tenant: &Tenant, told: u64) -> Result<()> {
    let told = i64::try_from(told)?;
    for (pool, rows) in [
        (&room.sales, "select count(*) from quote where tenant_id = $1"),
        (&room.sales, "select count(*) from sales_order where tenant_id = $1"),
        (&room.sales, "select count(*) from delivery_note where tenant_id = $1"),
        (&room.billing, "select count(*) from invoice where tenant_id = $1"),
        (&room.billing, "select max(ordinal) from invoice where tenant_id = $1"),
        (&room.billing, "select count(*) from payment where tenant_id = $1"),
    ] {
        let found: i64 = sqlx::query_scalar(rows).bind(tenant.id).fetch_one(pool).await?;
        ensure!(found == told, "{told} chains were finished; {rows}: {found}");
    }
    Ok(())
}

/// When chains are no longer begun.
#[derive(Clone, Debug)]
enum Until {
    Time(Instant),
    Told(Arc<AtomicBool>),
}

impl Until {
    fn over(span: Duration) -> Self {
        Self::Time(Instant::now() + span)
    }

    fn told() -> Self {
        Self::Told(Arc::default())
    }

    fn tell(&self) {
        if let Self::Told(over) = self {
            over.store(true, Ordering::Relaxed);
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Self::Time(end) => Instant::now() >= *end,
            Self::Told(over) => over.load(Ordering::Relaxed),
        }
    }
}

/// Runs chains side by side; any that fails makes the round fail.
async fn run(target: &Target, ground: &Ground, patience: Patience, until: Until) -> Result<Load> {
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CHAINS {
        let (mut caller, ground, until) = (Caller::new(target, patience), ground.clone(), until.clone());
        callers.spawn(async move {
            let mut micros = drive::empty()?;
            while !until.is_over() {
                let since = Instant::now();
                trade::to_cash(&mut caller, &ground, Billed::DeliveryNote).await?;
                micros.saturating_record(since.elapsed().as_micros() as u64);
            }
            anyhow::Ok(micros)
        });
    }
    let mut micros = drive::empty()?;
    while let Some(caller) = callers.join_next().await {
        micros.add(caller??)?;
    }
    Ok(Load { done: micros.len(), seconds: begun.elapsed().as_secs_f64(), micros })
}

/// Whether a call that is not answered is made again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Patience {
    None,
    Long,
}

/// Somebody with a connection, made when it is needed.
#[derive(Debug)]
struct Caller {
    target: Target,
    link: Option<Link>,
    patience: Patience,
}

impl Caller {
    fn new(target: &Target, patience: Patience) -> Self {
        Self { target: target.clone(), link: None, patience }
    }

    async fn once(&mut self, call: Call) -> Result<Value> {
        let mut link = match self.link.take() {
            Some(link) => link,
            None => self.target.links(Wire::Json, 1).await?.pop().context("there is a connection")?,
        };
        let answer = link.call(&self.target, call).await?;
        self.link = Some(link);
        Ok(serde_json::from_slice(&answer)?)
    }
}

impl Client for Caller {
    /// Under one request id, again and again where there is patience.
    async fn ask(&mut self, path: String, body: Value) -> Result<Value> {
        let call = Call::post(path, &body).under(Uuid::new_v4());
        let begun = Instant::now();
        loop {
            match self.once(call.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) if self.patience == Patience::None || begun.elapsed() > PATIENCE => {
                    return Err(error);
                }
                // What was refused may have been done, and a connection may be broken: another one asks again.
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}
