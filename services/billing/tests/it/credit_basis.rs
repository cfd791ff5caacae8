//! From which step on orders count against a limit, and what becomes of an account whose orders are confirmed unchecked.

use tonic::Code;
use trato_proto::{
    billing::v1::{
        AssessCreditResponse, CreditProfile, CreditReservation, Payment, UpdateCreditProfileRequest,
        assess_credit_response::{Part, part::Kind},
        credit_profile::ExposureBasis,
        payment::Direction,
    },
    sales::v1::{
        Order,
        order::{InvoiceStatus, State},
    },
};

use crate::{
    credit_of_orders::{order_of, progressed},
    harness::{Billing, cents, eur, paths, refusal},
    opening::item,
    payment::transfer,
};

/// The order with so much of its line delivered, none of it invoiced.
fn delivered(order: &Order, state: State, quantity: &str) -> Order {
    let mut order = progressed(order, state, "0");
    for progress in &mut order.progress {
        progress.delivered = quantity.into();
        progress.invoice_status = InvoiceStatus::ToInvoice.into();
    }
    order
}

/// Cents of each part, and whether it counts; and of the exposure.
fn parts(answer: &AssessCreditResponse) -> (Vec<(Kind, i64, bool)>, i64) {
    let part = |part: &Part| (part.kind(), cents(part.amount.as_ref()), part.counts);
    (answer.parts.iter().map(part).collect(), cents(answer.exposure.as_ref()))
}

impl Billing {
    /// A limit of euros for an account whose orders count from this step on.
    async fn limit_by(&self, account: &str, amount: &str, basis: ExposureBasis) -> CreditProfile {
        let profile = CreditProfile {
            account: account.into(),
            credit_limit: eur(amount),
            exposure_basis: basis.into(),
            ..Default::default()
        };
        self.create_profile(profile).await.expect("a profile")
    }

    /// Changes one field of a profile, whatever became of it meanwhile, and hears of that.
    async fn change_profile(&self, profile: CreditProfile, path: &str) -> CreditProfile {
        let request = UpdateCreditProfileRequest {
            credit_profile: Some(CreditProfile { etag: String::new(), ..profile }),
            update_mask: Some(paths(&[path])),
            ..Default::default()
        };
        let answer = self.credit_profiles().update_credit_profile(self.admin.request(request)).await;
        let changed = answer.expect("changed").into_inner();
        let kind = "trato.billing.v1.credit_profile.updated";
        self.service.hear(self.admin.tenant, kind, &changed.name, 1, &changed).await;
        self.profile_of(&changed.account).await.expect("a profile")
    }

    /// Hears from itself what became of a payment.
    async fn hear_payment(&self, participle: &str, payment: &Payment) -> CreditProfile {
        let kind = format!("trato.billing.v1.payment.{participle}");
        self.service.hear(self.admin.tenant, &kind, &payment.name, 1, payment).await;
        self.profile_of(&payment.account).await.expect("a profile")
    }
}

/// XTR-05: what an account owes and has ordered is told in parts that have nothing in common, of which those count that the basis
/// says; an order counts when it is confirmed unless somebody said otherwise.
#[tokio::test]
async fn a_basis_says_from_which_step_on_an_order_counts() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    let profile = billing.limit_by(&account, "500.00", ExposureBasis::Unspecified).await;
    let order = order_of(&account, 40);
    billing.ask(&order, 60).await.expect("reserved");
    billing.hear_order("confirmed", 2, &progressed(&order, State::Confirmed, "0")).await;
    billing.hear_order("progressed", 3, &delivered(&order, State::InFulfilment, "4")).await;

    let mut told = Vec::new();
    for basis in [ExposureBasis::Order, ExposureBasis::Delivery, ExposureBasis::Invoice] {
        let changed = CreditProfile { exposure_basis: basis.into(), ..profile.clone() };
        billing.change_profile(changed, "exposure_basis").await;
        let assessed = billing.assess(&account, "").await.expect("an assessment");
        assert_eq!((assessed.exposure_basis(), &assessed.reserved), (basis, &eur("400.00")));
        told.push(parts(&assessed));
    }

    assert_eq!(profile.exposure_basis(), ExposureBasis::Order);
    let expected = |ordered, delivered, exposure| {
        let parts = vec![
            (Kind::Ordered, 24_000, ordered),
            (Kind::Delivered, 16_000, delivered),
            (Kind::Invoiced, 0, true),
            (Kind::Unallocated, 0, true),
        ];
        (parts, exposure)
    };
    assert_eq!(
        told,
        [expected(true, true, 40_000), expected(false, true, 16_000), expected(false, false, 0)]
    );
}

