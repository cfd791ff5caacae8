//! The last day of a quote is one of the company that makes it out.

use chrono::{NaiveTime, TimeDelta, Utc};
use trato_proto::{
    billing::v1::LegalEntity,
    sales::v1::{Quote, quote::State},
    wire,
};

use crate::{
    harness::{Sales, refusal},
    quote::{accepting, line, quote, refused},
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
