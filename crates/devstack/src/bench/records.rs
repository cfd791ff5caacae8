//! RECORDS: what it costs a call that it is recorded who read what.
//!
//! Recording cannot be switched off. So the default, which records behind the answers, is held against answers that wait
//! for their records; and what PostgreSQL spends on storing them by default is read from the backends that store.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use chrono::{DateTime, Utc};

use super::{
    client::{Target, Wire},
    contrast::{Contrast, halves},
    drive::{self, Maker, Model},
    figure::{Figure, Goal},
    get, import, list,
    room::{CALLERS, Room},
    usage,
};
use crate::{Tenant, wait::eventually};

const MODE: &str = "TRATO_ACCESS__RECORD";
/// Time in which the last records of a round are mostly stored; to count them before would cost what is measured.
const FLUSHED: Duration = Duration::from_millis(300);
/// Longest wait for them.
const PATIENCE: Duration = Duration::from_secs(30);
/// Backends of the login that stores records. It runs the relay too, which has nothing to do while others read.
const STORING: &str = "select pid from pg_stat_activity where usename = 'customers_system'";
/// Records of a tenant's calls since a moment.
const RECORDED: &str =
    "select count(*) from platform.access_record where tenant_id = $1 and create_time >= $2";

/// A kind of call, and what was measured of it.
struct Kind {
    make: Maker,
    contrast: Contrast,
    what: String,
    /// Milliseconds of processor time a call for storing, by round, with records written behind.
    storing: Vec<f64>,
}

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let tenant = import::accounts(room).await?;
    let target = room.gateway(&tenant)?;
    let names = get::names(room, tenant.id).await?;
    let tokens = Arc::new(list::tokens(&target).await?);
    let mut kinds = [
        Kind::new("get account by id".to_owned(), get::maker(Wire::Json, &names)),
        Kind::new(format!("list 50 of {} accounts", room.rows), list::maker(Wire::Json, &tokens)),
    ];
    let measured = rounds(room, &tenant, &target, &mut kinds).await;
    // What comes next is measured as by default, whatever became of this.
    restart(room, false).await?;
    measured?;
    Ok(kinds.into_iter().flat_map(Kind::figures).collect())
}

async fn rounds(room: &Room, tenant: &Tenant, target: &Target, kinds: &mut [Kind]) -> Result<()> {
    for round in 0..room.rounds {
        for waits in halves(round) {
            restart(room, waits).await?;
            for kind in kinds.iter_mut() {
                drive::warm_up(target, kind.make.clone()).await?;
                room.quiet().await?;
                kind.measure(room, tenant, target, waits).await?;
            }
        }
    }
    Ok(())
}

/// Starts customers with answers that wait for their records or with the default, and the gateway so that it knows it.
async fn restart(room: &Room, waits: bool) -> Result<()> {
    if waits {
        room.restart("customers", &[(MODE, "before_answer".to_owned())]).await?;
    } else {
        room.restart_as_made("customers").await?;
    }
    room.restart("gateway", &[]).await.map(drop)
}

impl Kind {
    fn new(what: String, make: Maker) -> Self {
        Self { make, contrast: Contrast::new(what.clone()), what, storing: Vec::new() }
    }

    /// Half a round. It ends when every answer is recorded, since records that wait for a later round cost this one too.
    async fn measure(&mut self, room: &Room, tenant: &Tenant, target: &Target, waits: bool) -> Result<()> {
        let links = target.links(Wire::Json, CALLERS).await?;
        let since: DateTime<Utc> =
            sqlx::query_scalar("select clock_timestamp()").fetch_one(&room.customers).await?;
        let before = storing(room).await?;
        let meter = room.meter()?;
        let load = drive::run(links, target, Model::Closed(room.span), self.make.clone()).await?;
        let all = i64::try_from(load.done)?;
        tokio::time::sleep(FLUSHED).await;
        let recorded = eventually(PATIENCE, "every answer to be recorded", async || {
            let recorded = recorded(room, tenant, since).await.ok()?;
            (recorded >= all).then_some(recorded)
        })
        .await?;
        let cpu = meter.stop();
        ensure!(recorded == all, "{all} answers have {recorded} records");
        if !waits {
            let after = storing(room).await?;
            // One that was not there before has done all of its work since.
            let spent = after.iter().map(|(pid, now)| now - before.get(pid).copied().unwrap_or_default());
            self.storing.push(spent.sum::<f64>() / load.done as f64);
        }
        self.contrast.add(waits, &load, cpu);
        Ok(())
    }

    fn figures(self) -> Vec<Figure> {
        let change = "answers wait for their records";
        let mut figures: Vec<Figure> =
            self.contrast.figures("RECORDS", change, "recorded behind the answers, the default").into();
        let what = format!("{}: CPU of PostgreSQL for storing, by default", self.what);
        let storing = Figure::absolute("RECORDS", what, "ms/call", &self.storing, Goal::Unset);
        figures.push(
            storing.note("of the backends that store; every answer had one record, counted each round"),
        );
        figures
    }
}

/// Processor time so far of the backends that store records, in milliseconds.
async fn storing(room: &Room) -> Result<BTreeMap<u32, f64>> {
    let pids: Vec<i32> = sqlx::query_scalar(STORING).fetch_all(&room.customers).await?;
    ensure!(!pids.is_empty(), "customers has no connection to store records by");
    let pids = pids.into_iter().filter_map(|pid| u32::try_from(pid).ok());
    Ok(pids.map(|pid| (pid, usage::millis(pid))).collect())
}

async fn recorded(room: &Room, tenant: &Tenant, since: DateTime<Utc>) -> Result<i64> {
    Ok(sqlx::query_scalar(RECORDED).bind(tenant.id).bind(since).fetch_one(&room.customers).await?)
}
