//! P6: from the commit that wins an opportunity in sales to the commit that makes its account a customer in customers.
//!
//! Both databases are of one server, whose commit timestamps tell the time between without any polling.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    broker,
    client::{Call, Target, Wire},
    drive::{self, Model},
    figure::{Figure, Goal},
    import,
    room::{CALLERS, Room},
};
use crate::{Tenant, wait::eventually};

/// Wins a second.
const RATE: f64 = 100.0;
/// Longest wait for the last effects of a round.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    keep_commit_times(room).await?;
    let (tenant, target) = room.tenant()?;
    let count = (RATE * room.span.as_secs_f64()) as u64;
    let names = Arc::new(opportunities(room, &tenant, &target, count as usize * room.rounds).await?);
    room.quiet().await?;
    let url = room.stack.facts().broker.url;

    let (mut rounds, mut medians, mut tails, mut deliver) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..room.rounds {
        let raw = broker::deliver(&url, RATE, count).await?;
        let first = round as u64 * count;
        let names = names.clone();
        let links = target.links(Wire::Json, CALLERS).await?;
        let make = move |number: u64| {
            let name = &names[(first + number) as usize];
            Call::post(format!("/v1/{name}:win"), &json!({ "requestId": Uuid::new_v4() }))
        };
        drive::run(links, &target, Model::Open(RATE, count), Arc::new(make)).await?;
        let seen = effects(room, &tenant, first, count).await?;
        let millis = |micros: &Histogram<u64>, quantile| micros.value_at_quantile(quantile) as f64 / 1000.0;
        rounds.push((millis(&seen, 0.99), millis(&raw, 0.99)));
        tails.push(millis(&seen, 0.99));
        medians.push(millis(&seen, 0.5));
        deliver.push(format!("{:.1}", millis(&raw, 0.5)));
    }
    let what = format!("opportunity won to account a customer, p99 at {RATE}/s");
    let limit = "RabbitMQ publish to deliver, p99, quorum queue, confirmed, at the same rate";
    let ratio = Figure::ratio("P6", what, "ms", limit, &rounds, Goal::AtMost(5.0))
        .note(
            "open model; from commit to commit by the server's own timestamps; every win had its effect once",
        )
        .note(format!("raw p50 by round: {} ms", deliver.join(", ")));
    Ok(vec![
        ratio,
        Figure::absolute("P6", "the same, p99, on a contended machine", "ms", &tails, Goal::AtMost(250.0))
            .stretch(25.0),
        Figure::absolute("P6", "the same, p50", "ms", &medians, Goal::AtMost(10.0)),
    ])
}

/// Makes the server note when each transaction commits, which takes a restart.
async fn keep_commit_times(room: &Room) -> Result<()> {
    sqlx::query("alter system set track_commit_timestamp = on").execute(&room.customers).await?;
    room.stack.terminate("postgres").await?;
    room.stack.start_again("postgres").await?;
    room.stack.wait_ready("postgres", PATIENCE).await?;
    // The programs' connections are broken; they find out by themselves, and a fresh start makes every round alike.
    for program in ["customers", "sales", "gateway"] {
        room.restart(program, &[]).await?;
    }
    Ok(())
}

/// So many open opportunities, each with an account of its own that is no customer yet.
async fn opportunities(room: &Room, tenant: &Tenant, target: &Target, count: usize) -> Result<Vec<String>> {
    import::send(target, 0, count * 2).await?;
    room.quiet().await?;
    const PARTNERS: &str =
        "select 'accounts/' || id from account where tenant_id = $1 and not is_customer limit $2";
    let accounts: Vec<String> = sqlx::query_scalar(PARTNERS)
        .bind(tenant.id)
        .bind(i64::try_from(count)?)
        .fetch_all(&room.customers)
        .await?;
    ensure!(accounts.len() == count, "{} accounts are no customers", accounts.len());
    let mut links = target.links(Wire::Json, 1).await?;
    let link = links.first_mut().context("a link was made")?;
    let stages = json!([{ "key": "offer", "displayName": "Offer", "probabilityPercent": 50 }]);
    let pipeline = json!({ "displayName": "Bench", "stages": stages });
    let pipeline: Value =
        serde_json::from_slice(&link.call(target, Call::post("/v1/pipelines", &pipeline)).await?)?;
    let mut names = Vec::with_capacity(count);
    for some in accounts.chunks(500) {
        let items: Vec<Value> = some
            .iter()
            .map(|account| {
                json!({ "opportunity": {
                    "displayName": "Bench", "account": account, "pipeline": pipeline["name"],
                    "amount": { "currencyCode": "EUR", "units": "1000" },
                } })
            })
            .collect();
        let call = Call::post("/v1/opportunities:batchCreate", &json!({ "requests": items }));
        let answer: Value = serde_json::from_slice(&link.call(target, call).await?)?;
        for result in answer["results"].as_array().context("a batch answers results")? {
            let name = result["opportunity"]["name"].as_str();
            names.push(name.with_context(|| format!("an item was refused: {result}"))?.to_owned());
        }
    }
    Ok(names)
}

/// Times from commit to effect of the wins from the `first` on; waits until each has its effect.
async fn effects(room: &Room, tenant: &Tenant, first: u64, count: u64) -> Result<Histogram<u64>> {
    const WON: &str = "select event_id, (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1e6)::bigint \
        from platform.request where tenant_id = $1 and method like '%WinOpportunity' and event_id is not null";
    const MADE: &str = "select event_id, (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1e6)::bigint \
        from platform.inbox where tenant_id = $1 and consumer = 'make-customer' and state = 'DONE'";
    let all = usize::try_from(first + count)?;
    let made = eventually(PATIENCE, "the effect of every win", async || {
        let made = times(&room.customers, MADE, tenant).await.ok()?;
        (made.len() >= all).then_some(made)
    })
    .await?;
    let won = times(&room.sales, WON, tenant).await?;
    ensure!(won.len() == all && made.len() == all, "{} wins had {} effects", won.len(), made.len());
    let mut ordered: Vec<(i64, Uuid)> = won.into_iter().map(|(event, time)| (time, event)).collect();
    ordered.sort_unstable();
    let mut micros = drive::empty()?;
    for (time, event) in &ordered[usize::try_from(first)?..] {
        let effect = made.get(event).context("every win has its effect")?;
        micros.saturating_record(u64::try_from(effect - time).unwrap_or_default());
    }
    Ok(micros)
}

async fn times(pool: &PgPool, query: &'static str, tenant: &Tenant) -> Result<BTreeMap<Uuid, i64>> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(query).bind(tenant.id).fetch_all(pool).await?;
    Ok(rows.into_iter().collect())
}
