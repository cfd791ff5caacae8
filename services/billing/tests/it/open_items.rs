//! What an account owes is summed from what is open, and comes to what all of its postings do.

use tonic::Status;
use trato_proto::{
    billing::v1::{
        Invoice, Ledger, NumberSeries, Payment,
        credit_note::Line,
        journal_line::Kind,
        payment::{Allocation, Direction},
    },
    google::value::Money,
};
use uuid::Uuid;

use crate::{
    harness::{Billing, Desk, days_ago, eur},
    payment::{part, transfer},
};

/// What credit is checked with: what is open of an account, by currency.
const OPEN: &str = include_str!("../../sql/sum_claims.sql");

/// The same by all that was ever posted.
const POSTED: &str = "select posting.currency_code,
      coalesce(sum(entry.debit::numeric - entry.credit) filter (where entry.role = 'RECEIVABLE'), 0)::bigint,
      coalesce(sum(entry.credit::numeric - entry.debit) filter (where entry.role = 'UNALLOCATED'), 0)::bigint
    from posting
    join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id
    where posting.tenant_id = $1 and posting.account = $2
    group by posting.currency_code";

/// What is open in the currency of the books, by invoices and balances that were taken over, and by payments.
const OPEN_IN_BOOKS: &str = "select
      (
        coalesce((
          select sum((invoice.books ->> 'open')::numeric) from invoice
          where invoice.tenant_id = $1 and invoice.account = $2 and invoice.open <> 0
        ), 0) + coalesce((
          select sum(entry.base_debit - entry.base_credit) from posting
          join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id
            and entry.role = 'RECEIVABLE' and entry.invoice is null
          where posting.tenant_id = $1 and posting.account = $2 and posting.kind = 'OPENING'
        ), 0)
      )::bigint,
      coalesce((
        select sum(case payment.direction when 'IN' then 1 else -1 end * (payment.books ->> 'open')::numeric) from payment
        where payment.tenant_id = $1 and payment.account = $2 and payment.state in ('SUCCEEDED', 'PARTLY_REFUNDED')
          and payment.amount <> payment.allocated + payment.refunded
      ), 0)::bigint";

/// The same by all that was ever posted.
const POSTED_IN_BOOKS: &str = "select
      coalesce(sum(entry.base_debit::numeric - entry.base_credit) filter (where entry.role = 'RECEIVABLE'), 0)::bigint,
      coalesce(sum(entry.base_credit::numeric - entry.base_debit) filter (where entry.role = 'UNALLOCATED'), 0)::bigint
    from posting
    join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id
    where posting.tenant_id = $1 and posting.account = $2";

/// Steps that are drawn, after those that are written down.
const STEPS: usize = 150;

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % bound
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    fn cents(&mut self, most: i64) -> i64 {
        let most = usize::try_from(most).expect("more than nothing");
        1 + i64::try_from(self.below(most)).expect("it fits")
    }
}

/// An account that all of it happens to.
struct Course {
    billing: Billing,
    desk: Desk,
    credits: NumberSeries,
    ledger: Ledger,
    account: String,
    invoices: Vec<Invoice>,
    payments: Vec<Payment>,
}

fn money(currency: &str, cents: i64) -> Option<Money> {
    let nanos = i32::try_from(cents % 100).expect("less than a hundred") * 10_000_000;
    Some(Money { currency_code: currency.into(), units: cents / 100, nanos })
}

impl Course {
    async fn begin() -> Self {
        let billing = Billing::start().await;
        let desk = billing.desk().await;
        let (credits, ledger) = (billing.credits(&desk).await, billing.ledger(&desk).await);
        billing.dollar(days_ago(2), "0.9137", "ECB").await;
        let account = desk.account.clone();
        Self { billing, desk, credits, ledger, account, invoices: Vec::new(), payments: Vec::new() }
    }

