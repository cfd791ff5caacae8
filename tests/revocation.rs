//! Tokens that an operator revokes with `trato token`: refused by every service within seconds, and no others with them.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::timeout;

use crate::harness::{
    caller::Caller,
    eventually::{SOON, eventually},
    operator::{trato, trato_given},
    programs::SERVICES,
    stack,
    tenant::Tenant,
    values::text,
};

/// One list of each service.
const LISTS: [&str; 3] = ["/v1/accounts", "/v1/opportunities", "/v1/invoices"];

/// In which services must have heard of it: they look every two.
const SECONDS: Duration = Duration::from_secs(10);

/// Waits until every service answers a caller so, for no longer than is promised.
async fn is_answered(caller: &Caller, status: u16) {
    for path in LISTS {
        let answered = || async { caller.get(path).await.status };
        eventually(SECONDS, "every service to have heard of it", answered, |seen| *seen == status).await;
    }
}

/// I4: a leaked token is shut out of every service within seconds, with the stream it has open; another one of the same caller
/// is not, and what was revoked by mistake comes back.
#[tokio::test]
async fn a_leaked_token_is_shut_out_everywhere_and_no_other_is() {
    let (facts, tenant) = (stack::shared(), Tenant::fresh());
    let (leaked, own) = (tenant.director(), tenant.director());
    let subscribe = leaked.request(reqwest::Method::GET, "/v1/customers/events:subscribe");
    let stream = subscribe.header("accept", "application/x-ndjson").send().await.expect("an answer");
    assert_eq!(stream.status(), 200);

    let revoke = ["token", "revoke", "--stdin", "--json"];
    let revoked = trato_given(facts, &revoke, leaked.token()).await.json();
    let again = trato_given(facts, &revoke, leaked.token()).await.json();

    assert_eq!(revoked, again, "it can be repeated");
    let end = timeout(SECONDS, stream.text()).await.expect("in seconds").expect("it ends by itself");
    assert!(end.contains("INVALID_TOKEN"), "{end}");
    is_answered(&leaked, 401).await;
    is_answered(&own, 200).await;
    let key = text(&revoked["sales"]["answer"], "key");
    let listed = trato(facts, &["token", "list", "--json"]).await.json();
    let services = listed["revoked"][key]["services"].as_object().expect("those that refuse it");
    let services: BTreeSet<&str> = services.keys().map(String::as_str).collect();
    assert_eq!(services, BTreeSet::from(SERVICES), "{listed}");
    assert!(leaked.token().split('.').all(|part| !listed.to_string().contains(part)), "{listed}");

    trato(facts, &["token", "allow", key, "--json"]).await.json();
    is_answered(&leaked, 200).await;
    let listed = trato(facts, &["token", "list", "--json"]).await.json();
    assert!(listed["revoked"][key].is_null(), "{listed}");
    let unknown = trato(facts, &["token", "allow", key]).await;
    assert_eq!(unknown.code, Some(1), "nothing was revoked by it: {unknown:?}");
}

/// I4: all that a subject has is shut out, up to the second of the revocation; what it is given later is good, and so is what
/// others of its tenant have.
#[tokio::test]
async fn all_tokens_of_a_subject_are_shut_out_that_were_issued_before() {
    let (facts, tenant) = (stack::shared(), Tenant::fresh());
    let ana = || tenant.caller("ana", &["commercial-director"]);
    let (one, other, neighbour) = (ana(), ana(), tenant.director());
    is_answered(&one, 200).await;

    let id = tenant.id.to_string();
    let revoke = ["token", "revoke", "--subject", "ana", "--tenant", &id, "--json"];
    let revoked = trato(facts, &revoke).await.json();
    let moments = SERVICES.map(|service| text(&revoked[service]["answer"], "issued_until").to_owned());
    let moment = format!("--issued-until={}", moments[0]);
    let again = trato(facts, &[&revoke[..], &[moment.as_str()]].concat()).await.json();

    assert!(moments.iter().all(|one| *one == moments[0]), "all have one moment: {revoked}");
    assert_eq!(revoked, again, "what failed half-way is repeated for the same moment");
    is_answered(&one, 401).await;
    is_answered(&other, 401).await;
    is_answered(&neighbour, 200).await;
    let later = || async { ana().get("/v1/accounts").await.status };
    eventually(SOON, "a token of a later second", later, |status| *status == 200).await;
    is_answered(&ana(), 200).await;
}

/// A token that nothing would accept, and an issuer that nobody trusts, are mistakes, and every service says so.
#[tokio::test]
async fn what_cannot_be_revoked_is_said() {
    let facts = stack::shared();

    let no_token = trato_given(facts, &["token", "revoke", "--stdin"], "Bearer x").await;
    let no_issuer = trato(facts, &["token", "revoke", "--id", "7", "--issuer", "https://example.com"]).await;
    let nothing = trato(facts, &["token", "revoke"]).await;

    assert_eq!((no_token.code, no_issuer.code, nothing.code), (Some(1), Some(1), Some(2)));
    assert!(no_token.output.contains("this is no token that would be accepted"), "{no_token:?}");
    assert!(no_issuer.output.contains("tokens of https://example.com are not accepted"), "{no_issuer:?}");
}
