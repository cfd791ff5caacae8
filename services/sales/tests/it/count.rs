//! The funnel counted by hand, from what lists and histories say.

use std::collections::{BTreeMap, BTreeSet};

use trato_proto::{
    google::value::{Date, Money},
    sales::v1::{
        Opportunity, Pipeline, QueryFunnelRequest, QueryFunnelResponse, StageChange,
        opportunity::State,
        query_funnel_request::Dimension,
        query_funnel_response::{Figure, Group, StageFigure},
    },
};

use crate::world::World;

type Subject<'a> = &'a (Opportunity, Vec<StageChange>);

/// Compares every figure of an answer with the count by hand.
pub fn require_equal(answer: &QueryFunnelResponse, world: &World, request: &QueryFunnelRequest) {
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
    let units = opportunity.amount.as_ref().map_or(0, minor);
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
        Dimension::CloseMonth => {
            close.map(|day| format!("{}-{:02}", day.year, day.month)).unwrap_or_default()
        }
        Dimension::CloseQuarter => {
            close.map(|day| format!("{}-Q{}", day.year, (day.month + 2) / 3)).unwrap_or_default()
        }
    }
}

fn require_group(group: &Group, members: &[Subject], world: &World, request: &QueryFunnelRequest) {
    let of = |state: Option<State>| -> Vec<&Opportunity> {
        let opportunities = members.iter().map(|(opportunity, _)| opportunity);
        opportunities.filter(|opportunity| state.is_none_or(|state| opportunity.state() == state)).collect()
    };
    let figures = [
        (&group.total, None),
        (&group.open, Some(State::Open)),
        (&group.won, Some(State::Won)),
        (&group.lost, Some(State::Lost)),
    ];
    for (figure, state) in figures {
        assert_eq!(figure.as_ref(), Some(&figure_of(&of(state))), "{:?} {state:?} {request:?}", group.key);
    }
    let (won, lost) = (of(Some(State::Won)).len(), of(Some(State::Lost)).len());
    let win_rate = if won + lost == 0 { 0.0 } else { won as f64 / (won + lost) as f64 };
    require_close(group.win_rate, win_rate);
    require_close(group.average_cycle_days, mean_days(members.iter().filter_map(|subject| cycle(subject))));

    let walked: BTreeSet<&str> =
        members.iter().map(|(opportunity, _)| opportunity.pipeline.as_str()).collect();
    let mut pipelines: Vec<&Pipeline> = world.pipelines.iter().collect();
    pipelines.sort_by_key(|pipeline| pipeline.name.clone());
    let shown = pipelines
        .into_iter()
        .filter(|pipeline| walked.contains(pipeline.name.as_str()) || pipeline.name == request.pipeline);
    let stages: Vec<(&Pipeline, usize)> = shown
        .flat_map(|pipeline| (0..pipeline.stages.len()).map(move |position| (pipeline, position)))
        .collect();
    assert_eq!(group.stages.len(), stages.len(), "{:?} {request:?}", group.key);
    for (figure, (pipeline, position)) in group.stages.iter().zip(stages) {
        require_stage(figure, pipeline, position, members);
    }
}

fn require_stage(figure: &StageFigure, pipeline: &Pipeline, position: usize, members: &[Subject]) {
    let stage = &pipeline.stages[position];
    assert_eq!(
        (&figure.pipeline, &figure.stage, &figure.display_name),
        (&pipeline.name, &stage.key, &stage.display_name)
    );
    let members: Vec<Subject> =
        members.iter().copied().filter(|(opportunity, _)| opportunity.pipeline == pipeline.name).collect();
    let there = members.iter().map(|(opportunity, _)| opportunity);
    let there =
        there.filter(|opportunity| opportunity.state() == State::Open && opportunity.stage == stage.key);
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
    require_close(
        figure.conversion_rate,
        if entered.is_empty() { 0.0 } else { advanced as f64 / entered.len() as f64 },
    );

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
    if amount.currency_code == "JPY" {
        amount.units
    } else {
        amount.units * 100 + i64::from(amount.nanos) / 10_000_000
    }
}

fn money(code: &str, minor: i64) -> Money {
    let (units, nanos) =
        if code == "JPY" { (minor, 0) } else { (minor / 100, (minor % 100) as i32 * 10_000_000) };
    Money { currency_code: code.into(), units, nanos }
}
