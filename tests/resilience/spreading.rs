//! Calls of one program to the replicas of another, while these come and go: real processes behind a name whose addresses
//! change, called by the programs' own client.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{FutureExt as _, future::BoxFuture};
use tokio::task::JoinHandle;
use trato_devstack::{Stack, StackOptions};
use trato_platform::{
    config::{Environment, Loader},
    descriptors::Descriptors,
    rpc::{Peer, Upstream},
    transport::{Names, Network},
};
use trato_proto::customers::v1::{ListAccountsRequest, account_service_client::AccountServiceClient};

use crate::harness::{
    breakable::PATIENCE,
    client::Bearer,
    eventually::{SOON, eventually},
    report::say,
};

/// Callers that call one after the other without a pause.
const CALLERS: usize = 6;
/// Calls that are looked at together.
const WINDOW: usize = 150;
/// What each of three replicas takes of the calls, in percent.
const FAIR: std::ops::RangeInclusive<usize> = 25..=42;

/// Time within which new replicas have their share.
const SHARED: Duration = Duration::from_secs(10);

/// What the name stands for, as the DNS of a cluster would say it.
#[derive(Clone, Debug, Default)]
struct Book(Arc<Mutex<Vec<SocketAddr>>>);

impl Names for Book {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        std::future::ready(Ok(self.0.lock().expect("not poisoned").clone())).boxed()
    }
}

impl Book {
    fn write(&self, addresses: &[SocketAddr]) {
        *self.0.lock().expect("not poisoned") = addresses.to_vec();
    }
}

/// Callers at work, and who answered them.
struct Load {
    answers: Arc<Mutex<Vec<Result<SocketAddr, String>>>>,
    stop: Arc<AtomicBool>,
    callers: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(upstream: &Upstream, token: &str) -> Self {
        let (answers, stop) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<AtomicBool>::default());
        let callers = (0..CALLERS).map(|_| {
            let mut client =
                AccountServiceClient::with_interceptor(upstream.clone(), Bearer::new(Some(token)));
            let (answers, stop) = (Arc::clone(&answers), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.list_accounts(ListAccountsRequest::default()).await;
                    let answer = answer.map_err(|status| format!("{status:?}")).map(|answer| {
                        answer.extensions().get::<Peer>().expect("an answer says whose it is").0
                    });
                    answers.lock().expect("not poisoned").push(answer);
                }
            })
        });
        Self { callers: callers.collect(), answers, stop }
    }

    /// How many of the last calls each address answered. Panics when any call ever failed.
    fn shares(&self) -> BTreeMap<SocketAddr, usize> {
        let answers = self.answers.lock().expect("not poisoned");
        let mut shares = BTreeMap::new();
        for answer in answers.iter().rev().take(WINDOW) {
            *shares.entry(*answer.as_ref().expect("no idempotent call fails")).or_default() += 1;
        }
        shares
    }

    /// Waits until the last calls, all of them made from now on, were answered as `wanted`.
    /// Answers after how long that was so.
    async fn becomes(&self, what: &str, wanted: impl Fn(&BTreeMap<SocketAddr, usize>) -> bool) -> Duration {
        let begun = Instant::now();
        let start = self.answers.lock().expect("not poisoned").len();
        let look = || async {
            let made = self.answers.lock().expect("not poisoned").len() - start;
            (made >= WINDOW, self.shares())
        };
        let seen = eventually(SOON, what, look, |(enough, shares)| *enough && wanted(shares)).await;
        let took = begun.elapsed();
        say(format!("{what} after {took:.1?}: {:?}", seen.1));
        took
    }

    async fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.await.expect("no caller panics");
        }
        let answers = self.answers.lock().expect("not poisoned");
        let failed: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert!(failed.is_empty(), "{} of {} calls failed: {failed:#?}", failed.len(), answers.len());
        answers.len()
    }
}

/// F1, F14: from one replica to three, each takes its share within seconds; one that is killed and one that drains cost no
/// idempotent call.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_come_and_go_share_the_calls_and_cost_none() {
    let options = StackOptions::private("spreading").only(&["customers"]).replicas(3);
    let stack = Stack::start(options).await.expect("a private stack can be started");
    let facts = stack.facts();
    let address = |replica: usize| -> SocketAddr {
        let url = &facts.service("customers").expect("it runs").replicas[replica].grpc;
        url.trim_start_matches("http://").parse().expect("a stack's addresses are IPs")
    };
    let [first, second, third] = [0, 1, 2].map(address);
    let book = Book::default();
    book.write(&[first]);
    let settings = Loader::new("").load(&Environment::default()).expect("the defaults are right").settings;
    let network = Network::new(&settings).expect("no certificates are asked for").naming(book.clone());
    let descriptors = Descriptors::read(trato_proto::DESCRIPTORS).expect("the contract can be read");
    let package = "trato.customers";
    let addresses = ["http://customers.test:50051".parse().expect("an address")];
    let upstream = Upstream::new(package, &addresses, &network, descriptors.rules_in(package));
    let token = facts.token("acme", "commercial-director").expect("a token can be minted");

    let load = Load::start(&upstream, &token);
    load.becomes("one replica answers", |shares| shares.len() == 1).await;
    book.write(&[first, second, third]);
    let is_fair = |share: &usize| FAIR.contains(&(share * 100 / WINDOW));
    let three = |shares: &BTreeMap<SocketAddr, usize>| shares.len() == 3 && shares.values().all(is_fair);
    let took = load.becomes("three share the calls", three).await;
    assert!(took <= SHARED, "three shared the calls only after {took:.1?}");

    stack.kill("customers-2").await.expect("it can be killed");
    load.becomes("the killed one is left alone", |shares| !shares.contains_key(&second)).await;
    book.write(&[first, third]);
    stack.terminate("customers-3").await.expect("it can be stopped");
    load.becomes("the one that is left answers all", |shares| shares.len() == 1).await;
    book.write(&[first]);
    stack.start_again("customers-2").await.expect("it can be started again");
    stack.wait_ready("customers-2", PATIENCE).await.expect("it serves");
    book.write(&[first, second]);
    load.becomes("the one that is back takes calls", |shares| shares.contains_key(&second)).await;

    let calls = load.stop().await;
    say(format!("{calls} calls, none failed"));
    stack.stop(&trato_devstack::progress::Progress::silent()).await;
}
