//! The day for which documents are priced that say none: today where they are made out.

use chrono::{TimeDelta, Utc};
use trato_proto::{
    billing::v1::LegalEntity,
    google::value::Date,
    sales::v1::{PriceDocumentRequest, Promotion, Quote, SalesDocument},
    wire,
};
use uuid::Uuid;

use crate::{
    harness::Sales,
    pricing::{cents, document, line},
    promotion::{percent, promotion},
    quote::{line as quoted, quote},
};

/// The zone in which days begin last; clocks there are 26 hours behind those of the other.
const LAST: &str = "Etc/GMT+12";
/// The zone in which days begin first.
const FIRST: &str = "Pacific/Kiritimati";

impl Sales {
    async fn moves(&self, company: &LegalEntity, revision: i64, zone: &str) {
        let company = LegalEntity { time_zone: zone.into(), ..company.clone() };
        self.hear("trato.billing.v1.legal_entity.updated", &company.name, revision, &company).await;
    }

    /// A tenth off, for the last time on this day.
    async fn promotion_until(&self, day: Date) {
        let ending = Promotion { end_date: Some(day), ..promotion("Old year", percent("10")) };
        self.create_promotion(ending).await.expect("a promotion");
    }
}

/// Today where days begin last: where they begin first that day is over at any hour.
fn last_today() -> Date {
    wire::date((Utc::now() - TimeDelta::hours(12)).date_naive())
}

/// What comes of something on one day where days begin last, and that day: where midnight comes between, it is done once more.
async fn on_one_day<T>(act: impl AsyncFn(Date) -> T) -> (Date, T) {
    loop {
        let today = last_today();
        let outcome = act(today).await;
        if last_today() == today {
            return (today, outcome);
        }
    }
}

/// The day that a document was priced for, and what it came to without tax, in cents.
fn priced(document: Option<&SalesDocument>) -> (Option<Date>, i64) {
    let document = document.expect("it has one");
    let totals = document.totals.as_ref().expect("it is priced");
    (document.priced_date, cents(totals.net.as_ref()))
}

/// DOC-10, DOC-11: a promotion that ends today holds where today is not over, whatever day it is in UTC; not where it is over; and on
/// the day that the request says.
#[tokio::test]
async fn a_promotion_holds_until_midnight_where_documents_are_made_out() {
    let (today, (answers, said)) = on_one_day(async |today| {
        let (sales, desk) = Sales::start_quoting().await;
        let company = sales.hear_company().await;
        sales.promotion_until(today).await;
        let asked = PriceDocumentRequest { date: None, ..document(vec![line(&desk, "1")]) };
        let mut answers = Vec::new();
        for (revision, zone) in [(2, LAST), (3, FIRST)] {
            sales.moves(&company, revision, zone).await;
            answers.push(sales.price_document(asked.clone()).await.expect("it can be priced"));
        }
        (answers, sales.nets(PriceDocumentRequest { date: Some(today), ..asked }).await)
    })
    .await;

    let nets = answers.iter().map(|answer| cents(answer.lines[0].net.as_ref()));
    assert_eq!(nets.collect::<Vec<_>>(), [9_000, 10_000]);
    assert_eq!(answers[0].date, Some(today));
    assert_ne!(answers[1].date, Some(today));
    assert_eq!(said, [9_000]);
}

/// DOC-10, DOC-11: who names a legal entity is told what a document costs that it makes out, by its day; one that sales does not know
/// has the day of UTC.
#[tokio::test]
async fn a_document_is_priced_for_the_day_of_the_company_that_is_named() {
    let (today, days) = on_one_day(async |today| {
        let (sales, desk) = Sales::start_quoting().await;
        let (first, other) = (sales.hear_company().await, sales.hear_company().await);
        sales.moves(&first, 2, LAST).await;
        sales.moves(&other, 2, FIRST).await;
        sales.promotion_until(today).await;
        let unknown = format!("legalEntities/{}", Uuid::now_v7());
        let mut days = Vec::new();
        let before = wire::date(Utc::now().date_naive());
        for legal_entity in [String::new(), first.name, other.name, unknown] {
            let asked = PriceDocumentRequest { date: None, legal_entity, ..document(vec![line(&desk, "1")]) };
            let answer = sales.price_document(asked).await.expect("it can be priced");
            days.push((answer.date, cents(answer.lines[0].net.as_ref())));
        }
        (days, [before, wire::date(Utc::now().date_naive())].map(Some))
    })
    .await;
    let (days, utc) = days;

    assert_eq!(days[..2], [(Some(today), 9_000); 2]);
    assert!(days[2].0 != Some(today) && days[2].1 == 10_000, "{days:?}");
    assert!(utc.contains(&days[3].0), "{days:?}");
}

/// DOC-10, DOC-11: a zone that this program does not know, as it may after a rollback, stands against no price: it is that of UTC.
#[tokio::test]
async fn an_unknown_zone_stands_against_no_price() {
    let (sales, desk) = Sales::start_quoting().await;
    sales.hear_company().await;
    let mut tx = sales.service.transaction(sales.admin.tenant).await;
    let moved = sqlx::query("update legal_entity set time_zone = 'Mars/Olympus_Mons'");
    moved.execute(tx.connection()).await.expect("it moves");
    tx.commit().await.expect("committed");
    let today = || Some(wire::date(Utc::now().date_naive()));

    let before = today();
    let asked = PriceDocumentRequest { date: None, ..document(vec![line(&desk, "1")]) };
    let answer = sales.price_document(asked).await.expect("it can be priced");

    assert!([before, today()].contains(&answer.date), "{:?}", answer.date);
}

/// DOC-10, DOC-11: a quote is priced for the day of the company that makes it out; a quote that names none, and an order, for that of
/// the company that was recorded first.
#[tokio::test]
async fn a_document_is_priced_for_the_day_of_its_company() {
    let (today, [here, there, order]) = on_one_day(async |today| {
        let (sales, desk) = Sales::start_quoting().await;
        let (first, other) = (sales.hear_company().await, sales.hear_company().await);
        sales.moves(&first, 2, LAST).await;
        sales.moves(&other, 2, FIRST).await;
        sales.promotion_until(today).await;
        let draft = quote(&sales.account().await, vec![quoted(&desk, "1")]);
        let there = Quote { legal_entity: other.name, ..draft.clone() };
        let here = sales.create_quote(draft).await.expect("a quote");
        let there = sales.create_quote(there).await.expect("a quote");
        let order = sales.create_order(sales.order_of(&desk, &["1"]).await).await.expect("an order");
        [here.document, there.document, order.document].map(|document| priced(document.as_ref()))
    })
    .await;

    assert_eq!([here, order], [(Some(today), 9_000); 2]);
    assert_eq!(there.1, 10_000);
    assert_ne!(there.0, Some(today));
}
