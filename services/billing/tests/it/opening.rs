//! Open invoices of another system: taken over once, then owed like any other, and no document of ours.

use tonic::Code;
use trato_proto::{
    billing::v1::{
        DeleteInvoiceRequest, GetInvoiceRequest, Invoice, Ledger, ListInvoicesRequest, OpenBalanceRequest,
        Payment,
        dunning_state::State as Dunned,
        import_bank_statement_request::Format as Bank,
        import_bank_statement_response::{Outcome, Reason},
        invoice::{Party, PaymentState, State},
        payment::Allocation,
        rendered_document::{Format, Paper},
    },
    google::value::Date,
};
use uuid::Uuid;

use crate::{
    bank_statement::{brief as entry, importing},
    credit_note::of,
    dunning::{policy, stands},
    harness::{Billing, Desk, cents, days_ago, days_ahead, eur, field, refusal, violations},
    payment::{part, request_id, transfer},
    posting::{brief as posted, usd},
    receivables::brief,
};

/// An invoice of which so much was open when it was taken over a month ago; it had been due for a month then.
pub fn item(ledger: &Ledger, account: &str, number: &str, amount: &str) -> OpenBalanceRequest {
    OpenBalanceRequest {
        name: ledger.name.clone(),
        account: account.into(),
        amount: eur(amount),
        date: days_ago(30),
        description: "Rest of the coffee machine".into(),
        number: number.into(),
        issue_date: days_ago(90),
        due_date: days_ago(60),
        bill_to: Some(Party { display_name: "Hotel Miramar".into(), ..Default::default() }),
        request_id: request_id(),
        ..Default::default()
    }
}

impl Billing {
    /// Invoices that were taken over.
    async fn taken_over(&self) -> Vec<Invoice> {
        let request = ListInvoicesRequest { filter: "takeover_date:*".into(), ..Default::default() };
        let page = self.invoices().list_invoices(self.admin.request(request)).await.expect("a page");
        page.into_inner().invoices
    }

    /// What an item has become that is taken over alone.
    pub async fn take_over_invoice(&self, item: OpenBalanceRequest) -> Invoice {
        self.take_over(item).await.expect("taken over");
        let [invoice] = <[Invoice; 1]>::try_from(self.taken_over().await).expect("there is one");
        invoice
    }

    /// An invoice of 121.00, `RE-2025/42`, that was taken over.
    async fn owed_elsewhere(&self, desk: &Desk) -> Invoice {
        let ledger = self.ledger(desk).await;
        self.take_over_invoice(item(&ledger, &desk.account, "RE-2025/42", "121.00")).await
    }
}

/// Cents that are open of an account in euros on a day, and that it has paid without allocation.
async fn aged(billing: &Billing, account: &str, as_of: Option<Date>) -> Vec<(i64, i64)> {
    let rows = billing.aging(account, as_of).await.rows;
    let buckets = rows.into_iter().filter_map(|row| row.buckets);
    buckets.map(|one| (cents(one.open.as_ref()), cents(one.unallocated.as_ref()))).collect()
}

/// XTR-05: what is taken over is an invoice with its own number and days, posted on the day of the balance, and of no series.
#[tokio::test]
async fn an_open_invoice_is_taken_over_as_it_was() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed_elsewhere(&desk).await;

    assert_eq!((invoice.state(), invoice.payment_state()), (State::Sent, PaymentState::Unpaid));
    assert_eq!((invoice.number.as_str(), &invoice.account), ("RE-2025/42", &desk.account));
    assert_eq!((invoice.issue_date, invoice.due_date), (days_ago(90), days_ago(60)));
    assert_eq!((invoice.takeover_date, &invoice.open), (days_ago(30), &eur("121.00")));
    assert_eq!((invoice.number_series.as_str(), invoice.hash.as_str()), ("", ""));
    assert!(invoice.seller.is_none() && invoice.tax_groups.is_empty());
    let [line] = &invoice.lines[..] else { panic!("{:?}", invoice.lines) };
    assert_eq!((line.description.as_str(), line.unit_price.as_str()), ("Rest of the coffee machine", "121"));
    let totals = invoice.totals.expect("totals");
    assert_eq!((totals.tax, totals.due), (eur("0.00"), eur("121.00")));
    let lines = billing.journal(&desk).await;
    assert_eq!(posted(&lines), [("OPENING", "1200", 12_100), ("OPENING", "9000", -12_100)]);
    let known: Vec<_> = lines.iter().map(|line| (&line.document, line.description.as_str())).collect();
    assert_eq!(known, [(&invoice.name, "RE-2025/42"); 2]);
    let events = billing.event_types().await;
    assert_eq!(events[events.len() - 2..], ["invoice.taken_over", "ledger.opened"]);
}

