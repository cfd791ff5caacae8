//! The pool against servers that answer, that end and that fall silent.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::Instant,
};

use super::*;
use crate::testing::{PATIENCE, database, eventually, pool};

/// A wire to the server whose open connections can be made silent for ever; new ones are not.
struct Wire {
    address: SocketAddr,
    silenced: watch::Sender<u64>,
}

impl Wire {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (address, silenced) = (listener.local_addr().expect("it is bound"), watch::Sender::new(0));
        let watched = silenced.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (mut silenced, made) = (watched.subscribe(), *watched.borrow());
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(server).await.expect("the server listens");
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => return,
                        _ = silenced.wait_for(|times| *times > made) => drop(far),
                    }
                    // Open, and never a word.
                    let _open = near;
                    std::future::pending::<()>().await;
                });
            }
        });
        Self { address, silenced }
    }

    fn silence(&self) {
        self.silenced.send_modify(|times| *times += 1);
    }
}

/// A pool of so many connections over a wire.
async fn wired(connections: u32) -> (Pool, Wire) {
    let url = database("wired", &[]).await.url;
    let server = url.rsplit('@').next().and_then(|rest| rest.split('/').next()).expect("it has a host");
    let wire = Wire::to(server.parse().expect("an address")).await;
    let url = url.replace(server, &wire.address.to_string());
    let limits = Limits { connections: 0..=connections, wait: PATIENCE, patience: PATIENCE };
    (Pool::open(url.parse().expect("an address of PostgreSQL"), limits), wire)
}

async fn answer(pool: &Pool) -> sqlx::Result<i32> {
    sqlx::query_scalar("select 1").fetch_one(pool).await
}

/// Lends as many connections at once as there can be, so that all are open.
async fn fill(pool: &Pool) {
    let all = join_all((0..pool.status().max_size).map(|_| pool.acquire())).await;
    assert!(all.iter().all(Result::is_ok));
}

async fn process(connection: &mut Connection) -> i32 {
    sqlx::query_scalar("select pg_backend_pid()").fetch_one(connection).await.expect("it lives")
}

