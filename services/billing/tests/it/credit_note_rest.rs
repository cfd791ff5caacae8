//! What credits leave of an invoice: what can be paid, nothing at the end, and nobody to be dunned.

use tonic::Code;
use trato_proto::billing::v1::{
    CreditNote, Invoice, NumberSeries, Payment,
    credit_note::Line,
    invoice::PaymentState,
    number_series::DocumentKind,
    payment::{Allocation, State},
};

use crate::{
    credit_note::{UNCREDITED, of, quantity},
    dunning::policy,
    harness::{Billing, Desk, cents, date, days_ago, eur, invoices, refusal},
    payment::{part, transfer},
    posting::usd,
};

impl Billing {
    /// An issued invoice of three pieces, 10.02 in all, of which 10.00 are due: the smallest coin is one of five.
    async fn rounded(&self, desk: &Desk) -> Invoice {
        let draft = Invoice {
            account: self.account().await,
            smallest_payment: eur("0.05"),
            ..desk.invoice(vec![desk.line("1", "3", "2.76")])
        };
        let draft = self.create_invoice(draft).await.expect("a draft");
        self.issue(&draft, &desk.series).await.expect("issued")
    }

    /// A plain series of credit notes.
    async fn plain_credits(&self, desk: &Desk) -> NumberSeries {
        let document_kind = DocumentKind::CreditNote.into();
        let series = NumberSeries { document_kind, gap_free: false, ..invoices(&desk.legal_entity, "P") };
        self.create_series(series).await.expect("a series")
    }
}

/// Makes of an invoice of 10.02 of which 10.01 are credited what an earlier version made of it: the rounding waits for the last credit,
/// and 10.01 are given back of the 10.00 that were due.
const ROUNDED_LAST: &str = r#"
    update invoice set
      credited_due = 1001,
      balance = jsonb_set(balance - 'smallest_payment', '{rounding}', '-2'),
      books = jsonb_set(books, '{open}', '-1')
    where credited = 1001;
    update ledger_entry set credit = credit + 1, base_credit = base_credit + 1
    where role = 'RECEIVABLE' and credit > 0;
    update ledger_entry set debit = debit + 1, base_debit = base_debit + 1
    where role = 'REVENUE' and debit > 0;
"#;

/// Gross, rounding and due of a credit note, in cents.
fn brief(credit_note: &CreditNote) -> [i64; 3] {
    let totals = credit_note.totals.clone().expect("totals");
    [totals.gross, totals.rounding, totals.due].map(|amount| cents(amount.as_ref()))
}

/// DOC-06: of an invoice of 10.02, paid as 10.00, 10.01 are credited and then the last cent: together no more than was due, and the
/// last one is not below zero.
#[tokio::test]
async fn the_last_credit_of_a_rounded_invoice_is_not_refused() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let invoice = billing.rounded(&desk).await;
    let most = Line { key: "1".into(), gross: eur("10.01"), ..Default::default() };

    let most = billing.credit(&invoice, vec![most], &series).await.expect("credited");
    let between = billing.get_invoice(&invoice).await;
    let last = billing.credit(&invoice, vec![], &series).await.expect("the rest");
    let after = billing.get_invoice(&invoice).await;

    let totals = invoice.totals.expect("totals");
    assert_eq!([totals.gross, totals.rounding, totals.due], [eur("10.02"), eur("-0.02"), eur("10.00")]);
    assert_eq!((brief(&most), brief(&last)), ([1_001, -1, 1_000], [1, -1, 0]));
    assert_eq!((between.open, after.open), (eur("0.00"), eur("0.00")));
    assert_eq!(after.credited, eur("10.02"));
    billing.assert_books_are_even(&desk, &["1200", "2200", "4000"]).await;
}

