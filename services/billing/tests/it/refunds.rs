//! Refunds that are owed are listed, and counted for the alarm.

use trato_types::time::to_microseconds;

use crate::{
    harness::Billing,
    payment::{part, transfer},
};

impl Billing {
    /// Names of the invoices that owe a refund.
    async fn owing_refunds(&self) -> Vec<String> {
        self.invoices_of("open < 0").await.into_iter().map(|invoice| invoice.name).collect()
    }

    /// How many have owed one for too long, so many days from now.
    async fn owed_refunds_in(&self, days: i64) -> i64 {
        let now = to_microseconds(chrono::Utc::now() + chrono::Duration::days(days));
        trato_billing::count_owed_refunds(&self.service.database, now).await.expect("they are counted")
    }
}

/// DOC-05, DOC-18: an invoice that is credited after it was paid is listed as one that owes a refund, and counted when nobody has
/// given it back for days; not any more once it is given back.
#[tokio::test]
async fn a_refund_that_nobody_makes_is_listed_and_counted() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let (invoice, unpaid) = (billing.owed(&desk).await, billing.owed(&desk).await);
    let payment =
        billing.pay(transfer(&invoice, "121.00"), vec![part(&invoice, "")]).await.expect("it is paid");
    billing.credit(&invoice, vec![], &series).await.expect("credited");
    billing.credit(&unpaid, vec![], &series).await.expect("credited");

    let listed = billing.owing_refunds().await;
    let counts = [billing.owed_refunds_in(2).await, billing.owed_refunds_in(4).await];
    billing.refund(&payment, "", Some(&invoice)).await.expect("given back");

    assert_eq!((listed, counts), (vec![invoice.name], [0, 1]));
    assert_eq!((billing.owing_refunds().await, billing.owed_refunds_in(4).await), (Vec::new(), 0));
}
