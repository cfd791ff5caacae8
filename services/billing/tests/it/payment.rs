//! Payments: what becomes of them, what they pay, and that nothing is paid twice.

use tonic::{Code, Response, Status};
use trato_proto::billing::v1::{
    AllocatePaymentRequest, ChargeBackPaymentRequest, CreatePaymentRequest, DeletePaymentRequest, Invoice,
    Payment, ReconcilePaymentRequest, RecordPaymentRequest, RefundPaymentRequest, SettlePaymentRequest,
    SubmitPaymentRequest, UnallocatePaymentRequest, UpdatePaymentRequest, WriteOffInvoiceRequest,
    invoice::PaymentState,
    journal_line::Kind,
    payment::{Allocation, Direction, Method, State},
};
use uuid::Uuid;

use crate::harness::{Billing, Desk, days_ago, eur, field, paths, refusal, violations};

/// A request id of its own.
pub fn request_id() -> String {
    Uuid::now_v7().to_string()
}

/// So much for an invoice; as much as can be without an amount.
pub fn part(invoice: &Invoice, amount: &str) -> Allocation {
    let amount = if amount.is_empty() { None } else { eur(amount) };
    Allocation { invoice: invoice.name.clone(), amount }
}

/// A transfer of euros from whoever owes an invoice.
pub fn transfer(invoice: &Invoice, amount: &str) -> Payment {
    Payment {
        account: invoice.account.clone(),
        legal_entity: invoice.legal_entity.clone(),
        amount: eur(amount),
        method: Method::BankTransfer.into(),
        ..Default::default()
    }
}

