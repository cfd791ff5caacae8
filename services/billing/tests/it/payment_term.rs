//! Payment terms: a plain resource.

use tonic::{Code, Response, Status};
use trato_proto::billing::v1::{CreatePaymentTermRequest, Invoice, PaymentTerm, payment_term::Rule};

use crate::harness::{Billing, date, field, refusal, violations};

impl Billing {
    async fn create_payment_term(&self, payment_term: PaymentTerm) -> Result<PaymentTerm, Status> {
        let request = CreatePaymentTermRequest { payment_term: Some(payment_term), ..Default::default() };
        self.payment_terms().create_payment_term(self.admin.request(request)).await.map(Response::into_inner)
    }
}

fn term(code: &str, days: i32) -> PaymentTerm {
    PaymentTerm { code: code.into(), display_name: "Thirty days".into(), days, ..Default::default() }
}

/// XTR-05: payment terms are kept under a code that is unique among the living.
#[tokio::test]
async fn a_payment_term_is_kept_as_it_was_given() {
    let billing = Billing::start().await;

    let kept = billing.create_payment_term(term("30D", 30)).await.expect("a payment term");
    let taken = billing.create_payment_term(term("30D", 60)).await;

    assert_eq!((kept.rule(), kept.days), (Rule::Net, 30));
    assert_eq!(refusal(taken), (Code::AlreadyExists, "PAYMENT_TERM_CODE_TAKEN".to_owned()));
    assert_eq!(billing.event_types().await, ["payment_term.created"]);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_payment_term_is_said_at_once() {
    let billing = Billing::start().await;

    let answer = billing.create_payment_term(PaymentTerm { rule: 9, ..term("30 days", -1) }).await;
    let long = billing.create_payment_term(term("T", 3651)).await;

    let expected = [
        field("payment_term.code", "INVALID_CODE"),
        field("payment_term.days", "OUT_OF_RANGE"),
        field("payment_term.rule", "UNKNOWN_VALUE"),
    ];
    assert_eq!(violations(answer), expected);
    assert_eq!(violations(long), [field("payment_term.days", "OUT_OF_RANGE")]);
}

/// Bad input: nothing is due before it is issued. No payment term leads there, what is sent of the days is not taken, and the
/// table itself refuses it.
#[tokio::test]
async fn nothing_is_due_before_it_is_issued() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let (issue_date, due_date) = (date(2026, 1, 31), date(2026, 1, 1));
    let sent = Invoice { issue_date, due_date, ..desk.invoice(vec![desk.line("1", "1", "100")]) };

    let early = billing.create_payment_term(term("EARLY", -1)).await;
    let draft = billing.create_invoice(sent).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");
    let forced = billing.tamper("update invoice set due_date = issue_date - 1", true).await;

    assert_eq!(violations(early), [field("payment_term.days", "OUT_OF_RANGE")]);
    assert_eq!((draft.issue_date, draft.due_date), (None, None));
    assert!(issued.due_date.is_some() && issued.due_date == issued.issue_date, "{issued:?}");
    let error = forced.expect_err("it would be due before");
    assert!(error.to_string().contains("invoice_due_date_check"), "{error}");
}