    /// Both sums, in the currencies of the documents and in that of the books, are the same.
    async fn assert_alike(&self, step: &str) {
        let (tenant, account) = (self.billing.admin.tenant, self.account.replace("accounts/", ""));
        let account: Uuid = account.parse().expect("an identifier");
        let mut tx = self.billing.service.transaction(tenant).await;
        let mut sums = Vec::new();
        for sql in [OPEN, POSTED] {
            let rows: Vec<(String, i64, i64)> = sqlx::query_as(sql)
                .bind(tenant)
                .bind(account)
                .fetch_all(tx.connection())
                .await
                .expect("sums");
            // What is even may stand there or not.
            let mut rows: Vec<_> =
                rows.into_iter().filter(|(_, owed, paid)| (*owed, *paid) != (0, 0)).collect();
            rows.sort();
            sums.push(rows);
        }
        let mut in_books = Vec::new();
        for sql in [OPEN_IN_BOOKS, POSTED_IN_BOOKS] {
            let row: (i64, i64) = sqlx::query_as(sql)
                .bind(tenant)
                .bind(account)
                .fetch_one(tx.connection())
                .await
                .expect("sums");
            in_books.push(row);
        }
        tx.roll_back().await.expect("nothing was written");
        assert_eq!(sums[0], sums[1], "after {step}");
        assert_eq!(in_books[0], in_books[1], "in the books after {step}");
    }

    async fn issue(&mut self, currency: &str, price: &str) -> Invoice {
        let lines = vec![self.desk.line("1", "1", price), self.desk.line("2", "3", "9.99")];
        let draft = Invoice { currency_code: currency.into(), ..self.desk.invoice(lines) };
        let draft = self.billing.create_invoice(draft).await.expect("a draft");
        let invoice = self.billing.issue(&draft, &self.desk.series).await.expect("issued");
        self.invoices.push(invoice.clone());
        invoice
    }

    async fn pay(
        &mut self,
        invoice: &Invoice,
        cents: i64,
        parts: Vec<Allocation>,
    ) -> Result<Payment, Status> {
        let amount = money(&invoice.currency_code, cents);
        let payment = self.billing.pay(Payment { amount, ..transfer(invoice, "1.00") }, parts).await?;
        self.payments.push(payment.clone());
        Ok(payment)
    }

    /// Tries something; what cannot be now is refused, and changes nothing.
    async fn try_anything(&mut self, dice: &mut Dice) -> &'static str {
        let (invoice, payment) = (dice.of(&self.invoices), dice.of(&self.payments));
        let cents = dice.cents(15_000);
        let some = Allocation {
            invoice: invoice.name.clone(),
            amount: money(&invoice.currency_code, dice.cents(cents)),
        };
        let billing = &self.billing;
        match dice.below(12) {
            0 | 1 => {
                let (currency, price) = (dice.of(&["EUR", "USD"]), dice.of(&["0.07", "33.33", "100"]));
                self.issue(currency, price).await;
                "an invoice"
            }
            2 | 3 => {
                let parts = if dice.below(3) == 0 { vec![] } else { vec![some] };
                let _ = self.pay(&invoice, cents, parts).await;
                "a payment"
            }
            4 | 5 => {
                let _ = billing.allocate(&payment, vec![some]).await;
                "an allocation"
            }
            6 => {
                let _ = billing.unallocate(&payment, vec![part(&invoice, "")]).await;
                "an allocation that is taken back"
            }
            7 => {
                let of_invoice = (dice.below(2) == 0).then_some(&invoice);
                let amount = dice.of(&["", "0.03", "11.00"]);
                let _ = billing.refund(&payment, amount, of_invoice).await;
                "a refund"
            }
            8 => {
                let _ = billing.charge_back(&payment, dice.of(&["", "3.50"])).await;
                "a charge-back"
            }
            9 => {
                let gross = money(&invoice.currency_code, cents.min(1_000));
                let line = Line { key: dice.of(&["1", "2"]).into(), gross, ..Default::default() };
                let lines = if dice.below(3) == 0 { vec![] } else { vec![line] };
                let _ = billing.credit(&invoice, lines, &self.credits).await;
                "a credit"
            }
            10 => {
                let _ = billing.write_off(&invoice, "Insolvent").await;
                "a write-off"
            }
            _ => {
                let _ = billing.void(&invoice, "Wrong").await;
                "a void"
            }
        }
    }
}

