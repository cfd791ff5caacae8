//! Dunning: policies, runs by call and by the clock, what they do once, and the hold on credit.

use std::collections::BTreeSet;

use chrono::{Days, Utc};
use futures::future::join_all;
use tonic::{Code, Response, Status};
use trato_proto::{
    billing::v1::{
        CreateDunningPolicyRequest, CreditProfile, DeleteDunningPolicyRequest, DunningPolicy, DunningState,
        Invoice, ListCreditProfilesRequest, ListDunningStatesRequest, Payment, QueryAgingRequest,
        RunDunningRequest, RunDunningResponse, UpdateDunningPolicyRequest,
        dunning_policy::{Action, Step},
        dunning_state::State,
        run_dunning_response::outcome::Change,
    },
    google::value::Date,
};
use trato_types::time::to_microseconds;

use crate::{
    harness::{Billing, Desk, days_ago, eur, field, paths, refusal, violations},
    payment::{part, request_id, transfer},
};

fn step(after_days: i32, action: Action) -> Step {
    let template = if action == Action::Notify { format!("reminder-{after_days}") } else { String::new() };
    Step { after_days, action: action.into(), template }
}

/// After 5 and 10 days the customer is told, after 30 credit is held.
pub fn policy(legal_entity: &str) -> DunningPolicy {
    DunningPolicy {
        display_name: "Late payers".into(),
        legal_entity: legal_entity.into(),
        steps: vec![step(5, Action::Notify), step(10, Action::Notify), step(30, Action::Hold)],
        minimums: eur("5.00").into_iter().collect(),
        ..Default::default()
    }
}

impl Billing {
    pub async fn create_policy(&self, policy: DunningPolicy) -> Result<DunningPolicy, Status> {
        let request = CreateDunningPolicyRequest { dunning_policy: Some(policy), ..Default::default() };
        self.dunning_policies()
            .create_dunning_policy(self.admin.request(request))
            .await
            .map(Response::into_inner)
    }

