//! Ledgers: which accounts are posted to, when nothing is posted, and what is read off the books.

use std::{cell::Cell, collections::BTreeMap};

use tonic::{Code, Response, Status};
use trato_platform::testing::eventually;
use trato_proto::{
    billing::v1::{
        ClosePeriodRequest, CreateLedgerRequest, DeleteLedgerRequest, ExportPostingsRequest,
        ExportPostingsResponse, JournalLine, Ledger, LegalEntity, NumberSeries, OpenBalanceRequest, Payment,
        QueryTrialBalanceRequest, ReopenPeriodRequest,
        export_postings_request::Format,
        ledger::{Accounts, TaxAccount},
    },
    google::value::{Date, Money},
};

use crate::{
    harness::{Billing, Desk, cents, date, days_ago, eur, field, invoices, refusal, violations},
    payment::{part, request_id, transfer},
};

/// Cents of a debit above zero, of a credit below.
pub fn signed(debit: Option<&Money>, credit: Option<&Money>) -> i64 {
    let cents = |money: Option<&Money>| money.map_or(0, |money| cents(Some(money)));
    cents(debit) - cents(credit)
}

impl Billing {
    /// The journal of a company, page by page.
    pub async fn journal(&self, desk: &Desk) -> Vec<JournalLine> {
        let (mut lines, mut page_token) = (Vec::new(), String::new());
        loop {
            let page = self.export(&desk.legal_entity, &page_token, 3, Format::Unspecified);
            let page = page.await.expect("a page");
            lines.extend(page.lines);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return lines;
            }
        }
    }

    /// A page of the journal of a company.
    pub async fn export(
        &self,
        of: &LegalEntity,
        token: &str,
        size: i32,
        format: Format,
    ) -> Result<ExportPostingsResponse, Status> {
        let request = ExportPostingsRequest {
            legal_entity: of.name.clone(),
            from_date: date(2000, 1, 1),
            to_date: date(2999, 12, 31),
            page_size: size,
            page_token: token.into(),
            format: format.into(),
        };
        self.ledgers().export_postings(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// Debits less credits of each account, in cents of the books.
    pub async fn trial(&self, desk: &Desk) -> BTreeMap<String, i64> {
        let legal_entity = desk.legal_entity.name.clone();
        let request = QueryTrialBalanceRequest { legal_entity, as_of: date(2999, 12, 31) };
        let answer = self.ledgers().query_trial_balance(self.admin.request(request)).await.expect("the sums");
        let balances = answer.into_inner().balances.into_iter();
        let balances: BTreeMap<String, i64> = balances
            .map(|balance| {
                let sum = signed(balance.base_debit.as_ref(), balance.base_credit.as_ref());
                (balance.account_code, sum)
            })
            .collect();
        assert_eq!(balances.values().sum::<i64>(), 0, "{balances:?}");
        balances
    }

    /// These accounts were posted to, and are even again.
    pub async fn assert_books_are_even(&self, desk: &Desk, codes: &[&str]) {
        let trial = self.trial(desk).await;
        for code in codes {
            assert_eq!(trial.get(*code), Some(&0), "{code} of {trial:?}");
        }
    }

    pub async fn create_ledger(&self, ledger: Ledger) -> Result<Ledger, Status> {
        let request = CreateLedgerRequest { ledger: Some(ledger), ..Default::default() };
        self.ledgers().create_ledger(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn close(&self, ledger: &Ledger, through_date: Option<Date>) -> Result<Ledger, Status> {
        let request = ClosePeriodRequest { name: ledger.name.clone(), through_date, ..Default::default() };
        self.ledgers().close_period(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn reopen(
        &self,
        ledger: &Ledger,
        through_date: Option<Date>,
        reason: &str,
    ) -> Result<Ledger, Status> {
        let name = ledger.name.clone();
        let request = ReopenPeriodRequest { name, through_date, reason: reason.into(), ..Default::default() };
        self.ledgers().reopen_period(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// Takes over what an account owed.
    pub async fn open_balance(
        &self,
        ledger: &Ledger,
        account: &str,
        amount: Option<Money>,
        day: Option<Date>,
    ) -> Result<Ledger, Status> {
        self.take_over(OpenBalanceRequest {
            name: ledger.name.clone(),
            account: account.into(),
            amount,
            date: day,
            description: "Taken over".into(),
            request_id: request_id(),
            ..Default::default()
        })
        .await
    }

    pub async fn take_over(&self, request: OpenBalanceRequest) -> Result<Ledger, Status> {
        self.ledgers().open_balance(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// A ledger of the company with the default accounts.
    pub async fn ledger(&self, desk: &Desk) -> Ledger {
        let legal_entity = desk.legal_entity.name.clone();
        self.create_ledger(Ledger { legal_entity, ..Default::default() }).await.expect("a ledger")
    }
}

/// XTR-05: who closes the books waits for what is being posted, also where there was no ledger yet when that began.
#[tokio::test]
async fn closing_waits_for_what_is_being_posted() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let mut posting = billing.service.transaction(billing.admin.tenant).await;
    sqlx::query(
        "insert into posting select tenant_id, gen_random_uuid(), legal_entity, date, kind, document, description, account,
           currency_code, base_currency_code, rate, now(), creator from posting limit 1",
    )
    .execute(posting.connection())
    .await
    .expect("posted");
    let ledger = billing.ledger(&desk).await;

    let mut closing = std::pin::pin!(billing.close(&ledger, invoice.issue_date));
    let early = tokio::time::timeout(std::time::Duration::from_secs(1), closing.as_mut()).await;
    posting.commit().await.expect("committed");
    let closed = closing.await.expect("closed");

    assert!(early.is_err(), "it was closed while somebody was posting");
    assert_eq!(closed.closed_through, invoice.issue_date);
}

/// Clients that post at once.
const POSTING: usize = 8;

/// XTR-05: closing gets its turn however many are posting, and nothing is posted after it.
#[tokio::test]
async fn closing_is_not_overtaken() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let ledger = billing.ledger(&desk).await;
    let recorded = Cell::new(0);
    let post = async || loop {
        match billing.pay(transfer(&invoice, "1.00"), vec![]).await {
            Ok(_) => recorded.set(recorded.get() + 1),
            Err(status) if [Code::Unavailable, Code::ResourceExhausted].contains(&status.code()) => {}
            Err(status) => return status,
        }
    };
    let close = async {
        eventually(async || match recorded.get() {
            under_way @ 0..POSTING => Err(format!("only {under_way} payments were recorded")),
            _ => Ok(()),
        })
        .await;
        let closing = billing.close(&ledger, invoice.issue_date);
        let closed = tokio::time::timeout(std::time::Duration::from_secs(20), closing).await;
        closed.expect("it gets its turn").expect("closed");
        billing.trial(&desk).await
    };

    let (balances, refused) = futures::join!(close, futures::future::join_all((0..POSTING).map(|_| post())));

    for status in refused {
        assert_eq!(refusal::<()>(Err(status)), (Code::FailedPrecondition, "PERIOD_CLOSED".to_owned()));
    }
    assert_eq!(billing.trial(&desk).await, balances, "nothing was posted after it was closed");
}

/// XTR-05: nothing is posted in a closed period, nothing of it is taken back, and it is opened again only for a reason.
#[tokio::test]
async fn nothing_is_posted_in_a_closed_period() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let plain = NumberSeries { gap_free: false, ..invoices(&desk.legal_entity, "P") };
    let plain = billing.create_series(plain).await.expect("a series");
    let invoice = billing.owed(&desk).await;
    let draft = billing.create_invoice(desk.invoice(vec![desk.line("1", "1", "1")])).await.expect("a draft");
    let ledger = billing.ledger(&desk).await;
    let issued = invoice.issue_date;

    let closed = billing.close(&ledger, issued).await.expect("closed");
    let back = billing.close(&closed, days_ago(400)).await;
    let ahead = billing.close(&closed, date(2999, 1, 1)).await;
    let mut refused = vec![
        refusal(billing.issue(&draft, &desk.series).await),
        refusal(billing.issue(&draft, &plain).await),
        refusal(billing.void(&invoice, "Wrong").await),
        refusal(billing.write_off(&invoice, "Gone").await),
        refusal(billing.pay(transfer(&invoice, "1.00"), vec![]).await),
        refusal(billing.open_balance(&closed, &invoice.account, eur("1.00"), days_ago(30)).await),
    ];
    let delete = DeleteLedgerRequest { name: ledger.name.clone(), ..Default::default() };
    refused.push(refusal(billing.ledgers().delete_ledger(billing.admin.request(delete)).await));
    let unsaid = billing.reopen(&closed, None, "").await;
    let reopened = billing.reopen(&closed, days_ago(5), "A late invoice").await.expect("opened");
    let again = billing.reopen(&reopened, days_ago(5), "A late invoice").await;
    let issued = billing.issue(&draft, &plain).await.expect("issued");
    billing.pay(transfer(&invoice, "1.00"), vec![part(&invoice, "")]).await.expect("recorded");
    let late = Payment { date: days_ago(5), ..transfer(&invoice, "1.00") };
    refused.push(refusal(billing.pay(late, vec![]).await));

    assert_eq!(violations(back), [field("through_date", "OUT_OF_RANGE")]);
    assert_eq!(violations(ahead), [field("through_date", "OUT_OF_RANGE")]);
    for refused in refused {
        assert_eq!(refused, (Code::FailedPrecondition, "PERIOD_CLOSED".to_owned()));
    }
    assert_eq!(violations(unsaid), [field("reason", "REQUIRED")]);
    assert_eq!((reopened.closed_through, reopened.reopen_reason.as_str()), (days_ago(5), "A late invoice"));
    assert_eq!(refusal(again), (Code::FailedPrecondition, "PERIOD_NOT_CLOSED".to_owned()));
    assert_eq!(issued.number, "P0001", "what was refused took no number");
    // Not by the service's leave either: the table itself refuses.
    let statement = "insert into posting select tenant_id, gen_random_uuid(), legal_entity, date - 30, kind, document, \
                     description, account, currency_code, base_currency_code, rate, now(), creator from posting limit 1";
    let error = billing.tamper(statement, false).await.expect_err("the period is closed");
    assert!(error.to_string().contains("the period is closed"), "{error}");
}

/// XTR-05: a ledger says which accounts are used, a tax may have its own, and a legal entity has one ledger.
#[tokio::test]
async fn a_ledger_says_which_accounts_are_used() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let legal_entity = desk.legal_entity.name.clone();
    let taxes = vec![TaxAccount { tax: "VAT".into(), account: "477".into() }];
    let accounts = Accounts { receivable: "430".into(), tax: "475".into(), taxes, ..Default::default() };
    let ledger =
        Ledger { legal_entity: legal_entity.clone(), accounts: Some(accounts.clone()), ..Default::default() };

    let created = billing.create_ledger(ledger.clone()).await.expect("a ledger");
    let second = billing.create_ledger(ledger).await;
    let of_nobody =
        Ledger { legal_entity: format!("legalEntities/{}", uuid::Uuid::now_v7()), ..Default::default() };
    let of_nobody = billing.create_ledger(of_nobody).await;
    let twice = TaxAccount { tax: "VAT".into(), account: "4 77".into() };
    let wrong = Accounts { bank: "a b".into(), taxes: vec![twice], ..Default::default() };
    let wrong =
        billing.create_ledger(Ledger { legal_entity, accounts: Some(wrong), ..Default::default() }).await;
    billing.owed(&desk).await;

    assert_eq!(created.accounts, Some(accounts));
    assert_eq!(refusal(second), (Code::AlreadyExists, "LEDGER_TAKEN".to_owned()));
    assert_eq!(refusal(of_nobody), (Code::FailedPrecondition, "LEGAL_ENTITY_NOT_FOUND".to_owned()));
    let expected = [
        field("ledger.accounts.bank", "INVALID_CODE"),
        field("ledger.accounts.taxes[0].account", "INVALID_CODE"),
    ];
    assert_eq!(violations(wrong), expected);
    let trial = billing.trial(&desk).await;
    assert_eq!(trial.keys().map(String::as_str).collect::<Vec<_>>(), ["4000", "430", "477"]);
}
