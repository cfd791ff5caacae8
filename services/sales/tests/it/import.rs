//! Importing opportunities of another system with their past.

use tonic::{Code, Response, Status};
use trato_proto::{
    google::value::Money,
    sales::v1::{
        ImportOpportunitiesRequest, ImportedStageChange, Opportunity, OpportunityWon, QueryFunnelRequest,
        import_opportunities_request::Item,
        import_opportunities_response::{self as response, result::Outcome},
        opportunity::{LostReason, State},
    },
};
use uuid::Uuid;

use crate::harness::{Sales, date, field, item_reason, item_violations, refusal, timestamp, usd};

impl Sales {
    pub async fn import(&self, items: Vec<Item>) -> Vec<response::Result> {
        self.try_import(ImportOpportunitiesRequest { items, ..Default::default() })
            .await
            .expect("each item is answered")
    }

    async fn try_import(&self, request: ImportOpportunitiesRequest) -> Result<Vec<response::Result>, Status> {
        let answer = self.opportunities().import_opportunities(self.admin.request(request)).await;
        answer.map(Response::into_inner).map(|answer| answer.results)
    }
}

/// An opportunity of the old system.
pub fn old(external_id: &str) -> Opportunity {
    Opportunity {
        source: "old".into(),
        external_id: external_id.into(),
        display_name: format!("Sale {external_id}"),
        owner: "members/moses".into(),
        ..Default::default()
    }
}

pub fn step(stage: &str, state: State, event_time: Option<prost_types::Timestamp>) -> ImportedStageChange {
    ImportedStageChange { stage: stage.into(), state: state.into(), event_time, amount: None }
}

/// An opportunity that was engaged and closed in 2016 and 2017.
fn closed(external_id: &str, account: &str, state: State, amount: Option<Money>) -> Item {
    let lost_reason = if state == State::Lost { LostReason::NotRecorded } else { LostReason::Unspecified };
    let opportunity = Opportunity {
        account: account.into(),
        stage: "engaging".into(),
        state: state.into(),
        amount,
        close_date: date(2017, 3, 1),
        lost_reason: lost_reason.into(),
        ..old(external_id)
    };
    let stage_changes = vec![
        step("engaging", State::Open, Some(timestamp(2016, 10, 20))),
        step("engaging", state, Some(timestamp(2017, 3, 1))),
    ];
    Item { opportunity: Some(opportunity), stage_changes }
}

pub fn imported(result: &response::Result) -> &Opportunity {
    match &result.outcome {
        Some(Outcome::Opportunity(opportunity)) => opportunity,
        other => panic!("{other:?}"),
    }
}

