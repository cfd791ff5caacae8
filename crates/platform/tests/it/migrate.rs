//! Migrations beside programs that serve: nobody waits behind one that cannot have its lock.

use sqlx::{Connection as _, PgConnection};
use trato_platform::{
    db::migrate::{Migration, migrate_on},
    testing::{PATIENCE, TestDatabase, eventually},
};

use crate::resource::MIGRATIONS;

/// The schema of the tests' service, and one step further.
const FURTHER: &[Migration] = &[
    MIGRATIONS[0],
    Migration { name: "0002_note", sql: "alter table team add column note text check (note <> '');" },
];

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the role can log in")
}

/// Whether somebody waits for a lock in this database.
async fn waits(database: &TestDatabase, connection: &mut PgConnection) -> bool {
    let sql =
        "select exists (select from pg_locks lock join pg_database database on database.oid = lock.database
               where database.datname = $1 and not lock.granted)";
    sqlx::query_scalar(sql)
        .bind(&database.name)
        .fetch_one(connection)
        .await
        .expect("the catalogue is readable")
}

/// F16: a migration that finds its table in use lets everybody else pass, and has its turn when the table is free.
#[tokio::test]
async fn a_migration_that_waits_for_a_lock_holds_nobody_up() {
    let database = trato_platform::testing::database("migrating", MIGRATIONS).await;
    let mut reader = connect(&database.owner_url).await;
    let mut long = reader.begin().await.expect("a transaction");
    sqlx::query("select count(*) from team").execute(&mut *long).await.expect("read");
    let mut other = connect(&database.owner_url).await;

    let url = database.owner_url.clone();
    let migrating = tokio::spawn(async move { migrate_on(&mut connect(&url).await, FURTHER).await });
    let mut watcher = connect(&database.owner_url).await;
    for _ in 0..5 {
        eventually(async || {
            if waits(&database, &mut watcher).await { Ok(()) } else { Err("nobody waits".to_owned()) }
        })
        .await;
        let passes =
            tokio::time::timeout(PATIENCE, sqlx::query("select count(*) from team").execute(&mut other));
        assert!(passes.await.is_ok(), "a reader waits behind the migration");
    }
    assert!(!migrating.is_finished(), "the long transaction still reads the table");
    long.commit().await.expect("committed");

    let done = tokio::time::timeout(PATIENCE, migrating).await.expect("in time").expect("no panic");
    assert_eq!(done.expect("migrated"), ["service/0002_note"]);
}
