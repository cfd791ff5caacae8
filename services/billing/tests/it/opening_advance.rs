//! What accounts had paid in advance to another system: taken over as payments, allocated and refunded like any other.

use tonic::Code;
use trato_proto::billing::v1::{
    Ledger, ListPaymentsRequest, OpenBalanceRequest, Payment,
    invoice::{Party, PaymentState},
    payment::{Method, State},
};

use crate::{
    harness::{Billing, Desk, days_ago, eur, refusal},
    opening::item,
    payment::part,
    posting::brief as posted,
    receivables::brief,
};

impl Billing {
    /// A payment of so much that was taken over alone, and the ledger.
    async fn paid_elsewhere(&self, desk: &Desk, number: &str, amount: &str) -> (Payment, Ledger) {
        let ledger = self.ledger(desk).await;
        let item = item(&ledger, &desk.account, number, &format!("-{amount}"));
        self.take_over(item).await.expect("taken over");
        let request = ListPaymentsRequest { filter: "takeover_date:*".into(), ..Default::default() };
        let page = self.payments().list_payments(self.admin.request(request)).await.expect("a page");
        let [payment] = <[Payment; 1]>::try_from(page.into_inner().payments).expect("there is one");
        (payment, ledger)
    }
}

/// DOC-18: it has succeeded on the day of the balance, is posted against what was taken over and not the bank, and is unallocated.
#[tokio::test]
async fn what_was_paid_in_advance_is_a_payment() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let (payment, _) = billing.paid_elsewhere(&desk, "GS-7", "50.00").await;

    assert_eq!((payment.state(), payment.method()), (State::Succeeded, Method::Other));
    assert_eq!((payment.date, payment.takeover_date), (days_ago(30), days_ago(30)));
    assert_eq!((&payment.amount, &payment.unallocated), (&eur("50.00"), &eur("50.00")));
    assert_eq!((payment.external_key.as_str(), payment.account.as_str()), ("GS-7", desk.account.as_str()));
    assert_eq!(payment.state_reason, "Rest of the coffee machine");
    let lines = billing.journal(&desk).await;
    assert_eq!(posted(&lines), [("OPENING", "9000", 5_000), ("OPENING", "2100", -5_000)]);
    assert!(lines.iter().all(|line| line.document == payment.name && line.description == "GS-7"));
    let statement = billing.statement(&desk.account, None, None).await;
    assert_eq!(brief(&statement), [("OPENING", -5_000, -5_000)]);
    let events = billing.event_types().await;
    assert_eq!(events[events.len() - 2..], ["payment.taken_over", "ledger.opened"]);
}

/// DOC-18: it pays an invoice of ours, and what is left of it goes back by the bank.
#[tokio::test]
async fn what_was_paid_in_advance_is_allocated_and_refunded() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let draft = billing.create_invoice(desk.invoice(vec![desk.line("1", "1", "10")])).await.expect("a draft");
    let invoice = billing.issue(&draft, &desk.series).await.expect("issued");
    let (payment, _) = billing.paid_elsewhere(&desk, "", "50.00").await;

    let allocated = billing.allocate(&payment, vec![part(&invoice, "")]).await.expect("allocated");
    let refunded = billing.refund(&allocated, "", None).await.expect("given back");

    assert_eq!((allocated.allocated, allocated.unallocated), (eur("12.10"), eur("37.90")));
    assert_eq!(billing.get_invoice(&invoice).await.payment_state(), PaymentState::Paid);
    assert_eq!((refunded.state(), refunded.unallocated), (State::PartlyRefunded, eur("0.00")));
    billing.assert_books_are_even(&desk, &["1200", "2100"]).await;
    let trial = billing.trial(&desk).await;
    assert_eq!((trial["1000"], trial["9000"]), (-3_790, 5_000));
}

/// XTR-05: what was taken over by mistake is paid by what is taken over for it.
#[tokio::test]
async fn a_mistake_is_made_good_by_its_opposite() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let (payment, ledger) = billing.paid_elsewhere(&desk, "RE-1", "80.00").await;
    billing.take_over(item(&ledger, &desk.account, "RE-1", "80.00")).await.expect("taken over");
    let lines = billing.journal(&desk).await;
    let wrong = lines.iter().find(|line| line.document.starts_with("invoices/")).expect("it is posted");
    let wrong = trato_proto::billing::v1::Invoice { name: wrong.document.clone(), ..Default::default() };

    billing.allocate(&payment, vec![part(&wrong, "80.00")]).await.expect("allocated");

    assert_eq!(billing.get_invoice(&wrong).await.open, eur("0.00"));
    billing.assert_books_are_even(&desk, &["1200", "2100", "9000"]).await;
}

/// XTR-05: of what was paid in advance the day of the balance alone counts: days of an invoice and who was invoiced are not looked at.
#[tokio::test]
async fn what_was_paid_in_advance_has_the_day_of_the_balance_alone() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    let days = OpenBalanceRequest {
        issue_date: days_ago(1),
        due_date: days_ago(90),
        bill_to: Some(Party::default()),
        ..item(&ledger, &desk.account, "GS-7", "-50.00")
    };

    billing.take_over(days).await.expect("taken over");

    assert_eq!(billing.payment_count().await, 1);
}

/// XTR-05: the same number is taken over once, and nothing in a closed period.
#[tokio::test]
async fn what_was_paid_in_advance_is_taken_over_once() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let (_, ledger) = billing.paid_elsewhere(&desk, "GS-7", "50.00").await;
    let item = |number: &str| item(&ledger, &desk.account, number, "-50.00");

    let again = billing.take_over(item("GS-7")).await;
    let tried = OpenBalanceRequest { validate_only: true, ..item("GS-8") };
    billing.take_over(tried).await.expect("it would pass");
    let closed = billing.close(&ledger, days_ago(30)).await.expect("closed");
    let too_late = billing.take_over(item("GS-8")).await;

    assert_eq!(refusal(again), (Code::AlreadyExists, "PAYMENT_KEY_TAKEN".to_owned()));
    assert_eq!(closed.closed_through, days_ago(30));
    assert_eq!(refusal(too_late), (Code::FailedPrecondition, "PERIOD_CLOSED".to_owned()));
    assert_eq!(billing.payment_count().await, 1);
}
