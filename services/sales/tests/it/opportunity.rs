//! Opportunities as a resource: defaults, references, updates, batches and repeated requests.

use tonic::{Code, Response, Status};
use trato_proto::sales::v1::{
    BatchCreateOpportunitiesRequest, CreateOpportunityRequest, DeleteOpportunityRequest,
    ListOpportunitiesRequest, MoveOpportunityRequest, Opportunity, UpdateOpportunityRequest,
    UpsertOpportunityRequest, batch_create_opportunities_response::result::Outcome, opportunity::State,
};
use uuid::Uuid;

use crate::harness::{Sales, date, field, item_reason, item_violations, paths, refusal, usd, violations};

impl Sales {
    async fn upsert(&self, opportunity: Opportunity) -> Result<Opportunity, Status> {
        let request = UpsertOpportunityRequest { opportunity: Some(opportunity), ..Default::default() };
        self.opportunities().upsert_opportunity(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn found(&self, filter: &str, order_by: &str) -> Vec<String> {
        let (filter, order_by) = (filter.into(), order_by.into());
        let request = ListOpportunitiesRequest { filter, order_by, ..Default::default() };
        let page =
            self.opportunities().list_opportunities(self.admin.request(request)).await.expect("a page");
        page.into_inner().opportunities.into_iter().map(|opportunity| opportunity.display_name).collect()
    }
}

fn named(display_name: &str) -> Opportunity {
    Opportunity { display_name: display_name.into(), ..Default::default() }
}

/// SFA-03: everything about a sale under way is kept, and shown as it is.
#[tokio::test]
async fn an_opportunity_is_kept_as_it_was_given() {
    let sales = Sales::start_selling().await;
    let (account, product) = (sales.account().await, sales.product("GTX Pro").await.name);
    let (contact, team) = (format!("contacts/{}", Uuid::now_v7()), format!("teams/{}", Uuid::now_v7()));

    let given = Opportunity {
        display_name: "Ten presses".into(),
        owner: "members/ana".into(),
        team,
        account,
        contact,
        stage: "engaging".into(),
        product,
        amount: usd(48_210),
        close_date: date(2030, 1, 31),
        probability_percent: 55,
        next_step: "Call the buyer".into(),
        next_step_date: date(2026, 12, 1),
        description: "Two\nlines".into(),
        ..Default::default()
    };
    let created = sales.create(given.clone()).await.expect("an opportunity");

    let expected = Opportunity {
        name: created.name.clone(),
        create_time: created.create_time,
        update_time: created.create_time,
        creator: "members/admin".into(),
        etag: "1".into(),
        pipeline: created.pipeline.clone(),
        stage_time: created.create_time,
        state: State::Open.into(),
        ..given
    };
    assert_eq!(created, expected);
    assert_eq!(sales.get(&created.name).await, created);
}

#[tokio::test]
async fn what_is_left_open_is_filled_in() {
    let sales = Sales::start_selling().await;
    let team = sales.hear_team("West", "West").await;
    sales.hear_member("ana", "Ana", &[&team]).await;
    sales.hear_member("bob", "Bob", &[&team, &sales.hear_team("East", "East").await]).await;

    let by_ana =
        sales.create_as(&sales.caller("ana", &["administrator"]), named("Ana's")).await.expect("created");
    let by_bob =
        sales.create_as(&sales.caller("bob", &["administrator"]), named("Bob's")).await.expect("created");

    assert_eq!((by_ana.owner.as_str(), by_ana.team), ("members/ana", team));
    assert_eq!((by_bob.owner.as_str(), by_bob.team.as_str()), ("members/bob", ""), "Bob is in two teams");
    assert_eq!((by_ana.stage.as_str(), by_ana.probability_percent), ("prospecting", 10));
}

#[tokio::test]
async fn all_that_is_wrong_with_an_opportunity_is_said_before_what_it_refers_to() {
    let sales = Sales::start_selling().await;

    let answer = sales
        .create(Opportunity {
            account: format!("accounts/{}", Uuid::now_v7()),
            product: format!("products/{}", Uuid::now_v7()),
            contact: "contacts/1".into(),
            amount: usd(-5),
            close_date: date(2026, 2, 30),
            probability_percent: 101,
            owner: "ana".into(),
            next_step: "x".repeat(501),
            ..Default::default()
        })
        .await;

    let expected = [
        field("opportunity.amount", "NEGATIVE"),
        field("opportunity.close_date", "INVALID_DATE"),
        field("opportunity.contact", "INVALID_RESOURCE_NAME"),
        field("opportunity.display_name", "REQUIRED"),
        field("opportunity.next_step", "TOO_LONG"),
        field("opportunity.owner", "INVALID_MEMBER"),
        field("opportunity.probability_percent", "OUT_OF_RANGE"),
    ];
    assert_eq!(violations(answer), expected);
}

#[tokio::test]
async fn what_an_opportunity_refers_to_must_be_there() {
    let sales = Sales::start_selling().await;
    let deleted = sales.account().await;
    sales.hear_account(&deleted, 2, true).await;
    let unknown = |collection: &str| format!("{collection}/{}", Uuid::now_v7());
    let cases = [
        (Opportunity { pipeline: unknown("pipelines"), ..named("a") }, "PIPELINE_NOT_FOUND"),
        (Opportunity { stage: "nowhere".into(), ..named("a") }, "UNKNOWN_STAGE"),
        (Opportunity { product: unknown("products"), ..named("a") }, "PRODUCT_NOT_FOUND"),
        (Opportunity { account: deleted, ..named("a") }, "ACCOUNT_DELETED"),
    ];

    for (opportunity, reason) in cases {
        let answer = sales.create(opportunity).await;
        assert_eq!(refusal(answer), (Code::FailedPrecondition, reason.to_owned()));
    }
}

#[tokio::test]
async fn without_any_pipeline_there_is_nothing_to_walk() {
    let sales = Sales::start().await;

    let answer = sales.create(named("Ten presses")).await;

    assert_eq!(refusal(answer), (Code::FailedPrecondition, "NO_PIPELINE".to_owned()));
}

#[tokio::test]
async fn an_update_keeps_the_history_and_cannot_move_or_close() {
    let sales = Sales::start_selling().await;
    let created = sales.opportunity("Ten presses", 10).await;

    let renamed =
        Opportunity { name: created.name.clone(), state: State::Won.into(), ..named("Twelve presses") };
    let updated = sales.update(renamed, &["display_name", "state"]).await.expect("updated");
    let moved = Opportunity { name: created.name.clone(), stage: "closing".into(), ..Default::default() };
    let moved = sales.update(moved, &["stage"]).await;

    assert_eq!((updated.display_name.as_str(), updated.state()), ("Twelve presses", State::Open));
    assert_eq!(violations(moved), [field("opportunity.stage", "IMMUTABLE")]);
    assert_eq!(sales.history(&created.name).await.len(), 1);
    assert_eq!(sales.event_types().await, ["pipeline.created", "opportunity.created", "opportunity.updated"]);
}

#[tokio::test]
async fn a_chance_that_is_cleared_is_the_stages_again() {
    let sales = Sales::start_selling().await;
    let created = Opportunity { probability_percent: 77, stage: "engaging".into(), ..named("Ten presses") };
    let created = sales.create(created).await.expect("an opportunity");

    let cleared = Opportunity { name: created.name, ..Default::default() };
    let cleared = sales.update(cleared, &["probability_percent"]).await.expect("updated");

    assert_eq!((created.probability_percent, cleared.probability_percent), (77, 40));
}

#[tokio::test]
async fn an_opportunity_of_a_deleted_account_can_still_be_updated() {
    let sales = Sales::start_selling().await;
    let created = sales.opportunity("Ten presses", 10).await;
    sales.hear_account(&created.account, 2, true).await;

    let whole = Opportunity { next_step: "Ask who took over".into(), ..created.clone() };
    let updated = sales.update(whole, &["*"]).await;
    let other = sales.account().await;
    sales.hear_account(&other, 2, true).await;
    let other = sales.update(Opportunity { account: other, ..created }, &["account"]).await;

    assert_eq!(updated.expect("the account is no news").next_step, "Ask who took over");
    assert_eq!(refusal(other), (Code::FailedPrecondition, "ACCOUNT_DELETED".to_owned()));
}

/// A request id stands for what was sent: what the service fills in may differ when it is sent again.
#[tokio::test]
async fn a_repeated_request_is_answered_the_same_although_the_world_has_changed() {
    let sales = Sales::start_selling().await;
    let opportunity = Opportunity { account: sales.account().await, ..named("Ten presses") };
    let request = CreateOpportunityRequest {
        opportunity: Some(opportunity.clone()),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let create = async |request: &CreateOpportunityRequest| {
        sales.opportunities().create_opportunity(sales.admin.request(request.clone())).await
    };
    let first = create(&request).await.expect("an opportunity").into_inner();

    // The caller is now in a team, the account is gone, and so is the request's ground.
    sales.hear_member("admin", "Admin", &[&sales.hear_team("West", "West").await]).await;
    sales.hear_account(&opportunity.account, 2, true).await;
    let again = create(&request).await.expect("the first answer").into_inner();
    let other = CreateOpportunityRequest { opportunity: Some(named("Other")), ..request };

    assert_eq!(again, first);
    assert_eq!(refusal(create(&other).await), (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned()));
    assert_eq!(sales.event_types().await, ["pipeline.created", "opportunity.created"]);
}

#[tokio::test]
async fn an_upsert_changes_what_was_sent_and_leaves_the_stage() {
    let sales = Sales::start_selling().await;
    let sent = |display_name: &str| Opportunity {
        source: "crm".into(),
        external_id: "1C1I7A6R".into(),
        ..named(display_name)
    };
    let created = sales.upsert(sent("Ten presses")).await.expect("created");
    let move_on =
        MoveOpportunityRequest { name: created.name.clone(), stage: "closing".into(), ..Default::default() };
    sales.opportunities().move_opportunity(sales.admin.request(move_on)).await.expect("moved");

    let updated = sales.upsert(sent("Twelve presses")).await.expect("updated");

    assert_eq!((updated.name, updated.display_name.as_str()), (created.name, "Twelve presses"));
    assert_eq!((updated.stage.as_str(), updated.probability_percent), ("closing", 80));
}

#[tokio::test]
async fn one_bad_item_of_a_batch_holds_no_other_up() {
    let sales = Sales::start_selling().await;
    let item = |opportunity| CreateOpportunityRequest { opportunity, ..Default::default() };
    let known = |display_name: &str| Opportunity {
        source: "crm".into(),
        external_id: "1".into(),
        ..named(display_name)
    };
    let requests = vec![
        item(Some(known("First"))),
        item(Some(Opportunity { amount: usd(-1), ..Default::default() })),
        item(Some(Opportunity { stage: "nowhere".into(), ..named("Lost its way") })),
        item(None),
        item(Some(known("Its twin"))),
    ];
    let request = BatchCreateOpportunitiesRequest { requests, ..Default::default() };

    let answer = sales.opportunities().batch_create_opportunities(sales.admin.request(request)).await;

    let results = answer.expect("each item is answered").into_inner().results;
    let error = |index: usize| match &results[index].outcome {
        Some(Outcome::Error(error)) => error.clone(),
        other => panic!("{other:?}"),
    };
    let invalid = [field("opportunity.amount", "NEGATIVE"), field("opportunity.display_name", "REQUIRED")];
    assert_eq!(item_violations(&error(1)), invalid);
    assert_eq!(item_reason(&error(2)), "UNKNOWN_STAGE");
    assert_eq!(item_violations(&error(3)), [field("opportunity", "REQUIRED")]);
    assert_eq!(
        results.iter().map(|result| result.created).collect::<Vec<_>>(),
        [true, false, false, false, false]
    );
    assert_eq!(results[4].outcome, results[0].outcome, "the twin is answered with the first");
    assert_eq!(sales.found("", "").await, ["First"]);
}

/// SFA-03: what is happening with every sale can be asked by any of its facts.
#[tokio::test]
async fn opportunities_are_found_by_their_facts() {
    let sales = Sales::start_selling().await;
    let account = sales.account().await;
    let cheap = Opportunity { amount: usd(10), close_date: date(2027, 3, 1), ..named("Cheap") };
    let dear = Opportunity {
        amount: usd(900),
        account: account.clone(),
        close_date: date(2027, 2, 1),
        ..named("Dear")
    };
    let early = Opportunity { stage: "closing".into(), owner: "members/ana".into(), ..named("Early") };
    for opportunity in [cheap, dear, early] {
        sales.create(opportunity).await.expect("an opportunity");
    }

    assert_eq!(sales.found("amount > 1000", "").await, ["Dear"]);
    assert_eq!(sales.found(&format!("account = \"{account}\""), "").await, ["Dear"]);
    assert_eq!(
        sales.found("stage = closing OR amount.currency_code = USD", "close_date").await,
        ["Dear", "Cheap", "Early"]
    );
    assert_eq!(
        sales.found("state = OPEN AND owner = \"members/ana\" AND probability_percent >= 80", "").await,
        ["Early"]
    );
    assert_eq!(sales.found("-close_date:*", "").await, ["Early"]);
    assert_eq!(sales.found("ear", "").await, ["Dear"], "a bare word looks into the name");
}

#[tokio::test]
async fn a_deleted_opportunity_comes_back_with_its_history() {
    let sales = Sales::start_selling().await;
    let created = sales.opportunity("Ten presses", 10).await;
    let delete = DeleteOpportunityRequest { name: created.name.clone(), ..Default::default() };
    sales.opportunities().delete_opportunity(sales.admin.request(delete)).await.expect("deleted");

    assert_eq!(sales.found("", "").await, [""; 0]);
    let undelete = trato_proto::sales::v1::UndeleteOpportunityRequest {
        name: created.name.clone(),
        ..Default::default()
    };
    sales.opportunities().undelete_opportunity(sales.admin.request(undelete)).await.expect("undeleted");

    assert_eq!(sales.found("", "").await, ["Ten presses"]);
    assert_eq!(sales.history(&created.name).await.len(), 1);
}

#[tokio::test]
async fn an_etag_that_is_not_the_stored_one_changes_nothing() {
    let sales = Sales::start_selling().await;
    let created = sales.opportunity("Ten presses", 10).await;
    let stale = Opportunity { etag: "7".into(), name: created.name.clone(), ..named("Other") };
    let request = UpdateOpportunityRequest {
        opportunity: Some(stale),
        update_mask: Some(paths(&["display_name"])),
        ..Default::default()
    };

    let answer = sales.opportunities().update_opportunity(sales.admin.request(request)).await;

    assert_eq!(refusal(answer), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    assert_eq!(sales.get(&created.name).await, created);
}