fn error(result: &response::Result) -> &tonic_types::Status {
    match &result.outcome {
        Some(Outcome::Error(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// SFA-07: past sales come with the steps they took, dated when they took them.
#[tokio::test]
async fn past_sales_come_with_their_dated_steps() {
    let sales = Sales::start_selling().await;
    let account = sales.account().await;
    let open = Item { opportunity: Some(old("open")), stage_changes: vec![] };

    let results = sales
        .import(vec![
            closed("won", &account, State::Won, usd(1054)),
            closed("lost", &account, State::Lost, usd(0)),
            open,
        ])
        .await;

    let won = imported(&results[0]);
    assert_eq!(
        (won.state(), won.stage.as_str(), won.owner.as_str()),
        (State::Won, "engaging", "members/moses")
    );
    assert_eq!(
        (won.stage_time, won.close_time),
        (Some(timestamp(2016, 10, 20)), Some(timestamp(2017, 3, 1)))
    );
    assert_eq!(won.probability_percent, 40);
    assert_eq!(imported(&results[1]).lost_reason(), LostReason::NotRecorded);
    let open = imported(&results[2]);
    assert_eq!((open.state(), open.stage.as_str(), open.stage_time), (State::Open, "prospecting", None));
    let steps = sales.history(&won.name).await;
    assert_eq!(
        steps.iter().map(|step| step.event_time).collect::<Vec<_>>(),
        [won.stage_time, won.close_time]
    );
    assert_eq!(steps[1].time_in_stage, Some(prost_types::Duration { seconds: 132 * 86_400, nanos: 0 }));
    assert_eq!(steps[0].create_time, won.create_time, "recorded later than it happened");
}

#[tokio::test]
async fn events_are_named_by_how_a_past_sale_ended_and_dated_when() {
    let sales = Sales::start_selling().await;
    let account = sales.account().await;
    let open = Item { opportunity: Some(old("open")), stage_changes: vec![] };
    sales
        .import(vec![
            closed("won", &account, State::Won, usd(1054)),
            closed("lost", &account, State::Lost, None),
            open,
        ])
        .await;

    let events = sales.service.published(sales.admin.tenant).await.split_off(1);

    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    let expected = ["won", "lost", "imported"].map(|verb| format!("trato.sales.v1.opportunity.{verb}"));
    assert_eq!(kinds, expected);
    assert_eq!(events[0].event_time.timestamp(), timestamp(2017, 3, 1).seconds);
    assert!(events[0].create_time > events[0].event_time);
    assert_eq!(events[2].event_time, events[2].create_time, "nothing is known of it but the recording");
    let fact: OpportunityWon = events[0].fact().expect("readable").expect("a fact");
    assert_eq!((fact.account, fact.close_date), (account, date(2017, 3, 1)));
}

#[tokio::test]
async fn a_load_can_be_repeated_until_it_is_through() {
    let sales = Sales::start_selling().await;
    let account = sales.account().await;
    let first = sales.import(vec![closed("1", &account, State::Won, usd(1))]).await;
    sales.hear_account(&account, 2, true).await;

    let again = sales
        .import(vec![
            closed("1", &account, State::Won, usd(2)),
            Item { opportunity: Some(old("2")), ..Default::default() },
        ])
        .await;

    assert_eq!((first[0].created, again[0].created, again[1].created), (true, false, true));
    assert_eq!(imported(&again[0]), imported(&first[0]), "what is there is left as it is");
}

#[tokio::test]
async fn one_bad_item_holds_no_other_up_and_is_told_all_that_is_wrong() {
    let sales = Sales::start_selling().await;
    let account = sales.account().await;
    let nameless = Opportunity { source: String::new(), external_id: String::new(), ..old("x") };
    let mut wrong = closed("wrong", "", State::Won, None);
    wrong.stage_changes.push(step("nowhere", State::Open, Some(timestamp(2016, 1, 1))));
    let mut malformed = closed("malformed", &account, State::Won, usd(1));
    malformed.stage_changes[1].stage = "No Key".into();
    let elsewhere =
        Item { opportunity: Some(Opportunity { stage: "nowhere".into(), ..old("y") }), ..Default::default() };

    let results = sales
        .import(vec![
            Item { opportunity: Some(nameless), ..Default::default() },
            wrong,
            closed("good", &account, State::Won, usd(1)),
            malformed,
            elsewhere,
            Item::default(),
        ])
        .await;

    assert_eq!(item_violations(error(&results[0])), [field("opportunity.external_id", "REQUIRED")]);
    let expected = [
        field("opportunity.account", "NO_ACCOUNT"),
        field("opportunity.amount", "NO_AMOUNT"),
        field("stage_changes", "LAST_STEP_DIFFERS"),
        field("stage_changes[2].event_time", "OUT_OF_ORDER"),
        field("stage_changes[2].stage", "UNKNOWN_STAGE"),
    ];
    assert_eq!(item_violations(error(&results[1])), expected);
    assert!(results[2].created);
    assert_eq!(item_violations(error(&results[3])), [field("stage_changes[1].stage", "INVALID_STAGE_KEY")]);
    assert_eq!(item_reason(error(&results[4])), "UNKNOWN_STAGE");
    let expected =
        [field("opportunity.display_name", "REQUIRED"), field("opportunity.external_id", "REQUIRED")];
    assert_eq!(item_violations(error(&results[5])), expected);
}

#[tokio::test]
async fn an_import_is_bounded_and_can_be_tried_without_effect() {
    let sales = Sales::start_selling().await;
    let items = |count: usize| -> Vec<Item> {
        (0..count)
            .map(|number| Item { opportunity: Some(old(&number.to_string())), ..Default::default() })
            .collect()
    };
    let import = async |count, validate_only| {
        let request = ImportOpportunitiesRequest { items: items(count), validate_only, ..Default::default() };
        sales.try_import(request).await
    };

    let refused = |answer| refusal::<Vec<response::Result>>(answer).1;
    assert_eq!(refused(import(0, false).await), "REQUIRED");
    assert_eq!(refused(import(501, false).await), "TOO_MANY");
    let tried = import(3, true).await.expect("valid");
    assert!(tried.iter().all(|result| result.created));
    assert_eq!(sales.event_types().await, ["pipeline.created"]);
}

#[tokio::test]
async fn an_import_repeated_with_its_request_id_is_answered_as_the_first_time() {
    let sales = Sales::start_selling().await;
    let request = ImportOpportunitiesRequest {
        items: vec![Item { opportunity: Some(old("1")), ..Default::default() }],
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };

    let first = sales.try_import(request.clone()).await.expect("imported");
    let again = sales.try_import(request).await.expect("the first answer");

    assert!(first[0].created && again[0].created);
    assert_eq!(first, again);
}

#[tokio::test]
async fn importing_takes_a_permission_of_its_own() {
    let sales = Sales::start_selling().await;
    let manager = sales.caller("max", &["sales-manager"]);
    let request = ImportOpportunitiesRequest::default();

    let answer = sales.opportunities().import_opportunities(manager.request(request)).await;

    assert_eq!(refusal(answer), (Code::PermissionDenied, "PERMISSION_MISSING".to_owned()));
}

/// SFA-05, SFA-13: a load of past sales shows in the funnel exactly as it was told.
#[tokio::test]
async fn imported_sales_show_in_the_funnel_to_the_cent() {
    let sales = Sales::start_selling().await;
    let account = sales.account().await;
    let mut items = Vec::new();
    for number in 0..120 {
        let id = format!("item-{number}");
        items.push(match number % 4 {
            0 | 1 => closed(&id, &account, State::Won, usd(1000 + i64::from(number))),
            2 => closed(&id, &account, State::Lost, usd(0)),
            _ => Item {
                opportunity: Some(old(&id)),
                stage_changes: vec![step("prospecting", State::Open, None)],
            },
        });
    }
    sales.import(items).await;

    let answer = sales.funnel().query_funnel(sales.admin.request(QueryFunnelRequest::default())).await;

    let total = answer.expect("figures").into_inner().total.expect("a total");
    let (won, lost, open) = (total.won.expect("won"), total.lost.expect("lost"), total.open.expect("open"));
    assert_eq!((won.count, lost.count, open.count), (60, 30, 30));
    let sum: i64 = (0..120).filter(|number| number % 4 < 2).map(|number| 1000 + number).sum();
    assert_eq!(won.amounts, [usd(sum).expect("an amount")]);
    assert!((total.win_rate - 2.0 / 3.0).abs() < 1e-12);
    assert!((total.average_cycle_days - 132.0).abs() < 1e-9);
    let engaging = &total.stages[1];
    assert_eq!((engaging.entered_count, engaging.advanced_count), (90, 60));
    assert!((engaging.average_days - 132.0).abs() < 1e-9);
}
