//! Many writers on one record: with an etag, nobody overwrites what he has not read.

use futures::future::join_all;
use serde_json::json;

use super::make::account;
use crate::harness::{
    report::say,
    stack::is_long_run,
    tenant::Tenant,
    values::{list, text, whole},
};

const WRITERS: usize = 16;

/// MDM-10: the last revision counts exactly the writes that were accepted; the others were told that they came late.
#[tokio::test]
async fn writers_with_an_etag_never_overwrite_each_other() {
    let rounds = if is_long_run() { 1000 } else { 15 };
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let acme = account(&director, "Acme").await;
    let path = format!("/v1/{acme}");
    let writers = (0..WRITERS).map(|number| {
        let (director, path) = (tenant.caller(&format!("writer-{number}"), &["commercial-director"]), &path);
        async move {
            let mut accepted = 0;
            for round in 0..rounds {
                let read = director.get(path).await.ok();
                let body = json!({ "sector": format!("{number}-{round}"), "etag": read["etag"] });
                let answer = director.patch(&format!("{path}?updateMask=sector"), body).await;
                if answer.status == 200 {
                    accepted += 1;
                } else {
                    let refusal = answer.refused_as("ETAG_MISMATCH");
                    assert_eq!((refusal.code.as_str(), answer.status), ("ABORTED", 409));
                }
            }
            accepted
        }
    });
    let accepted: i64 = join_all(writers).await.into_iter().sum();

    let last = director.get(&path).await.ok();
    assert_eq!(text(&last, "etag").trim_matches('"').parse(), Ok(1 + accepted), "{last}");
    say(format!("{accepted} of {} writes were accepted", WRITERS * rounds));
    assert!(accepted >= rounds as i64, "somebody wins every round");
    let replay = crate::harness::dynamic::method("trato.customers.v1.EventService.ReplayEvents");
    let look = || async { director.collect(&replay, &json!({})).await.unwrap_or_default() };
    let all_numbered = |events: &Vec<serde_json::Value>| events.len() as i64 > accepted;
    let events = crate::harness::eventually::eventually(
        crate::harness::eventually::SOON,
        "all events",
        look,
        all_numbered,
    )
    .await;
    let revisions: Vec<i64> = events.iter().map(|event| whole(&event["revision"])).collect();
    assert_eq!(revisions, (1..=1 + accepted).collect::<Vec<_>>());
}

/// MDM-10: writers that ask for no etag all get through, each on what is there, and none is lost.
#[tokio::test]
async fn writers_of_different_fields_do_not_undo_each_other() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let acme = account(&director, "Acme").await;
    let fields = ["sector", "legalName", "taxId", "website", "description"];
    let value = |field: &str| {
        if field == "website" { "https://acme.example.com".to_owned() } else { format!("{field}!") }
    };
    let writes = fields.iter().flat_map(|field| (0..4).map(move |_| *field)).map(|field| {
        let path = format!("/v1/{acme}?updateMask={field}");
        let (director, body) = (director.clone(), json!({ field: value(field) }));
        async move { director.patch(&path, body).await }
    });
    for answer in join_all(writes).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let last = director.get(&format!("/v1/{acme}")).await.ok();
    for field in fields {
        assert_eq!(text(&last, field), value(field), "{field} was undone");
    }
    assert!(list(&last, "kinds").is_empty());
}