    pub async fn dun(&self, request: RunDunningRequest) -> Result<RunDunningResponse, Status> {
        self.dunning_states().run_dunning(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn dun_on(&self, as_of: Option<Date>) -> RunDunningResponse {
        self.dun(RunDunningRequest { as_of, ..Default::default() }).await.expect("it runs")
    }

    /// What the job does when it is so many days later.
    pub async fn dun_in(&self, days: u64) -> usize {
        let now = Utc::now().checked_add_days(Days::new(days)).expect("a day");
        trato_billing::run_dunning(&self.service.database, to_microseconds(now)).await.expect("it runs")
    }

    pub async fn dunning_of(&self, account: &str) -> Vec<DunningState> {
        let filter = format!("account = \"{account}\"");
        let request = ListDunningStatesRequest { filter, ..Default::default() };
        let page = self.dunning_states().list_dunning_states(self.admin.request(request)).await;
        page.expect("a page").into_inner().dunning_states
    }

    pub async fn profile_of(&self, account: &str) -> Option<CreditProfile> {
        let filter = format!("account = \"{account}\"");
        let request = ListCreditProfilesRequest { filter, ..Default::default() };
        let page = self.credit_profiles().list_credit_profiles(self.admin.request(request)).await;
        page.expect("a page").into_inner().credit_profiles.pop()
    }

    /// How often each event of dunning and of holds was published, by its last two words.
    pub async fn dunning_events(&self) -> Vec<String> {
        let events = self.service.events(self.admin.tenant).await;
        let names = events.into_iter().filter_map(|(kind, ..)| {
            let short = kind.strip_prefix("trato.billing.v1.")?.to_owned();
            (short.starts_with("dunning_state.") || short.starts_with("credit_profile.")).then_some(short)
        });
        names.collect()
    }

    pub async fn owing(&self, desk: &Desk) -> (String, Invoice) {
        let account = self.account().await;
        let draft = Invoice { account: account.clone(), ..desk.invoice(vec![desk.line("1", "1", "100")]) };
        let draft = self.create_invoice(draft).await.expect("a draft");
        (account, self.issue(&draft, &desk.series).await.expect("issued"))
    }
}

fn changes(answer: &RunDunningResponse) -> Vec<(Change, i32, i32)> {
    answer.outcomes.iter().map(|one| (one.change(), one.level_before, one.level)).collect()
}

pub fn stands(states: &[DunningState]) -> Vec<(State, i32, bool)> {
    states.iter().map(|one| (one.state(), one.level, one.holds_credit)).collect()
}

/// XTR-05: a legal entity has one dunning policy, and there is one default; steps ascend and minimums are positive.
#[tokio::test]
async fn a_legal_entity_has_one_dunning_policy() {
    let billing = Billing::start().await;
    let entity = billing.legal_entity("Hispania").await.name;
    let own = billing.create_policy(policy(&entity)).await.expect("a policy");
    billing.create_policy(policy("")).await.expect("a default");

    let second = billing.create_policy(policy(&entity)).await;
    let other_default = billing.create_policy(policy("")).await;
    let of_nobody = billing.create_policy(policy(&format!("legalEntities/{}", uuid::Uuid::now_v7()))).await;
    let wrong = DunningPolicy {
        steps: vec![step(10, Action::Hold), step(10, Action::Block)],
        minimums: [eur("5.00"), eur("6.00")].into_iter().flatten().collect(),
        ..policy("")
    };
    let wrong = billing.create_policy(wrong).await;
    let silent = DunningPolicy {
        steps: vec![Step { template: String::new(), ..step(0, Action::Notify) }],
        minimums: eur("0.00").into_iter().collect(),
        ..policy("")
    };
    let silent = billing.create_policy(silent).await;
    let changed = DunningPolicy { steps: vec![step(3, Action::Collection)], ..own };
    let request = UpdateDunningPolicyRequest {
        dunning_policy: Some(changed),
        update_mask: Some(paths(&["steps"])),
        ..Default::default()
    };
    let changed = billing.dunning_policies().update_dunning_policy(billing.admin.request(request)).await;

    for refused in [refusal(second), refusal(other_default)] {
        assert_eq!(refused, (Code::AlreadyExists, "DUNNING_POLICY_TAKEN".to_owned()));
    }
    assert_eq!(refusal(of_nobody), (Code::FailedPrecondition, "LEGAL_ENTITY_NOT_FOUND".to_owned()));
    assert_eq!(
        violations(wrong),
        [
            field("dunning_policy.minimums[1]", "DUPLICATE_CURRENCY"),
            field("dunning_policy.steps[1].after_days", "STEPS_NOT_ASCENDING"),
        ]
    );
    let silent = violations(silent);
    assert_eq!(silent.len(), 3, "{silent:?}");
    assert_eq!(changed.expect("changed").into_inner().steps, [step(3, Action::Collection)]);
}

/// XTR-05: a trial says what would happen on any day and does nothing; what is asked for is what aging says is overdue.
#[tokio::test]
async fn a_trial_says_what_would_happen() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.create_policy(policy("")).await.expect("a policy");
    let ledger = billing.ledger(&desk).await;
    let account = billing.account().await;
    billing.open_balance(&ledger, &account, eur("40.00"), days_ago(12)).await.expect("taken over");
    billing.open_balance(&ledger, &account, eur("60.00"), days_ago(3)).await.expect("taken over");
    let payment = Invoice {
        account: account.clone(),
        legal_entity: desk.legal_entity.name.clone(),
        ..Default::default()
    };
    billing
        .pay(Payment { date: days_ago(1), ..transfer(&payment, "10.00") }, vec![])
        .await
        .expect("recorded");
    let poor = billing.account().await;
    billing.open_balance(&ledger, &poor, eur("4.99"), days_ago(50)).await.expect("taken over");

    let now = RunDunningRequest { as_of: days_ago(0), validate_only: true, ..Default::default() };
    let now = billing.dun(RunDunningRequest { account: account.clone(), ..now }).await.expect("a trial");
    let in_a_month = RunDunningRequest {
        as_of: trato_proto::wire::date(Utc::now().date_naive() + Days::new(30)).into(),
        validate_only: true,
        ..Default::default()
    };
    let in_a_month = billing.dun(in_a_month).await.expect("a trial");
    let aging = QueryAgingRequest { account: account.clone(), ..Default::default() };
    let aging = billing.receivables().query_aging(billing.admin.request(aging)).await.expect("an aging");
    let buckets = aging.into_inner().rows.remove(0).buckets.expect("buckets");

    let [outcome] = &now.outcomes[..] else { panic!("{now:?}") };
    assert_eq!((outcome.change(), outcome.level_before, outcome.level), (Change::Entered, 0, 2));
    assert_eq!((&outcome.overdue, outcome.days_overdue), (&eur("90.00"), 12));
    assert_eq!((&buckets.days_1_to_30, &buckets.unallocated), (&eur("100.00"), &eur("10.00")));
    assert!(outcome.explanation.contains("2 steps are due"), "{}", outcome.explanation);
    let passed: Vec<_> = outcome.entered.iter().map(|step| (step.after_days, step.passed_over)).collect();
    assert_eq!(passed, [(5, true), (10, false)]);
    let levels: BTreeSet<_> =
        in_a_month.outcomes.iter().map(|one| (one.account.clone(), one.level)).collect();
    assert_eq!(levels, BTreeSet::from([(account.clone(), 3), (poor, 0)]));
    assert!(billing.dunning_of(&account).await.is_empty());
    assert!(billing.dunning_events().await.is_empty());
}

/// XTR-05: a run does what is due and no more when it is repeated, by whom ever and however many at once; an earlier day never
/// undoes a later one.
#[tokio::test]
async fn what_was_done_is_not_done_again() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.create_policy(policy(&desk.legal_entity.name)).await.expect("a policy");
    let ledger = billing.ledger(&desk).await;
    let mut accounts = Vec::new();
    for _ in 0..5 {
        let account = billing.account().await;
        billing.open_balance(&ledger, &account, eur("40.00"), days_ago(40)).await.expect("taken over");
        accounts.push(account);
    }
    let request = RunDunningRequest {
        as_of: days_ago(33),
        account: accounts[0].clone(),
        request_id: request_id(),
        ..Default::default()
    };

