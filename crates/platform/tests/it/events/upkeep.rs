//! Partitions, retention, and who may touch what.

use chrono::{Days, Utc};
use trato_platform::{db::Tx, events::partitions};

use super::World;

impl World {
    /// Writes a numbered and published event as if it had been recorded so many days ago.
    async fn record(&self, subject: &str, revision: i64, verb: &str, days: u64) {
        let time = Utc::now() - Days::new(days);
        let mut tx = Tx::begin(&self.database.pool, &self.cx()).await.expect("a transaction");
        sqlx::query(
            "insert into platform.event
               (id, tenant_id, type, subject, revision, event_time, create_time, actor, payload)
             values (gen_random_uuid(), $1, $2, $3, $4, $5, $5, 'members/ana', '')",
        )
        .bind(self.tenant)
        .bind(self.kind(verb))
        .bind(subject)
        .bind(revision)
        .bind(time)
        .execute(tx.connection())
        .await
        .expect("written");
        tx.commit().await.expect("committed");
    }

    /// Numbers everything and takes it for published, in the order of insertion.
    async fn number(&self) {
        for sql in [
            "update platform.event event set position = numbered.position
             from (select seq, row_number() over (order by seq) as position from platform.event) numbered
             where event.seq = numbered.seq",
            "insert into platform.lease (name, holder, epoch, expire_time, numbered, published)
             select 'relay', gen_random_uuid(), 1, now(), count(*), count(*) from platform.event",
        ] {
            sqlx::query(sql).execute(&self.database.system).await.expect("numbered");
        }
    }

    async fn log(&self) -> Vec<(String, i64, String)> {
        sqlx::query_as("select subject, revision, tableoid::regclass::text from platform.event order by subject, revision")
            .fetch_all(&self.database.system)
            .await
            .expect("readable")
    }
}

#[tokio::test]
async fn retention_keeps_the_newest_revision_of_each_living_aggregate() {
    let world = World::new().await;
    for (subject, revision, verb, days) in [
        ("things/changed", 1, "created", 500),
        ("things/changed", 2, "updated", 450),
        ("things/changed", 3, "updated", 10),
        ("things/quiet", 1, "created", 500),
        ("things/quiet", 2, "updated", 450),
        ("things/deleted", 1, "created", 500),
        ("things/deleted", 2, "deleted", 450),
        ("things/new", 1, "created", 1),
    ] {
        world.record(subject, revision, verb, days).await;
    }
    let before = Utc::now() - Days::new(400);
    assert_eq!(
        partitions::forget_events(&world.database.system, before).await.expect("ran"),
        0,
        "nothing is published"
    );
    world.number().await;

    let gone = partitions::forget_events(&world.database.system, before).await.expect("ran");

    let left: Vec<(String, i64)> =
        world.log().await.into_iter().map(|(subject, revision, _)| (subject, revision)).collect();
    assert_eq!(gone, 5);
    assert_eq!(left, [("things/changed".into(), 3), ("things/new".into(), 1), ("things/quiet".into(), 2)]);
}

#[tokio::test]
async fn a_month_without_partition_is_written_all_the_same_and_moved_when_it_has_one() {
    let world = World::new().await;
    let mut owner =
        sqlx::PgPool::connect_lazy(secrecy::ExposeSecret::expose_secret(&world.settings.owner_url))
            .expect("an address")
            .acquire()
            .await
            .expect("a connection");
    let this_month = Utc::now().format("event_%Y_%m").to_string();
    let drop = sqlx::AssertSqlSafe(format!("drop table platform.{this_month}"));
    sqlx::query(drop).execute(&mut *owner).await.expect("dropped");

    world.write(world.new_event("things/1", 1, "any")).await;
    let fallen = world.log().await;
    let made = partitions::extend(&world.database.system, "event", 3).await.expect("extended");
    let again = partitions::extend(&world.database.system, "event", 3).await.expect("extended");
    world.write(world.new_event("things/1", 2, "any")).await;

    assert_eq!(fallen, [("things/1".into(), 1, "platform.event_default".into())]);
    assert_eq!((made, again), (1, 0));
    let name = format!("platform.{this_month}");
    assert_eq!(world.log().await, [("things/1".into(), 1, name.clone()), ("things/1".into(), 2, name)]);
}

#[tokio::test]
async fn the_inbox_forgets_what_is_settled_and_nothing_else() {
    let world = World::new().await;
    for (revision, state) in [(1, "DONE"), (2, "DROPPED"), (3, "PARKED")] {
        let mut tx = Tx::begin(&world.database.pool, &world.cx()).await.expect("a transaction");
        sqlx::query(
            "insert into platform.inbox
               (tenant_id, consumer, event_id, subject, revision, state, create_time, metadata, payload)
             values ($1, 'note', gen_random_uuid(), 'things/1', $2, $3, now() - interval '2 years', '{}', '')",
        )
        .bind(world.tenant)
        .bind(revision)
        .bind(state)
        .execute(tx.connection())
        .await
        .expect("written");
        tx.commit().await.expect("committed");
    }

    let gone =
        partitions::forget_inbox(&world.database.system, Utc::now() - Days::new(400)).await.expect("ran");

    assert_eq!(gone, 2);
    assert_eq!(world.held("note").await, [("things/1".into(), 3, "PARKED".into())]);
}

/// PLT-12: the log and the inbox are under forced row-level security, and the serving role cannot change history.
#[tokio::test]
async fn the_serving_role_sees_its_tenant_only_and_changes_no_event() {
    let world = World::new().await;
    world.write(world.new_event("things/1", 1, "any")).await;
    let stranger = World { tenant: uuid::Uuid::new_v4(), ..world.clone() };
    let mut tx = Tx::begin(&stranger.database.pool, &stranger.cx()).await.expect("a transaction");
    let seen: i64 = sqlx::query_scalar("select count(*) from platform.event")
        .fetch_one(tx.connection())
        .await
        .expect("readable");
    assert_eq!(seen, 0);
    let unset: i64 = sqlx::query_scalar("select count(*) from platform.event")
        .fetch_one(&world.database.pool)
        .await
        .expect("readable");
    assert_eq!(unset, 0, "without a tenant nothing is seen");

    for forbidden in [
        "update platform.event set payload = ''",
        "delete from platform.event",
        "select count(*) from platform.lease",
        "select platform.extend_event_partitions(1)",
        "select platform.extend_partitions('event', 1)",
    ] {
        let refused = sqlx::query(forbidden).execute(&world.database.pool).await.expect_err(forbidden);
        assert!(refused.to_string().contains("permission denied"), "{forbidden}: {refused}");
    }
}