/// DOC-18, DOC-14: payments are allocated to it, not before it is in the books; statement and aging say on any day what was open.
#[tokio::test]
async fn what_is_taken_over_is_paid_like_any_other() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed_elsewhere(&desk).await;
    let early = Payment { date: days_ago(45), ..transfer(&invoice, "21.00") };

    billing.pay(early, vec![part(&invoice, "")]).await.expect("recorded");
    let partly = billing.get_invoice(&invoice).await;
    let rest = billing.pay(transfer(&invoice, "100.00"), vec![]).await.expect("recorded");
    billing.allocate(&rest, vec![part(&invoice, "")]).await.expect("allocated");
    let paid = billing.get_invoice(&invoice).await;

    assert_eq!((partly.payment_state(), partly.open), (PaymentState::PartlyPaid, eur("100.00")));
    assert_eq!((paid.payment_state(), paid.open), (PaymentState::Paid, eur("0.00")));
    billing.assert_books_are_even(&desk, &["1200", "2100"]).await;
    for (days, open) in [(46, None), (31, Some((0, 2_100))), (30, Some((10_000, 0))), (0, None)] {
        assert_eq!(
            aged(&billing, &desk.account, days_ago(days)).await,
            Vec::from_iter(open),
            "{days} days ago"
        );
    }
    let statement = billing.statement(&desk.account, None, None).await;
    let expected = [("PAYMENT", -2_100, -2_100), ("OPENING", 12_100, 10_000), ("PAYMENT", -10_000, 0)];
    assert_eq!(brief(&statement), expected);
    let before = billing.statement(&desk.account, None, days_ago(31)).await;
    assert_eq!(before.closing_balance, eur("-21.00"));
}

/// XTR-05: the entries of a bank statement find it by its number, or without one by amount and name.
#[tokio::test]
async fn a_bank_statement_finds_what_is_taken_over() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    billing.take_over(item(&ledger, &desk.account, "RE-2025/42", "121.00")).await.expect("taken over");
    billing.take_over(item(&ledger, &desk.account, "", "77.00")).await.expect("taken over");
    let day = days_ago(3).expect("a day");
    let day = format!("{:04}-{:02}-{:02}", day.year, day.month, day.day);
    let file = format!(
        "key;date;amount;currency;reference;counterparty\n\
         1;{day};100.00;EUR;Part of RE-2025/42;\n\
         2;{day};77.00;EUR;;HOTEL MIRAMAR\n"
    );

    let done = billing.import(importing(&desk, Bank::Csv, &file)).await.expect("imported");

    assert_eq!(
        done.entries.iter().map(entry).collect::<Vec<_>>(),
        [("1", Outcome::Recorded, Reason::Number), ("2", Outcome::Recorded, Reason::AmountAndName)]
    );
    let mut open: Vec<_> =
        billing.taken_over().await.into_iter().map(|invoice| (invoice.number, invoice.open)).collect();
    open.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(open, [(String::new(), eur("0.00")), ("RE-2025/42".to_owned(), eur("21.00"))]);
}