/// XTR-05: with the basis DELIVERY an order is confirmed whatever it comes to, unless what is delivered and not paid exceeds the
/// limit already; what comes back does not count any more.
#[tokio::test]
async fn an_order_that_counts_when_it_is_delivered_is_confirmed_unchecked() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    billing.limit_by(&account, "500.00", ExposureBasis::Delivery).await;
    let (first, second) = (order_of(&account, 60), order_of(&account, 90));

    billing.ask(&first, 60).await.expect("nothing of it counts");
    billing.ask(&second, 60).await.expect("nothing of it counts");
    billing.hear_order("confirmed", 2, &progressed(&first, State::Confirmed, "0")).await;
    let fulfilled = delivered(&first, State::Fulfilled, "10");
    billing.hear_order("progressed", 3, &fulfilled).await;
    let refused = billing.ask(&order_of(&account, 1), 60).await;
    let mut back = delivered(&first, State::InFulfilment, "10");
    back.progress[0].returned = "2".into();
    billing.hear_order("progressed", 4, &back).await;
    let assessed = billing.assess(&account, "").await.expect("an assessment");

    assert_eq!(refusal(refused), (Code::FailedPrecondition, "CREDIT_LIMIT_EXCEEDED".to_owned()));
    let (parts, exposure) = parts(&assessed);
    assert_eq!((parts[0].1, parts[1].1, exposure), (102_000, 48_000, 48_000));
    billing.ask(&order_of(&account, 1), 60).await.expect("it is within the limit again");
}

/// XTR-05: an account whose orders are confirmed unchecked is on hold for as long as what counts is more than its limit. Who takes
/// the hold back has decided, until more counts.
#[tokio::test]
async fn what_is_delivered_beyond_the_limit_holds_the_account() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let account = desk.account.clone();
    billing.limit_by(&account, "500.00", ExposureBasis::Delivery).await;
    let order = order_of(&account, 60);
    let reservation = billing.ask(&order, 60).await.expect("reserved");
    billing.hear_order("confirmed", 2, &progressed(&order, State::Confirmed, "0")).await;
    let weigh = async || {
        let kind = "trato.billing.v1.credit_reservation.reserved";
        billing.service.hear(billing.admin.tenant, kind, &reservation.name, 1, &reservation).await;
        billing.profile_of(&account).await.expect("a profile")
    };

    let before = weigh().await;
    billing.hear_order("progressed", 3, &delivered(&order, State::Fulfilled, "10")).await;
    let held = weigh().await;
    let refused = billing.ask(&order_of(&account, 1), 60).await;
    let invoice = desk.invoice(vec![]);
    let payment = billing.pay(transfer(&invoice, "150.00"), vec![]).await.expect("recorded");
    let paid = billing.hear_payment("succeeded", &payment).await;
    let payment = billing.charge_back(&payment, "").await.expect("taken back");
    let again = billing.hear_payment("charged_back", &payment).await;
    let lifted = billing.change_profile(CreditProfile { hold: false, ..again.clone() }, "hold").await;
    let more = weigh().await;
    let raised = CreditProfile { credit_limit: eur("600.00"), ..more.clone() };
    let raised = billing.change_profile(raised, "credit_limit").await;

    assert!(!before.hold, "{before:?}");
    for held in [&held, &again, &more] {
        let reason = "Credit limit: what counts against it is more than it";
        assert_eq!((held.hold, held.held_by_limit, held.hold_reason.as_str()), (true, true, reason));
    }
    for free in [&paid, &lifted, &raised] {
        assert!(!free.hold && !free.held_by_limit, "{free:?}");
    }
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "CREDIT_HELD".to_owned()));
    let types = billing.event_types().await;
    let holds = types.iter().filter_map(|kind| kind.strip_prefix("credit_profile."));
    assert_eq!(
        holds.collect::<Vec<_>>(),
        ["created", "held", "released", "held", "updated", "held", "updated", "released"]
    );
}

