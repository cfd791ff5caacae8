//! Records of who read what: from the recorder to their rows, over a real database.

use std::{collections::BTreeSet, time::Duration};

use chrono::{Days, Utc};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use trato_platform::{
    access::records::{Recorder, Visit, recorder},
    config::{Access, Recording},
    db::{Limits, Pool},
    events::partitions,
    testing::{PATIENCE, TestDatabase, database, eventually, pool},
};
use trato_types::{Actor, Kind, Result};
use uuid::Uuid;

/// A recorder whose writer runs.
struct Running {
    recorder: Recorder,
    writer: JoinHandle<()>,
    stop: CancellationToken,
}

impl Running {
    fn start(record: Recording, flush_interval_ms: u64, system: &Pool) -> Self {
        let settings = Access { roles_file: String::new(), record, flush_interval_ms, retention_days: 400 };
        let (recorder, writer) = recorder(&settings, system);
        let stop = CancellationToken::new();
        Self { recorder, writer: tokio::spawn(writer.run(stop.clone())), stop }
    }

    async fn record(&self, visit: &Visit, resources: &[&str], within: Duration) -> Result<()> {
        let resources: BTreeSet<String> = resources.iter().map(|name| (*name).to_owned()).collect();
        self.recorder.record(visit, Code::Ok, resources, Instant::now() + within).await
    }

    async fn stopped(self) {
        self.stop.cancel();
        self.writer.await.expect("the writer ends");
    }
}

fn visit(tenant: Uuid, method: &str) -> Visit {
    Visit {
        tenant,
        actor: Actor::Member("ana".into()),
        method: method.into(),
        is_change: false,
        purpose: None,
        request_id: None,
        trace_id: None,
    }
}

/// Method and resources of a tenant's records, by method, as the serving role sees them.
async fn seen(serving: &Pool, tenant: Uuid) -> Vec<(String, Vec<String>)> {
    let mut transaction = serving.begin().await.expect("a transaction");
    let set = sqlx::query("select set_config('trato.tenant_id', $1, true)").bind(tenant.to_string());
    set.execute(&mut transaction).await.expect("set");
    let sql = "select method, resources from platform.access_record order by method";
    sqlx::query_as(sql).fetch_all(&mut transaction).await.expect("readable")
}

fn pair(method: &str, resources: &[&str]) -> (String, Vec<String>) {
    (method.to_owned(), resources.iter().map(|name| (*name).to_owned()).collect())
}

async fn world() -> (TestDatabase, Pool, Pool) {
    let urls = database("records", &[]).await;
    let (serving, system) = (pool(&urls.url), pool(&urls.system_url));
    (urls, serving, system)
}

/// PLT-12: before an answer is given its record is stored, where the settings say so.
#[tokio::test]
async fn before_the_answer_means_that_the_row_is_there_when_the_recorder_returns() {
    let (_, serving, system) = world().await;
    let (ours, theirs) = (Uuid::now_v7(), Uuid::now_v7());
    let running = Running::start(Recording::BeforeAnswer, 10_000, &system);

    running.record(&visit(ours, "a"), &["accounts/2", "accounts/1"], PATIENCE).await.expect("stored");
    running.record(&visit(theirs, "b"), &[], PATIENCE).await.expect("stored");

    assert_eq!(seen(&serving, ours).await, [pair("a", &["accounts/1", "accounts/2"])]);
    assert_eq!(seen(&serving, theirs).await, [pair("b", &[])]);
    assert!(seen(&serving, Uuid::now_v7()).await.is_empty());
    running.stopped().await;
}

/// PLT-12: what was recorded behind is stored within the interval, and all of it when the process is told to stop.
#[tokio::test]
async fn behind_the_answer_records_come_by_the_clock_and_all_at_the_stop() {
    let (_, serving, system) = world().await;
    let tenant = Uuid::now_v7();
    let running = Running::start(Recording::Behind, 50, &system);
    running.record(&visit(tenant, "a"), &["accounts/1"], PATIENCE).await.expect("queued");
    eventually(async || match seen(&serving, tenant).await.len() {
        1 => Ok(()),
        count => Err(format!("{count} records")),
    })
    .await;
    running.stopped().await;

    let running = Running::start(Recording::Behind, 10_000, &system);
    for number in 0..5_000 {
        let method = format!("b{number:04}");
        running.record(&visit(tenant, &method), &["accounts/1"], PATIENCE).await.expect("queued");
    }
    running.stopped().await;

    assert_eq!(seen(&serving, tenant).await.len(), 5_001);
}

