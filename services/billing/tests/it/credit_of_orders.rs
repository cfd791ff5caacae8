//! Credit of orders as sales confirms, cuts short and ends them, and as they are invoiced.

use tonic::Code;
use trato_proto::{
    billing::v1::{CreditReservation, Invoice, ReserveCreditRequest, credit_reservation::State},
    google::value::Money,
    sales::v1::{
        DeliveryNote, Order, SalesDocument,
        order::{self, InvoiceStatus, Progress},
        price_document_response as priced,
        sales_document::Line,
    },
    wire,
};
use uuid::Uuid;

use crate::{
    credit::stands,
    harness::{Billing, Desk, cents, date, eur, refusal},
};

/// An order of ten pieces at this price each with tax.
pub fn order_of(account: &str, each: i64) -> Order {
    let money = |units| Some(Money { currency_code: "EUR".into(), units, nanos: 0 });
    let line = Line {
        key: "1".into(),
        amounts: Some(priced::Line { gross: money(10 * each), ..Default::default() }),
        ..Default::default()
    };
    Order {
        name: format!("orders/{}", Uuid::now_v7()),
        account: account.into(),
        document: Some(SalesDocument {
            currency_code: "EUR".into(),
            lines: vec![line],
            totals: Some(priced::Totals { gross: money(10 * each), ..Default::default() }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The order in this state, with so much of its line cancelled.
pub fn progressed(order: &Order, state: order::State, cancelled: &str) -> Order {
    let progress = Progress {
        line: "1".into(),
        ordered: "10".into(),
        cancelled: cancelled.into(),
        ..Default::default()
    };
    Order { state: state.into(), progress: vec![progress], ..order.clone() }
}

/// The same, with its line invoiced so far.
fn with_status(mut order: Order, status: InvoiceStatus) -> Order {
    for progress in &mut order.progress {
        progress.invoice_status = status.into();
    }
    order
}

impl Billing {
    /// An issued invoice of an order: a piece of its one line, 121 euros with tax.
    async fn invoice_of(&self, order: &Order, account: &str, desk: &Desk) -> Invoice {
        let draft = Invoice {
            account: account.into(),
            source_document: order.name.clone(),
            ..desk.invoice(vec![desk.line("1", "1", "100")])
        };
        let draft = self.create_invoice(draft).await.expect("a draft");
        self.issue(&draft, &desk.series).await.expect("issued")
    }

    /// Hears from sales what has become of an order.
    pub async fn hear_order(&self, participle: &str, revision: i64, order: &Order) {
        let kind = format!("trato.sales.v1.order.{participle}");
        self.service.hear(self.admin.tenant, &kind, &order.name, revision, order).await;
    }

    /// Asks for credit as sales does, for so many seconds.
    pub async fn ask(&self, order: &Order, seconds: i64) -> Result<CreditReservation, tonic::Status> {
        let request = ReserveCreditRequest {
            order: order.name.clone(),
            account: order.account.clone(),
            amount: order.document.as_ref().and_then(|document| document.totals.clone()?.gross),
            quote: order.quote.clone(),
            expire_time: Some(wire::timestamp(chrono::Utc::now() + chrono::TimeDelta::seconds(seconds))),
            ..Default::default()
        };
        let answer = self.credit_reservations().reserve_credit(self.admin.request(request)).await;
        answer.map(tonic::Response::into_inner)
    }

    /// Cents that are reserved, invoiced, unallocated, in all, and left.
    async fn stands(&self, account: &str) -> [i64; 5] {
        stands(&self.assess(account, "").await.expect("an assessment"))
    }
}

/// DOC-04, XTR-05: what is reserved for an order stays once it is confirmed, shrinks with what is cancelled of it, and is released
/// when it is cancelled, or closed with nothing left to invoice; events that come again, and calls that come too late, change
/// nothing.
#[tokio::test]
async fn a_reservation_follows_its_order() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    billing.limit(&account, "1000.00").await.expect("a profile");
    let order = order_of(&account, 80);
    billing.ask(&order, 60).await.expect("reserved");

    let confirmed = progressed(&order, order::State::Confirmed, "0");
    billing.hear_order("confirmed", 2, &confirmed).await;
    let late = billing.ask(&order, -60).await.expect("it is answered as it is");
    let shorter = progressed(&order, order::State::InFulfilment, "2.5");
    billing.hear_order("lines_cancelled", 5, &shorter).await;
    billing.hear_order("confirmed", 2, &confirmed).await;
    let after_part = billing.stands(&account).await;
    billing.hear_order("closed", 6, &progressed(&order, order::State::Closed, "2.5")).await;
    let after_end = billing.stands(&account).await;

    assert_eq!((late.state(), late.expire_time, cents(late.amount.as_ref())), (State::Open, None, 80_000));
    assert_eq!(after_part, [60_000, 0, 0, 60_000, 40_000]);
    assert_eq!(after_end, [0, 0, 0, 0, 100_000]);
    let types = billing.event_types().await;
    let types: Vec<_> = types.iter().filter(|kind| kind.starts_with("credit_reservation")).collect();
    assert_eq!(
        types,
        [
            "credit_reservation.reserved",
            "credit_reservation.reserved",
            "credit_reservation.reserved",
            "credit_reservation.released"
        ]
    );
}

/// DOC-04, DOC-09, XTR-05: an order of which all is delivered counts until it is invoiced; it counts again when something of it
/// comes back and is to be delivered anew; what moves neither writes nothing.
#[tokio::test]
async fn an_order_counts_until_it_is_invoiced_and_again_when_it_goes_on() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    billing.limit(&account, "1000.00").await.expect("a profile");
    let order = order_of(&account, 80);
    let hear = async |participle: &str, revision, state, cancelled: &str, status| {
        let told = with_status(progressed(&order, state, cancelled), status);
        billing.hear_order(participle, revision, &told).await;
        billing.stands(&account).await
    };

    hear("confirmed", 2, order::State::Confirmed, "0", InvoiceStatus::NothingToInvoice).await;
    hear("progressed", 3, order::State::Fulfilled, "0", InvoiceStatus::ToInvoice).await;
    let closed = hear("closed", 4, order::State::Closed, "0", InvoiceStatus::ToInvoice).await;
    let partly = hear("billed", 5, order::State::Closed, "0", InvoiceStatus::PartlyInvoiced).await;
    let invoiced = hear("billed", 6, order::State::Closed, "0", InvoiceStatus::Invoiced).await;
    let back = hear("progressed", 7, order::State::InFulfilment, "0", InvoiceStatus::ToCredit).await;
    let refunded = hear("progressed", 8, order::State::Fulfilled, "2.5", InvoiceStatus::ToCredit).await;

    for whole in [closed, partly, back] {
        assert_eq!(whole, [80_000, 0, 0, 80_000, 20_000]);
    }
    for nothing in [invoiced, refunded] {
        assert_eq!(nothing, [0, 0, 0, 0, 100_000]);
    }
    let types = billing.event_types().await;
    let types: Vec<_> = types.iter().filter_map(|kind| kind.strip_prefix("credit_reservation.")).collect();
    assert_eq!(types, ["reserved", "released", "reserved", "released"]);
}

/// DOC-04, DOC-06, XTR-05: what is credited of an invoice is not invoiced any more: it counts as reserved while it is wanted.
#[tokio::test]
async fn what_is_credited_is_reserved_until_it_is_cancelled() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let credits = billing.credits(&desk).await;
    let account = billing.account().await;
    billing.limit(&account, "1000.00").await.expect("a profile");
    let order = order_of(&account, 60);
    billing.hear_order("confirmed", 2, &progressed(&order, order::State::Confirmed, "0")).await;
    let invoice = billing.invoice_of(&order, &account, &desk).await;

    let invoiced = billing.stands(&account).await;
    billing.credit(&invoice, vec![], &credits).await.expect("credited");
    let credited = billing.stands(&account).await;
    let left = with_status(progressed(&order, order::State::Fulfilled, "2"), InvoiceStatus::ToInvoice);
    billing.hear_order("progressed", 3, &left).await;
    let refunded = billing.stands(&account).await;

    assert_eq!(invoiced, [47_900, 12_100, 0, 60_000, 40_000]);
    assert_eq!(credited, [60_000, 0, 0, 60_000, 40_000]);
    assert_eq!(refunded, [48_000, 0, 0, 48_000, 52_000]);
}

/// DOC-04, XTR-05: an order that is cancelled after part of it was invoiced holds no credit any more; what is invoiced is owed, and
/// no longer when it is credited.
#[tokio::test]
async fn an_order_that_is_cancelled_leaves_what_was_invoiced() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let credits = billing.credits(&desk).await;
    let account = billing.account().await;
    billing.limit(&account, "1000.00").await.expect("a profile");
    let order = order_of(&account, 60);
    billing.hear_order("confirmed", 2, &progressed(&order, order::State::Confirmed, "0")).await;
    let invoice = billing.invoice_of(&order, &account, &desk).await;

    let ended = with_status(progressed(&order, order::State::Cancelled, "8"), InvoiceStatus::PartlyInvoiced);
    billing.hear_order("cancelled", 3, &ended).await;
    let cancelled = billing.stands(&account).await;
    billing.credit(&invoice, vec![], &credits).await.expect("credited");
    let credited = billing.stands(&account).await;

    assert_eq!(cancelled, [0, 12_100, 0, 12_100, 87_900]);
    assert_eq!(credited, [0, 0, 0, 0, 100_000]);
}

/// DOC-04, XTR-05: what was reserved for an order that never was confirmed is given back after its time, and at once when the draft
/// is cancelled, deleted, or becomes one of another account.
#[tokio::test]
async fn an_order_that_is_never_confirmed_holds_no_credit() {
    let billing = Billing::start().await;
    let (account, other) = (billing.account().await, billing.account().await);
    billing.limit(&account, "1000.00").await.expect("a profile");
    let [first, second, third] = [100, 90, 90].map(|each| order_of(&account, each));

    billing.ask(&first, -1).await.expect("reserved until a moment ago");
    let expired = billing.stands(&account).await;
    billing.ask(&second, 60).await.expect("the limit is free");
    let too_much = billing.ask(&third, 60).await;
    billing.hear_order("cancelled", 2, &progressed(&second, order::State::Cancelled, "0")).await;
    let cancelled = billing.stands(&account).await;
    billing.ask(&third, 60).await.expect("the limit is free");
    let deleted =
        Order { delete_time: Some(Default::default()), ..progressed(&third, order::State::Draft, "0") };
    billing.hear_order("deleted", 2, &deleted).await;
    let after_deletion = billing.stands(&account).await;
    let undeleted = billing.ask(&third, 60).await.expect("it may come back");
    let moved = Order { account: other.clone(), ..third.clone() };
    let moved = billing.ask(&moved, 60).await.expect("it is of another account by now");
    let after_move = billing.stands(&account).await;

    assert_eq!(expired, [0, 0, 0, 0, 100_000]);
    assert_eq!(refusal(too_much), (Code::FailedPrecondition, "CREDIT_LIMIT_EXCEEDED".to_owned()));
    for free in [cancelled, after_deletion, after_move] {
        assert_eq!(free, [0, 0, 0, 0, 100_000]);
    }
    assert_eq!((undeleted.state(), &moved.account), (State::Open, &other));
}

/// DOC-04, XTR-05: an order that is confirmed counts, whether its reservation has expired meanwhile or was never asked for, and even
/// beyond the limit: it is a fact.
#[tokio::test]
async fn a_confirmed_order_counts() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    billing.limit(&account, "1000.00").await.expect("a profile");
    let (expired, unknown) = (order_of(&account, 80), order_of(&account, 30));
    billing.ask(&expired, -1).await.expect("reserved until a moment ago");

    for order in [&expired, &unknown] {
        billing.hear_order("confirmed", 2, &progressed(order, order::State::Confirmed, "0")).await;
    }
    let free = order_of(&account, 0);
    billing.hear_order("confirmed", 2, &progressed(&free, order::State::Confirmed, "0")).await;

    assert_eq!(billing.stands(&account).await, [110_000, 0, 0, 110_000, -10_000]);
}