/// XTR-05: it is dunned by its number and its own day, and no more once it is written off.
#[tokio::test]
async fn what_is_taken_over_is_dunned_and_written_off() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.create_policy(policy("")).await.expect("a policy");
    let invoice = billing.owed_elsewhere(&desk).await;

    billing.dun_on(None).await;
    let dunned = billing.dunning_of(&desk.account).await;
    let given_up = billing.write_off(&invoice, "Insolvent").await.expect("written off");
    billing.dun_on(None).await;
    let cleared = billing.dunning_of(&desk.account).await;

    assert_eq!(stands(&dunned), [(Dunned::Active, 3, true)]);
    let items: Vec<_> = dunned[0].items.iter().map(|item| (&item.invoice, &item.number)).collect();
    assert_eq!((items, dunned[0].overdue_since), (vec![(&invoice.name, &invoice.number)], days_ago(60)));
    assert_eq!((given_up.payment_state(), given_up.open), (PaymentState::WrittenOff, eur("0.00")));
    assert_eq!(stands(&cleared), [(Dunned::Cleared, 0, false)]);
    assert_eq!(billing.trial(&desk).await["5200"], 12_100);
}

/// DOC-06: as a document it is not ours: nobody credits, voids, changes or renders it, and the table says so too.
#[tokio::test]
async fn what_another_system_issued_is_no_document_of_ours() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed_elsewhere(&desk).await;

    let refused = [
        refusal(billing.create_credit_note(of(&invoice, vec![])).await),
        refusal(billing.void(&invoice, "Wrong").await),
        refusal(billing.render(&invoice, Format::Pdf, "en", Paper::A4).await),
        refusal(billing.render(&invoice, Format::Ubl, "en", Paper::A4).await),
    ];
    let changed =
        billing.update_invoice(Invoice { note: "Hello".into(), ..invoice.clone() }, &["note"]).await;
    let delete = DeleteInvoiceRequest { name: invoice.name.clone(), ..Default::default() };
    let deleted = billing.invoices().delete_invoice(billing.admin.request(delete)).await;

    for refused in refused {
        assert_eq!(refused, (Code::FailedPrecondition, "INVOICE_ISSUED_ELSEWHERE".to_owned()));
    }
    for refused in [refusal(changed), refusal(deleted)] {
        assert_eq!(refused, (Code::FailedPrecondition, "INVOICE_NOT_DRAFT".to_owned()));
    }
    for change in
        ["state = 'VOID', send_time = null, void_time = now()", "credited = 1", "takeover_date = null"]
    {
        let statement = format!("update invoice set {change}");
        let error = billing.tamper(&statement, true).await.expect_err("not even past the triggers");
        assert!(error.to_string().contains("violates check constraint"), "{change}: {error}");
    }
}

/// DOC-06: a number is taken over once, and never if we gave it; and it keeps no series of ours from its next number.
#[tokio::test]
async fn a_number_is_taken_over_once() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    let legal_entity = billing.legal_entity("Iberia").await.name;
    let other = Ledger { legal_entity, ..Default::default() };
    let other = billing.create_ledger(other).await.expect("a ledger");
    let take_over = async |ledger: &Ledger, number: &str| {
        billing.take_over(item(ledger, &desk.account, number, "1.00")).await
    };

    take_over(&ledger, "F0001").await.expect("taken over");
    let again = take_over(&ledger, "F0001").await;
    let issued = [billing.owed(&desk).await, billing.owed(&desk).await];
    let ours = take_over(&ledger, "F0002").await;
    let of_other = take_over(&other, "F0001").await;

    assert_eq!(issued.map(|invoice| invoice.number), ["F0001", "F0002"]);
    let verified = billing.verify(&desk.series, 0, 0).await.expect("an answer");
    assert_eq!((verified.verified, verified.fault), (2, 0), "what is taken over stands in no chain");
    for refused in [refusal(again), refusal(ours)] {
        assert_eq!(refused, (Code::AlreadyExists, "NUMBER_TAKEN".to_owned()));
    }
    assert!(of_other.is_ok(), "{of_other:?}");
}