/// XTR-05: what was asked for by the program before this one, which kept nothing of deliveries, counts as delivered until it is asked
/// for again: nothing is delivered of an order that was never confirmed.
#[tokio::test]
async fn what_was_never_confirmed_is_not_delivered() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    billing.limit_by(&account, "500.00", ExposureBasis::Delivery).await;
    let order = order_of(&account, 40);
    billing.ask(&order, 60).await.expect("reserved");
    billing.tamper("update credit_reservation set delivered = null", false).await.expect("it is not known");

    let before = billing.assess(&account, "").await.expect("an assessment");
    let order = Order { document: order_of(&account, 60).document, ..order };
    billing.ask(&order, 60).await.expect("nothing of it counts");
    let after = billing.assess(&account, "").await.expect("an assessment");

    assert_eq!((cents(before.exposure.as_ref()), cents(after.exposure.as_ref())), (40_000, 0));
}

/// XTR-05: money that goes out to an account raises what counts as what is given back does, and holds it beyond the limit.
#[tokio::test]
async fn what_is_paid_out_beyond_the_limit_holds_the_account() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.limit_by(&desk.account, "100.00", ExposureBasis::Invoice).await;
    let of_desk = desk.invoice(vec![]);
    let out = Payment { direction: Direction::Out.into(), ..transfer(&of_desk, "100.01") };

    let out = billing.pay(out, vec![]).await.expect("recorded");
    let held = billing.hear_payment("succeeded", &out).await;
    let back = billing.pay(transfer(&of_desk, "0.01"), vec![]).await.expect("recorded");
    let free = billing.hear_payment("succeeded", &back).await;

    assert!(held.hold && held.held_by_limit, "{held:?}");
    assert!(!free.hold && !free.held_by_limit, "{free:?}");
}

/// XTR-05: what is taken over from another system counts as what is invoiced here does: an account beyond its limit is held, and what it
/// had paid in advance there frees it.
#[tokio::test]
async fn what_is_taken_over_beyond_the_limit_holds_the_account() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    billing.limit_by(&desk.account, "100.00", ExposureBasis::Invoice).await;

    let invoice = billing.take_over_invoice(item(&ledger, &desk.account, "RE-1", "100.01")).await;
    let kind = "trato.billing.v1.invoice.taken_over";
    billing.service.hear(billing.admin.tenant, kind, &invoice.name, 1, &invoice).await;
    let held = billing.profile_of(&desk.account).await.expect("a profile");
    billing.take_over(item(&ledger, &desk.account, "RE-2", "-0.01")).await.expect("taken over");
    let advance = Payment { account: desk.account.clone(), ..Default::default() };
    let free = billing.hear_payment("taken_over", &advance).await;

    assert!(held.hold && held.held_by_limit, "{held:?}");
    assert!(!free.hold && !free.held_by_limit, "{free:?}");
}

/// CRD-06, XTR-05: the program before this one, which does not know that the limit has set a hold, takes it back when somebody asks it
/// to, and then it is nobody's.
#[tokio::test]
async fn the_program_before_takes_back_what_the_limit_has_set() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    billing.limit_by(&account, "100.00", ExposureBasis::Delivery).await;
    let set = "update credit_profile set hold = true, hold_reason = 'Credit limit', held_by_limit = true";
    billing.tamper(set, false).await.expect("it is held");

    let taken_back = "update credit_profile set hold = false, hold_reason = '', held_by_dunning = false";
    billing.tamper(taken_back, false).await.expect("it is not refused");

    let profile = billing.profile_of(&account).await.expect("a profile");
    assert!(!profile.hold && !profile.held_by_limit, "{profile:?}");
}

/// XTR-05: an account whose orders count when they are confirmed is not held for what it owes: more than the limit was refused.
#[tokio::test]
async fn an_account_that_is_checked_before_is_not_held() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    billing.limit(&account, "500.00").await.expect("a profile");
    let order = order_of(&account, 60);
    billing.hear_order("confirmed", 2, &progressed(&order, State::Confirmed, "0")).await;
    let reservation = CreditReservation { account: account.clone(), ..Default::default() };

    let kind = "trato.billing.v1.credit_reservation.reserved";
    billing.service.hear(billing.admin.tenant, kind, "creditReservations/1", 1, &reservation).await;

    let profile = billing.profile_of(&account).await.expect("a profile");
    assert!(!profile.hold, "{profile:?}");
    assert_eq!(billing.assess(&account, "").await.expect("an assessment").available, eur("-100.00"));
}
