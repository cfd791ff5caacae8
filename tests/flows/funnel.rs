//! The funnel beside a count by hand: every figure, whole and by every dimension.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};

use super::make::{account, opportunity, pipeline, product};
use crate::harness::{
    caller::Caller,
    report::say,
    tenant::Tenant,
    values::{cents, list, name, text, whole},
};

const STAGES: [&str; 3] = ["lead", "offer", "board"];
const DEALS: usize = 40;

/// Opportunities that went all sorts of ways, of several owners, teams and products, in two currencies.
async fn make_deals(tenant: &Tenant, director: &Caller, random: &mut StdRng) {
    let teams = [tenant.team("West", "Pacific").await, tenant.team("East", "Atlantic").await];
    let products = [product(director, "Nova").await, product(director, "Terra").await];
    let acme = account(director, "Acme").await;
    let sales = pipeline(director, "Sales", &STAGES).await;
    for number in 0..DEALS {
        let team = teams.choose(random).expect("there are two");
        let owner = ["members/ana", "members/ben", "members/eva"].choose(random).expect("there are three");
        let mut fields = json!({
            "displayName": format!("Deal {number}"), "pipeline": sales, "account": acme, "owner": owner,
            "stage": STAGES[random.random_range(0..2)],
        });
        if random.random_bool(0.8) {
            fields["team"] = json!(team);
        }
        if random.random_bool(0.8) {
            fields["product"] = json!(products[random.random_range(0..2)]);
        }
        let wins = random.random_bool(0.4);
        if wins || random.random_bool(0.7) {
            let currency = if random.random_bool(0.7) { "USD" } else { "EUR" };
            let (units, cents) = (random.random_range(1..5000).to_string(), random.random_range(0..100));
            fields["amount"] =
                json!({ "currencyCode": currency, "units": units, "nanos": cents * 10_000_000 });
        }
        let deal = name(&opportunity(director, fields).await);
        for _ in 0..random.random_range(0..4) {
            let body = json!({ "stage": STAGES[random.random_range(0..3)] });
            director.post(&format!("/v1/{deal}:move"), body).await.ok();
        }
        let day =
            json!({ "year": 2026, "month": random.random_range(1..=6), "day": random.random_range(1..=28) });
        if wins {
            director.post(&format!("/v1/{deal}:win"), json!({ "closeDate": day })).await.ok();
        } else if random.random_bool(0.5) {
            director
                .post(&format!("/v1/{deal}:lose"), json!({ "closeDate": day, "reason": "PRICE" }))
                .await
                .ok();
        }
    }
}

/// One opportunity as its own calls show it.
struct Deal {
    fields: Value,
    steps: Vec<Value>,
}

impl Deal {
    fn is(&self, state: &str) -> bool {
        text(&self.fields, "state") == state
    }

    fn stages(&self) -> Vec<usize> {
        let at = |step: &Value| {
            STAGES.iter().position(|stage| *stage == text(step, "toStage")).expect("it is a stage")
        };
        self.steps.iter().map(at).collect()
    }

    fn was_at(&self, stage: usize) -> bool {
        self.stages().contains(&stage)
    }

    fn went_on_from(&self, stage: usize) -> bool {
        let stages = self.stages();
        let first = stages.iter().position(|at| *at == stage);
        first.is_some_and(|first| self.is("WON") || stages[first..].iter().any(|at| *at > stage))
    }

    /// Calendar group of the close date: `2026-03`, `2026-Q1`; nothing without one.
    fn closed(&self, dimension: &str) -> String {
        let date = &self.fields["closeDate"];
        if date.is_null() {
            return String::new();
        }
        let (year, month) = (whole(&date["year"]), whole(&date["month"]));
        if dimension == "CLOSE_MONTH" {
            format!("{year}-{month:02}")
        } else {
            format!("{year}-Q{}", (month + 2) / 3)
        }
    }
}

