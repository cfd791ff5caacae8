//! P11: issuing invoices, JSON through the gateway, against pgbench running the very same SQL in other series: all in one
//! gap-free series, where both sides wait for the one row that numbers them, and spread over the series of many tenants.

mod desk;
mod limit;

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Result, ensure};
use uuid::Uuid;

use self::{
    desk::{Desk, LIMIT, OURS, id_of},
    limit::Limit,
};
use super::{
    client::{Link, Target, Wire},
    drive::{self, Load, Maker, Model},
    figure::{Figure, Goal},
    room::{CALLERS, Room, cpu_note},
};

/// Tenants over which invoices are spread.
const TENANTS: usize = 200;
/// Drafts for each second of a round: more than either side issues.
const DRAFTS_A_SECOND: usize = 1_500;
/// Drafts issued before a first round; one of each tenant at least.
const WARM_UP: usize = 200;

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let what = "issue invoices in one gap-free series, JSON through the gateway, c=32";
    let limit = "pgbench, the captured SQL, prepared, c=32, in a series of its own";
    let hot = compare(room, 1, what, limit).await?;
    let what = "issue invoices spread over 200 tenants, each its series, JSON, c=32";
    let limit = "pgbench, the captured SQL, prepared, c=32, spread over 200 series of its own";
    let spread = compare(room, TENANTS, what, limit).await?;
    Ok(vec![hot, spread])
}

/// Rounds of both sides over the series of so many tenants.
async fn compare(room: &Room, tenants: usize, what: &str, limit_name: &str) -> Result<Figure> {
    let office = Office::open(room, tenants).await?;
    office.draft(WARM_UP).await?;
    drive::run(office.links().await?, office.target(), Model::Open(200.0, WARM_UP as u64), office.issuing())
        .await?;
    let limit = Limit::capture(room, &office.desks).await?;
    let per_round = DRAFTS_A_SECOND * room.span.as_secs() as usize;

    let (mut rounds, mut notes) = (Vec::new(), Vec::new());
    for round in 0..room.rounds {
        limit.draft(room, &office.desks, per_round).await?;
        room.quiet().await?;
        let before = office.issued(room, LIMIT).await?;
        let meter = room.meter()?;
        let theirs = limit.script.run(CALLERS, room.span).await?;
        let their_cpu = meter.stop();
        let issued = office.issued(room, LIMIT).await? - before;
        ensure!(issued == theirs.done, "pgbench issued {issued} drafts in {} transactions", theirs.done);

        office.draft(per_round).await?;
        room.quiet().await?;
        let meter = room.meter()?;
        let ours = office.round(room).await?;
        let our_cpu = meter.stop();
        rounds.push((ours.rate(), theirs.rate));
        if round + 1 == room.rounds {
            notes.push(cpu_note("ours", &our_cpu, ours.done));
            notes.push(cpu_note("pgbench", &their_cpu, theirs.done));
            notes.push(format!(
                "latency in the last round: p50 {:.1} ms, p99 {:.1} ms; numbers of each series are 1 to n on both sides",
                ours.quantile(0.5),
                ours.quantile(0.99)
            ));
        }
    }
    let mut figure =
        Figure::ratio("P11", what, "calls/s", limit_name, &rounds, Goal::AtLeast(0.6)).stretch(0.85);
    figure.notes = notes;
    Ok(figure)
}

/// Desks whose turns go round, and the drafts that wait there for our side.
struct Office {
    desks: Arc<Vec<Desk>>,
    drafts: Arc<Drafts>,
}

impl Office {
    async fn open(room: &Room, tenants: usize) -> Result<Self> {
        let desks = Arc::new(desk::open(room, tenants).await?);
        Ok(Self { desks, drafts: Arc::default() })
    }

    /// The gateway; each call says itself whose it is.
    fn target(&self) -> &Target {
        &self.desks[0].target
    }

    async fn links(&self) -> Result<Vec<Link>> {
        self.target().links(Wire::Json, CALLERS).await
    }

    /// Records drafts until so many are left to be issued.
    async fn draft(&self, count: usize) -> Result<()> {
        let missing = count.saturating_sub(self.drafts.left());
        if missing > 0 {
            self.drafts.add(desk::record(&self.desks, missing).await?);
        }
        Ok(())
    }

    /// Each call issues the next draft, at the desk whose turn it is.
    fn issuing(&self) -> Maker {
        let (desks, drafts) = (self.desks.clone(), self.drafts.clone());
        Arc::new(move |_| {
            let (desk, draft) = drafts.take();
            desks[desk].issuing(&draft, OURS)
        })
    }

    /// A round of issuing whose numbers are counted.
    async fn round(&self, room: &Room) -> Result<Load> {
        let before = self.issued(room, OURS).await?;
        let model = Model::Closed(room.span);
        let load = drive::run(self.links().await?, self.target(), model, self.issuing()).await?;
        let issued = self.issued(room, OURS).await? - before;
        ensure!(issued == load.done, "{} calls were answered, {issued} invoices are issued", load.done);
        Ok(load)
    }

    /// Invoices of the series of one side; the numbers of each must be 1 to n.
    async fn issued(&self, room: &Room, side: usize) -> Result<u64> {
        let tenants: Vec<Uuid> = self.desks.iter().map(|desk| desk.tenant.id).collect();
        let series = self.desks.iter().map(|desk| Uuid::parse_str(id_of(&desk.series[side])));
        let counts: Vec<(Uuid, i64, i64)> = sqlx::query_as(
            "select number_series, count(distinct ordinal), max(ordinal) from invoice \
             where tenant_id = any($1) and number_series = any($2) group by number_series",
        )
        .bind(tenants)
        .bind(series.collect::<Result<Vec<_>, _>>()?)
        .fetch_all(&room.billing)
        .await?;
        let mut all = 0;
        for (series, count, last) in counts {
            ensure!(count == last, "series {series} has {count} numbers up to {last}");
            all += u64::try_from(count)?;
        }
        Ok(all)
    }
}

/// Drafts that calls issue one after the other, each with its desk.
#[derive(Debug, Default)]
struct Drafts {
    queue: RwLock<Vec<(usize, String)>>,
    next: AtomicUsize,
}

impl Drafts {
    fn take(&self) -> (usize, String) {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        queue.get(place).cloned().unwrap_or_else(|| (0, "invoices/none-left".to_owned()))
    }

    fn left(&self) -> usize {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        queue.len().saturating_sub(self.next.load(Ordering::Relaxed))
    }

    fn add(&self, drafts: Vec<(usize, String)>) {
        self.queue.write().unwrap_or_else(PoisonError::into_inner).extend(drafts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_are_taken_once_and_in_turn() {
        let drafts = Drafts::default();
        drafts.add(vec![(0, "invoices/a".to_owned()), (1, "invoices/b".to_owned())]);

        assert_eq!(drafts.take(), (0, "invoices/a".to_owned()));
        assert_eq!(drafts.left(), 1);
        assert_eq!(drafts.take(), (1, "invoices/b".to_owned()));
        assert_eq!(
            drafts.take(),
            (0, "invoices/none-left".to_owned()),
            "which the gateway refuses, and the round fails"
        );
        assert_eq!(drafts.left(), 0);
    }
}
