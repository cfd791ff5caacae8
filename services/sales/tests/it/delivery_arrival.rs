//! Delivery notes that arrive: when, whether late, and whether anything was taken.

use chrono::{TimeDelta, Utc};
use trato_proto::{
    billing::v1::LegalEntity,
    sales::v1::{
        ConfirmDeliveryNoteRequest, Order, OrderPromiseBroken,
        delivery_note::{Refusal, State},
    },
    wire,
};
use uuid::Uuid;

use crate::{
    delivery_note::{confirming, part},
    harness::{Sales, date, field, timestamp, violations},
    order::quantities,
};

/// DOC-05, DOC-13, DOC-17: nothing arrives before the day on which its delivery note was issued, from which on days of returns,
/// promises and taxes count.
#[tokio::test]
async fn nothing_arrives_before_it_was_issued() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["1"]).await;
    let issued = sales.delivered(&order.name, vec![part("1", "1")]).await;
    let day = issued.issue_date.expect("it is issued");
    let confirm = async |delivery_time| {
        let confirm = ConfirmDeliveryNoteRequest { delivery_time, ..confirming(&issued.name) };
        sales.delivery_notes().confirm_delivery_note(sales.admin.request(confirm)).await
    };
    let midnight = timestamp(day.year, day.month.unsigned_abs(), day.day.unsigned_abs());
    let before = prost_types::Timestamp { seconds: midnight.seconds - 1, ..midnight };

    for early in [before, timestamp(1, 1, 1)] {
        assert_eq!(violations(confirm(Some(early)).await), [field("delivery_time", "OUT_OF_ORDER")]);
    }
    let arrived = confirm(Some(midnight)).await.expect("on the day of issue").into_inner();

    assert_eq!(arrived.delivery_time, Some(midnight));
}

/// DOC-05: what arrives at once is taken, also where the day of the delivery note is yet to come, being that of a number that was
/// given in a zone that is ahead; what arrived before it was issued is not.
#[tokio::test]
async fn an_arrival_is_compared_with_when_it_was_issued() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["2"]).await;
    let company = sales.hear_company().await;
    let mut issued = Vec::new();
    // The second one is 26 hours behind, so that it is an earlier day there.
    for (revision, zone) in [(2, "Pacific/Kiritimati"), (3, "Etc/GMT+12")] {
        let company = LegalEntity { time_zone: zone.into(), ..company.clone() };
        sales.hear("trato.billing.v1.legal_entity.updated", &company.name, revision, &company).await;
        issued.push(sales.delivered(&order.name, vec![part("1", "1")]).await);
    }
    let now = Utc::now();
    let confirm = async |time| {
        let delivery_time = Some(wire::timestamp(time));
        let confirm = ConfirmDeliveryNoteRequest { delivery_time, ..confirming(&issued[1].name) };
        sales.delivery_notes().confirm_delivery_note(sales.admin.request(confirm)).await
    };

    let early = confirm(now - TimeDelta::days(2)).await;
    let arrived = confirm(now).await.expect("it arrives once it is issued").into_inner();

    assert_eq!(issued[0].issue_date, issued[1].issue_date);
    assert_eq!(violations(early), [field("delivery_time", "OUT_OF_ORDER")]);
    assert_eq!(arrived.state(), State::Delivered);
}

/// DOC-13: what arrives after the day it was promised for is told once, with the day on which it came.
#[tokio::test]
async fn a_late_delivery_is_told() {
    let (sales, desk) = Sales::start_ordering().await;
    let promised = async |promised_date| {
        let draft = Order { promised_date, ..sales.order_of(&desk, &["2"]).await };
        let draft = sales.create_order(draft).await.expect("a draft");
        let order = sales.confirm_order(&draft.name).await.expect("confirmed");
        let first = sales.delivered(&order.name, vec![part("1", "1")]).await;
        let second = sales.delivered(&order.name, vec![part("1", "1")]).await;
        (order, first, second)
    };
    let (timely, first, second) = promised(date(2999, 1, 7)).await;
    let future =
        ConfirmDeliveryNoteRequest { delivery_time: Some(timestamp(2999, 1, 8)), ..confirming(&first.name) };

    let future = sales.delivery_notes().confirm_delivery_note(sales.admin.request(future)).await;
    sales.confirm_delivery(&first.name, Vec::new()).await.expect("in time");
    let open = sales.get_order(&timely.name).await;
    sales.confirm_delivery(&second.name, Vec::new()).await.expect("in time");
    let kept = sales.get_order(&timely.name).await;
    let (late, first, second) = promised(date(2026, 1, 7)).await;
    sales.confirm_delivery(&first.name, Vec::new()).await.expect("too late");
    sales.confirm_delivery(&second.name, Vec::new()).await.expect("later still");
    let broken = sales.get_order(&late.name).await;

    assert_eq!(violations(future), [field("delivery_time", "IN_FUTURE")]);
    assert_eq!(open.next_promised_date, date(2999, 1, 7));
    assert_eq!((kept.next_promised_date, kept.progress[0].promise_broken), (None, false));
    assert!(broken.progress[0].promise_broken);
    let events = sales.service.published(sales.admin.tenant).await;
    let facts = events.iter().filter_map(|event| {
        let fact = event.fact::<OrderPromiseBroken>().expect("it can be read")?;
        Some((event.subject.clone(), fact))
    });
    let facts: Vec<_> = facts.collect();
    assert_eq!(facts.len(), 1);
    assert_eq!(facts[0].0, late.name);
    assert_eq!(facts[0].1.lines[0].promised_date, date(2026, 1, 7));
    assert!(facts[0].1.lines[0].delivery_date.is_some());
}

/// DOC-05: what was refused wholly is told as refused, and not as delivered; what was refused in part was delivered.
#[tokio::test]
async fn a_delivery_of_which_nothing_was_taken_is_told_as_refused() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["3", "1"]).await;
    let issued = sales.delivered(&order.name, vec![part("1", "2"), part("2", "1")]).await;
    let refused = |line: &str, quantity: &str| Refusal {
        line: line.into(),
        quantity: quantity.into(),
        reason: "Scratched".into(),
        ..Default::default()
    };
    let told = async || -> Vec<String> {
        let types = sales.event_types().await.into_iter();
        types.filter(|kind| kind.starts_with("delivery_note.")).skip(2).collect()
    };

    let request = ConfirmDeliveryNoteRequest {
        refusals: vec![refused("1", "2"), refused("2", "1")],
        request_id: Uuid::now_v7().to_string(),
        ..confirming(&issued.name)
    };
    let confirm = async || {
        let request = sales.admin.request(request.clone());
        sales.delivery_notes().confirm_delivery_note(request).await.expect("confirmed").into_inner()
    };
    let (first, repeated) = (confirm().await, confirm().await);
    let wholly = told().await;
    let again = sales.delivered(&order.name, vec![part("1", "2")]).await;
    sales.confirm_delivery(&again.name, vec![refused("1", "1")]).await.expect("confirmed");
    let in_part = told().await;

    assert_eq!((first.state(), &repeated), (State::PartlyRefused, &first));
    assert_eq!(wholly, ["delivery_note.refused"]);
    assert_eq!(in_part.last().map(String::as_str), Some("delivery_note.delivered"));
    let order = sales.get_order(&order.name).await;
    assert_eq!(quantities(&order.progress[0]), ["3", "0", "1", "1", "0"]);
}
