//! From commit to effect: numbering, publishing, takeover.

use std::time::Duration;

use rand::RngExt as _;
use sqlx::Row as _;
use tokio::task::JoinHandle;
use trato_platform::{db::Tx, events::Subscription, testing::eventually};

use super::{World, in_order, noting, projecting};

impl World {
    /// Changes one aggregate the way a service does: its row is locked until the commit. Pauses before it.
    async fn change(&self, subject: &str, pause: Duration, keep: bool) {
        let mut tx = Tx::of(&self.database, &self.cx()).await.expect("a transaction");
        let revision: i64 = sqlx::query_scalar(
            "insert into aggregate (tenant_id, subject, revision) values ($1, $2, 1)
             on conflict (tenant_id, subject) do update set revision = aggregate.revision + 1 returning revision",
        )
        .bind(self.tenant)
        .bind(subject)
        .fetch_one(tx.connection())
        .await
        .expect("changed");
        tx.record(self.new_event(subject, revision, "any"));
        tx.write_events().await.expect("written");
        // The event is written and its number drawn, but others may commit before it.
        tokio::time::sleep(pause).await;
        if keep {
            tx.commit().await.expect("committed");
        } else {
            tx.roll_back().await.expect("rolled back");
        }
    }

    /// Waits until so many more events are numbered, or the writer ended.
    async fn numbered_further(&self, count: i64, writer: &JoinHandle<()>) {
        let numbered = async || {
            let numbered = sqlx::query_scalar("select coalesce(max(numbered), 0) from platform.lease");
            numbered.fetch_one(&self.database.system).await.map_err(|error| error.to_string())
        };
        let wanted: i64 = numbered().await.expect("readable") + count;
        eventually(async || {
            let numbered: i64 = numbered().await?;
            if numbered >= wanted || writer.is_finished() {
                Ok(())
            } else {
                Err(format!("{numbered} of {wanted}"))
            }
        })
        .await;
    }

    /// Subject and revision of every event in the order of their positions, once all are numbered and published.
    pub(super) async fn published(&self) -> Vec<(String, i64)> {
        let count = eventually(async || {
            let row = sqlx::query(
                "select (select count(*) from platform.event), numbered, published from platform.lease where name = 'relay'",
            )
            .fetch_one(&self.database.system)
            .await
            .map_err(|error| error.to_string())?;
            let (written, numbered, published): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
            if written == numbered && written == published {
                Ok(written)
            } else {
                Err(format!("{written} written, {numbered} numbered, {published} published"))
            }
        })
        .await;
        let rows: Vec<(i64, String, i64)> =
            sqlx::query_as("select position, subject, revision from platform.event order by position")
                .fetch_all(&self.database.system)
                .await
                .expect("readable");
        let positions: Vec<i64> = rows.iter().map(|row| row.0).collect();
        assert_eq!(positions, (1..=count).collect::<Vec<_>>(), "positions have no gap");
        rows.into_iter().map(|(_, subject, revision)| (subject, revision)).collect()
    }
}

