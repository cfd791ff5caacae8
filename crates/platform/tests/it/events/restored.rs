//! After a log was restored to an earlier moment: who lacks what, what is lost, and how numbering and revisions go on.

use trato_contract::directory::v1::{CreateTeamRequest, Team as Message};
use trato_platform::{
    db::Kept,
    events::{
        Subscription, compare,
        listing::{self, Line, Part},
        reconcile, replay,
    },
    standard::Store,
    testing::eventually,
};
use uuid::Uuid;

use super::{World, noting, projecting};
use crate::resource::{Team, call, caller, database};

/// Lines as a command reads them: these, and then none.
fn once(lines: Vec<Line>) -> impl AsyncFnMut() -> trato_types::Result<Vec<Line>> {
    let mut left = Some(lines);
    async move || Ok(left.take().unwrap_or_default())
}

impl World {
    async fn lines(&self, payload: bool) -> Vec<Line> {
        let mut lines = Vec::new();
        let part = Part { payload, ..Part::default() };
        let take = |line| {
            lines.push(line);
            Ok(())
        };
        listing::read(&self.database, &part, take).await.expect("the log is readable");
        lines
    }

    async fn all_published(&self) -> i64 {
        eventually(async || {
            let sql =
                "select numbered, published, (select count(*) from platform.event where position is null)
                       from platform.lease where name = 'relay'";
            let row: (i64, i64, i64) = sqlx::query_as(sql)
                .fetch_one(&self.database.system)
                .await
                .map_err(|error| error.to_string())?;
            if row.0 == row.1 && row.2 == 0 { Ok(row.1) } else { Err(format!("{row:?}")) }
        })
        .await
    }

    /// Removes what the database knew, as going back to an earlier moment does.
    async fn undo(&self, sql: &'static str, id: Uuid) {
        let undone = sqlx::query(sql).bind(id).execute(&self.database.system).await.expect("undone");
        assert_eq!(undone.rows_affected(), 1);
    }
}

const FORGET_EVENT: &str = "delete from platform.event where id = $1";
const FORGET_INBOX: &str = "delete from platform.inbox where event_id = $1";

/// F17: a restored log gives out no position that others may have seen, and what it numbers then is published.
#[tokio::test(flavor = "multi_thread")]
async fn numbering_goes_on_far_above_and_is_published() {
    let world = World::new().await;
    let (_consumer, _) = world.consumer(vec![Subscription::new("note", world.types(), noting("note"))]).await;
    let (relay, shutdown) = world.relay();
    world.write(world.new_event("teams/1", 1, "well")).await;
    world.effects_of("note", 1).await;
    assert_eq!(world.all_published().await, 1);
    shutdown.cancel();
    relay.await.expect("the relay ends");

    let leapt = reconcile::leap(&world.database).await.expect("leapt").expect("it had numbered");
    assert!(leapt > 1_000_000_000);
    let (_relay, _) = world.relay();
    world.write(world.new_event("teams/1", 2, "well")).await;

    assert_eq!(world.effects_of("note", 2).await, [("teams/1".to_owned(), 1), ("teams/1".to_owned(), 2)]);
    assert_eq!(world.all_published().await, leapt + 1);
    let positions: Vec<i64> = world.lines(false).await.iter().map(|line| line.event.position).collect();
    assert_eq!(positions, [1, leapt + 1]);
}

/// F17: what a restored consumer lacks is found by comparing it with the log, and sending just that closes the gap.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_gets_what_it_lacks_and_nothing_else() {
    let world = World::new().await;
    let subscriptions = vec![Subscription::new("note", world.types(), noting("note"))];
    let (_consumer, _) = world.consumer(subscriptions.clone()).await;
    let (_relay, _) = world.relay();
    for revision in 1..=5 {
        world.write(world.new_event("teams/1", revision, "well")).await;
    }
    world.effects_of("note", 5).await;
    let log = world.lines(false).await;
    for line in &log[3..] {
        world.undo(FORGET_INBOX, line.event.id).await;
    }

    let processor = world.processor(subscriptions);
    let (horizon, now) = (reconcile::horizon(1), reconcile::seconds_ago(0));
    let lacking = async || {
        let found = reconcile::lacking(&processor, log.clone(), horizon, now).await.expect("compared");
        let lines = found.iter().map(|one| serde_json::to_value(one).expect("a line"));
        lines.map(|line| serde_json::from_value(line).expect("is a line of the log")).collect::<Vec<Line>>()
    };
    let found = lacking().await;
    assert_eq!(found.iter().map(|line| line.event.revision).collect::<Vec<_>>(), [4, 5]);
    let only = Some(found.iter().map(|line| line.event.id).collect());
    let wanted = replay::Replay { to: world.service.to_owned(), only, ..Default::default() };
    let broker = world.broker();
    let sent =
        replay::replay(world.service, &world.database, &broker, &wanted, |_| Ok(())).await.expect("sent");

    assert_eq!(sent, 2);
    let effects = world.effects_of("note", 7).await;
    assert_eq!(effects[5..], [("teams/1".to_owned(), 4), ("teams/1".to_owned(), 5)]);
    assert!(lacking().await.is_empty());
}