/// DOC-04, XTR-05: orders that were confirmed before billing listened count when the log of sales is sent again, as they are now:
/// what ended counts no more, even where only its end was heard of before; and sending it once more changes nothing.
#[tokio::test]
async fn orders_of_before_count_when_the_log_is_sent_again() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    billing.limit(&account, "1000.00").await.expect("a profile");
    let confirmed = || Order { order_date: date(2025, 3, 1), ..order_of(&account, 10) };
    let (open, closed, ended, moved) = (confirmed(), confirmed(), confirmed(), confirmed());
    let draft = Order { order_date: None, ..confirmed() };
    let is_done =
        |order: &Order| with_status(progressed(order, order::State::Closed, "0"), InvoiceStatus::Invoiced);
    // Heard since the upgrade, without what was before.
    billing.hear_order("closed", 4, &is_done(&ended)).await;
    billing.hear_order("lines_cancelled", 3, &progressed(&moved, order::State::InFulfilment, "4")).await;
    billing.hear_order("cancelled", 2, &progressed(&draft, order::State::Cancelled, "0")).await;
    let before = billing.stands(&account).await;

    let mut after = Vec::new();
    for _ in 0..2 {
        for order in [&open, &closed, &ended, &moved] {
            billing.hear_order("confirmed", 2, &progressed(order, order::State::Confirmed, "0")).await;
        }
        billing.hear_order("lines_cancelled", 3, &progressed(&open, order::State::InFulfilment, "2")).await;
        billing.hear_order("closed", 3, &is_done(&closed)).await;
        after.push((billing.stands(&account).await, billing.event_types().await));
    }

    assert_eq!(before, [6_000, 0, 0, 6_000, 94_000]);
    assert_eq!(after[0].0, [14_000, 0, 0, 14_000, 86_000]);
    assert_eq!(after[0], after[1]);
}

