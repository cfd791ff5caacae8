//! The ledger of quantities, as invoices that are made by hand move it.

use futures::future::join_all;
use tonic::Code;
use trato_proto::{
    billing::v1::{
        BatchCreateInvoicesRequest, CreateInvoiceRequest, Invoice, VoidInvoiceRequest, invoice::Line,
    },
    sales::v1::{Order, order::State},
};
use uuid::Uuid;

use crate::{
    credit_of_orders::{order_of, progressed},
    harness::{Billing, Desk, refusal},
};

impl Billing {
    /// Hears how much may be invoiced of the one line of an order, as if it had been read from sales.
    pub async fn hear_basis(&self, order: &str, basis: i64) {
        let mut tx = self.service.transaction(self.admin.tenant).await;
        sqlx::query(
            "insert into billable_line (tenant_id, document, line, basis, revision) values ($1, $2, '1', $3, 1)",
        )
        .bind(self.admin.tenant)
        .bind(order)
        .bind(rust_decimal::Decimal::from(basis))
        .execute(tx.connection())
        .await
        .expect("a line");
        tx.commit().await.expect("committed");
    }
}

/// A draft of so much of the line of an order.
fn of(desk: &Desk, order: &str, quantity: &str) -> Invoice {
    let line = Line { source_line: "1".into(), ..desk.line("1", quantity, "10") };
    Invoice { source_document: order.into(), ..desk.invoice(vec![line]) }
}

/// DOC-07: an invoice made by hand counts like any other, and is refused where it would be counted nowhere; an order may still be
/// named by an invoice whose lines are of none of its lines.
#[tokio::test]
async fn an_invoice_made_by_hand_goes_past_no_ledger() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let unheard = billing.create_invoice(of(&desk, "orders/a", "10")).await;
    let named =
        Invoice { source_document: "orders/a".into(), ..desk.invoice(vec![desk.line("1", "1", "10")]) };
    billing.create_invoice(named).await.expect("a draft");
    billing.hear_basis("orders/a", 10).await;

    let draft = billing.create_invoice(of(&desk, "orders/a", "10")).await.expect("a draft");
    let too_much = billing.create_invoice(of(&desk, "orders/a", "1")).await;
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");
    let void = VoidInvoiceRequest { name: issued.name, reason: "Wrong".into(), ..Default::default() };
    billing.invoices().void_invoice(billing.admin.request(void)).await.expect("void");
    let again = billing.create_invoice(of(&desk, "orders/a", "10")).await;

    assert_eq!(refusal(unheard), (Code::FailedPrecondition, "SOURCE_LINE_UNKNOWN".to_owned()));
    assert_eq!(refusal(too_much), (Code::FailedPrecondition, "BASIS_EXCEEDED".to_owned()));
    assert!(again.is_ok(), "what is void is given back");
    let uneven = "update billable_line set credited = 11";
    let error = billing.tamper(uneven, false).await.expect_err("more than is invoiced");
    assert!(error.to_string().contains("billable_line_quantities_check"), "{error}");
}

/// DOC-07: those who record invoices of the same orders together do not wait for one another in a circle, whatever their order.
#[tokio::test]
async fn batches_lock_lines_in_one_order() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let orders = ["orders/a", "orders/b", "orders/c", "orders/d"];
    for order in orders {
        billing.hear_basis(order, 1_000).await;
    }
    let batch = |turned: bool| {
        let mut requests: Vec<_> = orders
            .iter()
            .map(|order| CreateInvoiceRequest { invoice: Some(of(&desk, order, "1")), ..Default::default() })
            .collect();
        if turned {
            requests.reverse();
        }
        let request = BatchCreateInvoicesRequest { requests, ..Default::default() };
        let (mut invoices, request) = (billing.invoices(), billing.admin.request(request));
        async move { invoices.batch_create_invoices(request).await }
    };

    for _ in 0..10 {
        let answers = join_all((0..6).map(|number| batch(number % 2 == 0))).await;
        for answer in answers {
            answer.expect("recorded");
        }
    }

    let mut tx = billing.service.transaction(billing.admin.tenant).await;
    let counted: Vec<rust_decimal::Decimal> = sqlx::query_scalar("select invoiced from billable_line")
        .fetch_all(tx.connection())
        .await
        .expect("sums");
    assert_eq!(counted, [rust_decimal::Decimal::from(60); 4]);
}

/// DOC-04, DOC-07: what is cancelled of an order is neither issued of a draft that was there, nor invoiced by the name of the quote it
/// came of; what an older event tells changes nothing.
#[tokio::test]
async fn what_is_cancelled_is_not_invoiced_by_any_name() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let quote = format!("quotes/{}", Uuid::now_v7());
    let order = Order { quote: quote.clone(), ..order_of(&desk.account, 10) };
    let confirmed = progressed(&order, State::Confirmed, "0");
    billing.hear_order("confirmed", 2, &confirmed).await;
    let mut draft = billing.create_invoice(of(&desk, &order.name, "10")).await.expect("a draft");

    billing.hear_order("lines_cancelled", 3, &progressed(&order, State::Confirmed, "6")).await;
    billing.hear_order("confirmed", 2, &confirmed).await;
    let all = billing.issue(&draft, &desk.series).await;
    draft.lines[0].quantity = "4".into();
    let rest = billing.update_invoice(draft, &["lines"]).await.expect("four are wanted");
    let issued = billing.issue(&rest, &desk.series).await;
    let by_the_order = billing.create_invoice(of(&desk, &order.name, "1")).await;
    let by_the_quote = billing.create_invoice(of(&desk, &quote, "1")).await;

    for refused in [all, by_the_order, by_the_quote] {
        assert_eq!(refusal(refused), (Code::FailedPrecondition, "BASIS_EXCEEDED".to_owned()));
    }
    assert!(issued.is_ok(), "{issued:?}");
}

/// DOC-04, DOC-07: of an order that is cancelled nothing is invoiced any more, nor of its quote; also where nobody had confirmed it.
#[tokio::test]
async fn an_order_that_is_cancelled_takes_its_quote_along() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let quote = format!("quotes/{}", Uuid::now_v7());
    let order = Order { quote: quote.clone(), ..order_of(&desk.account, 10) };
    billing.hear_order("created", 1, &Order { state: State::Draft.into(), ..order.clone() }).await;
    let draft = billing.create_invoice(of(&desk, &order.name, "1")).await;

    billing.hear_order("cancelled", 2, &Order { state: State::Cancelled.into(), ..order.clone() }).await;
    let by_the_order = billing.create_invoice(of(&desk, &order.name, "1")).await;
    let by_the_quote = billing.create_invoice(of(&desk, &quote, "1")).await;

    assert_eq!(refusal(draft), (Code::FailedPrecondition, "SOURCE_LINE_UNKNOWN".to_owned()));
    for refused in [by_the_order, by_the_quote] {
        assert_eq!(refusal(refused), (Code::FailedPrecondition, "BASIS_EXCEEDED".to_owned()));
    }
}