/// F17: an event that was heard of and that its log has lost is named, with what is left of its aggregate.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_heard_of_and_is_in_no_log_is_named() {
    let world = World::new().await;
    let subscriptions = vec![Subscription::new("note", world.types(), noting("note"))];
    let (_consumer, _) = world.consumer(subscriptions.clone()).await;
    let (_relay, _) = world.relay();
    for (subject, revision) in [("teams/1", 1), ("teams/1", 2), ("teams/2", 1), ("others/1", 1)] {
        world.write(world.new_event(subject, revision, "well")).await;
    }
    world.effects_of("note", 4).await;
    world.all_published().await;
    let log = world.lines(false).await;
    for line in &log[1..] {
        world.undo(FORGET_EVENT, line.event.id).await;
    }

    let mut heard = Vec::new();
    let take = |one| {
        heard.push(one);
        Ok(())
    };
    let horizon = reconcile::horizon(1);
    reconcile::heard(&world.processor(subscriptions), horizon, take).await.expect("listed");
    let kept = [Kept::of::<Team>()];
    let mut lost = reconcile::lost(&world.database, &kept, heard.clone(), horizon).await.expect("compared");

    lost.sort_by(|a, b| a.heard.subject.cmp(&b.heard.subject));
    let named: Vec<_> =
        lost.iter().map(|one| (one.heard.subject.as_str(), one.heard.revision, one.kept_revision)).collect();
    assert_eq!(heard.len(), 4);
    assert_eq!(
        named,
        [("teams/1", 2, Some(1)), ("teams/2", 1, None)],
        "others are no resources of this service"
    );
}

/// F17: a resource goes on above the revisions that others saw of it, with the content it has; once, however often.
#[tokio::test]
async fn a_resource_is_lifted_above_what_was_lost_of_it() {
    let database = database().await;
    let cx = caller(Uuid::new_v4());
    let teams = Store::<Team>::new(&database);
    let message = Message { display_name: "Alpha".to_owned(), ..Message::default() };
    let request = CreateTeamRequest { team: Some(message), ..CreateTeamRequest::default() };
    let made = teams.create(call(&cx, request)).await.expect("made").into_inner();
    let kept = Kept::of::<Team>();
    assert!(kept.is_of(&made.name) && !kept.is_of("teamsters/1"));

    let lifted = kept.lift(&database, &cx, &made.name, 5).await.expect("lifted");
    let again = kept.lift(&database, &cx, &made.name, 5).await.expect("already above");

    assert_eq!((lifted, again), (6, 6));
    let mut tx = trato_platform::db::Tx::begin(&database.pool, &cx).await.expect("a transaction");
    let sql = "select type, revision from platform.event order by seq";
    let events: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(tx.connection()).await.expect("readable");
    let kind = |verb: &str| format!("trato.directory.v1.team.{verb}");
    assert_eq!(events, [(kind("created"), 1), (kind("updated"), 6)]);
}

/// A read model is compared with what its events make: the rows that differ are named, and nothing is changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_is_compared_with_what_its_events_make() {
    let world = World::new().await;
    let keep = Subscription::new("keep-latest", world.types(), projecting()).projecting(&["latest"]);
    let note = Subscription::new("note", world.types(), noting("note"));
    let (_consumer, _) = world.consumer(vec![keep.clone(), note.clone()]).await;
    let (_relay, _) = world.relay();
    for subject in ["teams/1", "teams/2", "teams/3"] {
        world.write(world.new_event(subject, 1, subject)).await;
    }
    world.effects_of("note", 3).await;
    eventually(async || {
        let count = world.latest().await.len();
        if count == 3 { Ok(()) } else { Err(format!("{count} rows")) }
    })
    .await;
    world.all_published().await;
    let processor = world.processor(vec![keep, note]);
    let compared = async || {
        let log = world.lines(true).await;
        compare::compare(&processor, "keep-latest", world.tenant, once(log)).await.expect("compared")
    };
    let equal = compared().await;
    assert_eq!((equal.stored_rows, equal.expected_rows, equal.differing), (3, 3, 0));
    assert_eq!(equal.stored_hash, equal.expected_hash);

    let mut tx =
        trato_platform::db::Tx::begin(&world.database.pool, &world.cx()).await.expect("a transaction");
    for sql in [
        "update latest set revision = 9 where subject = 'teams/1'",
        "delete from latest where subject = 'teams/2'",
        "insert into latest select tenant_id, 'teams/4', 1, 'four' from latest where subject = 'teams/1'",
    ] {
        sqlx::query(sql).execute(tx.connection()).await.expect("changed");
    }
    tx.commit().await.expect("committed");
    let before = world.latest().await;
    let differing = compared().await;

    let faults: Vec<_> = differing.differences.iter().map(|one| (one.key.as_str(), one.fault)).collect();
    assert_eq!(faults, [("teams/1", "different"), ("teams/4", "unexpected"), ("teams/2", "missing")]);
    assert_eq!(differing.differences[0].stored_revision, Some(9));
    assert_eq!(world.latest().await, before, "the comparison changed something");
    let refused = compare::compare(&processor, "note", world.tenant, once(Vec::new()))
        .await
        .expect_err("no read model");
    assert_eq!(refused.reason(), "NOT_A_PROJECTION");
}
