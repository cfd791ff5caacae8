//! The transaction: what its commit promises.

use trato_platform::db::Tx;
use trato_types::Kind;
use uuid::Uuid;

use crate::resource::{caller, database};

/// PostgreSQL answers the commit of a failed transaction by rolling back, without an error.
#[tokio::test]
async fn a_failed_statement_that_nobody_heard_of_makes_the_commit_fail() {
    let database = database().await;
    let mut tx = Tx::of(&database, &caller(Uuid::new_v4())).await.expect("a transaction");
    let unheard = sqlx::query("insert into team (tenant_id) values (null)").execute(tx.connection()).await;
    assert!(unheard.is_err());

    let error = tx.commit().await.expect_err("nothing was stored");

    assert_eq!(error.kind(), Kind::Internal);
}

#[tokio::test]
async fn a_statement_of_a_service_itself_is_committed() {
    let database = database().await;
    let cx = caller(Uuid::new_v4());
    let mut tx = Tx::of(&database, &cx).await.expect("a transaction");
    let seen =
        "insert into platform.principal (tenant_id, subject, roles, seen_time) values ($1, 'ana', '{}', $2)";
    sqlx::query(seen).bind(cx.tenant).bind(cx.now).execute(tx.connection()).await.expect("stored");

    tx.commit().await.expect("committed");

    let mut tx = Tx::begin(&database.pool, &cx).await.expect("a transaction");
    let count =
        sqlx::query_scalar("select count(*) from platform.principal").fetch_one(tx.connection()).await;
    assert_eq!(count.ok(), Some(1_i64));
}