/// Amounts by currency in minor units, and how many have one.
fn worth<'d>(deals: impl Iterator<Item = &'d Deal>) -> BTreeMap<String, (i64, i64)> {
    let mut sums = BTreeMap::new();
    for amount in deals.map(|deal| &deal.fields["amount"]).filter(|amount| amount.is_object()) {
        let (sum, count) = sums.entry(text(amount, "currencyCode").to_owned()).or_insert((0, 0));
        *sum += cents(amount);
        *count += 1;
    }
    sums
}

fn by_currency(amounts: &[Value]) -> BTreeMap<String, i64> {
    amounts.iter().map(|amount| (text(amount, "currencyCode").to_owned(), cents(amount))).collect()
}

#[track_caller]
fn check_figure(what: &str, figure: &Value, deals: &[&Deal]) {
    assert_eq!(whole(&figure["count"]), deals.len() as i64, "{what}");
    let worth = worth(deals.iter().copied());
    let sums: BTreeMap<String, i64> = worth.iter().map(|(code, (sum, _))| (code.clone(), *sum)).collect();
    assert_eq!(by_currency(list(figure, "amounts")), sums, "{what}");
    // Half away from zero; all amounts are positive.
    let mean = |(sum, count): &(i64, i64)| (2 * sum + count) / (2 * count);
    let means: BTreeMap<String, i64> =
        worth.iter().map(|(code, worth)| (code.clone(), mean(worth))).collect();
    assert_eq!(by_currency(list(figure, "averageAmounts")), means, "mean of {what}");
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[track_caller]
fn check_group(what: &str, group: &Value, deals: &[&Deal]) {
    let in_state =
        |state: &str| -> Vec<&Deal> { deals.iter().copied().filter(|deal| deal.is(state)).collect() };
    let (open, won, lost) = (in_state("OPEN"), in_state("WON"), in_state("LOST"));
    for (field, deals) in [("total", &deals.to_vec()), ("open", &open), ("won", &won), ("lost", &lost)] {
        check_figure(&format!("{field} of {what}"), &group[field], deals);
    }
    let rate = group["winRate"].as_f64().unwrap_or_default();
    assert!((rate - share(won.len(), won.len() + lost.len())).abs() < 1e-9, "win rate of {what}: {rate}");
    for (at, stage) in STAGES.iter().enumerate() {
        let entered: Vec<_> = deals.iter().filter(|deal| deal.was_at(at)).collect();
        let advanced = entered.iter().filter(|deal| deal.went_on_from(at)).count();
        let here: Vec<&Deal> =
            open.iter().copied().filter(|deal| text(&deal.fields, "stage") == *stage).collect();
        let figure = list(group, "stages").iter().find(|figure| text(figure, "stage") == *stage);
        let Some(figure) = figure else {
            assert!(entered.is_empty(), "{stage} of {what} is missing");
            continue;
        };
        check_figure(&format!("{stage} of {what}"), &figure["open"], &here);
        assert_eq!(whole(&figure["enteredCount"]), entered.len() as i64, "entered {stage} of {what}");
        assert_eq!(whole(&figure["advancedCount"]), advanced as i64, "advanced from {stage} of {what}");
        let rate = figure["conversionRate"].as_f64().unwrap_or_default();
        assert!(
            (rate - share(advanced, entered.len())).abs() < 1e-9,
            "conversion at {stage} of {what}: {rate}"
        );
    }
}

/// SFA-05, SFA-13: every figure of the funnel equals a count by hand, whole and by owner, team, region, product and period.
#[tokio::test]
async fn every_figure_equals_a_count_by_hand() {
    let seed: u64 = rand::random();
    say(format!("seed {seed}"));
    let tenant = Tenant::fresh();
    let director = tenant.director();
    make_deals(&tenant, &director, &mut StdRng::seed_from_u64(seed)).await;
    let mut deals = Vec::new();
    for fields in director.list_all("/v1/opportunities", "opportunities", &[("pageSize", "7")]).await {
        let path = format!("/v1/{}/stageChanges", name(&fields));
        deals.push(Deal { steps: director.list_all(&path, "stageChanges", &[]).await, fields });
    }
    assert_eq!(deals.len(), DEALS);
    let regions = regions(&director).await;

    for dimension in
        ["DIMENSION_UNSPECIFIED", "OWNER", "TEAM", "REGION", "PRODUCT", "CLOSE_MONTH", "CLOSE_QUARTER"]
    {
        let figures = director.query("/v1/funnel:query", &[("groupBy", dimension)]).await.ok();
        let key = |deal: &Deal| match dimension {
            "OWNER" => text(&deal.fields, "owner").to_owned(),
            "TEAM" => text(&deal.fields, "team").to_owned(),
            "REGION" => regions.get(text(&deal.fields, "team")).cloned().unwrap_or_default(),
            "PRODUCT" => text(&deal.fields, "product").to_owned(),
            "CLOSE_MONTH" | "CLOSE_QUARTER" => deal.closed(dimension),
            _ => String::new(),
        };
        let keys: BTreeSet<String> = deals.iter().map(key).collect();
        let groups = list(&figures, "groups");
        let found: BTreeSet<String> = groups.iter().map(|group| text(group, "key").to_owned()).collect();
        assert_eq!(found, keys, "{dimension}");
        for group in groups {
            let members: Vec<&Deal> = deals.iter().filter(|deal| key(deal) == text(group, "key")).collect();
            check_group(&format!("{dimension} {:?}", text(group, "key")), group, &members);
        }
        check_group("the whole", &figures["total"], &deals.iter().collect::<Vec<_>>());
        let counts: Vec<i64> = groups.iter().map(|group| whole(&group["total"]["count"])).collect();
        assert!(counts.is_sorted_by(|a, b| a >= b), "largest first: {counts:?}");
    }
}

/// SFA-13: a period counts what was closed in it, and a filter what it names.
#[tokio::test]
async fn periods_and_filters_narrow_the_figures() {
    let seed: u64 = rand::random();
    say(format!("seed {seed}"));
    let tenant = Tenant::fresh();
    let director = tenant.director();
    make_deals(&tenant, &director, &mut StdRng::seed_from_u64(seed)).await;
    let all = director.list_all("/v1/opportunities", "opportunities", &[]).await;
    let count = |parameters: Vec<(&'static str, &'static str)>| {
        let director = director.clone();
        async move {
            whole(&director.query("/v1/funnel:query", &parameters).await.ok()["total"]["total"]["count"])
        }
    };
    let by_hand = |keep: &dyn Fn(&Value) -> bool| all.iter().filter(|deal| keep(deal)).count() as i64;

    let month = |deal: &Value| whole(&deal["closeDate"]["month"]);
    let spring = vec![
        ("startDate.year", "2026"),
        ("startDate.month", "3"),
        ("startDate.day", "1"),
        ("endDate.year", "2026"),
        ("endDate.month", "4"),
        ("endDate.day", "30"),
    ];
    assert_eq!(count(spring).await, by_hand(&|deal| (3..=4).contains(&month(deal))));
    let filter = vec![("filter", "owner = \"members/ana\" AND state = WON")];
    assert_eq!(
        count(filter).await,
        by_hand(&|deal| text(deal, "owner") == "members/ana" && text(deal, "state") == "WON")
    );
    let refusal = director.query("/v1/funnel:query", &[("filter", "colour = \"red\"")]).await.refused();
    assert_eq!(refusal.violations, [("filter".to_owned(), "UNKNOWN_FIELD".to_owned())]);
}

async fn regions(director: &Caller) -> BTreeMap<String, String> {
    let teams = director.list_all("/v1/teams", "teams", &[]).await;
    teams.iter().map(|team| (name(team), text(team, "region").to_owned())).collect()
}
