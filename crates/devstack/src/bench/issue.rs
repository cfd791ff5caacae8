//! P11: issuing invoices in one gap-free series, JSON through the gateway, against pgbench running the very same SQL in another
//! series: both sides wait for the one row that numbers them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{
    capture::{self, Anew},
    client::{Call, Target, Wire},
    drive::{self, Load, Maker, Model},
    figure::{Figure, Goal},
    pgbench::Script,
    room::{CALLERS, Room, cpu_note},
};
use crate::{Tenant, trade};

/// Drafts for each second of a round: more than either side issues.
const DRAFTS_A_SECOND: usize = 1_500;
/// Drafts of one call, the most the contract allows.
const BATCH: usize = 1_000;
/// Drafts issued before a first round.
const WARM_UP: usize = 200;

/// Where invoices are made out.
struct Desk {
    tenant: Tenant,
    target: Target,
    invoice: Value,
    series: [String; 2],
}

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let desk = open(room).await?;
    let drafts = Arc::new(Drafts::default());
    desk.draft(&drafts, WARM_UP).await?;
    drive::run(
        desk.target.links(Wire::Json, CALLERS).await?,
        &desk.target,
        Model::Open(200.0, WARM_UP as u64),
        desk.issue(&drafts),
    )
    .await?;
    let script = desk.limit(room).await?;
    let per_round = DRAFTS_A_SECOND * room.span.as_secs() as usize;

    let (mut rounds, mut notes) = (Vec::new(), Vec::new());
    for round in 0..room.rounds {
        desk.draft_for_the_limit(room, per_round).await?;
        room.quiet().await?;
        let before = desk.issued(room, 1).await?;
        let meter = room.meter()?;
        let theirs = script.run(CALLERS, room.span).await?;
        let their_cpu = meter.stop();
        let issued = desk.issued(room, 1).await? - before;
        ensure!(issued == theirs.done, "pgbench issued {issued} drafts in {} transactions", theirs.done);

        desk.draft(&drafts, per_round).await?;
        room.quiet().await?;
        let meter = room.meter()?;
        let ours = desk.round(room, &drafts).await?;
        let our_cpu = meter.stop();
        rounds.push((ours.rate(), theirs.rate));
        if round + 1 == room.rounds {
            notes.push(cpu_note("ours", &our_cpu, ours.done));
            notes.push(cpu_note("pgbench", &their_cpu, theirs.done));
            notes.push(format!(
                "latency in the last round: p50 {:.1} ms, p99 {:.1} ms; numbers are 1 to n on both sides",
                ours.quantile(0.5),
                ours.quantile(0.99)
            ));
        }
    }
    let what = "issue invoices in one gap-free series, JSON through the gateway, c=32";
    let limit = "pgbench, the captured SQL, prepared, c=32, in a series of its own";
    let mut figure = Figure::ratio("P11", what, "calls/s", limit, &rounds, Goal::AtLeast(0.6)).stretch(0.85);
    figure.notes = notes;
    Ok(vec![figure])
}

/// Makes everything that invoices name.
async fn open(room: &Room) -> Result<Desk> {
    let (tenant, target) = room.tenant()?;
    let make = async |collection: &str, body: Value| -> Result<String> {
        let answer = call(&target, Call::post(format!("/v1/{collection}"), &body)).await?;
        Ok(answer["name"].as_str().context("a resource has a name")?.to_owned())
    };
    let account = make("accounts", json!({ "displayName": "Hotel Miramar" })).await?;
    let legal_entity = make("legalEntities", trade::legal_entity("EUR")).await?;
    let tax_code = make("taxCodes", trade::standard_rate("ES21")).await?;
    let mut series = Vec::new();
    for prefix in ["F", "G"] {
        series.push(make("numberSeries", trade::billing_numbers(&legal_entity, "INVOICE", prefix)).await?);
    }
    let invoice = json!({
        "account": account, "legalEntity": legal_entity, "currencyCode": "EUR",
        "billTo": { "displayName": "Hotel Miramar" },
        "lines": (1..=3).map(|line| json!({
            "key": line.to_string(), "description": "Coffee machine", "quantity": "2", "unitPrice": "1250.5",
            "taxCodes": [tax_code],
        })).collect::<Vec<_>>(),
    });
    let series = series.try_into().ok().context("two series")?;
    Ok(Desk { tenant, target, invoice, series })
}

async fn call(target: &Target, call: Call) -> Result<Value> {
    let mut links = target.links(Wire::Json, 1).await?;
    let link = links.first_mut().context("one connection")?;
    Ok(serde_json::from_slice(&link.call(target, call).await?)?)
}

/// Drafts that calls issue one after the other.
#[derive(Debug, Default)]
struct Drafts {
    names: std::sync::RwLock<Vec<String>>,
    next: AtomicUsize,
}

impl Drafts {
    fn take(&self) -> String {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let names = self.names.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        names.get(place).cloned().unwrap_or_else(|| "invoices/none-left".to_owned())
    }
}

impl Desk {
    /// Records drafts until so many are left to be issued.
    async fn draft(&self, drafts: &Drafts, count: usize) -> Result<()> {
        let left = || {
            let names = drafts.names.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            names.len().saturating_sub(drafts.next.load(Ordering::Relaxed))
        };
        while left() < count {
            let made = self.record(BATCH.min(count)).await?;
            drafts.names.write().unwrap_or_else(std::sync::PoisonError::into_inner).extend(made);
        }
        Ok(())
    }

