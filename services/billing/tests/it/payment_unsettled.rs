//! Payments of which nobody knows for too long what became of them are counted, for the alarm.

use trato_proto::billing::v1::{Payment, payment::State};
use trato_types::time::to_microseconds;

use crate::{
    harness::{Billing, days_ago},
    payment::transfer,
};

/// DOC-18, CRD-08: what is under way or unknown is counted when its time is over, of all tenants, until its outcome is known.
#[tokio::test]
async fn what_is_unsettled_past_its_time_is_counted() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let mut under_way = Vec::new();
    for date in [None, days_ago(30), None] {
        let payment = billing.initiated(Payment { date, ..transfer(&invoice, "121.00") }).await;
        under_way.push(billing.submit(&payment).await.expect("under way"));
    }
    billing.settle(&under_way[2], State::Unknown).await.expect("nobody knows");
    billing.initiated(transfer(&invoice, "1.00")).await;
    let in_days = async |days| {
        let now = to_microseconds(chrono::Utc::now() + chrono::Duration::days(days));
        trato_billing::count_unsettled(&billing.service.database, now).await.expect("they are counted")
    };
    let of = |pending: i64, unknown: i64| {
        let counts = [("PENDING".to_owned(), pending), ("UNKNOWN".to_owned(), unknown)];
        counts.into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>()
    };

    let counts = [in_days(0).await, in_days(2).await, in_days(6).await];
    billing.settle(&under_way[0], State::Succeeded).await.expect("it has come");
    let later = in_days(6).await;

    assert_eq!(counts, [of(0, 0), of(0, 1), of(2, 1)]);
    assert_eq!(later, of(1, 1));
}
