//! Calls by production's own client to real servers behind a name whose addresses change.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use futures::{FutureExt as _, future::BoxFuture, future::join_all};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tonic::{Status, client::Grpc};
use tonic_prost::ProstCodec;

use super::{Names, Network};
use crate::{
    auth::testing::TestIssuer,
    rpc::{
        Peer, Upstream,
        testing::{TestServer, Text, network, soon, unary},
    },
    testing::eventually,
};

/// What the one name of these tests stands for, and how often that was asked.
#[derive(Clone, Debug, Default)]
struct Book(Arc<Mutex<(Vec<SocketAddr>, usize)>>);

impl Names for Book {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let mut book = self.0.lock().expect("not poisoned");
        book.1 += 1;
        std::future::ready(Ok(book.0.clone())).boxed()
    }
}

impl Book {
    fn write(&self, addresses: &[SocketAddr]) {
        self.0.lock().expect("not poisoned").0 = addresses.to_vec();
    }

    /// Waits until the name was asked for twice more, the second time after the first was taken in.
    async fn is_read(&self) {
        let asked = || self.0.lock().expect("not poisoned").1;
        let before = asked();
        eventually(async || if asked() > before + 1 { Ok(()) } else { Err("not read".to_owned()) }).await;
    }
}

const NAME: &str = "http://echoes.test:50051";

/// Looks at names every second, to be as patient as the test is.
fn quick(book: &Book) -> Network {
    let variables = [("TRATO_TRANSPORT__RESOLVE_SECONDS", "1"), ("TRATO_TRANSPORT__KEEPALIVE_SECONDS", "1")];
    network(&variables).naming(book.clone())
}

fn address(server: &TestServer) -> SocketAddr {
    server.url.trim_start_matches("http://").parse().expect("an address")
}

async fn servers(count: usize) -> Vec<TestServer> {
    let issuer = TestIssuer::start().await;
    join_all((0..count).map(|_| TestServer::start_by(&issuer, None, |_| {}))).await
}

/// An idempotent call, and who answered it.
async fn call(upstream: &Upstream, server: &TestServer) -> Result<SocketAddr, Status> {
    let mut client = Grpc::new(upstream.clone());
    client.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let path = "/trato.test.v1.EchoService/GetEcho".parse().expect("a path");
    let request = server.request(&["boss"], "x");
    let answer = client.unary(request, path, ProstCodec::<Text, Text>::default()).await?;
    Ok(answer.extensions().get::<Peer>().expect("every answer says whose it is").0)
}

/// How many of some calls each address answered.
async fn shares(upstream: &Upstream, server: &TestServer, calls: usize) -> HashMap<SocketAddr, usize> {
    let mut shares = HashMap::new();
    for _ in 0..calls {
        *shares.entry(soon(call(upstream, server)).await.expect("answered")).or_default() += 1;
    }
    shares
}

#[tokio::test]
async fn calls_go_to_every_address_of_a_name_and_follow_it() {
    let servers = servers(3).await;
    let all: Vec<SocketAddr> = servers.iter().map(address).collect();
    let book = Book::default();
    book.write(&all[..1]);
    let upstream = servers[0].upstream_by(&[NAME], &quick(&book));
    assert_eq!(shares(&upstream, &servers[0], 30).await, HashMap::from([(all[0], 30)]));

    book.write(&all);
    let even = eventually(async || {
        let shares = shares(&upstream, &servers[0], 30).await;
        if shares.values().all(|share| *share == 10) && shares.len() == 3 {
            Ok(())
        } else {
            Err(format!("{shares:?}"))
        }
    });
    even.await;

    book.write(&all[2..]);
    eventually(async || {
        let shares = shares(&upstream, &servers[0], 30).await;
        if shares == HashMap::from([(all[2], 30)]) { Ok(()) } else { Err(format!("{shares:?}")) }
    })
    .await;
}

#[tokio::test]
async fn a_name_that_stands_for_nothing_any_more_leads_where_it_led() {
    let servers = servers(1).await;
    let book = Book::default();
    let upstream = servers[0].upstream_by(&[NAME], &quick(&book));
    let nowhere = soon(call(&upstream, &servers[0])).await.expect_err("there is no address yet");
    assert!(trato_types::error::chain(&nowhere).contains("no address of trato.test is known"), "{nowhere:?}");

    book.write(&[address(&servers[0])]);
    soon(call(&upstream, &servers[0])).await.expect("it is there now");
    book.write(&[]);

    book.is_read().await;
    soon(call(&upstream, &servers[0])).await.expect("the address is kept");
}

#[tokio::test]
async fn a_server_that_stops_fails_no_call() {
    let mut servers = servers(2).await;
    let book = Book::default();
    book.write(&servers.iter().map(address).collect::<Vec<_>>());
    let upstream = servers[0].upstream_by(&[NAME], &quick(&book));
    shares(&upstream, &servers[0], 10).await;

    let leaving = servers.pop().expect("there are two");
    let calls = async {
        for _ in 0..50 {
            // Not only idempotent ones: what a server that goes away did not begin is sent to the other.
            let (server, upstream) = (&servers[0], &upstream);
            let batch = (0..10).map(|_| unary(upstream.clone(), "Echo", server.request(&["boss"], "x")));
            for answer in join_all(batch).await {
                answer.expect("no call is lost");
            }
        }
    };
    let stop = async {
        leaving.stop.cancel();
        leaving.task.await.expect("stopped in order");
    };
    soon(async { tokio::join!(calls, stop) }).await;

    let left = address(&servers[0]);
    assert_eq!(shares(&upstream, &servers[0], 10).await, HashMap::from([(left, 10)]));
}

/// A way to a server that can fall silent: connections stay open, and nothing passes any more.
async fn silenced(to: SocketAddr, silent: watch::Receiver<bool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut silent = silent.clone();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(to).await.expect("the server is there");
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    _ = silent.wait_for(|silent| *silent).map(drop) => std::future::pending().await,
                }
            });
        }
    });
    address
}

/// F6: a connection whose other side fell silent is found by its pings, and its idempotent calls are answered elsewhere.
#[tokio::test]
async fn a_silent_connection_is_given_up_and_its_idempotent_calls_are_answered_elsewhere() {
    let servers = servers(2).await;
    let (silence, silent) = watch::channel(false);
    let [healthy, mute] = [address(&servers[0]), silenced(address(&servers[1]), silent).await];
    let book = Book::default();
    book.write(&[healthy, mute]);
    let upstream = servers[0].upstream_by(&[NAME], &quick(&book));
    let both = eventually(async || {
        let shares = shares(&upstream, &servers[0], 10).await;
        if shares.len() == 2 { Ok(()) } else { Err(format!("{shares:?}")) }
    });
    both.await;

    silence.send_replace(true);
    let calls = join_all((0..20).map(|_| call(&upstream, &servers[0])));

    for answered in soon(calls).await {
        assert_eq!(answered.expect("an idempotent call is repeated"), healthy);
    }
}
