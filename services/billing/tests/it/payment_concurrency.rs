//! Many at once: allocations never exceed either side, whoever comes first, and the database refuses what got past the service.

use futures::future::join_all;
use tonic::{Code, Status};
use trato_proto::billing::v1::{Invoice, Payment};

use crate::{
    harness::{Billing, cents},
    payment::{part, transfer},
};

/// Allocates until it is done or refused: a call that was turned away is repeated.
async fn allocate_at_last(
    billing: &Billing,
    payment: &Payment,
    invoice: &Invoice,
    amount: &str,
) -> Result<Payment, Status> {
    loop {
        let answer = billing.allocate(payment, vec![part(invoice, amount)]).await;
        match answer {
            Err(status)
                if [Code::Unavailable, Code::ResourceExhausted, Code::Aborted].contains(&status.code()) => {}
            answer => return answer,
        }
    }
}

/// DOC-18: 64 payments at once pay one invoice: together never more than is open of it.
#[tokio::test]
async fn many_payments_of_one_invoice_never_exceed_it() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let mut payments = Vec::new();
    for _ in 0..64 {
        payments.push(billing.pay(transfer(&invoice, "10.00"), vec![]).await.expect("recorded"));
    }

    let answers =
        join_all(payments.iter().map(|payment| allocate_at_last(&billing, payment, &invoice, "10.00"))).await;

    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    for status in answers.into_iter().filter_map(Result::err) {
        assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    }
    let invoice = billing.get_invoice(&invoice).await;
    assert_eq!((done, cents(invoice.paid.as_ref()), cents(invoice.open.as_ref())), (12, 12_000, 100));
    let (of_payments, of_rows) = billing.allocated(&invoice).await;
    assert_eq!((of_payments, of_rows), (12_000, 12_000));
}

/// DOC-18: one payment at once pays 64 invoices: together never more than it has.
#[tokio::test]
async fn one_payment_of_many_invoices_never_exceeds_itself() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let account = billing.account().await;
    let mut invoices = Vec::new();
    for _ in 0..64 {
        let draft = Invoice { account: account.clone(), ..desk.invoice(vec![desk.line("1", "1", "10")]) };
        let draft = billing.create_invoice(draft).await.expect("a draft");
        invoices.push(billing.issue(&draft, &desk.series).await.expect("issued"));
    }
    let payment = billing.pay(transfer(&invoices[0], "100.00"), vec![]).await.expect("recorded");

    let answers =
        join_all(invoices.iter().map(|invoice| allocate_at_last(&billing, &payment, invoice, "12.10"))).await;

    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 8, "8 × 12.10 are 96.80");
    let mut paid = 0;
    for invoice in &invoices {
        paid += cents(billing.get_invoice(invoice).await.paid.as_ref());
    }
    assert_eq!(paid, 9_680);
}

impl Billing {
    /// What the payments say that they pay in all, and what the rows of an invoice's allocations add up to.
    async fn allocated(&self, invoice: &Invoice) -> (i64, i64) {
        let mut tx = self.service.transaction(self.admin.tenant).await;
        let id = invoice.name.strip_prefix("invoices/").expect("a name");
        let id: uuid::Uuid = id.parse().expect("an identifier");
        sqlx::query_as(
            "select (select sum(allocated)::bigint from payment),
               (select sum(amount)::bigint from allocation where invoice = $1)",
        )
        .bind(id)
        .fetch_one(tx.connection())
        .await
        .expect("sums")
    }
}

/// DOC-18: not even the owner of the database pays more than is open, or makes a payment say what it does not pay.
#[tokio::test]
async fn the_database_refuses_what_does_not_add_up() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    billing.pay(transfer(&invoice, "100.00"), vec![part(&invoice, "50.00")]).await.expect("recorded");

    for (statement, message) in [
        ("update invoice set paid = due + 1", "invoice_paid_check"),
        ("update payment set allocated = amount + 1", "payment_allocated_check"),
        ("update payment set amount = amount + 1", "does not change"),
        ("update payment set state = 'INITIATED'", "does not change"),
        ("update payment set account = id", "does not change"),
        ("delete from payment", "does not change"),
        ("update allocation set amount = amount + 1", "only grows"),
        ("delete from allocation", "only grows"),
        ("truncate allocation", "is not emptied"),
        (
            "insert into allocation select tenant_id, gen_random_uuid(), payment, invoice, date, kind, 1, now() from allocation",
            "add up to what it says",
        ),
    ] {
        let error = billing.tamper(statement, false).await.expect_err(statement);
        assert!(error.to_string().contains(message), "{statement}: {error}");
    }
}
