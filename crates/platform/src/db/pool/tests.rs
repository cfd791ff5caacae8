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

    eventually(async || match pool.links.retain(|link, _| link.idle() < opener::PING_AFTER_IDLE) {
        idle if idle.removed.is_empty() => Err("it is not idle for long enough".to_owned()),
        _ => Ok(()),
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

    let slow = sqlx::query("select pg_sleep(0.5)").execute(&pool);
    assert!(timeout(Duration::from_millis(50), slow).await.is_err());

    let mut again = pool.acquire().await.expect("it is lent");
    assert_eq!(process(&mut again).await, first);
}
