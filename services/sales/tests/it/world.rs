//! Random opportunities with random pasts, always the same ones, so that a failure can be looked at again.

use std::collections::BTreeMap;

use proptest::{
    collection::vec, prelude::*, sample::select, strategy::ValueTree as _, test_runner::TestRunner,
};
use trato_proto::{
    google::value::Money,
    sales::v1::{
        DeleteOpportunityRequest, ListOpportunitiesRequest, Opportunity, Pipeline, StageChange,
        import_opportunities_request::Item,
        opportunity::{LostReason, State},
    },
};

use crate::{
    harness::{Sales, date, timestamp},
    import::{imported, old, step},
};

/// Everything that can be known of the opportunities, and of what they refer to.
pub struct World {
    pub opportunities: Vec<(Opportunity, Vec<StageChange>)>,
    pub pipelines: Vec<Pipeline>,
    pub regions: BTreeMap<String, &'static str>,
}

/// One random opportunity: where it belongs, and the way it went.
#[derive(Clone, Debug)]
struct Draft {
    owner: &'static str,
    team: usize,
    product: usize,
    pipeline: usize,
    amount: Option<(&'static str, i64)>,
    close_day: Option<i64>,
    steps: Vec<(usize, u8, Option<i64>)>,
}

fn draft() -> impl Strategy<Value = Draft> {
    let amount = prop::option::of((select(vec!["EUR", "JPY", "USD"]), 1_i64..100_000));
    let steps = vec((0_usize..3, 0_u8..5, prop::option::of(0_i64..60)), 1..7);
    let place = (select(vec!["ana", "bob", "cid"]), 0_usize..4, 0_usize..3, 0_usize..2);
    (place, amount, prop::option::of(0_i64..400), steps).prop_map(
        |((owner, team, product, pipeline), amount, close_day, steps)| Draft {
            owner,
            team,
            product,
            pipeline,
            amount,
            close_day,
            steps,
        },
    )
}

/// Turns a draft into what an import may tell: steps that lead somewhere, a close with what it needs.
fn item(
    number: usize,
    draft: &Draft,
    account: &str,
    teams: &[String],
    products: &[String],
    pipelines: &[Pipeline],
) -> Item {
    let pipeline = &pipelines[draft.pipeline];
    let (mut stage, mut state, mut day, mut changes) = (String::new(), State::Open, 0, Vec::new());
    for (to, verb, days) in &draft.steps {
        let next = match (state, verb) {
            (State::Open, 0) if !stage.is_empty() && draft.amount.is_some() => (stage.clone(), State::Won),
            (State::Open, 1) if !stage.is_empty() => (stage.clone(), State::Lost),
            (State::Open, _) => (pipeline.stages[*to % pipeline.stages.len()].key.clone(), State::Open),
            _ => (stage.clone(), State::Open),
        };
        if next == (stage.clone(), state) {
            continue;
        }
        (stage, state) = next;
        day += days.unwrap_or_default();
        let event_time = days.map(|_| prost_types::Timestamp {
            seconds: timestamp(2016, 1, 1).seconds + day * 86_400,
            nanos: 0,
        });
        changes.push(step(&stage, state, event_time));
    }
    let close_day = draft.close_day.or((state != State::Open).then_some(200));
    let first = trato_types::Date::from_ymd_opt(2017, 1, 1).expect("a day");
    let close_date = close_day.map(|day| (first + chrono::Days::new(day.unsigned_abs())).to_string());
    let close_date = close_date.and_then(|text| {
        let parts: Vec<i32> = text.split('-').filter_map(|part| part.parse().ok()).collect();
        date(parts[0], parts[1], parts[2])
    });
    let opportunity = Opportunity {
        owner: format!("members/{}", draft.owner),
        team: teams.get(draft.team).cloned().unwrap_or_default(),
        product: products.get(draft.product).cloned().unwrap_or_default(),
        pipeline: pipeline.name.clone(),
        account: account.into(),
        stage,
        state: state.into(),
        lost_reason: if state == State::Lost { LostReason::NotRecorded.into() } else { 0 },
        amount: draft.amount.map(|(code, units)| Money { currency_code: code.into(), units, nanos: 0 }),
        close_date,
        ..old(&number.to_string())
    };
    Item { opportunity: Some(opportunity), stage_changes: changes }
}

/// Records random opportunities, and reads back everything about them.
pub async fn populate(sales: &Sales, count: usize) -> World {
    let pipelines = vec![
        sales.pipeline("Standard", &[("prospecting", 10), ("engaging", 40), ("closing", 80)]).await,
        sales.pipeline("Complex", &[("qualify", 5), ("engaging", 50)]).await,
    ];
    let account = sales.account().await;
    let regions = ["West", "East", "West"];
    let mut teams = Vec::new();
    for (number, region) in regions.into_iter().enumerate() {
        teams.push(sales.hear_team(&format!("Team {number}"), region).await);
    }
    let products = vec![sales.product("GTX Pro").await.name, sales.product("GTX Basic").await.name];
    // Always the same ones, so that a failure can be looked at again.
    let mut runner = TestRunner::deterministic();
    let drafts = (0..count).map(|_| draft().new_tree(&mut runner).expect("a draft").current());
    let items = drafts
        .enumerate()
        .map(|(number, draft)| item(number, &draft, &account, &teams, &products, &pipelines));
    let results = sales.import(items.collect()).await;
    // What is deleted does not count.
    let delete = DeleteOpportunityRequest { name: imported(&results[0]).name.clone(), ..Default::default() };
    sales.opportunities().delete_opportunity(sales.admin.request(delete)).await.expect("deleted");

    let list = ListOpportunitiesRequest { page_size: 1000, ..Default::default() };
    let page = sales
        .opportunities()
        .list_opportunities(sales.admin.request(list))
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(page.opportunities.len(), count - 1);
    let mut opportunities = Vec::new();
    for opportunity in page.opportunities {
        let steps = sales.history(&opportunity.name).await;
        opportunities.push((opportunity, steps));
    }
    let regions = teams.into_iter().zip(regions).collect();
    World { opportunities, pipelines, regions }
}
