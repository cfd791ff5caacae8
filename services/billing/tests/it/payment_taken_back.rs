//! What becomes of a claim when what was paid of it is taken back: on which days, and that it can be given up again.

use tonic::Code;
use trato_proto::billing::v1::{
    ChargeBackPaymentRequest, Payment, RefundPaymentRequest, credit_note::Line, invoice::PaymentState,
    payment::State,
};

use crate::{
    harness::{Billing, days_ago, eur, field, refusal, violations},
    payment::{part, request_id, transfer},
};

/// DOC-18: what is taken back of an invoice is not of a day before that on which it was paid.
#[tokio::test]
async fn nothing_is_taken_back_before_it_was_paid() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let early = Payment { date: days_ago(10), ..transfer(&invoice, "121.00") };
    let payment = billing.pay(early, vec![]).await.expect("recorded");
    billing.allocate(&payment, vec![part(&invoice, "100.00")]).await.expect("allocated, today");
    let refund = |invoice: &str, days| RefundPaymentRequest {
        name: payment.name.clone(),
        amount: eur("10.00"),
        invoice: invoice.to_owned(),
        date: days_ago(days),
        request_id: request_id(),
        ..Default::default()
    };
    let back = |days| ChargeBackPaymentRequest {
        name: payment.name.clone(),
        reason: "The mandate was withdrawn".into(),
        date: days_ago(days),
        request_id: request_id(),
        ..Default::default()
    };

    let refunded = billing.payments().refund_payment(billing.admin.request(refund(&invoice.name, 5))).await;
    let charged = billing.payments().charge_back_payment(billing.admin.request(back(5))).await;
    let of_the_rest = billing.payments().refund_payment(billing.admin.request(refund("", 5))).await;
    let before = billing.payments().refund_payment(billing.admin.request(refund("", 11))).await;
    let today = billing.charge_back(&payment, "").await;

    for refused in [refunded, charged, before] {
        assert_eq!(violations(refused), [field("date", "OUT_OF_RANGE")]);
    }
    assert!(of_the_rest.is_ok(), "what was not allocated was there since the payment came");
    assert!(today.is_ok());
}

/// DOC-18: what came back from an invoice is left of the payment since then; of a day before it cannot be given back, nor can the
/// bank take it back.
#[tokio::test]
async fn nothing_is_given_back_before_it_was_left() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let early = Payment { date: days_ago(10), ..transfer(&invoice, "121.00") };
    let payment = billing.pay(early, vec![]).await.expect("recorded");
    billing.allocate(&payment, vec![part(&invoice, "")]).await.expect("allocated, today");
    billing.unallocate(&payment, vec![part(&invoice, "")]).await.expect("it is left, since today");
    let refund = RefundPaymentRequest {
        name: payment.name.clone(),
        amount: eur("10.00"),
        date: days_ago(5),
        request_id: request_id(),
        ..Default::default()
    };
    let back = ChargeBackPaymentRequest {
        name: payment.name.clone(),
        reason: "The mandate was withdrawn".into(),
        date: days_ago(5),
        request_id: request_id(),
        ..Default::default()
    };

    let refunded = billing.payments().refund_payment(billing.admin.request(refund)).await;
    let charged = billing.payments().charge_back_payment(billing.admin.request(back)).await;
    let today = billing.refund(&payment, "10.00", None).await;

    for refused in [refunded, charged] {
        assert_eq!(violations(refused), [field("date", "OUT_OF_RANGE")]);
    }
    assert!(today.is_ok(), "{today:?}");
}

/// DOC-18: the bank takes back what is still here of a payment: what was given back of it before is not taken a second time.
#[tokio::test]
async fn the_bank_takes_back_what_was_not_given_back() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let invoice = billing.owed(&desk).await;
    let payment =
        billing.pay(transfer(&invoice, "150.00"), vec![part(&invoice, "")]).await.expect("recorded");
    let gross = Line { key: "1".into(), gross: eur("21.00"), ..Default::default() };
    billing.credit(&invoice, vec![gross], &series).await.expect("credited");
    billing.refund(&payment, "21.00", Some(&invoice)).await.expect("given back, of the invoice");
    billing.refund(&payment, "9.00", None).await.expect("given back, of the rest");
    let settled = billing.get_invoice(&invoice).await;

    let gone = billing.charge_back(&payment, "").await.expect("taken back");
    let open = billing.get_invoice(&invoice).await;
    let refund = billing.refund(&payment, "1.00", None).await;

    assert_eq!((settled.open.clone(), settled.payment_state()), (eur("0.00"), PaymentState::Paid));
    assert_eq!(
        (gone.state(), gone.refunded, gone.unallocated),
        (State::ChargedBack, eur("30.00"), eur("0.00"))
    );
    assert_eq!((open.open.clone(), open.paid.clone()), (eur("100.00"), eur("0.00")));
    assert_eq!((open.payment_state(), open.refunded), (PaymentState::Unpaid, eur("21.00")));
    assert_eq!(refusal(refund), (Code::FailedPrecondition, "PAYMENT_NOT_SUCCEEDED".to_owned()));
    billing.assert_books_are_even(&desk, &["1000", "2100"]).await;
    assert_eq!(billing.trial(&desk).await["1200"], 10_000);
}

/// DOC-18: what comes after a claim was given up pays nothing of it: it stays on the account, and is given back or pays something
/// else.
#[tokio::test]
async fn what_comes_after_a_claim_was_given_up_stays_on_the_account() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let given_up = billing.write_off(&invoice, "Insolvent").await.expect("given up");

    let late = billing.pay(transfer(&invoice, "50.00"), vec![]).await.expect("recorded");
    let wish = billing.allocate(&late, vec![part(&invoice, "")]).await;
    let back = billing.refund(&late, "20.00", None).await.expect("given back");

    assert_eq!(given_up.open, eur("0.00"));
    assert_eq!(refusal(wish), (Code::FailedPrecondition, "ALLOCATION_EXCEEDS_INVOICE".to_owned()));
    assert_eq!(back.unallocated, eur("30.00"));
    let trial = billing.trial(&desk).await;
    let sums = ["1000", "1200", "2100", "5200"].map(|code| trial[code]);
    assert_eq!(sums, [3_000, 0, -3_000, 12_100]);
}

/// DOC-18: what is opened again after the rest was given up is given up as well; the newest reason stays.
#[tokio::test]
async fn what_is_opened_again_is_given_up_again() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let payment = billing.pay(transfer(&invoice, "60.00"), vec![part(&invoice, "")]).await.expect("recorded");
    billing.write_off(&invoice, "Insolvent").await.expect("given up");
    billing.charge_back(&payment, "").await.expect("taken back");

    let open = billing.get_invoice(&invoice).await.open;
    let given_up = billing.write_off(&invoice, "Still insolvent").await.expect("given up");
    let again = billing.write_off(&invoice, "Insolvent").await;

    assert_eq!(open, eur("60.00"));
    assert_eq!((given_up.written_off.clone(), given_up.open.clone()), (eur("121.00"), eur("0.00")));
    assert_eq!(given_up.payment_state(), PaymentState::WrittenOff);
    assert_eq!(given_up.write_off_reason, "Still insolvent");
    assert_eq!(refusal(again), (Code::FailedPrecondition, "NOTHING_OPEN".to_owned()));
    assert_eq!(billing.trial(&desk).await["5200"], 12_100);
    for less in ["set written_off = written_off - 1", "set write_off_reason = 'Other'"] {
        let error = billing.tamper(&format!("update invoice {less}"), false).await.expect_err(less);
        assert!(error.to_string().contains("does not change"), "{less}: {error}");
    }
}
