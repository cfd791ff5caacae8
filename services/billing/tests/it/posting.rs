//! What documents and payments post: in both currencies, and only what adds up.

use std::collections::BTreeMap;

use tonic::Code;
use trato_proto::{
    billing::v1::{
        CreateExchangeRateRequest, ExchangeRate, Invoice, JournalLine, NumberSeries, Payment,
        credit_note::Line, journal_line::Kind, payment::Allocation,
    },
    google::value::{Date, Money},
};

use crate::{
    harness::{Billing, cents, days_ago, eur, invoices, refusal},
    ledger::signed,
    payment::{part, transfer},
};

/// An amount of dollars, such as `145.19`.
fn usd(amount: &str) -> Option<Money> {
    Some(Money { currency_code: "USD".into(), ..eur(amount)? })
}

impl Billing {
    /// What a dollar is worth in euros on a day, by somebody's account.
    pub async fn dollar(&self, day: Option<Date>, rate: &str, origin: &str) {
        let exchange_rate = ExchangeRate {
            date: day,
            from_currency_code: "USD".into(),
            to_currency_code: "EUR".into(),
            rate: rate.into(),
            origin: origin.into(),
            ..Default::default()
        };
        let request = CreateExchangeRateRequest { exchange_rate: Some(exchange_rate), ..Default::default() };
        self.exchange_rates().create_exchange_rate(self.admin.request(request)).await.expect("a rate");
    }
}

/// Account and cents of a journal, posting by posting.
fn brief(lines: &[JournalLine]) -> Vec<(&str, &str, i64)> {
    let brief = |line: &'_ JournalLine| signed(line.debit.as_ref(), line.credit.as_ref());
    lines.iter().map(|line| (line.kind().as_str_name(), line.account_code.as_str(), brief(line))).collect()
}

/// XTR-05, DOC-18: what is issued is posted, what is voided is taken back, and what is paid moves from the bank to the claim.
#[tokio::test]
async fn every_document_posts_what_it_says() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let invoice = billing.issued(&desk, &[("1", "3", "9.995"), ("2", "1", "90")]).await;
    let void = billing.issued(&desk, &[("1", "1", "10")]).await;
    billing.void(&void, "Wrong customer").await.expect("voided");
    let line = Line { key: "2".into(), gross: eur("12.10"), ..Default::default() };
    billing.credit(&invoice, vec![line], &series).await.expect("credited");
    billing.pay(transfer(&invoice, "100.00"), vec![part(&invoice, "50.00")]).await.expect("recorded");

    let lines = billing.journal(&desk).await;

    assert_eq!(
        brief(&lines),
        [
            ("INVOICE", "1200", 14_519),
            ("INVOICE", "2200", -2_520),
            ("INVOICE", "4000", -11_999),
            ("INVOICE", "1200", 1_210),
            ("INVOICE", "2200", -210),
            ("INVOICE", "4000", -1_000),
            ("INVOICE_VOID", "1200", -1_210),
            ("INVOICE_VOID", "2200", 210),
            ("INVOICE_VOID", "4000", 1_000),
            ("CREDIT_NOTE", "1200", -1_210),
            ("CREDIT_NOTE", "2200", 210),
            ("CREDIT_NOTE", "4000", 1_000),
            ("PAYMENT", "1000", 10_000),
            ("PAYMENT", "2100", -10_000),
            ("ALLOCATION", "2100", 5_000),
            ("ALLOCATION", "1200", -5_000),
        ]
    );
    assert!(lines.iter().all(|line| line.rate == "1" && line.debit == line.base_debit), "{lines:#?}");
    assert_eq!((lines[0].document.as_str(), lines[0].description.as_str()), (invoice.name.as_str(), "F0001"));
    assert_eq!((lines[1].tax.as_str(), lines[0].account.as_str()), ("VAT S 21 %", invoice.account.as_str()));
    let trial = billing.trial(&desk).await;
    let expected = [("1000", 10_000), ("1200", 8_309), ("2100", -5_000), ("2200", -2_310), ("4000", -10_999)];
    assert_eq!(trial, expected.map(|(code, sum)| (code.to_owned(), sum)).into());
}

