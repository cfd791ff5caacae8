//! The funnel against a count by hand: what the database sums up must be what anybody could count from the lists.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use tonic::{Code, Response, Status};
use trato_proto::{
    google::value::{Date, Money},
    sales::v1::{
        DeleteOpportunityRequest, ListOpportunitiesRequest, Opportunity, Pipeline, QueryFunnelRequest, QueryFunnelResponse,
        StageChange,
        import_opportunities_request::Item,
        opportunity::{LostReason, State},
        query_funnel_request::Dimension,
        query_funnel_response::{Figure, Group, StageFigure},
    },
};

use crate::{
    harness::{Sales, date, field, refusal, timestamp, usd, violations},
    import::{imported, step},
};

impl Sales {
    async fn query(&self, request: QueryFunnelRequest) -> Result<QueryFunnelResponse, Status> {
        self.funnel().query_funnel(self.admin.request(request)).await.map(Response::into_inner)
    }
}

/// Everything that can be known of the opportunities, and of what they refer to.
struct World {
    opportunities: Vec<(Opportunity, Vec<StageChange>)>,
    pipelines: Vec<Pipeline>,
    regions: BTreeMap<String, &'static str>,
}

/// SFA-05, SFA-06, SFA-13: whatever happened to the sales, the funnel counts them exactly.
#[tokio::test]
async fn the_funnel_is_what_a_count_by_hand_gives() {
    let sales = Sales::start().await;
    let world = populate(&sales, 240).await;
    let pipeline = world.pipelines[1].name.clone();
    let some = |request: QueryFunnelRequest| request;
    let questions = [
        some(QueryFunnelRequest::default()),
        some(QueryFunnelRequest { pipeline, ..Default::default() }),
        some(QueryFunnelRequest { start_date: date(2017, 2, 10), end_date: date(2017, 8, 5), ..Default::default() }),
        some(QueryFunnelRequest { end_date: date(2017, 5, 1), ..Default::default() }),
        some(QueryFunnelRequest {
            filter: "owner = \"members/ana\" AND (state = OPEN OR amount > 50000)".into(),
            ..Default::default()
        }),
        some(QueryFunnelRequest { filter: "amount > 99999999999".into(), ..Default::default() }),
    ];

    for question in questions {
        for dimension in 0..=6 {
            let request = QueryFunnelRequest { group_by: dimension, ..question.clone() };
            let counted = sales.query(request.clone()).await.expect("figures");
            require_equal(&counted, &world, &request);
        }
    }
}

#[tokio::test]
async fn a_group_has_the_name_people_use() {
    let sales = Sales::start_selling().await;
    let team = sales.hear_team("Team West", "West").await;
    sales.hear_member("ana", "Ana Pérez", &[&team]).await;
    let product = sales.product("GTX Pro").await.name;
    let opportunity = Opportunity {
        display_name: "Ten presses".into(),
        owner: "members/ana".into(),
        team: team.clone(),
        product: product.clone(),
        close_date: date(2017, 3, 31),
        ..Default::default()
    };
    sales.create(opportunity).await.expect("an opportunity");

    let cases = [
        (Dimension::Owner, "members/ana", "Ana Pérez"),
        (Dimension::Team, team.as_str(), "Team West"),
        (Dimension::Region, "West", "West"),
        (Dimension::Product, product.as_str(), "GTX Pro"),
        (Dimension::CloseMonth, "2017-03", "2017-03"),
        (Dimension::CloseQuarter, "2017-Q1", "2017-Q1"),
    ];
    for (dimension, key, display_name) in cases {
        let request = QueryFunnelRequest { group_by: dimension.into(), ..Default::default() };
        let groups = sales.query(request).await.expect("figures").groups;
        assert_eq!((groups[0].key.as_str(), groups[0].display_name.as_str()), (key, display_name));
    }
}

#[tokio::test]
async fn an_empty_funnel_shows_the_stages_of_the_pipeline_asked_for() {
    let sales = Sales::start().await;
    let pipeline = sales.pipeline("Standard", &[("prospecting", 10), ("closing", 80)]).await;

    let request = QueryFunnelRequest { pipeline: pipeline.name.clone(), ..Default::default() };
    let answer = sales.query(request).await.expect("figures");

    let [group] = answer.groups.as_slice() else { panic!("one group: {:?}", answer.groups) };
    let stages: Vec<_> = group.stages.iter().map(|stage| (stage.stage.as_str(), stage.display_name.as_str())).collect();
    assert_eq!(stages, [("prospecting", "PROSPECTING"), ("closing", "CLOSING")]);
    assert_eq!((group.win_rate, group.average_cycle_days), (0.0, 0.0));
    assert_eq!(answer.total.as_ref(), Some(group));
}

