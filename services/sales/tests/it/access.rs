//! Access and events: the platform's answers are served for the resources of sales.

use trato_proto::{
    access::v1::{ExplainAccessRequest, ListViewersRequest},
    events::v1::ReplayEventsRequest,
};

use crate::harness::Sales;

#[tokio::test]
async fn access_to_an_opportunity_is_explained() {
    let sales = Sales::start_selling().await;
    let team = sales.hear_team("West", "West").await;
    sales.hear_member("ana", "Ana", &[&team]).await;
    let opportunity = sales.opportunity("Ten presses", 10).await;
    let with_team = trato_proto::sales::v1::Opportunity { team, ..opportunity };
    let name = sales.update(with_team, &["team"]).await.expect("updated").name;
    let ana = sales.caller("ana", &["sales-representative"]);
    let mut access = sales.access();

    let mut explain = async |permission: &str| {
        let request = ExplainAccessRequest { permission: permission.into(), name: name.clone() };
        access.explain_access(ana.request(request)).await.expect("an answer").into_inner().reason
    };
    assert_eq!(explain("sales.opportunities.get").await, "GRANTED");
    assert_eq!(explain("sales.opportunities.win").await, "OUTSIDE_SCOPE");
    assert_eq!(explain("sales.opportunities.import").await, "PERMISSION_MISSING");

    let request = ListViewersRequest { name, ..Default::default() };
    let viewers =
        sales.access().list_viewers(sales.admin.request(request)).await.expect("an answer").into_inner();
    let mut members: Vec<String> = viewers.viewers.into_iter().flat_map(|viewers| viewers.members).collect();
    members.sort();
    assert_eq!(members, ["members/admin", "members/ana"]);
}

#[tokio::test]
async fn the_event_log_is_streamed_to_its_present_end() {
    let sales = Sales::start_selling().await;

    let request = sales.admin.request(ReplayEventsRequest::default());
    let mut replay = sales.events().replay_events(request).await.expect("a stream").into_inner();

    // Without a relay nothing is numbered yet, so the log reads as empty.
    assert_eq!(replay.message().await.expect("no error"), None);
}