/// DOC-04, DOC-06, XTR-05: what is invoiced of an order, of the quote it came of or of one of its delivery notes counts as invoiced
/// and no longer as reserved, each part once.
#[tokio::test]
async fn a_part_of_an_order_counts_once_whatever_was_invoiced() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let account = billing.account().await;
    billing.limit(&account, "1000.00").await.expect("a profile");
    let quote = format!("quotes/{}", Uuid::now_v7());
    let order = Order { quote: quote.clone(), ..order_of(&account, 60) };
    let note = DeliveryNote {
        name: format!("deliveryNotes/{}", Uuid::now_v7()),
        order: order.name.clone(),
        ..Default::default()
    };
    let invoice = async |source: &str| {
        let draft = Invoice {
            account: account.clone(),
            source_document: source.into(),
            ..desk.invoice(vec![desk.line("1", "1", "100")])
        };
        let draft = billing.create_invoice(draft).await.expect("a draft");
        billing.issue(&draft, &desk.series).await.expect("issued");
        billing.stands(&account).await
    };

    let of_the_quote = invoice(&quote).await;
    let asked = billing.ask(&order, 60).await.expect("reserved");
    let reserved = billing.stands(&account).await;
    billing.hear_order("confirmed", 2, &progressed(&order, order::State::Confirmed, "0")).await;
    // All that the log keeps of a note for long is its newest event.
    let kind = "trato.sales.v1.delivery_note.delivered";
    billing.service.hear(billing.admin.tenant, kind, &note.name, 4, &note).await;
    let of_the_note = invoice(&note.name).await;
    let of_the_order = invoice(&order.name).await;
    let of_another = invoice(&format!("deliveryNotes/{}", Uuid::now_v7())).await;

    assert_eq!(asked.quote, quote);
    assert_eq!(of_the_quote, [0, 12_100, 0, 12_100, 87_900]);
    assert_eq!(reserved, [47_900, 12_100, 0, 60_000, 40_000]);
    assert_eq!(of_the_note, [35_800, 24_200, 0, 60_000, 40_000]);
    assert_eq!(of_the_order, [23_700, 36_300, 0, 60_000, 40_000]);
    assert_eq!(of_another, [23_700, 48_400, 0, 72_100, 27_900]);
    let cheap = billing.ask(&order_of(&account, 28), 60).await;
    assert_eq!(refusal(cheap), (Code::FailedPrecondition, "CREDIT_LIMIT_EXCEEDED".to_owned()));
    assert_eq!(eur("600.00"), asked.amount);
}