    let first = billing.dun(request.clone()).await.expect("it runs");
    let repeated = billing.dun(request).await.expect("it runs");
    let second = billing.dun_on(days_ago(33)).await;
    let mut paged = RunDunningRequest { as_of: days_ago(20), page_size: 2, ..Default::default() };
    let mut pages = Vec::new();
    loop {
        let page = billing.dun(paged.clone()).await.expect("a page");
        pages.push(page.outcomes.len());
        if page.next_page_token.is_empty() {
            break;
        }
        paged.page_token = page.next_page_token;
    }
    let run = async || loop {
        let request = RunDunningRequest { as_of: days_ago(0), ..Default::default() };
        match billing.dun(request).await {
            Err(status) if [Code::Unavailable, Code::ResourceExhausted].contains(&status.code()) => {}
            answer => break answer.expect("it runs"),
        }
    };
    let at_once = join_all((0..8).map(|_| run())).await;
    let earlier = billing.dun(RunDunningRequest { as_of: days_ago(20), ..Default::default() }).await;
    let to_come = RunDunningRequest {
        as_of: trato_proto::wire::date(Utc::now().date_naive() + Days::new(3)).into(),
        ..Default::default()
    };
    let to_come = billing.dun(to_come).await;

    assert_eq!(changes(&first), [(Change::Entered, 0, 1)]);
    assert_eq!(repeated, first);
    assert_eq!(changes(&second).iter().filter(|one| **one == (Change::None, 1, 1)).count(), 1);
    assert_eq!(pages, [2, 2, 1]);
    let entered = at_once.iter().flat_map(|run| &run.outcomes).filter(|one| one.change() == Change::Entered);
    assert_eq!(entered.count(), 5, "each account once");
    for account in &accounts {
        assert_eq!(stands(&billing.dunning_of(account).await), [(State::Active, 3, true)]);
        let profile = billing.profile_of(account).await.expect("a profile");
        assert!(profile.hold && profile.held_by_dunning && profile.credit_limit.is_none());
    }
    let events = billing.dunning_events().await;
    let count = |name: &str| events.iter().filter(|event| *event == name).count();
    assert_eq!((count("dunning_state.step_entered"), count("credit_profile.held")), (15, 5));
    assert_eq!(events.len(), 20, "{events:?}");
    assert_eq!(refusal(earlier), (Code::FailedPrecondition, "DUNNED_LATER".to_owned()));
    assert_eq!(violations(to_come), [field("as_of", "OUT_OF_RANGE")]);
}

