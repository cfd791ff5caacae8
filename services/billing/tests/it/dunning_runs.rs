//! Dunning: whose hold is whose, and runs that fail for one account or break off.

use std::time::Duration;

use trato_proto::billing::v1::{
    CreditProfile, UpdateCreditProfileRequest, dunning_state::State, run_dunning_response::outcome::Change,
};
use trato_types::time::to_microseconds;

use crate::{
    dunning::{policy, stands},
    harness::{Billing, days_ago, eur, paths},
    payment::{part, transfer},
};

/// XTR-05: a hold that somebody set is not dunning's to take back, and one that somebody took back is not set again by the same
/// step.
#[tokio::test]
async fn a_hold_of_somebody_else_stays() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.create_policy(policy("")).await.expect("a policy");
    let ((one, first), (other, second)) = (billing.owing(&desk).await, billing.owing(&desk).await);
    let held =
        CreditProfile { account: one.clone(), hold: true, hold_reason: "Fraud".into(), ..Default::default() };
    billing.create_profile(held).await.expect("a profile");
    billing.dun_in(40).await;
    let profile = billing.profile_of(&other).await.expect("a profile");
    let lifted = CreditProfile { hold: false, hold_reason: String::new(), ..profile };
    let request = UpdateCreditProfileRequest {
        credit_profile: Some(lifted),
        update_mask: Some(paths(&["hold", "hold_reason"])),
        ..Default::default()
    };
    billing.credit_profiles().update_credit_profile(billing.admin.request(request)).await.expect("changed");
    billing.dun_in(41).await;
    let kept = billing.profile_of(&other).await.expect("a profile");
    for invoice in [&first, &second] {
        billing.pay(transfer(invoice, "121.00"), vec![part(invoice, "")]).await.expect("recorded");
    }
    billing.dun_in(42).await;

    assert!(!kept.hold && !kept.held_by_dunning, "{kept:?}");
    let fraud = billing.profile_of(&one).await.expect("a profile");
    assert_eq!((fraud.hold, fraud.hold_reason.as_str(), fraud.held_by_dunning), (true, "Fraud", false));
    assert_eq!(stands(&billing.dunning_of(&one).await), [(State::Cleared, 0, false)]);
}

/// XTR-05: what fails for one account does not keep the others from being done, and changes nothing of its own.
#[tokio::test]
async fn an_account_that_fails_does_not_stop_the_others() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.create_policy(policy("")).await.expect("a policy");
    let ledger = billing.ledger(&desk).await;
    let (gone, there) = (billing.account().await, billing.account().await);
    for account in [&gone, &there] {
        billing.open_balance(&ledger, account, eur("40.00"), days_ago(40)).await.expect("taken over");
    }
    billing.hear_account(&gone, true).await;

    let answer = billing.dun_on(None).await;

    let mut found: Vec<_> = answer
        .outcomes
        .iter()
        .map(|one| (one.account.as_str(), one.change(), one.failure_reason.as_str()))
        .collect();
    found.sort_by_key(|(_, change, _)| *change as i32);
    assert_eq!(
        found,
        [(there.as_str(), Change::Entered, ""), (gone.as_str(), Change::Failed, "ACCOUNT_DELETED")]
    );
    assert!(billing.dunning_of(&gone).await.is_empty());
    assert_eq!(stands(&billing.dunning_of(&there).await), [(State::Active, 3, true)]);
}

/// XTR-05: a run that breaks off anywhere is finished by the next one, and nothing is done twice.
#[tokio::test]
async fn a_run_that_broke_off_is_finished_by_the_next() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.create_policy(policy("")).await.expect("a policy");
    let ledger = billing.ledger(&desk).await;
    let mut accounts = Vec::new();
    for _ in 0..12 {
        let account = billing.account().await;
        billing.open_balance(&ledger, &account, eur("40.00"), days_ago(40)).await.expect("taken over");
        accounts.push(account);
    }

    for patience in 0..20 {
        let now = to_microseconds(chrono::Utc::now());
        let run = trato_billing::run_dunning(&billing.service.database, now);
        // Whatever it was doing then is rolled back, as when the process is killed.
        if tokio::time::timeout(Duration::from_millis(4 * patience), run).await.is_ok_and(|done| done.is_ok())
        {
            break;
        }
    }
    billing.dun_in(0).await;

    for account in &accounts {
        assert_eq!(stands(&billing.dunning_of(account).await), [(State::Active, 3, true)]);
    }
    let events = billing.dunning_events().await;
    let count = |name: &str| events.iter().filter(|event| *event == name).count();
    assert_eq!((count("dunning_state.step_entered"), count("credit_profile.held")), (36, 12));
    assert_eq!(events.len(), 48, "{events:?}");
}
