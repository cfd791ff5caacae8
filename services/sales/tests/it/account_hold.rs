//! Accounts that billing has on hold: what is open of their orders waits with them.

use trato_proto::{
    billing::v1::CreditProfile,
    sales::v1::{HoldOrderRequest, Order, ReleaseOrderRequest, order::HoldReason},
};
use uuid::Uuid;

use crate::{
    delivery_note::part,
    harness::{Sales, refusal, timestamp},
    order::precondition,
};

/// A credit profile of an account, as billing tells of it.
struct Told<'a> {
    sales: &'a Sales,
    profile: CreditProfile,
}

impl Told<'_> {
    async fn hear(&self, participle: &str, revision: i64, hold: bool) {
        let profile = CreditProfile { hold, ..self.profile.clone() };
        let kind = format!("trato.billing.v1.credit_profile.{participle}");
        self.sales.hear(&kind, &profile.name, revision, &profile).await;
    }
}

impl Sales {
    fn credit_profile(&self, account: &str) -> Told<'_> {
        let profile = CreditProfile {
            name: format!("creditProfiles/{}", Uuid::now_v7()),
            account: account.into(),
            hold_reason: "Overdue".into(),
            ..Default::default()
        };
        Told { sales: self, profile }
    }

    /// A draft of an account.
    async fn draft_of(&self, account: &str, product: &str) -> Order {
        let order = Order { account: account.into(), ..self.order_of(product, &["2"]).await };
        self.create_order(order).await.expect("a draft")
    }

    async fn confirmed_of(&self, account: &str, product: &str) -> Order {
        let draft = self.draft_of(account, product).await;
        self.confirm_order(&draft.name).await.expect("confirmed")
    }

    pub async fn hold(&self, order: &str, reason: HoldReason) {
        let request = HoldOrderRequest { name: order.into(), reason: reason.into(), ..Default::default() };
        self.orders().hold_order(self.admin.request(request)).await.expect("held");
    }

    pub async fn release(&self, order: &str) -> Order {
        let request = ReleaseOrderRequest { name: order.into(), ..Default::default() };
        self.orders().release_order(self.admin.request(request)).await.expect("released").into_inner()
    }

    /// Why each of these is held, and whether it is with its account.
    async fn holds(&self, orders: &[&Order]) -> Vec<(HoldReason, bool)> {
        let mut holds = Vec::new();
        for order in orders {
            let order = self.get_order(&order.name).await;
            holds.push((order.hold_reason(), order.held_with_account));
        }
        holds
    }
}

const FREE: (HoldReason, bool) = (HoldReason::Unspecified, false);
const WITH_ACCOUNT: (HoldReason, bool) = (HoldReason::Credit, true);

/// DOC-04, XTR-05: a credit hold holds what is open of the account's orders and of nobody else's, once, and ends with it.
#[tokio::test]
async fn a_credit_hold_holds_the_open_orders_of_the_account() {
    let (sales, desk) = Sales::start_ordering().await;
    let (account, other) = (sales.account().await, sales.account().await);
    let open = sales.confirmed_of(&account, &desk).await;
    let begun = sales.confirmed_of(&account, &desk).await;
    sales.delivered(&begun.name, vec![part("1", "1")]).await;
    let sent = sales.confirmed_of(&account, &desk).await;
    sales.delivered(&sent.name, Vec::new()).await;
    let suspect = sales.confirmed_of(&account, &desk).await;
    sales.hold(&suspect.name, HoldReason::Fraud).await;
    let draft = sales.draft_of(&account, &desk).await;
    let foreign = sales.confirmed_of(&other, &desk).await;
    let note = sales.create_delivery(&open.name, Vec::new()).await.expect("a draft");
    let all = [&open, &begun, &sent, &suspect, &draft, &foreign];
    let profile = sales.credit_profile(&account);

    profile.hear("held", 2, true).await;
    profile.hear("held", 2, true).await;
    let held = sales.holds(&all).await;
    let refused = sales.issue_delivery(&note.name).await;
    let why = sales.get_order(&open.name).await;
    profile.hear("released", 3, false).await;
    profile.hear("held", 2, true).await;
    let released = sales.holds(&all).await;
    sales.issue_delivery(&note.name).await.expect("it goes on");

    let suspected = (HoldReason::Fraud, false);
    assert_eq!(held, [WITH_ACCOUNT, WITH_ACCOUNT, FREE, suspected, FREE, FREE]);
    assert_eq!((why.hold_note.as_str(), why.hold_time.is_some()), ("Overdue", true));
    assert_eq!(refusal(refused), precondition("ORDER_ON_HOLD"));
    assert_eq!(released, [FREE, FREE, FREE, suspected, FREE, FREE]);
    let types = sales.event_types().await;
    let count = |kind: &str| types.iter().filter(|told| *told == kind).count();
    assert_eq!((count("order.held"), count("order.released")), (3, 2), "of the suspect, too");
}

/// DOC-04, XTR-05: what somebody decides about an order stands over the hold of its account; what is confirmed or released
/// meanwhile is held.
#[tokio::test]
async fn an_account_on_hold_holds_what_comes_to_be_open() {
    let (sales, desk) = Sales::start_ordering().await;
    let account = sales.account().await;
    let trusted = sales.confirmed_of(&account, &desk).await;
    let kept = sales.confirmed_of(&account, &desk).await;
    let suspect = sales.confirmed_of(&account, &desk).await;
    sales.hold(&suspect.name, HoldReason::Manual).await;
    let note = sales.delivered(&sales.confirmed_of(&account, &desk).await.name, Vec::new()).await;
    let profile = sales.credit_profile(&account);

    profile.hear("updated", 2, true).await;
    sales.release(&trusted.name).await;
    sales.hold(&kept.name, HoldReason::Credit).await;
    let cleared = sales.release(&suspect.name).await;
    let new = sales.confirmed_of(&account, &desk).await;
    let void = trato_proto::sales::v1::VoidDeliveryNoteRequest {
        name: note.name.clone(),
        reason: "Wrong lorry".into(),
        ..Default::default()
    };
    sales.delivery_notes().void_delivery_note(sales.admin.request(void)).await.expect("void");
    let opened = sales.get_order(&note.order).await;
    profile.hear("updated", 3, true).await;
    let all = [&trusted, &kept, &suspect, &new, &opened];
    let held = sales.holds(&all).await;
    let deleted = CreditProfile { delete_time: Some(timestamp(2026, 1, 1)), ..profile.profile.clone() };
    Told { sales: &sales, profile: deleted }.hear("deleted", 4, true).await;

    assert_eq!((cleared.hold_reason(), cleared.held_with_account), WITH_ACCOUNT);
    let theirs = (HoldReason::Credit, false);
    assert_eq!(held, [FREE, theirs, WITH_ACCOUNT, WITH_ACCOUNT, WITH_ACCOUNT]);
    assert_eq!(sales.holds(&all).await, [FREE, theirs, FREE, FREE, FREE]);
}