/// DOC-06: what an earlier version gave back beyond what was due, the last credit takes back; nothing else makes less of what is
/// credited.
#[tokio::test]
async fn what_was_given_back_beyond_what_was_due_is_put_right() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let invoice = billing.rounded(&desk).await;
    let most = Line { key: "1".into(), gross: eur("10.01"), ..Default::default() };
    billing.credit(&invoice, vec![most], &series).await.expect("credited");
    billing.tamper(ROUNDED_LAST, true).await.expect("done");
    let between = billing.get_invoice(&invoice).await;

    let one_left = "jsonb_set(balance, '{items,0,quantity}', '\"1\"')";
    for (credited_due, left) in [
        (1_000, "balance".to_owned()),
        (1_000, one_left.to_owned()),
        // These add up; but 0.01 is no coin, and 0.05 is one.
        (999, format!("jsonb_set({one_left}, '{{rounding}}', '0')")),
        (995, format!("jsonb_set({one_left}, '{{rounding}}', '4')")),
    ] {
        let statement = format!("update invoice set credited_due = {credited_due}, balance = {left}");
        let error = billing.tamper(&statement, false).await.expect_err(&statement);
        assert!(error.to_string().contains(UNCREDITED), "{statement}: {error}");
    }
    let last = billing.credit(&invoice, vec![], &series).await.expect("the rest");
    let after = billing.get_invoice(&invoice).await;

    assert_eq!((between.open, after.open), (eur("-0.01"), eur("0.00")));
    assert_eq!((brief(&last), after.credited), ([1, -2, -1], eur("10.02")));
    billing.assert_books_are_even(&desk, &["1200", "2200", "4000"]).await;
}

/// DOC-06, DOC-18: an invoice that was paid in coins is credited piece by piece, and each time what is owed to the customer is given
/// back in coins.
#[tokio::test]
async fn what_is_credited_of_a_rounded_invoice_is_given_back_in_coins() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let invoice = billing.rounded(&desk).await;
    let payment = billing.pay(transfer(&invoice, "10.00"), vec![part(&invoice, "")]).await.expect("paid");

    let mut steps = Vec::new();
    for _ in 0..3 {
        let third = billing.credit(&invoice, vec![quantity("1", "1")], &series).await.expect("a third");
        let owed = cents(billing.get_invoice(&invoice).await.open.as_ref());
        let back = format!("{}.{:02}", -owed / 100, -owed % 100);
        billing.refund(&payment, &back, Some(&invoice)).await.expect("given back");
        let invoice = billing.get_invoice(&invoice).await;
        steps.push((brief(&third), owed, cents(invoice.open.as_ref()), invoice.payment_state()));
    }

    let expected = [
        ([334, -4, 330], -330, 0, PaymentState::Paid),
        ([334, 1, 335], -335, 0, PaymentState::Paid),
        ([334, 1, 335], -335, 0, PaymentState::Refunded),
    ];
    assert_eq!(steps, expected);
    billing.assert_books_are_even(&desk, &["1000", "1200", "2100", "2200", "4000"]).await;
}

/// DOC-06, XTR-05: a foreign invoice that is rounded, paid in part and credited in parts ends at zero in both currencies, without a
/// difference of rates, since none has changed.
#[tokio::test]
async fn a_rounded_foreign_invoice_ends_at_zero_in_both_currencies() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    billing.dollar(days_ago(2), "0.9137", "ECB").await;
    let issued = async || {
        let draft = Invoice {
            currency_code: "USD".into(),
            smallest_payment: usd("0.05"),
            ..desk.invoice(vec![desk.line("1", "3", "2.76")])
        };
        let draft = billing.create_invoice(draft).await.expect("a draft");
        billing.issue(&draft, &desk.series).await.expect("issued")
    };
    let invoice = issued().await;

    let mut open = Vec::new();
    for _ in 0..3 {
        billing.credit(&invoice, vec![quantity("1", "1")], &series).await.expect("a third");
        open.push(cents(billing.get_invoice(&invoice).await.open.as_ref()));
    }
    billing.assert_books_are_even(&desk, &["1200", "2200", "4000"]).await;
    assert_eq!(billing.trial(&desk).await.get("5300"), None, "no rate has changed");
    let again = issued().await;
    let paid = Payment { amount: usd("3.30"), ..transfer(&again, "3.30") };
    let allocation = Allocation { invoice: again.name.clone(), amount: usd("3.30") };
    let payment = billing.pay(paid, vec![allocation]).await.expect("paid");
    for _ in 0..3 {
        billing.credit(&again, vec![quantity("1", "1")], &series).await.expect("a third");
    }
    let owed = billing.get_invoice(&again).await.open;
    let back = billing.refund(&payment, "", Some(&again)).await.expect("given back");
    let refunded = billing.get_invoice(&again).await;

    assert_eq!(open, [670, 335, 0]);
    assert_eq!((owed, back.state()), (usd("-3.30"), State::Refunded));
    assert_eq!((refunded.open.clone(), refunded.payment_state()), (usd("0.00"), PaymentState::Refunded));
    billing.assert_books_are_even(&desk, &["1000", "1200", "2100", "2200", "4000"]).await;
}

