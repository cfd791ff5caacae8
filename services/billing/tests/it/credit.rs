//! Credit: what is reserved for orders, that it never exceeds the limit, and how an account stands.

use futures::future::join_all;
use tonic::{Code, Response, Status};
use trato_proto::billing::v1::{
    AssessCreditRequest, AssessCreditResponse, CreateCreditProfileRequest, CreditProfile, CreditReservation,
    Invoice, ListCreditReservationsRequest, ReleaseCreditRequest, ReserveCreditRequest,
    UpdateCreditProfileRequest, credit_reservation::State,
};

use crate::{
    harness::{Billing, cents, eur, field, paths, refusal, violations},
    payment::{part, transfer},
};

impl Billing {
    pub async fn limit(&self, account: &str, amount: &str) -> Result<CreditProfile, Status> {
        let profile =
            CreditProfile { account: account.into(), credit_limit: eur(amount), ..Default::default() };
        self.create_profile(profile).await
    }

    pub async fn create_profile(&self, profile: CreditProfile) -> Result<CreditProfile, Status> {
        let request = CreateCreditProfileRequest { credit_profile: Some(profile), ..Default::default() };
        self.credit_profiles()
            .create_credit_profile(self.admin.request(request))
            .await
            .map(Response::into_inner)
    }

    async fn reserve(&self, order: &str, account: &str, amount: &str) -> Result<CreditReservation, Status> {
        let request = ReserveCreditRequest {
            order: order.into(),
            account: account.into(),
            amount: eur(amount),
            ..Default::default()
        };
        self.credit_reservations().reserve_credit(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn release(&self, order: &str) -> Option<CreditReservation> {
        let request = ReleaseCreditRequest { order: order.into(), ..Default::default() };
        let answer = self.credit_reservations().release_credit(self.admin.request(request)).await;
        answer.expect("an answer").into_inner().reservation
    }

    pub async fn assess(&self, account: &str, currency_code: &str) -> Result<AssessCreditResponse, Status> {
        let request = AssessCreditRequest { account: account.into(), currency_code: currency_code.into() };
        self.credit_profiles().assess_credit(self.admin.request(request)).await.map(Response::into_inner)
    }
}

/// None that anybody has heard of.
fn account_of_nobody() -> String {
    format!("accounts/{}", uuid::Uuid::now_v7())
}

/// Cents that are reserved, invoiced, unallocated, in all, and left.
pub fn stands(answer: &AssessCreditResponse) -> [i64; 5] {
    [&answer.reserved, &answer.invoiced, &answer.unallocated, &answer.exposure, &answer.available]
        .map(|amount| cents(amount.as_ref()))
}

/// XTR-05, DOC-15: 64 orders are confirmed at once: together never more than the limit.
#[tokio::test]
async fn many_reservations_at_once_never_exceed_the_limit() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    billing.limit(&account, "105.00").await.expect("a profile");
    let orders: Vec<String> = (0..64).map(|number| format!("orders/{number}")).collect();

    let reserve = async |order: &String| loop {
        match billing.reserve(order, &account, "10.00").await {
            Err(status) if [Code::Unavailable, Code::ResourceExhausted].contains(&status.code()) => {}
            answer => break answer,
        }
    };
    let answers = join_all(orders.iter().map(reserve)).await;

    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
    for refused in answers.into_iter().filter(Result::is_err) {
        assert_eq!(refusal(refused), (Code::FailedPrecondition, "CREDIT_LIMIT_EXCEEDED".to_owned()));
    }
    let assessed = billing.assess(&account, "").await.expect("an assessment");
    assert_eq!(stands(&assessed), [10_000, 0, 0, 10_000, 500]);
}

/// XTR-05: an order has one reservation, whoever asks and how often; less is never refused, and what is released may be taken
/// again.
#[tokio::test]
async fn an_order_has_one_reservation() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    let profile = billing.limit(&account, "100.00").await.expect("a profile");

    let first = billing.reserve("orders/1", &account, "80.00").await.expect("reserved");
    let again = billing.reserve("orders/1", &account, "80.00").await.expect("reserved");
    let too_much = billing.reserve("orders/1", &account, "100.01").await;
    let of_another = billing.reserve("orders/1", &account_of_nobody(), "1.00").await;
    let second = billing.reserve("orders/2", &account, "20.01").await;
    let lowered = CreditProfile { credit_limit: eur("10.00"), hold: true, ..profile };
    let request = UpdateCreditProfileRequest {
        credit_profile: Some(lowered),
        update_mask: Some(paths(&["credit_limit", "hold"])),
        ..Default::default()
    };
    billing.credit_profiles().update_credit_profile(billing.admin.request(request)).await.expect("changed");
    let less = billing.reserve("orders/1", &account, "50.00").await.expect("it takes nothing more");
    let held = billing.reserve("orders/2", &account, "1.00").await;
    let released = billing.release("orders/1").await.expect("it was reserved");
    let twice = billing.release("orders/1").await.expect("it was reserved");
    let anew = billing.reserve("orders/1", &account, "1.00").await;

