//! From an opportunity to cash, and all the way back, through the public API alone.

use trato_devstack::trade::{self, Billed, GROSS, Ground};

use super::orders::until_invoiced;
use crate::harness::{
    caller::Caller,
    tenant::Tenant,
    values::{cents, list, text},
};

/// What an account owes, in cents, and how many movements made it so.
async fn owed(by: &Caller, account: &str) -> (i64, usize) {
    let path = "/v1/receivables:queryStatement";
    let statement = by.query(path, &[("account", account), ("currencyCode", "USD")]).await.ok();
    (cents(&statement["closingBalance"]), list(&statement, "lines").len())
}

/// SFA-26, DOC-03, DOC-04, DOC-05, DOC-08, DOC-09, DOC-14, DOC-18: an opportunity becomes a quote, an order, a delivery, an invoice
/// and a payment; what comes back is returned, credited and refunded, and in the end nobody owes anything.
#[tokio::test]
async fn an_opportunity_becomes_cash_and_all_of_it_comes_back() {
    let tenant = Tenant::fresh();
    let (mut clerk, reader) = (tenant.administrator(), tenant.administrator());
    let ground = Ground::make(&mut clerk).await.expect("what documents name");

    let cashed = trade::to_cash(&mut clerk, &ground, Billed::DeliveryNote).await.expect("cash");

    assert_eq!(cashed.number, "F1");
    let read = async |name: &str| reader.get(&format!("/v1/{name}")).await.ok();
    let paid = read(&cashed.invoice).await;
    assert_eq!((text(&paid, "paymentState"), cents(&paid["totals"]["due"])), ("PAID", GROSS));
    assert_eq!(text(&read(&cashed.opportunity).await, "state"), "WON");
    let order = until_invoiced(&reader, &cashed.order, "INVOICED").await;
    assert_eq!((text(&order, "state"), text(&order, "deliveryStatus")), ("FULFILLED", "FULL"));
    assert_eq!(owed(&reader, &ground.account).await, (0, 2), "invoiced and paid");

    let returned = trade::and_back(&mut clerk, &ground, &cashed).await.expect("all of it comes back");

    assert_eq!(returned.number, "C1");
    assert_eq!(text(&read(&returned.sales_return).await, "state"), "SETTLED");
    let credit = read(&returned.credit_note).await;
    assert_eq!((text(&credit, "state"), cents(&credit["totals"]["gross"])), ("ISSUED", GROSS));
    let refunded = read(&cashed.payment).await;
    assert_eq!((text(&refunded, "state"), cents(&refunded["refunded"])), ("REFUNDED", GROSS));
    let invoice = read(&cashed.invoice).await;
    assert_eq!((text(&invoice, "paymentState"), cents(&invoice["open"])), ("REFUNDED", 0));
    let order = until_invoiced(&reader, &cashed.order, "CREDITED").await;
    assert_eq!(text(&order, "deliveryStatus"), "RETURNED");
    assert_eq!(owed(&reader, &ground.account).await, (0, 4), "credited and given back");
}
