//! Moving, winning, losing and reopening, as a client sees them.

use tonic::{Code, Response, Status};
use trato_proto::sales::v1::{
    LoseOpportunityRequest, MoveOpportunityRequest, Opportunity, OpportunityLost, OpportunityMoved,
    OpportunityWon, ReopenOpportunityRequest, WinOpportunityRequest,
    opportunity::{LostReason, State},
};
use uuid::Uuid;

use crate::harness::{Sales, date, field, refusal, usd, violations};

impl Sales {
    async fn move_to(&self, name: &str, stage: &str) -> Result<Opportunity, Status> {
        let request = MoveOpportunityRequest { name: name.into(), stage: stage.into(), ..Default::default() };
        self.opportunities().move_opportunity(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn win(&self, name: &str) -> Result<Opportunity, Status> {
        let request = WinOpportunityRequest { name: name.into(), ..Default::default() };
        self.opportunities().win_opportunity(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn lose(&self, name: &str, reason: LostReason, note: &str) -> Result<Opportunity, Status> {
        let request = LoseOpportunityRequest {
            name: name.into(),
            reason: reason.into(),
            note: note.into(),
            ..Default::default()
        };
        self.opportunities().lose_opportunity(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn reopen(&self, name: &str) -> Result<Opportunity, Status> {
        let request = ReopenOpportunityRequest { name: name.into(), ..Default::default() };
        self.opportunities().reopen_opportunity(self.admin.request(request)).await.map(Response::into_inner)
    }
}

/// SFA-03, SFA-07: a sale walks its pipeline, is closed, and may be taken up again; each step stays on record.
#[tokio::test]
async fn a_sale_walks_its_pipeline_and_every_step_is_on_record() {
    let sales = Sales::start_selling().await;
    let name = sales.opportunity("Ten presses", 48_210).await.name;

    let moved = sales.move_to(&name, "closing").await.expect("moved");
    let lost = sales.lose(&name, LostReason::Competitor, "Cheaper by a third").await.expect("lost");
    let reopened = sales.reopen(&name).await.expect("reopened");
    let won = sales.win(&name).await.expect("won");

    assert_eq!((moved.stage.as_str(), moved.probability_percent), ("closing", 80));
    assert_eq!(
        (lost.state(), lost.lost_reason(), lost.lost_note.as_str()),
        (State::Lost, LostReason::Competitor, "Cheaper by a third")
    );
    assert_eq!((reopened.state(), reopened.stage.as_str()), (State::Open, "closing"));
    assert_eq!((reopened.lost_reason(), reopened.close_date), (LostReason::Unspecified, None));
    assert_eq!((won.state(), won.probability_percent), (State::Won, 80));
    assert!(won.close_date.is_some() && won.close_time.is_some());
    let steps = sales.history(&name).await;
    let walked: Vec<_> = steps
        .iter()
        .map(|step| (step.from_stage.as_str(), step.to_stage.as_str(), step.to_state()))
        .collect();
    let expected = [
        ("", "prospecting", State::Open),
        ("prospecting", "closing", State::Open),
        ("closing", "closing", State::Lost),
        ("closing", "closing", State::Open),
        ("closing", "closing", State::Won),
    ];
    assert_eq!(walked, expected);
    let types: Vec<String> = sales.event_types().await.split_off(1);
    let expected = ["created", "moved", "lost", "reopened", "won"].map(|verb| format!("opportunity.{verb}"));
    assert_eq!(types, expected);
}

#[tokio::test]
async fn business_facts_ride_on_the_events() {
    let sales = Sales::start_selling().await;
    let opportunity = sales.opportunity("Ten presses", 10).await;
    sales.move_to(&opportunity.name, "engaging").await.expect("moved");
    sales.lose(&opportunity.name, LostReason::Price, "").await.expect("lost");
    sales.reopen(&opportunity.name).await.expect("reopened");
    sales.win(&opportunity.name).await.expect("won");

    let events = sales.service.published(sales.admin.tenant).await;
    let event = |verb: &str| events.iter().find(|event| event.kind.ends_with(verb)).expect("it was written");
    let moved: OpportunityMoved = event(".moved").fact().expect("readable").expect("a fact");
    let lost: OpportunityLost = event(".lost").fact().expect("readable").expect("a fact");
    let won: OpportunityWon = event(".won").fact().expect("readable").expect("a fact");

    assert_eq!((moved.from_stage.as_str(), moved.to_stage.as_str()), ("prospecting", "engaging"));
    assert_eq!((lost.reason(), lost.account), (LostReason::Price, opportunity.account.clone()));
    assert_eq!((won.account, won.amount), (opportunity.account, usd(10)));
    assert_eq!(event(".won").owner.as_deref(), Some("admin"));
}

/// MDM-09: an event is dated like the step it tells of, so that a sale of last year stands there on every timeline.
#[tokio::test]
async fn what_is_won_on_an_earlier_day_is_told_of_that_day() {
    let sales = Sales::start_selling().await;
    let name = sales.opportunity("Ten presses", 10).await.name;
    let request =
        WinOpportunityRequest { name: name.clone(), close_date: date(2020, 1, 1), ..Default::default() };
    sales.opportunities().win_opportunity(sales.admin.request(request)).await.expect("won");

    let steps = sales.history(&name).await;
    let events = sales.service.published(sales.admin.tenant).await;

    let won = events.iter().find(|event| event.kind.ends_with(".won")).expect("it was written");
    // Not before it was recorded at all: known times never go back.
    let step = steps.last().and_then(|step| step.event_time).expect("dated");
    let told = (won.event_time.timestamp(), won.event_time.timestamp_subsec_nanos());
    assert_eq!(told, (step.seconds, step.nanos.unsigned_abs()));
    assert!(won.event_time < won.create_time);
}

#[tokio::test]
async fn verbs_are_refused_by_the_state_they_meet() {
    let sales = Sales::start_selling().await;
    let bare = Opportunity { display_name: "Vague".into(), ..Default::default() };
    let bare = sales.create(bare).await.expect("an opportunity").name;
    let unowned = Opportunity { display_name: "For whom?".into(), amount: usd(10), ..Default::default() };
    let unowned = sales.create(unowned).await.expect("an opportunity").name;
    let won = sales.opportunity("Done", 10).await.name;
    sales.win(&won).await.expect("won");

    let refused = |answer| {
        let (code, reason) = refusal(answer);
        assert_eq!(code, Code::FailedPrecondition);
        reason
    };
    assert_eq!(refused(sales.win(&bare).await), "NO_AMOUNT");
    assert_eq!(refused(sales.win(&unowned).await), "NO_ACCOUNT");
    assert_eq!(refused(sales.reopen(&bare).await), "NOT_CLOSED");
    assert_eq!(refused(sales.move_to(&bare, "nowhere").await), "UNKNOWN_STAGE");
    assert_eq!(refused(sales.move_to(&bare, "No Key").await), "UNKNOWN_STAGE");
    assert_eq!(refused(sales.win(&won).await), "NOT_OPEN");
    assert_eq!(refused(sales.move_to(&won, "closing").await), "NOT_OPEN");
    assert_eq!(refused(sales.lose(&won, LostReason::Price, "").await), "NOT_OPEN");
    assert_eq!(violations(sales.move_to(&bare, "").await), [field("stage", "REQUIRED")]);
}

#[tokio::test]
async fn a_loss_is_given_a_reason_that_says_something() {
    let sales = Sales::start_selling().await;
    let name = sales.opportunity("Ten presses", 10).await.name;

    let without = sales.lose(&name, LostReason::Unspecified, "").await;
    let unrecorded = sales.lose(&name, LostReason::NotRecorded, "").await;
    let other = sales.lose(&name, LostReason::Other, "").await;
    let request = LoseOpportunityRequest {
        name: name.clone(),
        reason: 99,
        close_date: date(9999, 1, 1),
        ..Default::default()
    };
    let invalid = sales.opportunities().lose_opportunity(sales.admin.request(request)).await;

    assert_eq!(violations(without), [field("reason", "REQUIRED")]);
    assert_eq!(violations(unrecorded), [field("reason", "NOT_RECORDED")]);
    assert_eq!(violations(other), [field("note", "REQUIRED")]);
    assert_eq!(violations(invalid), [field("close_date", "IN_FUTURE"), field("reason", "UNKNOWN_VALUE")]);
}

#[tokio::test]
async fn a_closed_opportunity_stays_sound_when_it_is_corrected() {
    let sales = Sales::start_selling().await;
    let won = sales.opportunity("Ten presses", 10).await;
    sales.win(&won.name).await.expect("won");
    let correct = |opportunity: Opportunity| Opportunity { name: won.name.clone(), ..opportunity };

    let dearer = correct(Opportunity { amount: usd(11), ..Default::default() });
    let dearer = sales.update(dearer, &["amount"]).await;
    let nothing = sales.update(correct(Opportunity::default()), &["amount", "account", "close_date"]).await;

    assert_eq!(dearer.expect("an amount can be corrected").amount, usd(11));
    let expected = [
        field("opportunity.account", "NO_ACCOUNT"),
        field("opportunity.amount", "NO_AMOUNT"),
        field("opportunity.close_date", "REQUIRED"),
    ];
    assert_eq!(violations(nothing), expected);
}

#[tokio::test]
async fn a_verb_repeated_with_its_request_id_is_answered_as_the_first_time() {
    let sales = Sales::start_selling().await;
    let name = sales.opportunity("Ten presses", 10).await.name;
    let request =
        WinOpportunityRequest { name, request_id: Uuid::new_v4().to_string(), ..Default::default() };

    let first =
        sales.opportunities().win_opportunity(sales.admin.request(request.clone())).await.expect("won");
    let again =
        sales.opportunities().win_opportunity(sales.admin.request(request)).await.expect("the first answer");

    assert_eq!(again.into_inner(), first.into_inner());
}

#[tokio::test]
async fn an_opportunity_that_cannot_be_seen_is_not_there_whatever_its_stages_are() {
    let sales = Sales::start_selling().await;
    let name = sales.opportunity("Ten presses", 10).await.name;
    let stranger = sales.service.caller(Uuid::now_v7(), "eve", &["administrator"]);
    let request = |stage: &str| MoveOpportunityRequest {
        name: name.clone(),
        stage: stage.into(),
        ..Default::default()
    };

    let known = sales.opportunities().move_opportunity(stranger.request(request("closing"))).await;
    let unknown = sales.opportunities().move_opportunity(stranger.request(request("nowhere"))).await;

    assert_eq!(refusal(known), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
    assert_eq!(refusal(unknown), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
}