/// XTR-05: the same request is done once, one that is only tried does nothing, and days must follow on one another.
#[tokio::test]
async fn an_item_is_taken_over_once_and_only_if_it_can_be() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    let item = item(&ledger, &desk.account, "RE-1", "1.00");
    let with = async |change: fn(&mut OpenBalanceRequest)| {
        let mut changed = OpenBalanceRequest { request_id: request_id(), ..item.clone() };
        change(&mut changed);
        billing.take_over(changed).await
    };

    let tried = OpenBalanceRequest { validate_only: true, ..item.clone() };
    billing.take_over(tried).await.expect("it would pass");
    assert!(billing.taken_over().await.is_empty(), "it was only tried");
    let zero = with(|item| item.amount = eur("0.00")).await;
    let to_come = with(|item| item.date = days_ahead(3)).await;
    let issued_later = with(|item| (item.issue_date, item.due_date) = (days_ago(29), days_ago(28))).await;
    let due_before = with(|item| item.due_date = days_ago(91)).await;
    let first = billing.take_over(item.clone()).await.expect("taken over");
    let again = billing.take_over(item.clone()).await.expect("the same answer");
    let closed = billing.close(&again, days_ago(10)).await.expect("closed");
    let too_late = with(|item| item.number = "RE-2".into()).await;

    assert_eq!((first, billing.taken_over().await.len()), (again, 1));
    assert_eq!(closed.closed_through, days_ago(10));
    assert_eq!(refusal(too_late), (Code::FailedPrecondition, "PERIOD_CLOSED".to_owned()));
    for (refused, at) in
        [(zero, "amount"), (to_come, "date"), (issued_later, "issue_date"), (due_before, "due_date")]
    {
        assert_eq!(violations(refused), [field(at, "OUT_OF_RANGE")]);
    }
}

/// DOC-14: without days of its own it was issued and is due on the day of the balance, or was issued when it was due before.
#[tokio::test]
async fn days_that_are_not_told_are_those_of_the_balance() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    let bare =
        OpenBalanceRequest { issue_date: None, due_date: None, ..item(&ledger, &desk.account, "A", "1.00") };
    let due = OpenBalanceRequest { issue_date: None, ..item(&ledger, &desk.account, "B", "1.00") };

    billing.take_over(bare).await.expect("taken over");
    billing.take_over(due).await.expect("taken over");

    let mut days: Vec<_> = billing.taken_over().await;
    days.sort_by(|one, other| one.number.cmp(&other.number));
    let days: Vec<_> = days.iter().map(|invoice| (invoice.issue_date, invoice.due_date)).collect();
    assert_eq!(days, [(days_ago(30), days_ago(30)), (days_ago(60), days_ago(60))]);
}

/// XTR-05: one in another currency is converted by the rate of the day it is taken over, and leaves zero when it is paid.
#[tokio::test]
async fn a_foreign_item_adds_up_in_both_currencies() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    let dollars =
        || OpenBalanceRequest { amount: usd("100.00"), ..item(&ledger, &desk.account, "RE-1", "1.00") };

    let unknown = billing.take_over(dollars()).await;
    billing.dollar(days_ago(31), "0.9", "ECB").await;
    billing.dollar(days_ago(1), "0.95", "ECB").await;
    let invoice = billing.take_over_invoice(dollars()).await;
    let opened = billing.trial(&desk).await;
    let payment = Payment { amount: usd("100.00"), ..transfer(&invoice, "1.00") };
    let whole = Allocation { invoice: invoice.name.clone(), amount: None };
    billing.pay(payment, vec![whole]).await.expect("recorded");

    assert_eq!(refusal(unknown), (Code::FailedPrecondition, "EXCHANGE_RATE_NOT_FOUND".to_owned()));
    assert_eq!(opened, [("1200", 9_000), ("9000", -9_000)].map(|(code, sum)| (code.to_owned(), sum)).into());
    billing.assert_books_are_even(&desk, &["1200", "2100"]).await;
    assert_eq!(billing.trial(&desk).await["5300"], -500, "what the rates made of it");
}

/// What is taken over is of one tenant.
#[tokio::test]
async fn another_tenant_does_not_see_what_is_taken_over() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed_elsewhere(&desk).await;
    let stranger = billing.service.caller(Uuid::now_v7(), "admin", &["administrator"]);

    let request = GetInvoiceRequest { name: invoice.name.clone() };
    let read = billing.invoices().get_invoice(stranger.request(request)).await;
    let listed = billing.invoices().list_invoices(stranger.request(ListInvoicesRequest::default())).await;

    assert_eq!(refusal(read), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
    assert!(listed.expect("a page").into_inner().invoices.is_empty());
}