/// DOC-06, XTR-05: nothing is credited on a day that is closed: neither invoice nor draft changes, and no number is taken; when the
/// day is open again, it is.
#[tokio::test]
async fn nothing_is_credited_in_a_closed_period() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let (series, plain) = (billing.credits(&desk).await, billing.plain_credits(&desk).await);
    let invoice = billing.owed(&desk).await;
    let ledger = billing.ledger(&desk).await;
    let draft = billing.create_credit_note(of(&invoice, vec![])).await.expect("a draft");
    let closed = billing.close(&ledger, invoice.issue_date).await.expect("closed");

    let refused = [
        refusal(billing.issue_credit(&draft, &series).await),
        refusal(billing.issue_credit(&draft, &plain).await),
    ];
    let untouched = billing.get_invoice(&invoice).await;
    billing.reopen(&closed, days_ago(5), "A late credit").await.expect("opened");
    let issued = billing.issue_credit(&draft, &plain).await.expect("issued");

    for refused in refused {
        assert_eq!(refused, (Code::FailedPrecondition, "PERIOD_CLOSED".to_owned()));
    }
    assert_eq!((untouched.credited, untouched.open), (eur("0.00"), eur("121.00")));
    assert_eq!(issued.number, "P0001", "what was refused took no number");
    assert_eq!(billing.next_number(&series).await, "C0001");
}

/// DOC-06, XTR-05: what was supplied before a rate changed is credited at the rate of then.
#[tokio::test]
async fn a_credit_is_taxed_as_its_invoice_was() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let draft = desk.invoice(vec![desk.line("1", "3", "100")]);
    let draft = Invoice { supply_date: date(2012, 8, 31), ..draft };
    let draft = billing.create_invoice(draft).await.expect("a draft");
    let invoice = billing.issue(&draft, &desk.series).await.expect("issued");

    let third = billing.credit(&invoice, vec![quantity("1", "1")], &series).await.expect("credited");

    let groups: Vec<_> =
        third.tax_groups.iter().map(|group| (group.percent.as_str(), group.tax_amount.clone())).collect();
    assert_eq!(groups, [("18", eur("18.00"))]);
}

/// DOC-06, XTR-05: what is credited to zero is asked for by nobody, however long ago it was due.
#[tokio::test]
async fn what_is_credited_to_zero_is_not_dunned() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    billing.create_policy(policy("")).await.expect("a policy");
    let (late, _) = billing.owing(&desk).await;
    let (account, invoice) = billing.owing(&desk).await;
    let half = Line { key: "1".into(), gross: eur("60.50"), ..Default::default() };
    billing.credit(&invoice, vec![half], &series).await.expect("credited");
    billing.credit(&invoice, vec![], &series).await.expect("credited");

    billing.dun_in(40).await;

    assert_eq!(billing.dunning_of(&late).await.len(), 1, "it runs");
    assert!(billing.dunning_of(&account).await.is_empty());
    assert!(billing.profile_of(&account).await.is_none(), "nobody holds its credit");
}