/// SFA-05: going back to an earlier stage is no progress, and a stage left behind by a detour is not advanced from.
#[tokio::test]
async fn only_a_later_stage_or_a_win_counts_as_progress() {
    let sales = Sales::start_selling().await;
    let mut lost = Opportunity { stage: "prospecting".into(), state: State::Lost.into(), ..old("back") };
    lost.lost_reason = LostReason::Price.into();
    lost.close_date = date(2017, 3, 1);
    let stage_changes = vec![
        step("closing", State::Open, Some(timestamp(2017, 1, 1))),
        step("prospecting", State::Open, Some(timestamp(2017, 2, 1))),
        step("prospecting", State::Lost, Some(timestamp(2017, 3, 1))),
    ];
    imported(&sales.import(vec![Item { opportunity: Some(lost), stage_changes }]).await[0]);

    let stages = sales.query(QueryFunnelRequest::default()).await.expect("figures").total.expect("a total").stages;

    let figures: Vec<_> = stages.iter().map(|stage| (stage.entered_count, stage.advanced_count)).collect();
    assert_eq!(figures, [(1, 0), (0, 0), (1, 0)]);
    assert!((stages[0].average_days - 28.0).abs() < 1e-9);
}

#[tokio::test]
async fn amounts_of_two_currencies_are_never_added() {
    let sales = Sales::start_selling().await;
    let worth = |amount| Opportunity { display_name: "Sale".into(), amount, ..Default::default() };
    let yen = Some(Money { currency_code: "JPY".into(), units: 101, nanos: 0 });
    for amount in [usd(10), usd(11), yen.clone(), None] {
        sales.create(worth(amount)).await.expect("an opportunity");
    }

    let total = sales.query(QueryFunnelRequest::default()).await.expect("figures").total.expect("a total");

    let figure = total.open.expect("a figure");
    assert_eq!(figure.count, 4);
    assert_eq!(figure.amounts, [yen.clone().expect("yen"), usd(21).expect("dollars")]);
    let half = Money { currency_code: "USD".into(), units: 10, nanos: 500_000_000 };
    assert_eq!(figure.average_amounts, [yen.expect("yen"), half]);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_question_is_said_at_once() {
    let sales = Sales::start().await;
    let request = QueryFunnelRequest {
        pipeline: "pipelines/1".into(),
        group_by: 99,
        start_date: date(2017, 2, 1),
        end_date: date(2017, 1, 1),
        filter: "colour = red".into(),
    };

    let expected = [
        field("end_date", "BEFORE_START"),
        field("filter", "UNKNOWN_FIELD"),
        field("group_by", "UNKNOWN_VALUE"),
        field("pipeline", "INVALID_RESOURCE_NAME"),
    ];
    assert_eq!(violations(sales.query(request).await), expected);
    let pipeline = format!("pipelines/{}", uuid::Uuid::now_v7());
    let unknown = sales.query(QueryFunnelRequest { pipeline, ..Default::default() }).await;
    assert_eq!(refusal(unknown), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
}

fn old(external_id: &str) -> Opportunity {
    Opportunity {
        source: "old".into(),
        external_id: external_id.into(),
        display_name: format!("Sale {external_id}"),
        ..Default::default()
    }
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
    (place, amount, prop::option::of(0_i64..400), steps).prop_map(|((owner, team, product, pipeline), amount, close_day, steps)| {
        Draft { owner, team, product, pipeline, amount, close_day, steps }
    })
}

/// Turns a draft into what an import may tell: steps that lead somewhere, a close with what it needs.
fn item(number: usize, draft: &Draft, account: &str, teams: &[String], products: &[String], pipelines: &[Pipeline]) -> Item {
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
        let event_time = days.map(|_| prost_types::Timestamp { seconds: timestamp(2016, 1, 1).seconds + day * 86_400, nanos: 0 });
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
async fn populate(sales: &Sales, count: usize) -> World {
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
    let items = drafts.enumerate().map(|(number, draft)| item(number, &draft, &account, &teams, &products, &pipelines));
    let results = sales.import(items.collect()).await;
    // What is deleted does not count.
    let delete = DeleteOpportunityRequest { name: imported(&results[0]).name.clone(), ..Default::default() };
    sales.opportunities().delete_opportunity(sales.admin.request(delete)).await.expect("deleted");

    let list = ListOpportunitiesRequest { page_size: 1000, ..Default::default() };
    let page = sales.opportunities().list_opportunities(sales.admin.request(list)).await.expect("a page").into_inner();
    assert_eq!(page.opportunities.len(), count - 1);
    let mut opportunities = Vec::new();
    for opportunity in page.opportunities {
        let steps = sales.history(&opportunity.name).await;
        opportunities.push((opportunity, steps));
    }
    let regions = teams.into_iter().zip(regions).collect();
    World { opportunities, pipelines, regions }
}

type Subject<'a> = &'a (Opportunity, Vec<StageChange>);

/// Compares every figure of an answer with the count by hand.
fn require_equal(answer: &QueryFunnelResponse, world: &World, request: &QueryFunnelRequest) {
    let admitted: Vec<Subject> =
        world.opportunities.iter().filter(|(opportunity, _)| is_admitted(opportunity, request)).collect();
    let mut groups: BTreeMap<String, Vec<Subject>> = BTreeMap::new();
    if request.group_by == 0 {
        groups.insert(String::new(), Vec::new());
    }
    for subject in &admitted {
        groups.entry(key(&subject.0, request.group_by(), &world.regions)).or_default().push(subject);
    }
    let mut ranked: Vec<_> = groups.iter().collect();
    ranked.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    let expected: Vec<&str> = ranked.iter().map(|(key, _)| key.as_str()).collect();
    let keys: Vec<&str> = answer.groups.iter().map(|group| group.key.as_str()).collect();
    assert_eq!(keys, expected, "{request:?}");
    for (group, (_, members)) in answer.groups.iter().zip(ranked) {
        require_group(group, members, world, request);
    }
    require_group(answer.total.as_ref().expect("a total"), &admitted, world, request);
}

fn is_admitted(opportunity: &Opportunity, request: &QueryFunnelRequest) -> bool {
    let day = |date: &Date| (date.year, date.month, date.day);
    let close = opportunity.close_date.as_ref().map(day);
    let units = opportunity.amount.as_ref().map_or(0, |amount| minor(amount));
    (request.pipeline.is_empty() || opportunity.pipeline == request.pipeline)
        && request.start_date.as_ref().is_none_or(|start| close.is_some_and(|close| close >= day(start)))
        && request.end_date.as_ref().is_none_or(|end| close.is_some_and(|close| close <= day(end)))
        && match request.filter.as_str() {
            "" => true,
            filter if filter.starts_with("owner") => {
                opportunity.owner == "members/ana" && (opportunity.state() == State::Open || units > 50_000)
            }
            _ => false,
        }
}

fn key(opportunity: &Opportunity, dimension: Dimension, regions: &BTreeMap<String, &str>) -> String {
    let close = opportunity.close_date.as_ref();
    match dimension {
        Dimension::Unspecified => String::new(),
        Dimension::Owner => opportunity.owner.clone(),
        Dimension::Team => opportunity.team.clone(),
        Dimension::Region => regions.get(&opportunity.team).copied().unwrap_or_default().to_owned(),
        Dimension::Product => opportunity.product.clone(),
        Dimension::CloseMonth => close.map(|day| format!("{}-{:02}", day.year, day.month)).unwrap_or_default(),
        Dimension::CloseQuarter => close.map(|day| format!("{}-Q{}", day.year, (day.month + 2) / 3)).unwrap_or_default(),
    }
}

fn require_group(group: &Group, members: &[Subject], world: &World, request: &QueryFunnelRequest) {
    let of = |state: Option<State>| -> Vec<&Opportunity> {
        let opportunities = members.iter().map(|(opportunity, _)| opportunity);
        opportunities.filter(|opportunity| state.is_none_or(|state| opportunity.state() == state)).collect()
    };
    let figures =
        [(&group.total, None), (&group.open, Some(State::Open)), (&group.won, Some(State::Won)), (&group.lost, Some(State::Lost))];
    for (figure, state) in figures {
        assert_eq!(figure.as_ref(), Some(&figure_of(&of(state))), "{:?} {state:?} {request:?}", group.key);
    }
    let (won, lost) = (of(Some(State::Won)).len(), of(Some(State::Lost)).len());
    let win_rate = if won + lost == 0 { 0.0 } else { won as f64 / (won + lost) as f64 };
    require_close(group.win_rate, win_rate);
    require_close(group.average_cycle_days, mean_days(members.iter().filter_map(|subject| cycle(subject))));

    let walked: BTreeSet<&str> = members.iter().map(|(opportunity, _)| opportunity.pipeline.as_str()).collect();
    let mut pipelines: Vec<&Pipeline> = world.pipelines.iter().collect();
    pipelines.sort_by_key(|pipeline| pipeline.name.clone());
    let shown = pipelines.into_iter().filter(|pipeline| walked.contains(pipeline.name.as_str()) || pipeline.name == request.pipeline);
    let stages: Vec<(&Pipeline, usize)> =
        shown.flat_map(|pipeline| (0..pipeline.stages.len()).map(move |position| (pipeline, position))).collect();
    assert_eq!(group.stages.len(), stages.len(), "{:?} {request:?}", group.key);
    for (figure, (pipeline, position)) in group.stages.iter().zip(stages) {
        require_stage(figure, pipeline, position, members);
    }
}

fn require_stage(figure: &StageFigure, pipeline: &Pipeline, position: usize, members: &[Subject]) {
    let stage = &pipeline.stages[position];
    assert_eq!((&figure.pipeline, &figure.stage, &figure.display_name), (&pipeline.name, &stage.key, &stage.display_name));
    let members: Vec<Subject> =
        members.iter().copied().filter(|(opportunity, _)| opportunity.pipeline == pipeline.name).collect();
    let there = members.iter().map(|(opportunity, _)| opportunity);
    let there = there.filter(|opportunity| opportunity.state() == State::Open && opportunity.stage == stage.key);
    assert_eq!(figure.open.as_ref(), Some(&figure_of(&there.collect::<Vec<_>>())));

    let is_later = |key: &str| pipeline.stages[position + 1..].iter().any(|later| later.key == key);
    let first = |steps: &[StageChange]| steps.iter().position(|step| step.to_stage == stage.key);
    let entered: Vec<(Subject, usize)> =
        members.iter().filter_map(|subject| Some((*subject, first(&subject.1)?))).collect();
    let advanced = entered.iter().filter(|((opportunity, steps), first)| {
        opportunity.state() == State::Won || steps[first + 1..].iter().any(|step| is_later(&step.to_stage))
    });
    let advanced = advanced.count();
    assert_eq!((figure.entered_count, figure.advanced_count), (entered.len() as i64, advanced as i64));
    require_close(figure.conversion_rate, if entered.is_empty() { 0.0 } else { advanced as f64 / entered.len() as f64 });

    let steps = members.iter().flat_map(|(_, steps)| steps);
    let left = steps.filter(|step| step.from_stage == stage.key && step.from_state() == State::Open);
    let stays = left.filter_map(|step| step.time_in_stage.as_ref()).map(|time| time.seconds);
    require_close(figure.average_days, mean_days(stays));
}

fn figure_of(opportunities: &[&Opportunity]) -> Figure {
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for amount in opportunities.iter().filter_map(|opportunity| opportunity.amount.as_ref()) {
        let (sum, count) = sums.entry(&amount.currency_code).or_default();
        *sum += minor(amount);
        *count += 1;
    }
    let rounded = |sum: i64, count: i64| (2 * sum + count) / (2 * count);
    Figure {
        count: opportunities.len() as i64,
        amounts: sums.iter().map(|(code, (sum, _))| money(code, *sum)).collect(),
        average_amounts: sums.iter().map(|(code, (sum, count))| money(code, rounded(*sum, *count))).collect(),
    }
}

/// Seconds from the first known step to the close.
fn cycle((opportunity, steps): Subject) -> Option<i64> {
    let close = opportunity.close_time.as_ref()?.seconds;
    let before = &steps[..steps.len() - 1];
    before.iter().find_map(|step| step.event_time.as_ref()).map(|first| close - first.seconds)
}

fn mean_days(seconds: impl Iterator<Item = i64>) -> f64 {
    let all: Vec<i64> = seconds.collect();
    if all.is_empty() { 0.0 } else { all.iter().sum::<i64>() as f64 / all.len() as f64 / 86_400.0 }
}

fn require_close(counted: f64, expected: f64) {
    assert!((counted - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{counted} is not {expected}");
}

fn minor(amount: &Money) -> i64 {
    if amount.currency_code == "JPY" { amount.units } else { amount.units * 100 + i64::from(amount.nanos) / 10_000_000 }
}

fn money(code: &str, minor: i64) -> Money {
    let (units, nanos) = if code == "JPY" { (minor, 0) } else { (minor / 100, (minor % 100) as i32 * 10_000_000) };
    Money { currency_code: code.into(), units, nanos }
}