    assert_eq!((&first.name, first.state()), (&again.name, State::Open));
    assert_eq!(refusal(too_much), (Code::FailedPrecondition, "CREDIT_LIMIT_EXCEEDED".to_owned()));
    assert_eq!(refusal(of_another), (Code::FailedPrecondition, "RESERVATION_OF_ANOTHER_ACCOUNT".to_owned()));
    assert_eq!(refusal(second), (Code::FailedPrecondition, "CREDIT_LIMIT_EXCEEDED".to_owned()));
    assert_eq!(less.amount, eur("50.00"));
    for refused in [refusal(held), refusal(anew)] {
        assert_eq!(refused, (Code::FailedPrecondition, "CREDIT_HELD".to_owned()));
    }
    assert_eq!((released.state(), &released), (State::Released, &twice));
    assert_eq!(billing.release("orders/3").await, None, "nothing was reserved for it");
    let request =
        ListCreditReservationsRequest { filter: "order = \"orders/1\"".into(), ..Default::default() };
    let page = billing.credit_reservations().list_credit_reservations(billing.admin.request(request)).await;
    assert_eq!(page.expect("a page").into_inner().credit_reservations, [twice]);
    let nothing = billing.reserve("orders/4", &account, "0.00").await;
    assert_eq!(violations(nothing), [field("amount", "NOT_POSITIVE")]);
}

/// XTR-05: what of an order is invoiced counts as invoice and no longer as reserved, and what is paid counts no more.
#[tokio::test]
async fn an_order_counts_once_whether_it_is_reserved_or_invoiced() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let account = billing.account().await;
    billing.limit(&account, "500.00").await.expect("a profile");
    billing.reserve("orders/1", &account, "242.00").await.expect("reserved");
    let reserved = billing.assess(&account, "").await.expect("an assessment");
    let draft = Invoice {
        account: account.clone(),
        source_document: "orders/1".into(),
        ..desk.invoice(vec![desk.line("1", "1", "100")])
    };
    let draft = billing.create_invoice(draft).await.expect("a draft");
    let invoice = billing.issue(&draft, &desk.series).await.expect("issued");
    let invoiced = billing.assess(&account, "").await.expect("an assessment");
    let payment =
        billing.pay(transfer(&invoice, "150.00"), vec![part(&invoice, "")]).await.expect("recorded");
    let paid = billing.assess(&account, "").await.expect("an assessment");
    billing.charge_back(&payment, "").await.expect("taken back");
    billing.void(&invoice, "Wrong").await.expect("voided");
    let voided = billing.assess(&account, "").await.expect("an assessment");

    assert_eq!(stands(&reserved), [24_200, 0, 0, 24_200, 25_800]);
    assert_eq!(stands(&invoiced), [12_100, 12_100, 0, 24_200, 25_800]);
    assert_eq!(stands(&paid), [12_100, 0, 2_900, 9_200, 40_800]);
    assert_eq!(stands(&voided), [24_200, 0, 0, 24_200, 25_800]);
}

/// DOC-15: an account is scored by how it paid, and the score says why; one without a limit is told in any currency.
#[tokio::test]
async fn an_account_is_scored_by_how_it_paid() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let unknown = billing.assess(&account_of_nobody(), "EUR").await.expect("an assessment");
    let unsaid = billing.assess(&account_of_nobody(), "").await;
    let invoice = billing.owed(&desk).await;
    let payment =
        billing.pay(transfer(&invoice, "121.00"), vec![part(&invoice, "")]).await.expect("recorded");
    let good = billing.assess(&invoice.account, "EUR").await.expect("an assessment");
    billing.charge_back(&payment, "").await.expect("taken back");
    billing.write_off(&invoice, "Insolvent").await.expect("given up");
    let bad = billing.assess(&invoice.account, "EUR").await.expect("an assessment");
    let dollars = billing.assess(&invoice.account, "USD").await;
    let open = billing.owed(&desk).await;
    let foreign = billing.assess(&open.account, "USD").await;

    let codes = |answer: &AssessCreditResponse| {
        let codes = answer.factors.iter().map(|factor| (factor.code().as_str_name(), factor.points));
        (answer.score, codes.collect::<Vec<_>>())
    };
    assert_eq!(codes(&unknown), (50, vec![("NO_HISTORY", 0)]));
    assert_eq!((unknown.credit_limit, unknown.available), (None, None));
    assert_eq!(violations(unsaid), [field("currency_code", "REQUIRED")]);
    assert_eq!(codes(&good), (100, vec![("PAID_IN_TIME", 0)]));
    assert_eq!(codes(&bad), (70, vec![("WRITTEN_OFF", -20), ("CHARGED_BACK", -10)]));
    assert!(dollars.is_ok(), "nothing is owed: {dollars:?}");
    assert_eq!(refusal(foreign), (Code::FailedPrecondition, "EXCHANGE_RATE_NOT_FOUND".to_owned()));
}

/// XTR-05: an account that exists has one credit profile, or none.
#[tokio::test]
async fn an_account_has_one_credit_profile() {
    let billing = Billing::start().await;
    let account = billing.account().await;
    billing.limit(&account, "1.00").await.expect("a profile");

    let second = billing.limit(&account, "2.00").await;
    let negative = billing.limit(&billing.account().await, "-2.00").await;
    let unknown = billing.limit(&account_of_nobody(), "2.00").await;

    assert_eq!(refusal(second), (Code::AlreadyExists, "CREDIT_PROFILE_TAKEN".to_owned()));
    assert_eq!(violations(negative), [field("credit_profile.credit_limit", "NEGATIVE")]);
    assert_eq!(
        refusal(unknown),
        (Code::Unavailable, "ACCOUNT_UNVERIFIED".to_owned()),
        "there is no customers to ask"
    );
}
