//! P16: batch create of accounts against COPY of the same rows and events into tables with the same indexes; and the
//! rows that the reading figures need.

use std::{process::Stdio, time::Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::process::Command;

use super::{
    client::{Call, Target, Wire},
    figure::{Figure, Goal},
    room::{Room, cpu_note},
};
use crate::{Tenant, backing};

/// Items of one call, the most the contract allows.
const BATCH: usize = 1000;
/// Calls in flight.
const CALLERS: usize = 4;
/// Columns of an account that are stored, not generated; `tenant_id` is the first.
const STORED: &str = "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute \
    where attrelid = 'account'::regclass and attnum > 0 and not attisdropped and attgenerated = ''";
const EVENT: &str = "id, tenant_id, type, subject, revision, event_time, create_time, actor, cause, traceparent, owner, team, payload";

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let (tenant, target) = room.tenant()?;
    let columns = make_copies(room).await?;
    let share = room.rows / room.rounds;
    let (mut rounds, mut rates, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..room.rounds {
        let first = round * share;
        let last = if round + 1 == room.rounds { room.rows } else { first + share };
        let before = room.accounts(&tenant).await?;
        room.quiet().await?;
        let meter = room.meter()?;
        let begun = Instant::now();
        send(&target, first, last).await?;
        let ours = (last - first) as f64 / begun.elapsed().as_secs_f64();
        let our_cpu = meter.stop();
        let stored = room.accounts(&tenant).await? - before;
        ensure!(stored == (last - first) as u64, "{stored} of {} rows are there", last - first);
        room.quiet().await?;
        let meter = room.meter()?;
        let theirs = copy(room, &tenant, &columns, first, last).await?;
        let their_cpu = meter.stop();
        rounds.push((ours, theirs));
        rates.push(ours);
        if round + 1 == room.rounds {
            notes.push(cpu_note("ours", &our_cpu, stored));
            notes.push(cpu_note("COPY", &their_cpu, stored));
        }
    }
    send(&target, 0, room.rows.min(10 * BATCH)).await?;
    let again = room.accounts(&tenant).await?;
    ensure!(again == room.rows as u64, "the second import made {} duplicates", again - room.rows as u64);
    notes.push("the first rows imported a second time made no duplicates".into());
    room.imported = Some(tenant);
    settle(room).await?;
    let what = format!("batch create of {} accounts, 1,000 a call, 4 calls at once", room.rows);
    let limit =
        "COPY of the same accounts and events into tables with the same indexes, no row-level security";
    let mut ratio = Figure::ratio("P16", what, "rows/s", limit, &rounds, Goal::AtLeast(0.2)).stretch(0.4);
    ratio.notes = notes;
    Ok(vec![ratio, Figure::absolute("P16", "batch create", "rows/s", &rates, Goal::AtLeast(5000.0))])
}

/// The tenant whose accounts reads pick from; imported now unless P16 did.
pub async fn accounts(room: &mut Room) -> Result<Tenant> {
    if let Some(tenant) = &room.imported {
        return Ok(tenant.clone());
    }
    let (tenant, target) = room.tenant()?;
    send(&target, 0, room.rows).await?;
    room.imported = Some(tenant.clone());
    room.quiet().await?;
    settle(room).await?;
    Ok(tenant)
}

/// Creates accounts by number; every item must be there afterwards, made now or before.
pub async fn send(target: &Target, first: usize, last: usize) -> Result<()> {
    let starts: Vec<usize> = (first..last).step_by(BATCH).collect();
    let links = target.links(Wire::Json, CALLERS).await?;
    let work = links.into_iter().enumerate().map(|(caller, mut link)| {
        let starts: Vec<usize> = starts.iter().copied().skip(caller).step_by(CALLERS).collect();
        async move {
            for start in starts {
                let items: Vec<Value> = (start..last.min(start + BATCH)).map(item).collect();
                let count = items.len();
                let call = Call::post("/v1/accounts:batchCreate", &json!({ "requests": items }));
                let answer: Value = serde_json::from_slice(&link.call(target, call).await?)?;
                let results = answer["results"].as_array().context("a batch answers results")?;
                if let Some(refused) = results.iter().find(|result| result["account"].is_null()) {
                    bail!("an item was refused: {refused}");
                }
                ensure!(results.len() == count, "{} answers to {count} items", results.len());
            }
            anyhow::Ok(())
        }
    });
    futures::future::try_join_all(work).await.map(drop)
}

fn item(number: usize) -> Value {
    let sectors = ["retail", "software", "medical", "finance", "telecommunications"];
    let kind = if number.is_multiple_of(2) { "CUSTOMER" } else { "PARTNER" };
    json!({ "account": {
        "source": "bench", "externalId": format!("{number:09}"), "displayName": format!("Account {number:09}"),
        "legalName": format!("Account {number}, S. A."), "sector": sectors[number % 5], "kinds": [kind],
        "emailAddress": format!("hello@account{number}.example"), "employeeCount": 1 + number % 500,
        "annualRevenue": { "currencyCode": "EUR", "units": "4500000" },
        "address": { "lines": ["Calle Mayor 1"], "locality": "Madrid", "countryCode": "ES" },
    } })
}

/// Makes the empty copies, and answers the columns to copy.
async fn make_copies(room: &Room) -> Result<String> {
    for statement in [
        "create schema bench",
        "create table bench.account (like public.account including all)",
        "create table bench.event (like platform.event including all)",
    ] {
        sqlx::query(statement).execute(&room.customers).await.context(statement)?;
    }
    Ok(sqlx::query_scalar(STORED).fetch_one(&room.customers).await?)
}

/// Copies the rows of a round, from files, and answers rows a second.
async fn copy(room: &Room, tenant: &Tenant, columns: &str, first: usize, last: usize) -> Result<f64> {
    let id = tenant.id;
    let range = format!("tenant_id = '{id}' and external_id >= '{first:09}' and external_id < '{last:09}'");
    let (accounts, events) = (room.file("accounts.copy"), room.file("events.copy"));
    let (accounts, events) = (accounts.display(), events.display());
    psql(
        room,
        &[
            format!("\\copy (select {columns} from account where {range} order by id) to '{accounts}'"),
            format!(
                "\\copy (select {EVENT} from platform.event where tenant_id = '{id}' and subject in \
                 (select 'accounts/' || id from account where {range}) order by seq) to '{events}'"
            ),
        ],
    )
    .await?;
    let begun = Instant::now();
    psql(
        room,
        &[
            format!("\\copy bench.account ({columns}) from '{accounts}'"),
            format!("\\copy bench.event ({EVENT}) from '{events}'"),
        ],
    )
    .await?;
    let rate = (last - first) as f64 / begun.elapsed().as_secs_f64();
    let copied: (i64, i64) =
        sqlx::query_as("select (select count(*) from bench.account), (select count(*) from bench.event)")
            .fetch_one(&room.customers)
            .await?;
    ensure!(copied == (last as i64, last as i64), "COPY stored {copied:?} rows instead of {last}");
    Ok(rate)
}

async fn psql(room: &Room, commands: &[String]) -> Result<()> {
    let program = backing::psql().context("there is no psql; it is part of the package postgresql")?;
    let superuser = room.stack.facts().postgres.superuser_url;
    let (server, _) = superuser.rsplit_once('/').context("the superuser's URL names a database")?;
    let mut command = Command::new(program);
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &format!("{server}/customers")]);
    command.args(commands.iter().flat_map(|text| ["-c", text]));
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    ensure!(output.status.success(), "psql failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A copy for the reading limits, whose ids follow from a number so that pgbench can pick any; then statistics for both.
async fn settle(room: &Room) -> Result<()> {
    let columns: String = sqlx::query_scalar(STORED).fetch_one(&room.customers).await?;
    let tenant = room.imported.as_ref().context("accounts were imported")?.id;
    let numbered = " ('00000000-0000-7000-8000-' || lpad(to_hex(external_id::bigint + 1), 12, '0'))::uuid,";
    let values = columns.replacen(" id,", numbered, 1);
    for statement in [
        "create table account_copy (like account including all)".to_owned(),
        format!(
            "insert into account_copy ({columns}) select {values} from account where tenant_id = '{tenant}' order by external_id"
        ),
        "grant select on account_copy to customers_owner".to_owned(),
        "vacuum analyze account_copy".to_owned(),
        "vacuum analyze account".to_owned(),
        "vacuum analyze platform.event".to_owned(),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(&room.customers).await?;
    }
    Ok(())
}