/// XTR-05: a foreign document is converted once by the rate of the day, its parts share the totals, and what is paid and credited
/// in parts leaves zero in both currencies.
#[tokio::test]
async fn a_foreign_document_adds_up_in_both_currencies() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let plain = NumberSeries { gap_free: false, ..invoices(&desk.legal_entity, "P") };
    let plain = billing.create_series(plain).await.expect("a series");
    let lines = ["a", "b", "c"].map(|key| desk.line(key, "1", "33.33"));
    let draft = Invoice { currency_code: "USD".into(), ..desk.invoice(lines.into()) };
    let draft = billing.create_invoice(draft).await.expect("a draft");

    billing.dollar(days_ago(8), "0.5", "ECB").await;
    for series in [&desk.series, &plain] {
        let answer = billing.issue(&draft, series).await;
        assert_eq!(refusal(answer), (Code::FailedPrecondition, "EXCHANGE_RATE_NOT_FOUND".to_owned()));
    }
    billing.dollar(days_ago(2), "0.9137", "ECB").await;
    let invoice = billing.issue(&draft, &plain).await.expect("issued");
    assert_eq!(invoice.number, "P0001", "what was refused took no number");
    let dollars =
        |amount: &str, day| Payment { amount: usd(amount), date: day, ..transfer(&invoice, amount) };
    let first = dollars("40.01", days_ago(2));
    let allocation = |amount: &str| Allocation { invoice: invoice.name.clone(), amount: usd(amount) };
    billing.pay(first, vec![allocation("40.01")]).await.expect("recorded");
    let line = Line { key: "b".into(), ..Default::default() };
    billing.credit(&invoice, vec![line], &series).await.expect("credited");
    billing.dollar(days_ago(1), "0.95", "ECB").await;
    let open = cents(billing.get_invoice(&invoice).await.open.as_ref());
    let amount = format!("{}.{:02}", open / 100, open % 100);
    billing.pay(dollars(&amount, days_ago(0)), vec![allocation(&amount)]).await.expect("recorded");

    let lines = billing.journal(&desk).await;
    let mut postings: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for line in &lines {
        let sums = postings.entry(&line.posting).or_default();
        sums.0 += signed(line.debit.as_ref(), line.credit.as_ref());
        sums.1 += signed(line.base_debit.as_ref(), line.base_credit.as_ref());
    }
    assert!(postings.len() == 6 && postings.values().all(|sums| *sums == (0, 0)), "{postings:?}");
    // 120.99 dollars are 110.55 euros, and 21.00 of tax are 19.19.
    let base = |line: &JournalLine| signed(line.base_debit.as_ref(), line.base_credit.as_ref());
    let issued: Vec<i64> = lines.iter().filter(|line| line.kind() == Kind::Invoice).map(base).collect();
    assert_eq!(issued, [11_055, -1_919, -9_136]);
    let trial = billing.trial(&desk).await;
    assert_eq!((trial["1200"], trial["2100"]), (0, 0), "{trial:?}");
    assert!(trial["5300"] < 0, "the dollar has risen: {trial:?}");
}

/// DOC-18: not even the owner of the database posts what does not add up, changes what is posted, or adds to it.
#[tokio::test]
async fn the_database_refuses_a_posting_that_does_not_add_up() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.owed(&desk).await;
    let whole = "insert into posting select tenant_id, gen_random_uuid(), legal_entity, date, kind, document, description, \
                 account, currency_code, base_currency_code, rate, now(), creator from posting";
    let entry = |values: &str| {
        format!(
            "with posted as ({whole} returning tenant_id, id)
             insert into ledger_entry (tenant_id, posting, line, role, account_code, tax, debit, credit, base_debit, base_credit)
             select tenant_id, id, line, 'BANK', '1000', '', debit, credit, base_debit, base_credit
             from posted, (values {values}) as given (line, debit, credit, base_debit, base_credit)"
        )
    };

    for (statement, message) in [
        (entry("(1, 100, 0, 100, 0), (2, 0, 99, 0, 100)"), "add up to zero"),
        (entry("(1, 100, 0, 100, 0), (2, 0, 100, 0, 99)"), "add up to zero"),
        (entry("(1, 100, 0, 100, 0)"), "add up to zero"),
        (entry("(1, 100, 100, 100, 100)"), "ledger_entry_debit_check"),
        (entry("(1, -1, 0, 0, 0), (2, 1, 0, 0, 0)"), "ledger_entry_debit_check"),
        (
            "insert into ledger_entry select tenant_id, posting, line + 10, role, account_code, tax, invoice, debit, credit, \
             base_debit, base_credit from ledger_entry"
                .to_owned(),
            "is posted whole",
        ),
        ("update posting set date = date - 1".to_owned(), "only grows"),
        ("update ledger_entry set account_code = '1'".to_owned(), "only grows"),
        ("delete from ledger_entry".to_owned(), "only grows"),
        ("truncate ledger_entry, posting".to_owned(), "is not emptied"),
    ] {
        let error = billing.tamper(&statement, false).await.expect_err(&statement);
        assert!(error.to_string().contains(message), "{statement}: {error}");
    }
    billing.tamper(&entry("(1, 100, 0, 90, 0), (2, 0, 100, 0, 90)"), false).await.expect("this one adds up");
}