/// PLT-12: without a place for its record an answer is refused; it never hangs and never goes unrecorded.
#[tokio::test]
async fn without_a_database_places_run_out_and_answers_are_refused() {
    let nowhere = Pool::open(
        "postgres://nobody@127.0.0.1:9/none".parse().expect("an address"),
        Limits { connections: 0..=1, wait: Duration::from_millis(100), patience: PATIENCE },
    );
    let names: Vec<String> = (0..40_000).map(|number| format!("accounts/{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let tenant = Uuid::now_v7();

    let behind = Running::start(Recording::Behind, 10, &nowhere);
    behind.record(&visit(tenant, "a"), &names, PATIENCE).await.expect("there is a place");
    let full = behind.record(&visit(tenant, "b"), &names, Duration::from_millis(50)).await;
    let before = Running::start(Recording::BeforeAnswer, 10, &nowhere);
    let away = before.record(&visit(tenant, "c"), &["accounts/1"], PATIENCE).await;

    for refused in [full, away] {
        let error = refused.expect_err("it is not recorded");
        assert_eq!((error.kind(), error.reason()), (Kind::Unavailable, "ACCESS_NOT_RECORDED"));
    }
    before.stopped().await;
}

#[tokio::test]
async fn a_record_that_the_database_refuses_takes_no_other_with_it() {
    let (_, serving, system) = world().await;
    let tenant = Uuid::now_v7();
    let running = Running::start(Recording::Behind, 10_000, &system);

    for method in ["a", "no\0text", "b"] {
        running.record(&visit(tenant, method), &[], PATIENCE).await.expect("queued");
    }
    running.stopped().await;

    assert_eq!(seen(&serving, tenant).await, [pair("a", &[]), pair("b", &[])]);
}

/// PLT-12: records are kept apart: the serving role reads its tenant's, and neither it nor the system role changes any.
#[tokio::test]
async fn nobody_who_serves_can_write_change_or_delete_a_record() {
    let (_, serving, system) = world().await;
    for (pool, forbidden) in [
        (&serving, "insert into platform.access_record select * from platform.access_record"),
        (&serving, "update platform.access_record set purpose = ''"),
        (&serving, "delete from platform.access_record"),
        (&serving, "select platform.forget_access_records(now())"),
        (&serving, "select platform.extend_partitions('access_record', 1)"),
        (&system, "update platform.access_record set purpose = ''"),
        (&system, "delete from platform.access_record"),
        (&system, "select count(*) from platform.access_record"),
        (&system, "select count(*) from platform.access_records_of(gen_random_uuid(), 'accounts/1')"),
    ] {
        let refused = sqlx::query(forbidden).execute(pool).await.expect_err(forbidden);
        assert!(refused.to_string().contains("permission denied"), "{forbidden}: {refused}");
    }
    // The function that finds a resource's records answers for the transaction's tenant only, whatever it is asked.
    let (ours, theirs) = (Uuid::now_v7(), Uuid::now_v7());
    let running = Running::start(Recording::BeforeAnswer, 10, &system);
    running.record(&visit(theirs, "a"), &["accounts/1"], PATIENCE).await.expect("stored");
    let count = async |tenant: Uuid| -> i64 {
        let mut transaction = serving.begin().await.expect("a transaction");
        let set = sqlx::query("select set_config('trato.tenant_id', $1, true)").bind(tenant.to_string());
        set.execute(&mut transaction).await.expect("set");
        let sql = "select count(*) from platform.access_records_of($1, 'accounts/1')";
        sqlx::query_scalar(sql).bind(theirs).fetch_one(&mut transaction).await.expect("answered")
    };
    assert_eq!((count(ours).await, count(theirs).await), (0, 1));
    running.stopped().await;
}

/// PLT-12: records are kept for as long as the settings say, by whole months.
#[tokio::test]
async fn months_are_dropped_when_they_have_ended_long_enough_ago() {
    let (urls, serving, system) = world().await;
    let mut owner = pool(&urls.owner_url).acquire().await.expect("a connection");
    let month = "create table platform.access_record_2019_01 partition of platform.access_record
                 for values from ('2019-01-01T00:00:00Z') to ('2019-02-01T00:00:00Z')";
    sqlx::query(month).execute(&mut owner).await.expect("made");
    let tenant = Uuid::now_v7();
    for (method, time) in [("a", "2019-01-31T23:00:00Z"), ("b", "2019-02-01T00:00:00Z")] {
        let sql = "insert into platform.access_record
                     (tenant_id, id, create_time, actor, method, operation, outcome, resources)
                   values ($1, gen_random_uuid(), $2::timestamptz, 'members/ana', $3, 'READ', 'OK', '{}')";
        let insert = sqlx::query(sql).bind(tenant).bind(time).bind(method);
        insert.execute(&system).await.expect("inserted");
    }
    let time = |text: &str| text.parse::<chrono::DateTime<Utc>>().expect("a time");

    partitions::forget_access_records(&system, Utc::now()).await.expect_err("the last four weeks are kept");
    let early = partitions::forget_access_records(&system, time("2019-01-31T23:59:59Z")).await.expect("ran");
    assert_eq!((early, seen(&serving, tenant).await.len()), (0, 2));
    let due = partitions::forget_access_records(&system, time("2019-02-01T00:00:00Z")).await.expect("ran");
    assert_eq!((due, seen(&serving, tenant).await), (1, vec![pair("b", &[])]));
    let all = partitions::forget_access_records(&system, Utc::now() - Days::new(400)).await.expect("ran");
    assert_eq!((all, seen(&serving, tenant).await.len()), (0, 0));

    let made = partitions::extend(&system, "access_record", 6).await.expect("extended");
    assert_eq!(made, 3, "the migration made this month's and three more");
    partitions::extend(&system, "lease", 1).await.expect_err("it has no months");
}