/// CRD-03: thirty-two writers that pause before they commit, some of which roll back.
#[tokio::test(flavor = "multi_thread")]
async fn late_commits_leave_no_gap_and_keep_the_order_of_each_aggregate() {
    let world = World::new().await;
    let (_consumer, _) = world.consumer(vec![Subscription::new("note", world.types(), noting("note"))]).await;
    let (_relay, _) = world.relay();

    let writers = (0..32).map(|writer| {
        let world = world.clone();
        tokio::spawn(async move {
            for _ in 0..12 {
                let (subject, pause, keep) = {
                    let mut random = rand::rng();
                    (random.random_range(0..16), random.random_range(0..15), random.random_bool(0.9))
                };
                world
                    .change(&format!("things/{subject}"), Duration::from_millis(pause), keep || writer == 0)
                    .await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("a writer ends");
    }

    let published = world.published().await;
    assert!(in_order(&published));
    assert!(published.len() > 300);
    let effects = world.effects_of("note", published.len()).await;
    assert_eq!(effects.len(), published.len(), "each took effect once");
    assert!(in_order(&effects));
}

/// CRD-03: a leader that is killed again and again loses nothing, and what it sends twice has one effect.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_leaders_die() {
    let world = World::new().await;
    let (_consumer, _) = world.consumer(vec![Subscription::new("note", world.types(), noting("note"))]).await;
    let writer = {
        let world = world.clone();
        tokio::spawn(async move {
            for change in 0..400 {
                world.change(&format!("things/{}", change % 7), Duration::ZERO, true).await;
            }
        })
    };

    while !writer.is_finished() {
        let (leader, _) = world.replica().relay();
        let (standby, _) = world.replica().relay();
        let further = rand::rng().random_range(5..60);
        world.numbered_further(further, &writer).await;
        leader.abort();
        world.numbered_further(further, &writer).await;
        standby.abort();
    }
    writer.await.expect("the writer ends");
    let (_relay, _) = world.relay();

    let published = world.published().await;
    assert_eq!(published.len(), 400);
    assert!(in_order(&published));
    let effects = world.effects_of("note", 400).await;
    assert_eq!(effects.len(), 400);
    assert!(in_order(&effects));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_does_not_lead_has_its_events_published_at_once() {
    let world = World::new().await;
    let other = world.replica();
    let (_consumer, _) = world.consumer(vec![Subscription::new("note", world.types(), noting("note"))]).await;
    let (_leader, _) = world.relay();
    world.write(world.new_event("things/1", 1, "any")).await;
    world.effects_of("note", 1).await;
    let (_follower, _) = other.relay();

    other.write(other.new_event("things/1", 2, "any")).await;

    world.effects_of("note", 2).await;
    eventually(async || {
        let known = other.database.tail.position();
        if known == 2 { Ok(()) } else { Err(format!("the follower knows of {known}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_stops_publishes_what_was_committed_and_is_followed_at_once() {
    let world = World::new().await;
    let (_consumer, _) = world.consumer(vec![Subscription::new("note", world.types(), noting("note"))]).await;
    let (leader, shutdown) = world.relay();
    world.write(world.new_event("things/1", 1, "any")).await;
    world.effects_of("note", 1).await;

    let writes: Vec<i64> = (2..=200).collect();
    for revision in writes {
        world.write(world.new_event("things/1", revision, "any")).await;
    }
    shutdown.cancel();
    leader.await.expect("the leader ends");

    assert_eq!(world.published().await.len(), 200);
}

/// CRD-03: what is larger than a frame of the broker's protocol, up to a document of a thousand lines, arrives as it was sent, and in
/// its place among small ones.
#[tokio::test(flavor = "multi_thread")]
async fn events_of_every_size_arrive_whole_and_in_order() {
    let world = World::new().await;
    let keep = Subscription::new("keep-latest", world.types(), projecting()).projecting(&["latest"]);
    let note = Subscription::new("note", world.types(), noting("note"));
    let (_consumer, _) = world.consumer(vec![keep, note]).await;
    let (_relay, _) = world.relay();
    // Around one frame of 16 KiB and two of them, and far beyond.
    let sizes = [1, 16_000, 16_384, 17_000, 33_000, 1_500_000, 2];

    for (revision, size) in (1..).zip(sizes) {
        world.write(world.new_event("things/1", revision, &"x".repeat(size))).await;
        world.write(world.new_event(&format!("things/of-{size}"), 1, &"y".repeat(size))).await;
    }

    assert!(in_order(&world.effects_of("note", 2 * sizes.len()).await));
    eventually(async || {
        let latest = world.latest().await;
        let length = |subject: &str| latest.iter().find(|one| one.0 == subject).map(|one| one.2.len());
        let arrived = sizes.map(|size| length(&format!("things/of-{size}")));
        if arrived == sizes.map(Some) { Ok(()) } else { Err(format!("{arrived:?}")) }
    })
    .await;
}

/// CRD-03: a read model made anew from the log equals the one it replaces.
#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_projection_equals_the_one_it_replaces() {
    let world = World::new().await;
    let keep = Subscription::new("keep-latest", world.types(), projecting()).projecting(&["latest"]);
    let note = Subscription::new("note", world.types(), noting("note"));
    let (_consumer, _) = world.consumer(vec![keep.clone(), note.clone()]).await;
    let (_relay, _) = world.relay();
    for revision in 1..=20 {
        for subject in ["things/1", "things/2", "things/3"] {
            world.write(world.new_event(subject, revision, &format!("{subject} {revision}"))).await;
        }
    }
    world.effects_of("note", 60).await;
    let before = world.latest().await;
    assert_eq!(before.len(), 3);

    let processor = world.processor(vec![keep, note]);
    let tenants = trato_platform::events::replay::forget(&processor, "keep-latest").await.expect("forgotten");
    assert_eq!((tenants, world.latest().await), (1, Vec::new()));
    let replay =
        trato_platform::events::replay::Replay { to: world.service.to_owned(), ..Default::default() };
    let mut told = Vec::new();
    let tell = |sent: u64| {
        told.push(sent);
        Ok(())
    };
    let sent = trato_platform::events::replay::replay(
        world.service,
        &world.database,
        &world.broker(),
        &replay,
        tell,
    )
    .await
    .expect("replayed");

    assert_eq!((sent, told.last()), (60, Some(&60)), "and it says how far it is");
    eventually(async || {
        let now = world.latest().await;
        if now == before { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
    assert_eq!(world.effects("note").await.len(), 60, "a consumer that had them recognised them");
}
