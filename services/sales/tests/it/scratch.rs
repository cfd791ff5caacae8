use crate::{harness::*, import::step};
use std::{collections::HashMap, time::Instant};
use trato_proto::{google::value::Date, sales::v1::{*, import_opportunities_request::Item, import_opportunities_response::result::Outcome, opportunity::{LostReason, State}}};

fn day(text: &str) -> Option<Date> {
    let p: Vec<i32> = text.split('-').filter_map(|x| x.parse().ok()).collect();
    if p.len() == 3 { date(p[0], p[1], p[2]) } else { None }
}
#[tokio::test]
async fn real() {
    let sales = Sales::start().await;
    sales.pipeline("Standard", &[("prospecting", 10), ("engaging", 40)]).await;
    let text = std::fs::read_to_string("/work/shared/data/crm-sales-opportunities/sales_pipeline.csv").unwrap();
    let mut accounts: HashMap<String, String> = HashMap::new();
    let mut products: HashMap<String, String> = HashMap::new();
    let mut items = Vec::new();
    for line in text.lines().skip(1) {
        let f: Vec<&str> = line.split(',').collect();
        let product = if f[2] == "GTXPro" { "GTX Pro" } else { f[2] };
        if !products.contains_key(product) { products.insert(product.into(), sales.product(product).await.name); }
        if !f[3].is_empty() && !accounts.contains_key(f[3]) { accounts.insert(f[3].into(), sales.account().await); }
        let state = match f[4] { "Won" => State::Won, "Lost" => State::Lost, _ => State::Open };
        let stage = if f[4] == "Prospecting" { "prospecting" } else { "engaging" };
        let ts = |t: &str| day(t).map(|d| timestamp(d.year, d.month as u32, d.day as u32));
        let mut changes = vec![step(stage, State::Open, ts(f[5]))];
        if state != State::Open { changes.push(step(stage, state, ts(f[6]))); }
        items.push(Item { opportunity: Some(Opportunity {
            display_name: format!("{} {}", f[0], product), source: "kaggle".into(), external_id: f[0].into(),
            owner: format!("members/{}", f[1].to_lowercase().replace(' ', ".")),
            product: products[product].clone(), account: accounts.get(f[3]).cloned().unwrap_or_default(),
            stage: stage.into(), state: state.into(), amount: f[7].parse::<i64>().ok().and_then(usd), close_date: day(f[6]),
            lost_reason: if state == State::Lost { LostReason::NotRecorded.into() } else { 0 }, ..Default::default() }), stage_changes: changes });
    }
    for round in 0..2 {
        let started = Instant::now();
        let (mut created, mut errors) = (0, 0);
        for chunk in items.chunks(500) {
            let r = sales.import(chunk.to_vec()).await;
            created += r.iter().filter(|r| r.created).count();
            errors += r.iter().filter(|r| matches!(r.outcome, Some(Outcome::Error(_)))).count();
        }
        eprintln!("round {round}: {created} created, {errors} errors in {:?}", started.elapsed());
    }
    for g in 0..7 {
        let started = Instant::now();
        let a = sales.funnel().query_funnel(sales.admin.request(QueryFunnelRequest { group_by: g, ..Default::default() })).await.unwrap().into_inner();
        let t = a.total.unwrap();
        eprintln!("dim {g} in {:?}: groups {} total {} won {} {:?} lost {} open {} rate {:.4} cycle {:.2}", started.elapsed(), a.groups.len(), t.total.unwrap().count, t.won.as_ref().unwrap().count, t.won.as_ref().unwrap().amounts, t.lost.unwrap().count, t.open.unwrap().count, t.win_rate, t.average_cycle_days);
        if g == 0 { for s in t.stages { eprintln!("  {s:?}"); } }
    }
    // creates
    let account = accounts.values().next().unwrap().clone();
    for c in [1usize, 16] {
        let started = Instant::now();
        let tasks: Vec<_> = (0..c).map(|_| { let mut client = sales.opportunities(); let admin = sales.admin.clone(); let account = account.clone(); tokio::spawn(async move {
            for _ in 0..(640 / c) { client.create_opportunity(admin.request(CreateOpportunityRequest { opportunity: Some(Opportunity { display_name: "x".into(), account: account.clone(), amount: usd(1), ..Default::default() }), ..Default::default() })).await.unwrap(); }
        }) }).collect();
        for t in tasks { t.await.unwrap(); }
        eprintln!("c={c}: {:.0} creates/s", 640.0 / started.elapsed().as_secs_f64());
    }
}
