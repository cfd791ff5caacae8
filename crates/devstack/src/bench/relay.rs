//! P7: the relay from log to confirm on a backlog, against bare publishing; and a consumer with two effects.
//!
//! The backlog is made while RabbitMQ is down. Sales is down while the relay drains it, so that both are measured alone.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    broker,
    figure::{Figure, Goal},
    import,
    room::{Room, cpu_note},
};
use crate::wait::eventually;

/// Longest wait for a step of a round.
const PATIENCE: Duration = Duration::from_secs(300);
/// Events below which a drain is over too soon to be timed.
const LEAST: usize = 10_000;
/// Time between two looks at how far the relay or the consumer is.
const LOOK: Duration = Duration::from_millis(10);
/// How far the relay is; the parameter is there for the sake of the other question.
const PUBLISHED: &str = "select coalesce(max(published), 0) from platform.lease where $1::uuid is not null";
/// Events of a tenant that took effect in one of the two projections of accounts. Only its own, since counting all of them would be
/// most of the load.
const HANDLED: &str = "select count(*) from platform.inbox
     where tenant_id = $1 and consumer = 'project-accounts' and state = 'DONE'";
/// Events without a number yet.
const UNNUMBERED: &str =
    "select count(*) from platform.event where position is null and $1::uuid is not null";

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let backlog = (room.rows / 4).max(LEAST);
    let bytes: f64 =
        sqlx::query_scalar("select coalesce(avg(octet_length(payload)), 512)::float8 from platform.event")
            .fetch_one(&room.customers)
            .await?;
    let url = room.stack.facts().broker.url;
    let (mut rounds, mut relayed, mut consumed, mut notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..room.rounds {
        room.quiet().await?;
        let (tenant, target) = room.tenant()?;
        let tenant = tenant.id;
        room.stack.terminate("sales").await?;
        room.stack.terminate("rabbitmq").await?;
        let before = count(&room.customers, PUBLISHED, tenant).await?;
        import::send(&target, 0, backlog).await?;
        // Numbering does not need the broker; the limit has no log to number, so it must be over.
        eventually(PATIENCE, "the backlog to be numbered", async || {
            (count(&room.customers, UNNUMBERED, tenant).await.ok()? == 0).then_some(())
        })
        .await?;
        room.stack.start_again("rabbitmq").await?;
        room.stack.wait_ready("rabbitmq", PATIENCE).await?;
        let meter = room.meter()?;
        let rate = drained(&room.customers, (PUBLISHED, tenant), before, backlog).await?;
        let cpu = meter.stop();

        let raw = broker::publish(&url, bytes as usize, room.span / 2).await?;
        rounds.push((rate, raw));
        relayed.push(rate);

        room.stack.start_again("sales").await?;
        let meter = room.meter()?;
        consumed.push(drained(&room.sales, (HANDLED, tenant), 0, backlog).await?);
        let consumer_cpu = meter.stop();
        ensure!(count(&room.sales, HANDLED, tenant).await? == backlog as i64, "an event was handled twice");
        if round + 1 == room.rounds {
            notes.push(cpu_note("relay", &cpu, backlog as u64));
            notes.push(cpu_note("consumer", &consumer_cpu, backlog as u64));
        }
    }
    let what = format!("relay of a backlog of {backlog} events, log to confirm");
    let limit =
        format!("bare publishing of {bytes:.0} bytes, windows of 500, confirms, persistent, quorum queue");
    let mut ratio = Figure::ratio("P7", what, "events/s", limit, &rounds, Goal::AtLeast(0.6)).stretch(0.8);
    ratio.notes = notes;
    Ok(vec![
        ratio,
        Figure::absolute("P7", "relay", "events/s", &relayed, Goal::AtLeast(5000.0)),
        Figure::absolute(
            "P7",
            "consumer with two effects, its backlog drained",
            "events/s",
            &consumed,
            Goal::AtLeast(2500.0),
        )
        .note("counted in the inbox of sales, which keeps a projection of accounts"),
    ])
}

/// Waits until a count has grown by `backlog`, and answers the rate from its first move to its last.
async fn drained(
    pool: &PgPool,
    (query, tenant): (&'static str, Uuid),
    before: i64,
    backlog: usize,
) -> Result<f64> {
    let goal = before + i64::try_from(backlog)?;
    let (mut begun, mut at_first) = (None, before);
    let waiting = Instant::now();
    loop {
        let now = count(pool, query, tenant).await?;
        if begun.is_none() && now > before {
            (begun, at_first) = (Some(Instant::now()), now);
        }
        if now >= goal {
            let elapsed = begun.map_or(LOOK, |begun| begun.elapsed()).max(LOOK);
            return Ok((goal - at_first).max(1) as f64 / elapsed.as_secs_f64());
        }
        ensure!(waiting.elapsed() < PATIENCE, "only {} of {backlog} events were done", now - before);
        tokio::time::sleep(LOOK).await;
    }
}

async fn count(pool: &PgPool, query: &'static str, tenant: Uuid) -> Result<i64> {
    Ok(sqlx::query_scalar(query).bind(tenant).fetch_one(pool).await?)
}
