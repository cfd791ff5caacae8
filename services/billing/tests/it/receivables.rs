//! What accounts owe, at any date: statements, aging and payment history, read off the books.

use trato_proto::{
    billing::v1::{
        Invoice, Payment, QueryAgingRequest, QueryAgingResponse, QueryPaymentHistoryRequest,
        QueryPaymentHistoryResponse, QueryStatementRequest, QueryStatementResponse, payment::State,
    },
    google::value::Date,
};

use crate::{
    harness::{Billing, Desk, cents, days_ago, eur, field, violations},
    payment::{part, transfer},
};

impl Billing {
    pub async fn statement(
        &self,
        account: &str,
        from: Option<Date>,
        to: Option<Date>,
    ) -> QueryStatementResponse {
        let request = QueryStatementRequest {
            account: account.into(),
            currency_code: "EUR".into(),
            from_date: from,
            to_date: to,
            ..Default::default()
        };
        self.receivables()
            .query_statement(self.admin.request(request))
            .await
            .expect("a statement")
            .into_inner()
    }

    pub async fn aging(&self, account: &str, as_of: Option<Date>) -> QueryAgingResponse {
        let request = QueryAgingRequest {
            account: account.into(),
            as_of,
            time_zone: "Europe/Madrid".into(),
            ..Default::default()
        };
        self.receivables().query_aging(self.admin.request(request)).await.expect("an aging").into_inner()
    }

    async fn history(&self, account: &str, as_of: Option<Date>) -> QueryPaymentHistoryResponse {
        let request = QueryPaymentHistoryRequest { account: account.into(), as_of, ..Default::default() };
        let answer = self.receivables().query_payment_history(self.admin.request(request)).await;
        answer.expect("a history").into_inner()
    }

    async fn owed_by(&self, desk: &Desk, account: &str, price: &str) -> Invoice {
        let draft = Invoice { account: account.into(), ..desk.invoice(vec![desk.line("1", "1", price)]) };
        let draft = self.create_invoice(draft).await.expect("a draft");
        self.issue(&draft, &desk.series).await.expect("issued")
    }
}

/// Kind, cents and the balance after it.
pub fn brief(statement: &QueryStatementResponse) -> Vec<(&str, i64, i64)> {
    let line = |line: &'_ trato_proto::billing::v1::query_statement_response::Line| {
        (cents(line.amount.as_ref()), cents(line.balance.as_ref()))
    };
    let lines = statement.lines.iter();
    lines.map(|one| (one.kind().as_str_name(), line(one).0, line(one).1)).collect()
}

/// DOC-14: a statement of a period that ends before it begins is refused: nothing on it would be no balance.
#[tokio::test]
async fn a_statement_does_not_end_before_it_begins() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    let from = |from_date, to_date| QueryStatementRequest {
        account: account.clone(),
        currency_code: "EUR".into(),
        from_date,
        to_date,
        ..Default::default()
    };
    let ask = async |request| billing.receivables().query_statement(billing.admin.request(request)).await;

    let turned = ask(from(days_ago(3), days_ago(4))).await;
    let one_day = ask(from(days_ago(3), days_ago(3))).await;

    assert_eq!(violations(turned), [field("to_date", "END_BEFORE_START")]);
    assert!(one_day.is_ok(), "a period of a day is one");
}

/// DOC-14, DOC-18: a statement leads from the balance before to the balance after, and does so for any part of the time.
#[tokio::test]
async fn a_statement_leads_from_one_balance_to_the_next() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    let account = billing.account().await;
    billing.open_balance(&ledger, &account, eur("50.00"), days_ago(90)).await.expect("taken over");
    let early = Invoice {
        account: account.clone(),
        legal_entity: desk.legal_entity.name.clone(),
        ..Default::default()
    };
    let early = Payment { date: days_ago(40), external_key: "TX-1".into(), ..transfer(&early, "30.00") };
    billing.pay(early, vec![]).await.expect("recorded");
    let invoice = billing.owed_by(&desk, &account, "100").await;
    let payment =
        billing.pay(transfer(&invoice, "130.00"), vec![part(&invoice, "")]).await.expect("recorded");
    billing.refund(&payment, "4.00", None).await.expect("given back");

    let whole = billing.statement(&account, None, None).await;
    let before = billing.statement(&account, None, days_ago(60)).await;
    let since = billing.statement(&account, days_ago(60), None).await;
    let between = billing.statement(&account, days_ago(60), days_ago(5)).await;
    let of_nobody = billing.statement(&format!("accounts/{}", uuid::Uuid::now_v7()), None, None).await;

    assert_eq!(
        brief(&whole),
        [
            ("OPENING", 5_000, 5_000),
            ("PAYMENT", -3_000, 2_000),
            ("INVOICE", 12_100, 14_100),
            ("PAYMENT", -13_000, 1_100),
            ("REFUND", 400, 1_500),
        ]
    );
    assert_eq!((whole.lines[1].description.as_str(), whole.lines[2].description.as_str()), ("TX-1", "F0001"));
    assert_eq!((&whole.opening_balance, &whole.closing_balance), (&eur("0.00"), &eur("15.00")));
    assert_eq!((&before.closing_balance, &since.opening_balance), (&eur("50.00"), &eur("50.00")));
    assert_eq!((brief(&before), &brief(&since)[..]), (vec![("OPENING", 5_000, 5_000)], &brief(&whole)[1..]));
    assert_eq!((between.lines.len(), between.closing_balance), (1, eur("20.00")));
    assert_eq!((of_nobody.lines.len(), of_nobody.closing_balance), (0, eur("0.00")));
}

