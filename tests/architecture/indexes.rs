//! Declared orders are served by indexes: a page reads about as many rows as it shows, however many there are.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sqlx::Row as _;

use crate::harness::{
    breakable::on_a_breakable_stack,
    caller::Caller,
    database,
    eventually::eventually,
    report::say,
    values::{list, text},
    writers::Subjects,
};

/// Rows of the tenant in each table.
const ROWS: usize = 20_000;
/// Rows a page may cost: fifty, its look ahead, and what is read besides.
const MOST_READ: i64 = 200;
/// Pages that are read in each order.
const PAGES: i64 = 3;
/// How long counters have to stand still: a connection writes its own down ten seconds after it was last used.
const STILL: Duration = Duration::from_secs(12);
/// Longest wait for that.
const PATIENCE: Duration = Duration::from_secs(60);

async fn fill(director: &Caller, collection: &str, make: impl Fn(usize) -> Value) {
    for batch in 0..ROWS / 1000 {
        let requests: Vec<Value> = (0..1000).map(|number| make(batch * 1000 + number)).collect();
        let path = format!("/v1/{collection}:batchCreate");
        let answer = director.post(&path, json!({ "requests": requests })).await.ok();
        assert!(list(&answer, "results").iter().all(|result| result["created"] == json!(true)));
    }
}

/// Rows read from a table so far, by any way, once the counters have been written down.
async fn rows_read(subjects: &Subjects, service: &str, table: &str) -> i64 {
    let look = || async {
        let mut connection = database::superuser(subjects.tenant.facts(), service).await;
        let sql = "select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint as read
                   from pg_stat_user_tables where relname = $1";
        let row =
            sqlx::query(sql).bind(table).fetch_one(&mut connection).await.expect("the counters can be read");
        row.get::<i64, _>("read")
    };
    let seen = Cell::new((look().await, Instant::now()));
    let still = || async {
        let now = look().await;
        if now != seen.get().0 {
            seen.set((now, Instant::now()));
        }
        seen.get().1.elapsed()
    };
    eventually(PATIENCE, "the counters to stand still", still, |still| *still >= STILL).await;
    seen.get().0
}

/// MDM-10: however many accounts, contacts or opportunities there are, a page in any declared order costs the same.
#[test]
fn a_page_in_any_declared_order_reads_no_more_than_it_shows() {
    on_a_breakable_stack(async |stack| {
        let subjects = Subjects::make(stack.tenant().await).await;
        let director = subjects.tenant.director();
        let day = |number: usize| json!({ "year": 2026, "month": 1 + number % 12, "day": 1 + number % 28 });
        fill(
            &director,
            "accounts",
            |number| json!({ "account": { "displayName": format!("A{:05}", number * 7919 % ROWS) } }),
        )
        .await;
        fill(&director, "opportunities", |number| {
            let mut deal = json!({ "displayName": format!("D{:05}", number * 7919 % ROWS), "pipeline": subjects.pipeline });
            if number % 4 != 0 {
                deal["closeDate"] = day(number);
                deal["amount"] = json!({ "currencyCode": "USD", "units": number.to_string() });
            }
            json!({ "opportunity": deal })
        })
        .await;
        for (service, collection, table) in
            [("customers", "accounts", "account"), ("sales", "opportunities", "opportunity")]
        {
            let mut connection = database::superuser(subjects.tenant.facts(), service).await;
            sqlx::query("analyze").execute(&mut connection).await.expect("statistics can be made");
            let refused =
                director.query(&format!("/v1/{collection}"), &[("orderBy", "colour")]).await.refused();
            let names =
                refused.message.split("these can be sorted by: ").nth(1).expect("it names them").to_owned();
            let names = names.split(" (at").next().unwrap_or_default().to_owned();
            let orders: Vec<String> = names
                .split(", ")
                .flat_map(|field| [field.to_owned(), format!("{field} desc")])
                .chain([String::new()])
                .collect();
            let before = rows_read(&subjects, service, table).await;
            for order in &orders {
                let mut token = String::new();
                for _ in 0..PAGES {
                    let parameters = [("orderBy", order.as_str()), ("pageToken", token.as_str())];
                    let page = director.query(&format!("/v1/{collection}"), &parameters).await.ok();
                    assert_eq!(list(&page, collection).len(), 50);
                    token = text(&page, "nextPageToken").to_owned();
                }
            }
            let read = rows_read(&subjects, service, table).await - before;
            let pages = PAGES * i64::try_from(orders.len()).expect("a handful");
            say(format!("{collection}: {read} rows for {pages} pages in {} orders", orders.len()));
            assert!(read >= 50 * pages, "{collection}: the counters say {read} for {pages} pages");
            assert!(read < MOST_READ * pages, "{collection} reads {read} rows for {pages} pages");
        }
    });
}