impl Billing {
    /// Records a payment that was made, and what it pays.
    pub async fn pay(&self, payment: Payment, allocations: Vec<Allocation>) -> Result<Payment, Status> {
        let payment = Some(payment);
        let request =
            RecordPaymentRequest { payment, allocations, request_id: request_id(), ..Default::default() };
        self.payments().record_payment(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn allocate(&self, payment: &Payment, allocations: Vec<Allocation>) -> Result<Payment, Status> {
        let name = payment.name.clone();
        let request =
            AllocatePaymentRequest { name, allocations, request_id: request_id(), ..Default::default() };
        self.payments().allocate_payment(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn unallocate(
        &self,
        payment: &Payment,
        allocations: Vec<Allocation>,
    ) -> Result<Payment, Status> {
        let name = payment.name.clone();
        let request =
            UnallocatePaymentRequest { name, allocations, request_id: request_id(), ..Default::default() };
        self.payments().unallocate_payment(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// Gives back what is not allocated, or what was paid of an invoice.
    pub async fn refund(
        &self,
        payment: &Payment,
        amount: &str,
        invoice: Option<&Invoice>,
    ) -> Result<Payment, Status> {
        let request = RefundPaymentRequest {
            name: payment.name.clone(),
            amount: if amount.is_empty() { None } else { eur(amount) },
            invoice: invoice.map(|invoice| invoice.name.clone()).unwrap_or_default(),
            request_id: request_id(),
            ..Default::default()
        };
        self.payments().refund_payment(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn charge_back(&self, payment: &Payment, fee: &str) -> Result<Payment, Status> {
        let request = ChargeBackPaymentRequest {
            name: payment.name.clone(),
            fee: if fee.is_empty() { None } else { eur(fee) },
            reason: "The mandate was withdrawn".into(),
            request_id: request_id(),
            ..Default::default()
        };
        self.payments().charge_back_payment(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn write_off(&self, invoice: &Invoice, reason: &str) -> Result<Invoice, Status> {
        let request = WriteOffInvoiceRequest {
            name: invoice.name.clone(),
            reason: reason.into(),
            request_id: request_id(),
            ..Default::default()
        };
        self.invoices().write_off_invoice(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// An issued invoice of 121.00.
    pub async fn owed(&self, desk: &Desk) -> Invoice {
        self.issued(desk, &[("1", "1", "100")]).await
    }

    pub async fn initiated(&self, payment: Payment) -> Payment {
        let request = CreatePaymentRequest { payment: Some(payment), ..Default::default() };
        let answer = self.payments().create_payment(self.admin.request(request)).await;
        answer.expect("a payment").into_inner()
    }

    pub async fn submit(&self, payment: &Payment) -> Result<Payment, Status> {
        let request = SubmitPaymentRequest {
            name: payment.name.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        self.payments().submit_payment(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn settle(&self, payment: &Payment, outcome: State) -> Result<Payment, Status> {
        let request = SettlePaymentRequest {
            name: payment.name.clone(),
            outcome: outcome.into(),
            request_id: request_id(),
            ..Default::default()
        };
        self.payments().settle_payment(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn reconcile(&self, payment: &Payment, outcome: State, evidence: &str) -> Result<Payment, Status> {
        let request = ReconcilePaymentRequest {
            name: payment.name.clone(),
            outcome: outcome.into(),
            evidence: evidence.into(),
            request_id: request_id(),
            ..Default::default()
        };
        self.payments().reconcile_payment(self.admin.request(request)).await.map(Response::into_inner)
    }
}

/// DOC-18: a payment in full pays the invoice, one in part leaves the rest open, and what is too much stays on the account.
#[tokio::test]
async fn what_is_paid_too_little_stays_open_and_what_is_paid_too_much_stays_on_the_account() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    assert_eq!((invoice.payment_state(), invoice.open.clone()), (PaymentState::Unpaid, eur("121.00")));

    let some = billing.pay(transfer(&invoice, "21.00"), vec![part(&invoice, "")]).await.expect("recorded");
    let partly = billing.get_invoice(&invoice).await;
    let rest = billing.pay(transfer(&invoice, "150.00"), vec![part(&invoice, "")]).await.expect("recorded");
    let paid = billing.get_invoice(&invoice).await;

    assert_eq!((some.state(), some.unallocated), (State::Succeeded, eur("0.00")));
    assert_eq!(
        (partly.payment_state(), partly.paid, partly.open),
        (PaymentState::PartlyPaid, eur("21.00"), eur("100.00"))
    );
    assert_eq!((rest.allocated, rest.unallocated), (eur("100.00"), eur("50.00")));
    assert_eq!((paid.payment_state(), paid.open), (PaymentState::Paid, eur("0.00")));
    assert_eq!((paid.hash, paid.lines), (invoice.hash, invoice.lines), "nothing of the document has changed");
    let events = billing.event_types().await;
    assert_eq!(
        events[events.len() - 4..],
        ["invoice.partly_paid", "payment.succeeded", "invoice.paid", "payment.succeeded"]
    );
}

/// DOC-18: the same request is done once, and what somebody else heard of the same payment is refused by its key.
#[tokio::test]
async fn a_payment_is_recorded_once() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let payment = Payment { external_key: "TX-4711".into(), ..transfer(&invoice, "121.00") };
    let request = RecordPaymentRequest {
        payment: Some(payment.clone()),
        allocations: vec![part(&invoice, "121.00")],
        request_id: request_id(),
        ..Default::default()
    };
    let record = async |request: RecordPaymentRequest| {
        let answer = billing.payments().record_payment(billing.admin.request(request)).await;
        answer.map(Response::into_inner)
    };

    let tried =
        record(RecordPaymentRequest { validate_only: true, ..request.clone() }).await.expect("it would pass");
    let first = record(request.clone()).await.expect("recorded");
    let again = record(request.clone()).await.expect("the answer");
    let twice = billing.pay(payment, vec![]).await;
    let hasty = record(RecordPaymentRequest { request_id: String::new(), ..request }).await;

    assert_eq!((tried.state(), &again), (State::Succeeded, &first));
    assert_eq!(refusal(twice), (Code::AlreadyExists, "PAYMENT_KEY_TAKEN".to_owned()));
    assert_eq!(violations(hasty), [field("request_id", "REQUIRED")]);
    let paid = billing.get_invoice(&invoice).await;
    assert_eq!(paid.paid, eur("121.00"));
}

/// DOC-18: a payment of which nobody knows what became is never handed over again; who found out settles it.
#[tokio::test]
async fn an_unknown_payment_is_settled_by_who_found_out() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let initiated = billing.initiated(Payment { date: days_ago(3), ..transfer(&invoice, "121.00") }).await;
    assert_eq!((initiated.state(), &initiated.unallocated), (State::Initiated, &eur("0.00")));

    let early = billing.allocate(&initiated, vec![part(&invoice, "")]).await;
    let pending = billing.submit(&initiated).await.expect("submitted");
    let twice = billing.submit(&pending).await;
    let unknown = billing.settle(&pending, State::Unknown).await.expect("noted");
    let blind = billing.submit(&unknown).await;
    let settled = billing.settle(&unknown, State::Succeeded).await;
    let unproven = billing.reconcile(&unknown, State::Succeeded, " ").await;
    let undecided = billing.reconcile(&unknown, State::Unknown, "Asked the bank").await;
    let reconciled =
        billing.reconcile(&unknown, State::Succeeded, "Stands on the statement").await.expect("settled");
    let late = billing.reconcile(&unknown, State::Failed, "No").await;

    assert_eq!(refusal(early), (Code::FailedPrecondition, "PAYMENT_NOT_SUCCEEDED".to_owned()));
    for refused in [refusal(twice), refusal(blind)] {
        assert_eq!(refused, (Code::FailedPrecondition, "PAYMENT_NOT_INITIATED".to_owned()));
    }
    assert_eq!(refusal(settled), (Code::FailedPrecondition, "PAYMENT_NOT_PENDING".to_owned()));
    assert_eq!(violations(unproven), [field("evidence", "REQUIRED")]);
    assert_eq!(violations(undecided), [field("outcome", "UNKNOWN_VALUE")]);
    assert_eq!(refusal(late), (Code::FailedPrecondition, "PAYMENT_NOT_UNKNOWN".to_owned()));
    assert_eq!((reconciled.state(), &reconciled.date), (State::Succeeded, &days_ago(3)));
    assert_eq!(
        (reconciled.state_reason.as_str(), &reconciled.unallocated),
        ("Stands on the statement", &eur("121.00"))
    );
    let allocated = billing.allocate(&reconciled, vec![part(&invoice, "")]).await.expect("allocated");
    assert_eq!(allocated.allocations, [part(&invoice, "121.00")]);
}

/// DOC-18: one that is under way does not change and is not deleted; one that failed has paid nothing.
#[tokio::test]
async fn a_payment_that_is_under_way_does_not_change() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let update = async |payment: &Payment, amount: &str| {
        let request = UpdatePaymentRequest {
            payment: Some(Payment { amount: eur(amount), ..payment.clone() }),
            update_mask: Some(paths(&["amount"])),
            ..Default::default()
        };
        billing.payments().update_payment(billing.admin.request(request)).await.map(Response::into_inner)
    };
    let initiated = billing.initiated(transfer(&invoice, "100.00")).await;

    let changed = update(&initiated, "121.00").await.expect("it is not under way yet");
    let pending = billing.submit(&changed).await.expect("submitted");
    let late = update(&pending, "1.00").await;
    let delete = DeletePaymentRequest { name: pending.name.clone(), ..Default::default() };
    let deleted = billing.payments().delete_payment(billing.admin.request(delete)).await;
    let failed = billing.settle(&pending, State::Failed).await.expect("noted");

    for refused in [refusal(late), refusal(deleted)] {
        assert_eq!(refused, (Code::FailedPrecondition, "PAYMENT_NOT_INITIATED".to_owned()));
    }
    assert_eq!(
        (failed.state(), failed.amount, failed.unallocated),
        (State::Failed, eur("121.00"), eur("0.00"))
    );
    assert!(
        billing.journal(&desk).await.iter().all(|line| line.kind() == Kind::Invoice),
        "nothing else is posted"
    );
}

/// DOC-18: an allocation is for an invoice of the same account, legal entity and currency, and never more than either has.
#[tokio::test]
async fn an_allocation_fits_both_sides() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let of_another = billing.owed(&desk).await;
    let draft = billing.create_invoice(desk.invoice(vec![desk.line("1", "1", "1")])).await.expect("a draft");
    let payment = billing.pay(transfer(&invoice, "150.00"), vec![]).await.expect("recorded");
    let nowhere = Invoice { name: format!("invoices/{}", Uuid::now_v7()), ..Default::default() };
    let draft = Invoice { account: invoice.account.clone(), ..draft };

    for (allocation, reason) in [
        (part(&invoice, "121.01"), "ALLOCATION_EXCEEDS_INVOICE"),
        (part(&invoice, "150.01"), "ALLOCATION_EXCEEDS_INVOICE"),
        (part(&of_another, "1.00"), "INVOICE_UNSUITED"),
        (part(&draft, "1.00"), "INVOICE_UNSUITED"),
        (part(&nowhere, "1.00"), "INVOICE_NOT_FOUND"),
    ] {
        let answer = billing.allocate(&payment, vec![allocation]).await;
        assert_eq!(refusal(answer), (Code::FailedPrecondition, reason.to_owned()));
    }
    let twice = billing.allocate(&payment, vec![part(&invoice, "1.00"), part(&invoice, "1.00")]).await;
    assert_eq!(violations(twice), [field("allocations[1].invoice", "DUPLICATE_INVOICE")]);
    let nothing = billing.allocate(&payment, vec![part(&invoice, "0.00")]).await;
    assert_eq!(violations(nothing), [field("allocations[0].amount", "NOT_POSITIVE")]);
    let none = billing.allocate(&payment, vec![]).await;
    assert_eq!(violations(none), [field("allocations", "REQUIRED")]);
    let small = billing.pay(transfer(&invoice, "1.00"), vec![part(&invoice, "2.00")]).await;
    assert_eq!(refusal(small), (Code::FailedPrecondition, "ALLOCATION_EXCEEDS_PAYMENT".to_owned()));
    let outgoing = Payment { direction: Direction::Out.into(), ..transfer(&invoice, "1.00") };
    let outgoing = billing.pay(outgoing, vec![part(&invoice, "1.00")]).await;
    assert_eq!(refusal(outgoing), (Code::FailedPrecondition, "PAYMENT_NOT_SUCCEEDED".to_owned()));
    let tomorrow = Payment { date: crate::harness::date(9999, 1, 1), ..transfer(&invoice, "1.00") };
    assert_eq!(violations(billing.pay(tomorrow, vec![]).await), [field("payment.date", "OUT_OF_RANGE")]);
    assert_eq!(billing.get_invoice(&invoice).await.paid, eur("0.00"), "nothing of it was written");
}

/// DOC-18: what is credited after it was paid is ours to give back: the invoice says so, and is REFUNDED when that is done.
#[tokio::test]
async fn what_is_credited_after_it_was_paid_is_given_back() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let invoice = billing.owed(&desk).await;
    let payment =
        billing.pay(transfer(&invoice, "121.00"), vec![part(&invoice, "")]).await.expect("recorded");

    billing.credit(&invoice, vec![], &series).await.expect("credited");
    let credited = billing.get_invoice(&invoice).await;
    let half = billing.refund(&payment, "21.00", Some(&invoice)).await.expect("given back");
    let whole = billing.refund(&payment, "", Some(&invoice)).await.expect("given back");
    let refunded = billing.get_invoice(&invoice).await;
    let again = billing.refund(&payment, "0.01", None).await;

    assert_eq!((credited.payment_state(), credited.open), (PaymentState::Paid, eur("-121.00")));
    assert_eq!((half.state(), half.refunded), (State::PartlyRefunded, eur("21.00")));
    assert_eq!((whole.state(), whole.refunded, whole.allocations), (State::Refunded, eur("121.00"), vec![]));
    assert_eq!((refunded.payment_state(), refunded.open), (PaymentState::Refunded, eur("0.00")));
    assert_eq!((refunded.paid, refunded.refunded), (eur("0.00"), eur("121.00")));
    assert_eq!(refusal(again), (Code::FailedPrecondition, "PAYMENT_NOT_SUCCEEDED".to_owned()));
    billing.assert_books_are_even(&desk, &["1000", "1200", "2100", "2200", "4000"]).await;
}

/// DOC-18: what was allocated wrongly is taken back, and what the bank takes back is open again.
#[tokio::test]
async fn what_is_taken_back_is_open_again() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let payment =
        billing.pay(transfer(&invoice, "121.00"), vec![part(&invoice, "")]).await.expect("recorded");

    let too_much = billing.unallocate(&payment, vec![part(&invoice, "121.01")]).await;
    let some = billing.unallocate(&payment, vec![part(&invoice, "100.00")]).await.expect("taken back");
    let open = billing.get_invoice(&invoice).await;
    let void = billing.void(&invoice, "Wrong").await;
    let too_large = billing.refund(&payment, "100.01", None).await;
    let gone = billing.charge_back(&some, "15.00").await.expect("taken back");
    let unpaid = billing.get_invoice(&invoice).await;
    let again = billing.charge_back(&gone, "").await;

    assert_eq!(refusal(too_much), (Code::FailedPrecondition, "NOT_ALLOCATED".to_owned()));
    assert_eq!((some.unallocated, open.open), (eur("100.00"), eur("100.00")));
    assert_eq!(refusal(void), (Code::FailedPrecondition, "INVOICE_PAID".to_owned()));
    assert_eq!(refusal(too_large), (Code::FailedPrecondition, "REFUND_EXCEEDS_PAYMENT".to_owned()));
    assert_eq!((gone.state(), gone.unallocated, gone.allocations), (State::ChargedBack, eur("0.00"), vec![]));
    assert_eq!((unpaid.payment_state(), unpaid.open), (PaymentState::Unpaid, eur("121.00")));
    assert_eq!(refusal(again), (Code::FailedPrecondition, "PAYMENT_NOT_SUCCEEDED".to_owned()));
    let events = billing.event_types().await;
    assert_eq!(events[events.len() - 2..], ["invoice.reopened", "payment.charged_back"]);
    assert_eq!(billing.trial(&desk).await["5100"], 1500, "the bank took a fee");
}

/// DOC-18: what is given up is open no more, and is neither paid nor credited afterwards.
#[tokio::test]
async fn what_is_given_up_is_open_no_more() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let invoice = billing.owed(&desk).await;
    billing.pay(transfer(&invoice, "21.00"), vec![part(&invoice, "")]).await.expect("recorded");

    let unsaid = billing.write_off(&invoice, "").await;
    let given_up = billing.write_off(&invoice, "Insolvent").await.expect("given up");
    let twice = billing.write_off(&invoice, "Insolvent").await;
    let credit = billing.credit(&invoice, vec![], &series).await;
    let payment = billing.pay(transfer(&invoice, "10.00"), vec![part(&invoice, "10.00")]).await;

    assert_eq!(violations(unsaid), [field("reason", "REQUIRED")]);
    assert_eq!((given_up.payment_state(), given_up.open.clone()), (PaymentState::WrittenOff, eur("0.00")));
    assert_eq!((given_up.written_off, given_up.write_off_reason.as_str()), (eur("100.00"), "Insolvent"));
    assert_eq!(refusal(twice), (Code::FailedPrecondition, "NOTHING_OPEN".to_owned()));
    assert_eq!(refusal(credit), (Code::FailedPrecondition, "INVOICE_WRITTEN_OFF".to_owned()));
    assert_eq!(refusal(payment), (Code::FailedPrecondition, "ALLOCATION_EXCEEDS_INVOICE".to_owned()));
    assert_eq!(billing.trial(&desk).await["5200"], 10_000);
}