    async fn record(&self, count: usize) -> Result<Vec<String>> {
        let items = vec![json!({ "invoice": self.invoice }); count];
        let answer =
            call(&self.target, Call::post("/v1/invoices:batchCreate", &json!({ "requests": items }))).await?;
        let results = answer["results"].as_array().context("a batch answers results")?;
        let name = |result: &Value| result["invoice"]["name"].as_str().map(str::to_owned);
        results.iter().map(|result| name(result).with_context(|| format!("refused: {result}"))).collect()
    }

    /// Each call issues the next draft.
    fn issue(&self, drafts: &Arc<Drafts>) -> Maker {
        let (drafts, series) = (drafts.clone(), self.series[0].clone());
        Arc::new(move |_| issuing(&drafts.take(), &series))
    }

    /// A round of issuing whose numbers are counted.
    async fn round(&self, room: &Room, drafts: &Arc<Drafts>) -> Result<Load> {
        let before = self.issued(room, 0).await?;
        let links = self.target.links(Wire::Json, CALLERS).await?;
        let load = drive::run(links, &self.target, Model::Closed(room.span), self.issue(drafts)).await?;
        let issued = self.issued(room, 0).await? - before;
        ensure!(issued == load.done, "{} calls were answered, {issued} invoices are issued", load.done);
        Ok(load)
    }

    /// Invoices of a series; its numbers must be 1 to n.
    async fn issued(&self, room: &Room, series: usize) -> Result<u64> {
        let id = self.series[series].rsplit('/').next().unwrap_or_default();
        let (count, last): (i64, Option<i64>) = sqlx::query_as(
            "select count(distinct ordinal), max(ordinal) from invoice where tenant_id = $1 and number_series = $2::uuid",
        )
        .bind(self.tenant.id)
        .bind(id)
        .fetch_one(&room.billing)
        .await?;
        ensure!(count == last.unwrap_or_default(), "{count} numbers up to {last:?}");
        Ok(u64::try_from(count)?)
    }

    /// Records drafts that pgbench issues, in the order of `bench.draft`.
    async fn draft_for_the_limit(&self, room: &Room, count: usize) -> Result<()> {
        const LEFT: &str = "select count(*) - (select case when is_called then last_value else 0 end from bench.draft_number) \
            from bench.draft";
        loop {
            let left: i64 = sqlx::query_scalar(LEFT).fetch_one(&room.billing).await?;
            if left >= i64::try_from(count)? {
                return Ok(());
            }
            let ids: Vec<Uuid> = self
                .record(BATCH.min(count))
                .await?
                .iter()
                .map(|name| Uuid::parse_str(name.rsplit('/').next().unwrap_or_default()))
                .collect::<Result<_, _>>()?;
            sqlx::query("insert into bench.draft (id) select unnest($1::uuid[])")
                .bind(ids)
                .execute(&room.billing)
                .await?;
        }
    }

    /// What one call runs, as a script that issues the next draft of `bench.draft`.
    async fn limit(&self, room: &Room) -> Result<Script> {
        for statement in [
            "create schema bench",
            "create table bench.draft (place bigint generated always as identity primary key, id uuid not null)",
            "create sequence bench.draft_number",
            "grant usage on schema bench to billing",
            "grant select on bench.draft to billing",
            "grant usage on sequence bench.draft_number to billing",
        ] {
            sqlx::query(AssertSqlSafe(statement)).execute(&room.billing).await.context(statement)?;
        }
        let mut captured = Vec::new();
        let mut ids = Vec::new();
        for draft in self.record(2).await? {
            let issue = issuing(&draft, &self.series[1]);
            let log = room.stack.home().log("postgres");
            let statements =
                capture::statements(&room.billing, log, "billing", "into series_counter", async || {
                    call(&self.target, issue).await.map(drop)
                });
            captured.push(statements.await?);
            ids.push(draft.rsplit('/').next().unwrap_or_default().to_owned());
        }
        room.progress.say("P11", format!("a call runs {} statement(s)", captured[0].len()));
        let draft = ids.first().context("a draft")?;
        let anew = Anew {
            // What is the draft's own is that of the next one, and the number is what the counter says; in lists of one, too.
            values: [
                (draft.clone(), ":draft"),
                (format!("invoices/{draft}"), "'invoices/' || :draft"),
                ("G1".to_owned(), "'G' || :last_ordinal"),
                ("1".to_owned(), ":last_ordinal"),
            ]
            .into_iter()
            .flat_map(|(value, anew)| {
                [(format!("{{{value}}}"), format!("array[{anew}]")), (value, format!("({anew})"))]
            })
            .collect(),
            before:
                "select id as draft from bench.draft where place = (select nextval('bench.draft_number')) \\gset\n"
                    .to_owned(),
            kept: Some("into series_counter"),
        };
        let url = room.stack.facts().database("billing")?.url.clone();
        capture::script_anew(&captured[0], &captured[1], &anew, room.file("issue.sql"), &url)
    }
}

/// Issues a draft, under a request id of its own.
fn issuing(draft: &str, series: &str) -> Call {
    let body = json!({ "numberSeries": series, "requestId": Uuid::new_v4() });
    Call::post(format!("/v1/{draft}:issue"), &body)
}
