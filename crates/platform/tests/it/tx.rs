//! The transaction: what its commit promises.

use trato_platform::db::{NewEvent, Record, RequestKey, Tx, statement::Statements};
use trato_types::{Context, Kind};
use uuid::Uuid;

use crate::resource::{Team, caller, database};

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

/// Who refers to a row by a foreign key need not wait for somebody who has locked it, since no key ever changes.
#[tokio::test]
async fn a_lock_holds_up_nobody_who_refers_to_the_row() {
    let (database, cx) = (database().await, caller(Uuid::new_v4()));
    let statements = Statements::of::<Team>();
    let team = Team { display_name: "East".parse().expect("a name"), region: None, owner: None };
    let record = Record::new(&cx, team, None);
    let mut tx = Tx::of(&database, &cx).await.expect("a transaction");
    let event = NewEvent::of(&cx, "created", None, &record);
    tx.insert(&statements, &[&record], vec![event]).await.expect("stored");
    tx.commit().await.expect("committed");
    let mut holder = Tx::of(&database, &cx).await.expect("a transaction");
    holder.lock::<Team>(&statements, &record.name()).await.expect("locked");

    let mut other = Tx::of(&database, &cx).await.expect("a transaction");
    let look = async |other: &mut Tx, lock: &str| {
        let statement = format!("select id from team where id = $1 for {lock} nowait");
        let statement = sqlx::query_scalar::<_, Uuid>(sqlx::AssertSqlSafe(statement)).bind(record.id);
        statement.fetch_one(other.connection()).await
    };
    // As foreign keys look, and as those do who ask that nothing changes.
    let refers = look(&mut other, "key share").await;
    let reads = look(&mut other, "share").await;

    assert_eq!(refers.expect("nobody changes its key"), record.id);
    assert!(reads.is_err(), "it is locked");
}

/// Within a transaction, too, a request id is known as answered once its answer is written, and to who asked only.
#[tokio::test]
async fn a_request_id_is_answered_once_its_answer_is_written() {
    let (database, cx) = (database().await, caller(Uuid::new_v4()));
    let other = Context { method: "trato.test.v1.Other/Call".into(), ..cx.clone() };
    let key = RequestKey { id: Uuid::new_v4(), body_hash: vec![7] };
    let answered = async |cx: &Context| {
        let mut tx = Tx::of(&database, cx).await.expect("a transaction");
        tx.is_answered(&key).await.expect("it is known")
    };

    let before = answered(&cx).await;
    let mut tx = Tx::of(&database, &cx).await.expect("a transaction");
    tx.remember(&key, Vec::new()).await.expect("remembered");
    tx.commit().await.expect("committed");

    assert_eq!([before, answered(&cx).await, answered(&other).await], [false, true, false]);
}