#[tokio::test]
async fn a_silent_connection_costs_one_answer_and_none_of_those_of_its_age_is_trusted() {
    let (pool, wire) = wired(5).await;
    fill(&pool).await;
    let begun = Instant::now();
    wire.silence();

    let lost = answer(&pool).await.expect_err("nobody answers on it");
    assert!(is_lost(&lost), "{lost}");
    assert!(pool.is_away());
    for _ in 0..5 {
        assert_eq!(answer(&pool).await.expect("another one answers"), 1);
    }
    assert!(!pool.is_away());
    assert!(begun.elapsed() < PATIENCE / 4, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_transaction_begins_on_a_connection_that_answers() {
    let (pool, wire) = wired(1).await;
    fill(&pool).await;
    wire.silence();

    let mut connection = pool.begin().await.expect("another one takes its place");

    assert!(process(&mut connection).await > 0);
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_no_connection_behind_that_is_silent() {
    let (pool, wire) = wired(1).await;
    fill(&pool).await;
    wire.silence();

    assert!(timeout(Duration::from_millis(50), answer(&pool)).await.is_err());

    assert_eq!(answer(&pool).await.expect("there is room for another"), 1);
}

#[tokio::test]
async fn a_statement_that_the_server_works_on_is_waited_for() {
    let (pool, _wire) = wired(1).await;

    let slept = sqlx::query_scalar::<_, bool>("select pg_sleep(3.5) is not null").fetch_one(&pool).await;

    assert!(slept.expect("it is answered in the end"));
}

#[tokio::test]
async fn a_connection_that_ended_while_it_was_idle_is_found_out_before_it_is_used() {
    let urls = database("ended", &[]).await;
    let (pool, other) = (pool(&urls.url), pool(&urls.url));
    let mut held = pool.acquire().await.expect("it is lent");
    let process = process(&mut held).await;
    drop(held);
    let end = sqlx::query("select pg_terminate_backend($1, 5000)").bind(process);
    end.execute(&other).await.expect("a role may end its own connections");

    eventually(async || {
        let mut idle = Duration::ZERO;
        let kept = pool.links.retain(|link, _| {
            idle = link.idle();
            true
        });
        assert_eq!(kept.retained, 1, "it is the very one that ended");
        if idle < opener::PING_AFTER_IDLE { Err(format!("it is idle for {idle:?}")) } else { Ok(()) }
    })
    .await;

    assert_eq!(answer(&pool).await.expect("another one answers"), 1);
}

#[tokio::test]
async fn a_transaction_that_is_dropped_is_rolled_back_and_its_connection_used_again() {
    let urls = database("dropped", &[]).await;
    let limits = Limits { connections: 0..=1, wait: PATIENCE, patience: PATIENCE };
    let pool = Pool::open(urls.owner_url.parse().expect("an address"), limits);
    let mut connection = pool.begin().await.expect("it begins");
    let first = process(&mut connection).await;
    connection.say("create table public.left_behind ()").await.expect("it is created");
    drop(connection);

    let mut again = pool.acquire().await.expect("it is lent");

    let found = sqlx::query_scalar::<_, bool>("select to_regclass('public.left_behind') is not null");
    assert!(!found.fetch_one(&mut again).await.expect("it is answered"));
    assert_eq!(process(&mut again).await, first);
}

#[tokio::test]
async fn what_a_caller_gives_up_ends_before_its_connection_is_used_again() {
    let urls = database("given_up", &[]).await;
    let limits = Limits { connections: 0..=1, wait: PATIENCE, patience: PATIENCE };
    let pool = Pool::open(urls.url.parse().expect("an address"), limits);
    let first = process(&mut pool.acquire().await.expect("it is lent")).await;

    let begun = Instant::now();
    let slow = sqlx::query("select pg_sleep(0.5)").execute(&pool);
    assert!(timeout(Duration::from_millis(50), slow).await.is_err());

    let mut again = pool.acquire().await.expect("it is lent");
    assert!(begun.elapsed() >= Duration::from_millis(450), "lent after {:?}", begun.elapsed());
    assert_eq!(process(&mut again).await, first);
}

#[tokio::test]
async fn what_fails_after_it_was_given_up_costs_no_connection() {
    let urls = database("given_up_wrong", &[]).await;
    let limits = Limits { connections: 0..=1, wait: PATIENCE, patience: PATIENCE };
    let pool = Pool::open(urls.url.parse().expect("an address"), limits);
    let first = process(&mut pool.acquire().await.expect("it is lent")).await;

    let wrong = sqlx::query("select 1 / (pg_sleep(0.3)::text = 'x')::int").execute(&pool);
    assert!(timeout(Duration::from_millis(50), wrong).await.is_err());

    let mut again = pool.acquire().await.expect("it is lent");
    assert_eq!(process(&mut again).await, first);
    assert!(!pool.is_away());
}

#[tokio::test]
async fn sessions_that_the_server_ended_cost_one_answer_all_together() {
    let urls = database("sessions", &[]).await;
    let limits = Limits { connections: 0..=4, wait: PATIENCE, patience: PATIENCE };
    let (ended, other) = (Pool::open(urls.url.parse().expect("an address"), limits), pool(&urls.url));
    fill(&ended).await;
    let end = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
               where datname = current_database() and usename = current_user and pid <> pg_backend_pid()";
    let count: i64 = sqlx::query_scalar(end).fetch_one(&other).await.expect("a role may end its own");
    assert_eq!(count, 4);

    let mut failed = 0;
    for _ in 0..6 {
        failed += usize::from(answer(&ended).await.is_err());
    }

    assert!(failed <= 1, "{failed} answers were lost");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_as_away() {
    let nowhere = "postgres://nobody@127.0.0.1:9/none".parse().expect("an address");
    let limits = Limits { connections: 0..=1, wait: Duration::from_millis(50), patience: PATIENCE };
    let pool = Pool::open(nowhere, limits);

    let refused = pool.acquire().await.expect_err("nobody listens there");

    assert!(is_lost(&refused), "{refused}");
    assert!(pool.is_away());
}