/// XTR-05: the clock enters step by step, payment clears and gives credit back, a payment that is taken back enters again, and
/// the event has what a letter needs.
#[tokio::test]
async fn the_clock_enters_and_payment_clears() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let own = billing.create_policy(policy("")).await.expect("a policy");
    let (account, invoice) = billing.owing(&desk).await;

    assert_eq!(billing.dun_in(3).await, 1, "it is overdue, and no step is due");
    assert!(billing.dunning_of(&account).await.is_empty());
    billing.dun_in(7).await;
    let first = billing.dunning_of(&account).await;
    billing.dun_in(40).await;
    billing.dun_in(41).await;
    let held = billing.dunning_of(&account).await;
    let payment =
        billing.pay(transfer(&invoice, "121.00"), vec![part(&invoice, "")]).await.expect("recorded");
    billing.dun_in(42).await;
    let cleared = billing.dunning_of(&account).await;
    let released = billing.profile_of(&account).await.expect("a profile");
    billing.charge_back(&payment, "").await.expect("taken back");
    billing.dun_in(43).await;
    let again = billing.dunning_of(&account).await;
    let request = DeleteDunningPolicyRequest { name: own.name.clone(), ..Default::default() };
    billing.dunning_policies().delete_dunning_policy(billing.admin.request(request)).await.expect("deleted");
    billing.dun_in(44).await;

    assert_eq!(stands(&first), [(State::Active, 1, false)]);
    let [state] = &held[..] else { panic!("{held:?}") };
    assert_eq!((state.level, state.holds_credit, &state.dunning_policy), (3, true, &own.name));
    let items: Vec<_> = state.items.iter().map(|item| (&item.invoice, &item.number, &item.open)).collect();
    assert_eq!(items, [(&invoice.name, &invoice.number, &eur("121.00"))]);
    assert_eq!((&state.overdue, &state.overdue_since), (&eur("121.00"), &invoice.due_date));
    assert_eq!(stands(&cleared), [(State::Cleared, 0, false)]);
    assert!(!released.hold && !released.held_by_dunning && released.hold_reason.is_empty());
    assert_eq!(stands(&again), [(State::Active, 3, true)]);
    assert_eq!(stands(&billing.dunning_of(&account).await), [(State::Cleared, 0, false)], "nobody asks");
    assert_eq!(
        billing.dunning_events().await,
        [
            "dunning_state.step_entered",
            "dunning_state.step_entered",
            "dunning_state.step_entered",
            "credit_profile.held",
            "dunning_state.cleared",
            "credit_profile.released",
            "dunning_state.step_entered",
            "dunning_state.step_entered",
            "dunning_state.step_entered",
            "credit_profile.held",
            "dunning_state.cleared",
            "credit_profile.released",
        ]
    );
    let letters = billing.letters().await;
    let first = &letters[0];
    assert_eq!((first.days_overdue, first.level, &first.overdue), (7, 1, &eur("121.00")));
    assert_eq!(first.step.as_ref().map(|step| step.template.as_str()), Some("reminder-5"));
    assert_eq!(first.bill_to, invoice.bill_to);
}
