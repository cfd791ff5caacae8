//! The last day of a quote is one of the company that makes it out.

use chrono::{NaiveDate, NaiveTime, TimeDelta, Utc};
use trato_proto::{
    billing::v1::LegalEntity,
    sales::v1::{Quote, quote::State, rendered_document::Paper},
    wire,
};
use uuid::Uuid;

use crate::{
    harness::{Sales, refusal},
    quote::{accepting, line, quote, refused},
    render::pages,
};

/// DOC-03: of two companies whose clocks are 26 hours apart, one can send a quote that is valid until today there, and the other
/// cannot, whatever day it is in UTC; and the job lets it expire when that day is over there, not before.
#[tokio::test]
async fn a_quote_is_valid_until_the_day_is_over_where_it_is_made_out() {
    let (sales, desk) = Sales::start_quoting().await;
    let company = sales.hear_company().await;
    let moves = async |revision, zone: &str| {
        let company = LegalEntity { time_zone: zone.into(), ..company.clone() };
        sales.hear("trato.billing.v1.legal_entity.updated", &company.name, revision, &company).await;
    };
    // That of the zone in which days begin last.
    let today = (Utc::now() - TimeDelta::hours(12)).date_naive();
    let end = (today.succ_opt().expect("tomorrow").and_time(NaiveTime::MIN) + TimeDelta::hours(12)).and_utc();
    let mut drafts = Vec::new();
    for _ in 0..2 {
        let valid_until = Some(wire::date(today));
        let draft = Quote { valid_until, ..quote(&sales.account().await, vec![line(&desk, "1")]) };
        let draft = sales.create_quote(draft).await.expect("a quote");
        drafts.push(sales.submit(&draft.name).await.expect("a draft").name);
    }
    let expire = async |at| trato_sales::expire_quotes(&sales.service.database, at).await.expect("it runs");

    moves(2, "Pacific/Kiritimati").await;
    let late = sales.send(&drafts[0]).await;
    moves(3, "Etc/GMT+12").await;
    for draft in &drafts {
        sales.send(draft).await.expect("it is valid");
    }
    let accepted = sales.accept(accepting(&drafts[0])).await.expect("it is valid");
    let expired = [expire(end - TimeDelta::seconds(1)).await, expire(end).await];

    assert_eq!(refusal(late), refused("QUOTE_EXPIRED"));
    assert_eq!(accepted.state(), State::Accepted);
    assert_eq!(expired, [0, 1]);
    assert_eq!(sales.get_quote(&drafts[1]).await.decision_time, Some(wire::timestamp(end)));
}

/// DOC-01, DOC-03: a quote says the day on which it was sent where the company is that makes it out, which differs from that of UTC in one
/// of two zones at any hour; and it is printed again as it was, wherever the company has gone since.
#[tokio::test]
async fn a_quote_is_of_the_day_of_its_company() {
    let (sales, desk) = Sales::start_quoting().await;
    let company = sales.hear_company().await;
    let account = sales.hear_customer().await.name;
    let mut printed = Vec::new();
    // The one that is behind comes first: a later number has no earlier day.
    for (revision, zone, ahead) in [(2, "Etc/GMT+12", -12), (3, "Pacific/Kiritimati", 14)] {
        let company = LegalEntity { time_zone: zone.into(), ..company.clone() };
        sales.hear("trato.billing.v1.legal_entity.updated", &company.name, revision, &company).await;
        let today = || (Utc::now() + TimeDelta::hours(ahead)).format("%d/%m/%Y").to_string();
        let before = today();
        let draft = sales.create_quote(quote(&account, vec![line(&desk, "1")])).await.expect("a quote");
        let sent = sales.send_draft(&draft).await;
        let file = sales.render_quote(&sent.name, "es", Paper::A4).await.expect("a PDF");
        // Midnight may have come between.
        let days = [before, today()];
        let text = pages(&file).concat();
        assert!(days.iter().any(|day| text.contains(day)), "{days:?} are not in {text}");
        printed.push((sent.name, file));
    }

    for (name, file) in &printed {
        let again = sales.render_quote(name, "es", Paper::A4).await.expect("a PDF");
        assert!(again == *file, "a reprint of {name} differs");
    }
}

/// DOC-01: a later number has no earlier day, also where it is yet an earlier one; the next version of a quote, which keeps its number, is
/// of the day on which it is sent.
#[tokio::test]
async fn a_later_number_of_a_quote_has_no_earlier_day() {
    let (sales, desk) = Sales::start_quoting().await;
    let company = sales.hear_company().await;
    let account = sales.hear_customer().await.name;
    let mut days = Vec::new();
    // The second one is 26 hours behind.
    for (revision, zone) in [(2, "Pacific/Kiritimati"), (3, "Etc/GMT+12")] {
        let company = LegalEntity { time_zone: zone.into(), ..company.clone() };
        sales.hear("trato.billing.v1.legal_entity.updated", &company.name, revision, &company).await;
        let draft = sales.create_quote(quote(&account, vec![line(&desk, "1")])).await.expect("a quote");
        let sent = sales.send_draft(&draft).await;
        days.push((sales.day_on(&sent.name).await, sent.name));
    }
    let [(first, _), (second, name)] = days.as_slice() else { panic!("two were sent") };
    let next = sales.revise(name).await.expect("the next version");
    let next = sales.day_on(&sales.send_draft(&next).await.name).await;

    assert_eq!(first, second);
    assert!(next < *second, "{next} is not before {second}");
}

impl Sales {
    /// The day that is kept with a quote that was sent.
    async fn day_on(&self, name: &str) -> NaiveDate {
        let id: Uuid = name.trim_start_matches("quotes/").parse().expect("an identifier");
        let mut tx = self.service.transaction(self.admin.tenant).await;
        let sql = "select send_date from quote where id = $1";
        sqlx::query_scalar(sql).bind(id).fetch_one(tx.connection()).await.expect("it was sent")
    }
}