/// DOC-14: what is open is told by how long it has been due, on any day, for each account and in all.
#[tokio::test]
async fn aging_tells_how_long_it_has_been_due() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    let (one, other) = (billing.account().await, billing.account().await);
    for (days, amount) in [
        (0, "1.00"),
        (1, "2.00"),
        (30, "4.00"),
        (31, "8.00"),
        (60, "16.00"),
        (61, "32.00"),
        (90, "64.00"),
        (91, "128.00"),
    ] {
        billing.open_balance(&ledger, &one, eur(amount), days_ago(days)).await.expect("taken over");
    }
    billing.open_balance(&ledger, &other, eur("1000.00"), days_ago(100)).await.expect("taken over");
    let payment =
        Invoice { account: one.clone(), legal_entity: desk.legal_entity.name.clone(), ..Default::default() };
    billing.pay(Payment { date: days_ago(2), ..transfer(&payment, "5.00") }, vec![]).await.expect("recorded");

    let now = billing.aging("", days_ago(0)).await;
    let then = billing.aging(&one, days_ago(61)).await;
    let mut pages = Vec::new();
    let mut page_token = String::new();
    loop {
        let request =
            QueryAgingRequest { as_of: days_ago(0), page_size: 1, page_token, ..Default::default() };
        let page = billing
            .receivables()
            .query_aging(billing.admin.request(request))
            .await
            .expect("a page")
            .into_inner();
        assert_eq!(page.totals, now.totals, "totals are those of all pages");
        pages.extend(page.rows);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }

    let buckets = |answer: &QueryAgingResponse, account: &str| {
        let row = answer.rows.iter().find(|row| row.account == account).expect("a row");
        let buckets = row.buckets.clone().expect("buckets");
        [
            &buckets.not_due,
            &buckets.days_1_to_30,
            &buckets.days_31_to_60,
            &buckets.days_61_to_90,
            &buckets.days_over_90,
            &buckets.open,
            &buckets.unallocated,
            &buckets.balance,
        ]
        .map(|amount| cents(amount.as_ref()))
    };
    assert_eq!(buckets(&now, &one), [100, 600, 2_400, 9_600, 12_800, 25_500, 500, 25_000]);
    assert_eq!(buckets(&now, &other), [0, 0, 0, 0, 100_000, 100_000, 0, 100_000]);
    assert_eq!(buckets(&then, &one), [3_200, 19_200, 0, 0, 0, 22_400, 0, 22_400]);
    assert_eq!((now.totals.len(), cents(now.totals[0].balance.as_ref())), (1, 125_000));
    assert_eq!((now.time_zone.as_str(), now.as_of), ("Europe/Madrid", days_ago(0)));
    assert_eq!(pages, now.rows);
    let request =
        QueryAgingRequest { time_zone: "Madrid".into(), page_token: "x".into(), ..Default::default() };
    let wrong = billing.receivables().query_aging(billing.admin.request(request)).await;
    assert_eq!(
        violations(wrong),
        [field("page_token", "INVALID_PAGE_TOKEN"), field("time_zone", "INVALID_TIME_ZONE")]
    );
}

/// DOC-14: the payments of an account, with what each had paid on a day, and how long it takes to pay.
#[tokio::test]
async fn the_history_says_what_each_payment_paid() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let account = billing.account().await;
    let invoice = billing.owed_by(&desk, &account, "100").await;
    let early = Payment { date: days_ago(10), ..transfer(&invoice, "71.00") };
    let early = billing.pay(early, vec![part(&invoice, "21.00")]).await.expect("recorded");
    let late = billing.pay(transfer(&invoice, "100.00"), vec![part(&invoice, "")]).await.expect("recorded");
    billing.refund(&early, "30.00", None).await.expect("given back");

    let now = billing.history(&account, None).await;
    let then = billing.history(&account, days_ago(5)).await;

    let page = |page_token: &str| QueryPaymentHistoryRequest {
        account: account.clone(),
        page_size: 1,
        page_token: page_token.into(),
        ..Default::default()
    };
    let first = billing.receivables().query_payment_history(billing.admin.request(page(""))).await;
    let first = first.expect("a page").into_inner();
    let second = billing
        .receivables()
        .query_payment_history(billing.admin.request(page(&first.next_page_token)))
        .await;
    let second = second.expect("a page").into_inner();
    assert_eq!([&first.payments[..], &second.payments[..]].concat(), now.payments);
    assert_eq!((second.next_page_token.as_str(), now.next_page_token.as_str()), ("", ""));

    let entries: Vec<_> =
        now.payments.iter().map(|entry| (&entry.payment, &entry.returned, &entry.unallocated)).collect();
    assert_eq!(
        entries,
        [(&late.name, &eur("0.00"), &eur("0.00")), (&early.name, &eur("30.00"), &eur("20.00"))]
    );
    assert_eq!(now.payments[1].allocations, [part(&invoice, "21.00")]);
    assert_eq!((now.allocation_count, now.late_count), (2, 0));
    assert_eq!((now.average_hundredth_days_to_pay, then.allocation_count), (0, 0));
    assert_eq!(then.payments.len(), 1);
    assert_eq!((&then.payments[0].unallocated, then.payments[0].allocations.len()), (&eur("71.00"), 0));
}

