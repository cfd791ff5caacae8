//! The day for which documents are priced that say none: today where they are made out.

use chrono::{TimeDelta, Utc};
use trato_proto::{
    billing::v1::LegalEntity,
    google::value::Date,
    sales::v1::{PriceDocumentRequest, Promotion, Quote, SalesDocument},
    wire,
};

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

    /// A tenth off, for the last time today where days begin last: where they begin first it is over at any hour.
    async fn promotion_of_the_last_zone(&self) -> Option<Date> {
        let today = wire::date((Utc::now() - TimeDelta::hours(12)).date_naive());
        let ending = Promotion { end_date: Some(today), ..promotion("Old year", percent("10")) };
        self.create_promotion(ending).await.expect("a promotion");
        Some(today)
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
    let (sales, desk) = Sales::start_quoting().await;
    let company = sales.hear_company().await;
    let today = sales.promotion_of_the_last_zone().await;
    let asked = PriceDocumentRequest { date: None, ..document(vec![line(&desk, "1")]) };
    let mut answers = Vec::new();
    for (revision, zone) in [(2, LAST), (3, FIRST)] {
        sales.moves(&company, revision, zone).await;
        answers.push(sales.price_document(asked.clone()).await.expect("it can be priced"));
    }
    let said = sales.nets(PriceDocumentRequest { date: today, ..asked }).await;

    let nets = answers.iter().map(|answer| cents(answer.lines[0].net.as_ref()));
    assert_eq!(nets.collect::<Vec<_>>(), [9_000, 10_000]);
    assert_eq!(answers[0].date, today);
    assert_ne!(answers[1].date, today);
    assert_eq!(said, [9_000]);
}

/// DOC-10, DOC-11: a quote is priced for the day of the company that makes it out; a quote that names none, and an order, for that of
/// the company that was recorded first.
#[tokio::test]
async fn a_document_is_priced_for_the_day_of_its_company() {
    let (sales, desk) = Sales::start_quoting().await;
    let (first, other) = (sales.hear_company().await, sales.hear_company().await);
    sales.moves(&first, 2, LAST).await;
    sales.moves(&other, 2, FIRST).await;
    let today = sales.promotion_of_the_last_zone().await;
    let draft = quote(&sales.account().await, vec![quoted(&desk, "1")]);
    let there = Quote { legal_entity: other.name, ..draft.clone() };

    let here = sales.create_quote(draft).await.expect("a quote");
    let there = sales.create_quote(there).await.expect("a quote");
    let order = sales.create_order(sales.order_of(&desk, &["1"]).await).await.expect("an order");

    assert_eq!(priced(here.document.as_ref()), (today, 9_000));
    assert_eq!(priced(order.document.as_ref()), (today, 9_000));
    let (day, net) = priced(there.document.as_ref());
    assert_eq!(net, 10_000);
    assert_ne!(day, today);
}
