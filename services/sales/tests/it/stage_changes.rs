//! The history of an opportunity, page by page.

use tonic::Code;
use trato_proto::sales::v1::{ListStageChangesRequest, MoveOpportunityRequest};

use crate::harness::{Sales, refusal, usd};

/// SFA-07: the way of a sale can be read step by step, with the time each one took and what it was worth.
#[tokio::test]
async fn a_history_is_read_in_pages() {
    let sales = Sales::start_selling().await;
    let name = sales.opportunity("Ten presses", 10).await.name;
    for stage in ["engaging", "closing", "engaging", "prospecting"] {
        let request =
            MoveOpportunityRequest { name: name.clone(), stage: stage.into(), ..Default::default() };
        sales.opportunities().move_opportunity(sales.admin.request(request)).await.expect("moved");
    }
    let page = async |page_token: String| {
        let request = ListStageChangesRequest { parent: name.clone(), page_size: 2, page_token };
        sales
            .opportunities()
            .list_stage_changes(sales.admin.request(request))
            .await
            .expect("a page")
            .into_inner()
    };

    let (mut steps, mut page_token) = (Vec::new(), String::new());
    loop {
        let next = page(page_token).await;
        assert!(next.stage_changes.len() <= 2);
        steps.extend(next.stage_changes);
        page_token = next.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }

    let stages: Vec<_> = steps.iter().map(|step| step.to_stage.as_str()).collect();
    assert_eq!(stages, ["prospecting", "engaging", "closing", "engaging", "prospecting"]);
    let names: Vec<_> = steps.iter().map(|step| step.name.clone()).collect();
    assert_eq!(names, [1, 2, 3, 4, 5].map(|number| format!("{name}/stageChanges/{number}")));
    assert_eq!(steps[0].time_in_stage, None);
    assert!(steps[1..].iter().all(|step| step.time_in_stage.is_some() && step.amount == usd(10)));
    assert_eq!((steps[2].probability_percent, steps[2].actor.as_str()), (80, "members/admin"));
}

#[tokio::test]
async fn a_page_token_is_good_for_its_own_history_only() {
    let sales = Sales::start_selling().await;
    let (one, other) = (sales.opportunity("One", 10).await.name, sales.opportunity("Other", 10).await.name);
    for name in [&one, &other] {
        let request =
            MoveOpportunityRequest { name: name.clone(), stage: "closing".into(), ..Default::default() };
        sales.opportunities().move_opportunity(sales.admin.request(request)).await.expect("moved");
    }
    let list = async |parent: &str, page_size: i32, page_token: String| {
        let request = ListStageChangesRequest { parent: parent.into(), page_size, page_token };
        sales.opportunities().list_stage_changes(sales.admin.request(request)).await
    };
    let token = list(&one, 1, String::new()).await.expect("a page").into_inner().next_page_token;

    assert_eq!(
        refusal(list(&other, 1, token).await),
        (Code::InvalidArgument, "INVALID_PAGE_TOKEN".to_owned())
    );
    assert_eq!(
        refusal(list(&one, -1, String::new()).await),
        (Code::InvalidArgument, "INVALID_PAGE_SIZE".to_owned())
    );
    assert_eq!(
        refusal(list("accounts/1", 1, String::new()).await),
        (Code::InvalidArgument, "INVALID_RESOURCE_NAME".to_owned())
    );
}
