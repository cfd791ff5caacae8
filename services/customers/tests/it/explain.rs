//! Access and events: the platform's answers are served for the resources of customers.

use std::time::Duration;

use tonic::Code;
use trato_platform::{telemetry::propagate::trace_id, testing::eventually};
use trato_proto::{
    access::v1::{ExplainAccessRequest, ListViewersRequest, list_viewers_response::Viewers},
    customers::v1::{Account, CreateAccountRequest},
    events::v1::{ReplayEventsRequest, SubscribeEventsRequest},
};

use crate::harness::{Customers, refusal};

/// COL-27: who may do what with an account, and who can see it, is explained.
#[tokio::test]
async fn access_to_an_account_is_explained() {
    let customers = Customers::start().await;
    let account = customers.account("Acme", "").await.name;
    let ana = customers.caller("ana", &["sales-representative"]);
    let mut access = customers.access();

    let mut explain = async |permission: &str| {
        let request = ExplainAccessRequest { permission: permission.into(), name: account.clone() };
        access.explain_access(ana.request(request)).await.expect("an answer").into_inner().reason
    };
    assert_eq!(explain("customers.accounts.get").await, "GRANTED");
    assert_eq!(explain("customers.accounts.update").await, "OUTSIDE_SCOPE");
    assert_eq!(explain("customers.accounts.delete").await, "PERMISSION_MISSING");

    // Whom a token says that there is, is written behind the answer.
    let members = eventually(async || {
        let request = ListViewersRequest { name: account.clone(), ..Default::default() };
        let viewers = customers.access().list_viewers(customers.admin.request(request)).await;
        let mut viewers = viewers.expect("an answer").into_inner().viewers.into_iter();
        let is_of_administrators =
            |viewers: &Viewers| viewers.grant.as_ref().is_some_and(|grant| grant.role == "administrator");
        viewers.find(is_of_administrators).map(|found| found.members).ok_or("no rule admits them".to_owned())
    });
    assert_eq!(members.await, ["members/admin"]);
}

/// MDM-10: systems outside follow the customer base; without a relay nothing is numbered, so the log reads as empty.
#[tokio::test]
async fn the_event_log_is_streamed() {
    let customers = Customers::start().await;
    customers.account("Acme", "").await;
    let mut events = customers.events();

    let request = customers.admin.request(ReplayEventsRequest::default());
    let mut replay = events.replay_events(request).await.expect("a stream").into_inner();
    assert_eq!(replay.message().await.expect("no error"), None);
    let request = SubscribeEventsRequest { cursor: "forged".into(), ..Default::default() };
    let forged = events.subscribe_events(customers.admin.request(request)).await.map(|_| ());
    assert_eq!(refusal(forged), (Code::InvalidArgument, "INVALID_CURSOR".to_owned()));
    let request = customers.admin.request(SubscribeEventsRequest::default());
    let mut subscription = events.subscribe_events(request).await.expect("a stream").into_inner();
    let silence = tokio::time::timeout(Duration::from_millis(100), subscription.message()).await;
    assert!(silence.is_err(), "it waits for the next event");
}

/// CRD-08: an event bears the trace of the call that made it: the one that was brought, else one that the call began, although
/// nothing is recorded here.
#[tokio::test]
async fn an_event_bears_the_trace_of_its_call_whoever_began_it() {
    const BROUGHT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let customers = Customers::start().await;
    for (display_name, brought) in [("One", None), ("Other", None), ("Brought", Some(BROUGHT))] {
        let account = Account { display_name: display_name.into(), ..Default::default() };
        let create = CreateAccountRequest { account: Some(account), ..Default::default() };
        let mut request = customers.admin.request(create);
        if let Some(brought) = brought {
            request.metadata_mut().insert("traceparent", brought.parse().expect("a header"));
        }
        customers.accounts().create_account(request).await.expect("an account");
    }

    let events = customers.service.published(customers.admin.tenant).await;

    let created = events.iter().filter(|event| event.kind.ends_with("account.created"));
    let traces: Vec<&str> =
        created.map(|event| event.traceparent.as_deref().expect("a call has a trace")).collect();
    let [one, other, brought] = traces[..] else { panic!("three accounts: {traces:?}") };
    assert_eq!(brought, BROUGHT);
    assert_ne!(trace_id(one).expect("a valid one"), trace_id(other).expect("a valid one"));
}
