//! What billing does about accounts and products of other services.

use tonic::Code;
use tonic_types::StatusExt as _;
use trato_proto::billing::v1::{CreatePaymentRequest, Payment, invoice::Line};
use uuid::Uuid;

use crate::{
    harness::{Billing, Desk, days_ago, eur, refusal},
    payment::transfer,
};

fn product() -> String {
    format!("products/{}", Uuid::now_v7())
}

fn of(desk: &Desk, product: &str) -> Line {
    Line { product: product.into(), ..desk.line("1", "1", "10") }
}

/// DOC-06: an invoice is made out to an account that exists.
#[tokio::test]
async fn whoever_is_invoiced_is_there() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let mut invoice = desk.invoice(vec![desk.line("1", "1", "10")]);
    assert!(billing.create_invoice(invoice.clone()).await.is_ok());

    billing.hear_account(&desk.account, true).await;
    let deleted = billing.create_invoice(invoice.clone()).await.expect_err("the account is deleted");
    invoice.account = format!("accounts/{}", Uuid::now_v7());
    let unknown = billing.create_invoice(invoice).await.expect_err("nobody can say");

    let info = deleted.get_details_error_info().expect("a reason");
    assert_eq!((deleted.code(), info.reason.as_str()), (Code::FailedPrecondition, "ACCOUNT_DELETED"));
    assert_eq!(
        (info.metadata["field"].as_str(), &info.metadata["account"]),
        ("invoice.account", &desk.account)
    );
    let info = unknown.get_details_error_info().expect("a reason");
    assert_eq!((unknown.code(), info.reason.as_str()), (Code::Unavailable, "ACCOUNT_UNVERIFIED"));
    assert!(unknown.get_details_retry_info().and_then(|info| info.retry_delay).is_some());
}

/// DOC-06: a product that is invoiced exists, or did: what was sold is invoiced also when it is sold no more.
#[tokio::test]
async fn what_is_invoiced_is_or_was_there() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let (sold, unknown) = (product(), product());
    billing.hear_product(&sold, false).await;
    assert!(billing.create_invoice(desk.invoice(vec![of(&desk, &sold)])).await.is_ok());

    billing.hear_product(&sold, true).await;
    assert!(billing.create_invoice(desk.invoice(vec![of(&desk, &sold)])).await.is_ok());
    let lines = vec![of(&desk, &unknown)];
    let refused = billing.create_invoice(desk.invoice(lines)).await;

    assert_eq!(refusal(refused), (Code::Unavailable, "PRODUCT_UNVERIFIED".into()));
}

/// DOC-18: money is of an account that is there, or was: what still comes from one that is deleted is recorded.
#[tokio::test]
async fn whoever_pays_is_or_was_there() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let ledger = billing.ledger(&desk).await;
    let nobody = format!("accounts/{}", Uuid::now_v7());
    let unknown = Payment { account: nobody.clone(), ..transfer(&invoice, "1.00") };
    let meant = CreatePaymentRequest { payment: Some(unknown.clone()), ..Default::default() };
    billing.hear_account(&desk.account, true).await;

    let refused = [
        refusal(billing.pay(unknown, vec![]).await),
        refusal(billing.payments().create_payment(billing.admin.request(meant)).await),
        refusal(billing.open_balance(&ledger, &nobody, eur("1.00"), days_ago(30)).await),
    ];
    let late = billing.pay(transfer(&invoice, "121.00"), vec![]).await;

    for refused in refused {
        assert_eq!(refused, (Code::Unavailable, "ACCOUNT_UNVERIFIED".to_owned()));
    }
    assert!(late.is_ok());
}