/// A generator of the test's own, so that what failed once fails again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }
}

/// DOC-14, DOC-18: whatever happens to invoices and payments, in whatever order: the statement ends where the documents stand,
/// the aging says the same, and the books are even in every account that the customer does not owe.
#[tokio::test]
async fn the_history_adds_up_to_the_balance() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let account = billing.account().await;
        let (mut invoices, mut payments): (Vec<Invoice>, Vec<Payment>) = (Vec::new(), Vec::new());
        let amount = |dice: &mut Dice| format!("{}.{:02}", dice.roll(80), 1 + dice.roll(99));
        for _ in 0..30 {
            // Many of them are refused, and must leave nothing behind then.
            match dice.roll(9) {
                0 | 1 => invoices.push(billing.owed_by(&desk, &account, &amount(&mut dice)).await),
                2 if !invoices.is_empty() => {
                    let payment = transfer(&invoices[0], &amount(&mut dice));
                    let payment = Payment {
                        date: days_ago(2 + u64::try_from(dice.roll(50)).expect("small")),
                        ..payment
                    };
                    payments.push(billing.pay(payment, vec![]).await.expect("recorded"));
                }
                3 if !invoices.is_empty() => {
                    let invoice = &invoices[dice.roll(invoices.len())];
                    payments.extend(
                        billing.pay(transfer(invoice, &amount(&mut dice)), vec![part(invoice, "")]).await,
                    );
                }
                4 if !payments.is_empty() => {
                    let (payment, invoice) =
                        (&payments[dice.roll(payments.len())], &invoices[dice.roll(invoices.len())]);
                    let _ = billing.allocate(payment, vec![part(invoice, &amount(&mut dice))]).await;
                }
                5 if !payments.is_empty() => {
                    let (payment, invoice) =
                        (&payments[dice.roll(payments.len())], &invoices[dice.roll(invoices.len())]);
                    let _ = billing.unallocate(payment, vec![part(invoice, "")]).await;
                }
                6 if !payments.is_empty() => {
                    let (payment, invoice) =
                        (&payments[dice.roll(payments.len())], &invoices[dice.roll(invoices.len())]);
                    let invoice = (dice.roll(2) == 0).then_some(invoice);
                    let _ = billing.refund(payment, &amount(&mut dice), invoice).await;
                }
                7 if !payments.is_empty() && dice.roll(3) == 0 => {
                    let _ = billing.charge_back(&payments[dice.roll(payments.len())], "").await;
                }
                8 if !invoices.is_empty() => {
                    let invoice = &invoices[dice.roll(invoices.len())];
                    match dice.roll(4) {
                        0 => drop(billing.void(invoice, "Wrong").await),
                        1 => drop(billing.write_off(invoice, "Gone").await),
                        _ => {
                            let gross = eur(&amount(&mut dice));
                            let line = trato_proto::billing::v1::credit_note::Line {
                                key: "1".into(),
                                gross,
                                ..Default::default()
                            };
                            drop(billing.credit(invoice, vec![line], &series).await);
                        }
                    }
                }
                _ => {}
            }
        }
        let mut stands = 0;
        for invoice in &invoices {
            stands += cents(billing.get_invoice(invoice).await.open.as_ref());
        }
        let history = billing.history(&account, None).await;
        for entry in &history.payments {
            stands -= cents(entry.unallocated.as_ref());
            let paid: i64 = entry.allocations.iter().map(|part| cents(part.amount.as_ref())).sum();
            let parts = [&entry.returned, &entry.unallocated].map(|part| cents(part.as_ref()));
            assert_eq!(
                cents(entry.amount.as_ref()),
                paid + parts.iter().sum::<i64>(),
                "seed {seed}: {entry:?}"
            );
        }
        assert!(payments.iter().all(|payment| payment.state() == State::Succeeded));
        assert_eq!(history.payments.len(), payments.len());
        let statement = billing.statement(&account, None, None).await;
        assert_eq!(cents(statement.closing_balance.as_ref()), stands, "seed {seed}: {statement:#?}");
        let sum: i64 = statement.lines.iter().map(|line| cents(line.amount.as_ref())).sum();
        assert_eq!(sum, stands, "seed {seed}");
        let aging = billing.aging(&account, None).await;
        let balance = aging
            .rows
            .first()
            .map_or(0, |row| cents(row.buckets.as_ref().expect("buckets").balance.as_ref()));
        assert_eq!(balance, stands, "seed {seed}");
        billing.trial(&desk).await;
    }
}