/// XTR-05, DOC-18: what is open of an account is what all of its postings come to, in the currencies of the documents and in that
/// of the books, whatever happens to it in whichever order: invoices, partial payments, refunds, charge-backs, credits of what is
/// paid, write-offs, voids, money that goes out, and balances that were taken over, at rates that change.
#[tokio::test]
async fn what_is_open_is_what_all_postings_come_to() {
    let mut course = Course::begin().await;
    let (ledger, account) = (course.ledger.clone(), course.account.clone());
    for amount in [eur("40.00"), eur("-15.50"), money("USD", 1_001)] {
        course.billing.open_balance(&ledger, &account, amount, days_ago(1)).await.expect("taken over");
    }
    course.assert_alike("balances that were taken over").await;
    for cents in [3_333, -1_001] {
        course.billing.post_balance(&course.desk, &ledger, &account, cents, 2).await;
    }
    course.assert_alike("balances that were posted before such were documents").await;

    let credited = course.issue("EUR", "100").await;
    let dollars = course.issue("USD", "33.33").await;
    let [given_up, void] = [course.issue("EUR", "20").await, course.issue("USD", "20").await];
    course.assert_alike("invoices").await;
    let first = course.pay(&credited, 10_000, vec![part(&credited, "50.00")]).await.expect("recorded");
    let share = Allocation { invoice: dollars.name.clone(), amount: money("USD", 4_001) };
    course.billing.dollar(days_ago(1), "0.95", "ECB").await;
    let second = course.pay(&dollars, 5_000, vec![share]).await.expect("recorded");
    course.assert_alike("payments").await;
    course.billing.credit(&credited, vec![], &course.credits).await.expect("credited");
    course.assert_alike("a credit of what was paid").await;
    course.billing.write_off(&given_up, "Insolvent").await.expect("given up");
    course.billing.void(&void, "Wrong").await.expect("voided");
    course.billing.refund(&first, "20.00", None).await.expect("given back");
    course.assert_alike("a refund of what is left").await;
    course.billing.refund(&first, "", Some(&credited)).await.expect("given back");
    course.billing.charge_back(&second, "").await.expect("taken back");
    course.assert_alike("a charge-back").await;
    let out = Payment { direction: Direction::Out.into(), ..transfer(&credited, "7.00") };
    course.billing.pay(out, vec![]).await.expect("recorded");
    course.assert_alike("money that goes out").await;

    course.billing.dollar(days_ago(0), "0.8871", "ECB").await;
    let mut dice = Dice(20_261_201);
    for number in 0..STEPS {
        let step = course.try_anything(&mut dice).await;
        course.assert_alike(&format!("{step}, step {number}")).await;
    }
    let lines = course.billing.journal(&course.desk).await;
    for kind in [
        Kind::Invoice,
        Kind::InvoiceVoid,
        Kind::CreditNote,
        Kind::Payment,
        Kind::Allocation,
        Kind::Refund,
        Kind::ChargeBack,
        Kind::WriteOff,
        Kind::Opening,
    ] {
        assert!(lines.iter().any(|line| line.kind() == kind), "{kind:?} was not tried");
    }
}

/// XTR-05: credit is checked with what is open, balances that were taken over and money that went out among it.
#[tokio::test]
async fn an_account_owes_what_is_open() {
    let mut course = Course::begin().await;
    let (ledger, account) = (course.ledger.clone(), course.account.clone());
    course.billing.open_balance(&ledger, &account, eur("40.00"), days_ago(1)).await.expect("taken over");
    let invoice = course.issue("EUR", "100").await;
    course.pay(&invoice, 10_000, vec![part(&invoice, "60.00")]).await.expect("recorded");
    let out = Payment { direction: Direction::Out.into(), ..transfer(&invoice, "7.00") };
    course.billing.pay(out, vec![]).await.expect("recorded");

    let assessed = course.billing.assess(&account, "EUR").await.expect("an assessment");

    // 157.26 are invoiced, of which 60.00 are paid; of 40.00 that are left, 7.00 went out.
    assert_eq!((&assessed.invoiced, &assessed.unallocated), (&eur("137.26"), &eur("33.00")));
    assert_eq!(assessed.exposure, eur("104.26"));
}
