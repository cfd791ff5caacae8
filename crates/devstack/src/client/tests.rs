//! Feeding a gateway that is slow, full, down, or says no.

use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    Client, Endpoint, Feed, Placed, Stopped,
    stub::{Fault, Stub},
};
use crate::wait::eventually;

const ACCOUNTS: Endpoint = Endpoint { path: "/v1/accounts:batchCreate", list: "requests", noun: "account" };

fn feed(url: &str, stop: &CancellationToken) -> Feed {
    let client = Client::new(url, "token").expect("a client");
    Feed::new(client, Duration::from_secs(30), stop.clone(), ProgressBar::hidden())
}

fn accounts(count: usize) -> Vec<Value> {
    let account = |number| json!({ "account": { "externalId": format!("{number}"), "displayName": "Alfa" } });
    (0..count).map(account).collect()
}

/// How many were created, found and refused.
async fn place(feed: &mut Feed, items: Vec<Value>, batch: usize) -> (Result<(), Stopped>, [usize; 3]) {
    let mut counts = [0; 3];
    let ended = feed.place(ACCOUNTS, items, batch, |_, placed| match placed {
        Placed::Created(_) => counts[0] += 1,
        Placed::Existing(_) => counts[1] += 1,
        Placed::Refused(_) => counts[2] += 1,
    });
    let ended = ended.await;
    (ended, counts)
}

#[tokio::test]
async fn as_many_calls_are_in_flight_as_the_other_side_takes() {
    let stub = Stub::new(4);
    let mut feed = feed(&stub.serve().await, &CancellationToken::new());

    let (ended, counts) = place(&mut feed, accounts(500), 5).await;

    assert!(ended.is_ok());
    assert_eq!(counts, [500, 0, 0]);
    assert_eq!(stub.resources("accounts").len(), 500);
    assert!(feed.peak() > 1, "{}", feed.peak());
    assert_eq!(feed.calls() as usize, stub.calls());
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_is_repeated_and_done_once() {
    let stub = Stub::new(64);
    let mut feed = feed(&stub.serve().await, &CancellationToken::new());
    stub.fail([Fault::LostAnswer, Fault::Down, Fault::LostAnswer, Fault::Broken]);

    let (ended, counts) = place(&mut feed, accounts(30), 10).await;

    assert!(ended.is_ok());
    assert_eq!(counts, [30, 0, 0], "what this run made is not reported as found");
    assert_eq!(stub.resources("accounts").len(), 30);
    assert_eq!(feed.pace().refusals(), 4);
}

#[tokio::test]
async fn an_item_that_meets_a_server_that_is_down_is_tried_again() {
    let stub = Stub::new(64);
    let mut feed = feed(&stub.serve().await, &CancellationToken::new());
    stub.fail([Fault::ItemsDown, Fault::ItemsDown]);

    let (ended, counts) = place(&mut feed, accounts(3), 10).await;

    assert!(ended.is_ok());
    assert_eq!(counts, [3, 0, 0]);
}

#[tokio::test]
async fn the_one_item_that_spoils_a_call_is_found() {
    let stub = Stub::new(64);
    let mut feed = feed(&stub.serve().await, &CancellationToken::new());
    let mut items = accounts(40);
    items[17]["account"]["displayName"] = "poison".into();
    items[30]["account"]["displayName"] = "odd".into();

    let mut refused = Vec::new();
    let ended = feed.place(ACCOUNTS, items, 40, |index, placed| {
        if let Placed::Refused(failure) = placed {
            refused.push((index, failure.to_string()));
        }
    });
    assert!(ended.await.is_ok());

    refused.sort();
    let expected = [(17, "INVALID_ARGUMENT: poison".to_owned()), (30, "ODD: is odd".to_owned())];
    assert_eq!(refused, expected);
    assert_eq!(stub.resources("accounts").len(), 38);
}

#[tokio::test]
async fn a_token_that_is_refused_ends_it_at_once() {
    let stub = Stub::new(64);
    let mut feed = feed(&stub.serve().await, &CancellationToken::new());
    stub.fail([Fault::Stranger]);

    let (ended, counts) = place(&mut feed, accounts(1000), 10).await;

    assert!(matches!(ended, Err(Stopped::Hopeless(failure)) if failure.code == "UNAUTHENTICATED"));
    assert_eq!((counts, stub.calls()), ([0, 0, 0], 1));
}

#[tokio::test]
async fn patience_ends_when_nothing_succeeds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let client = Client::new(&url, "token").expect("a client");
    let patience = Duration::from_millis(200);
    let mut feed = Feed::new(client, patience, CancellationToken::new(), ProgressBar::hidden());

    let (ended, _) = place(&mut feed, accounts(10), 5).await;

    let Err(stopped @ Stopped::Impatient(..)) = ended else { panic!("{ended:?}") };
    assert!(stopped.to_string().contains("UNREACHABLE"), "{stopped}");
}

#[tokio::test]
async fn a_gateway_that_comes_back_is_fed_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut feed = feed(&format!("http://{address}"), &CancellationToken::new());
    let stub = Stub::new(64);

    let fed = async {
        let (ended, counts) = place(&mut feed, accounts(50), 5).await;
        (ended, counts, feed.pace().refusals())
    };
    let started = async {
        for _ in 0..3 {
            drop(listener.accept().await.expect("a connection"));
        }
        stub.serve_at(listener);
    };
    let ((ended, counts, refusals), ()) = tokio::join!(fed, started);

    assert!(ended.is_ok());
    assert_eq!(counts, [50, 0, 0]);
    assert_eq!(refusals, 3);
}

#[tokio::test]
async fn interrupted_it_waits_for_the_calls_in_flight_and_goes_on_at_the_next_run() {
    let stub = Stub::new(64);
    let url = stub.serve().await;
    let stop = CancellationToken::new();
    let mut first = feed(&url, &stop);
    assert!(place(&mut first, accounts(20), 10).await.0.is_ok());
    stub.close();

    let interrupt = async {
        eventually(Duration::from_secs(60), "calls in flight", async || (stub.waiting() == 3).then_some(()))
            .await
            .expect("three");
        stop.cancel();
        stub.open(3);
    };
    let ((ended, counts), ()) = tokio::join!(place(&mut first, accounts(100), 10), interrupt);

    assert!(matches!(ended, Err(Stopped::Interrupted)));
    assert_eq!(counts, [30, 0, 0], "three calls were in flight");
    assert_eq!(stub.waiting(), 0, "nothing is left behind");

    stub.open(usize::MAX);
    let (ended, counts) = place(&mut feed(&url, &CancellationToken::new()), accounts(100), 10).await;
    assert!(ended.is_ok());
    assert_eq!(counts, [70, 30, 0]);
    assert_eq!(stub.resources("accounts").len(), 100);
}
