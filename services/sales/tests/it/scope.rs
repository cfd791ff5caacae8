//! Whose opportunities a caller sees and changes.

use tonic::{Code, Response};
use trato_platform::testing::TestCaller;
use trato_proto::sales::v1::{
    GetOpportunityRequest, ListOpportunitiesRequest, Opportunity, QueryFunnelRequest, WinOpportunityRequest,
};

use crate::harness::{Sales, refusal};

/// Ana and Bob of West, Cid of East, each with an opportunity of his own.
struct Office {
    sales: Sales,
    ana: TestCaller,
    bobs: Opportunity,
    cids: Opportunity,
}

async fn office() -> Office {
    let sales = Sales::start_selling().await;
    let (west, east) = (sales.hear_team("West", "West").await, sales.hear_team("East", "East").await);
    let mut opportunities = Vec::new();
    for (subject, team) in [("ana", &west), ("bob", &west), ("cid", &east)] {
        sales.hear_member(subject, subject, &[team]).await;
        let opportunity = Opportunity { display_name: subject.into(), ..Default::default() };
        let caller = sales.caller(subject, &["sales-representative"]);
        opportunities.push(sales.create_as(&caller, opportunity).await.expect("an opportunity"));
    }
    let ana = sales.caller("ana", &["sales-representative"]);
    let (cids, bobs) = (opportunities.remove(2), opportunities.remove(1));
    Office { sales, ana, bobs, cids }
}

/// SFA-03: sellers see the sales of their team, and nobody else's.
#[tokio::test]
async fn a_seller_sees_the_opportunities_of_the_team() {
    let Office { sales, ana, bobs, cids } = office().await;

    let page =
        sales.opportunities().list_opportunities(ana.request(ListOpportunitiesRequest::default())).await;
    let get = async |name: &str| {
        sales.opportunities().get_opportunity(ana.request(GetOpportunityRequest { name: name.into() })).await
    };

    let page = page.expect("a page").into_inner().opportunities;
    let names: Vec<_> = page.iter().map(|opportunity| opportunity.display_name.as_str()).collect();
    assert_eq!(names, ["ana", "bob"]);
    assert!(get(&bobs.name).await.is_ok());
    assert_eq!(refusal(get(&cids.name).await), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn a_seller_closes_only_what_is_his_own() {
    let Office { sales, ana, bobs, .. } = office().await;
    let request = WinOpportunityRequest { name: bobs.name, ..Default::default() };

    let answer = sales.opportunities().win_opportunity(ana.request(request)).await;

    assert_eq!(refusal(answer), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn a_seller_records_no_opportunity_for_somebody_else() {
    let Office { sales, ana, .. } = office().await;
    let for_bob =
        Opportunity { display_name: "Gift".into(), owner: "members/bob".into(), ..Default::default() };

    let answer = sales.create_as(&ana, for_bob).await;

    assert_eq!(refusal(answer), (Code::PermissionDenied, "OUTSIDE_SCOPE".to_owned()));
}

/// SFA-13: figures are of what the caller may see.
#[tokio::test]
async fn the_funnel_counts_what_the_caller_may_see() {
    let Office { sales, ana, .. } = office().await;
    let count = async |caller: &TestCaller| {
        let answer = sales.funnel().query_funnel(caller.request(QueryFunnelRequest::default())).await;
        answer
            .map(Response::into_inner)
            .expect("figures")
            .total
            .and_then(|group| group.total)
            .expect("a figure")
            .count
    };

    assert_eq!(count(&ana).await, 2);
    assert_eq!(count(&sales.admin).await, 3);
    assert_eq!(count(&sales.caller("dee", &["sales-representative"])).await, 0, "Dee is in no team");
    let stranger = sales.service.caller(uuid::Uuid::now_v7(), "eve", &["administrator"]);
    assert_eq!(count(&stranger).await, 0, "another tenant has nothing");
}
