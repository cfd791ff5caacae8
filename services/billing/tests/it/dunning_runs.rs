//! Dunning: whose hold is whose, and runs that fail for one account or break off.

use std::time::Duration;

use trato_platform::{db::Tx, testing::eventually};
use trato_proto::billing::v1::{
    CreditProfile, UpdateCreditProfileRequest, dunning_state::State, parked_task,
    run_dunning_response::outcome::Change,
};
use trato_types::time::to_microseconds;
use uuid::Uuid;

use crate::{
    dunning::{policy, stands},
    harness::{Billing, days_ago, eur, paths},
    payment::{part, transfer},
};

impl Billing {
    /// Has the turn of an account until the transaction ends, as a run that works on it.
    pub async fn hold_turn(&self, account: &str) -> Tx {
        let tenant = self.admin.tenant;
        let id: Uuid = account.trim_start_matches("accounts/").parse().expect("a name ends with an id");
        let mut tx = self.service.transaction(tenant).await;
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('dunning ' || $1::text || $2::text, 0))")
            .bind(tenant)
            .bind(id)
            .execute(tx.connection())
            .await
            .expect("nobody has it");
        tx
    }

    /// Has an account that owes something owe as much of each of the days before, past the rules of the database.
    async fn owe_daily(&self, account: &str, days: usize) {
        let id = account.trim_start_matches("accounts/");
        let statement = format!(
            "with posted as (
               insert into posting select tenant_id, gen_random_uuid(), legal_entity, date - day, kind, document, description,
                 account, currency_code, base_currency_code, rate, now(), creator
               from posting, generate_series(1, {days}) as day where account = '{id}'
               returning tenant_id, id
             )
             insert into ledger_entry (tenant_id, posting, line, role, account_code, tax, debit, credit, base_debit, base_credit)
             select tenant_id, id, 1, 'RECEIVABLE', '1200', '', 100, 0, 100, 0 from posted"
        );
        self.tamper(&statement, true).await.expect("it is posted");
    }

    /// Waits until somebody waits for a turn.
    pub async fn is_waited_for(&self) {
        eventually(async || {
            let mut tx = self.service.transaction(self.admin.tenant).await;
            let waiting: bool = sqlx::query_scalar(
                "select exists (
                   select from pg_locks
                   join pg_database on pg_database.oid = pg_locks.database
                   where pg_database.datname = current_database() and locktype = 'advisory' and not granted
                 )",
            )
            .fetch_one(tx.connection())
            .await
            .map_err(|error| error.to_string())?;
            tx.roll_back().await.map_err(|error| error.to_string())?;
            if waiting { Ok(()) } else { Err("nobody waits".to_owned()) }
        })
        .await;
    }
}

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

/// XTR-05: a hold to which somebody gave a reason of their own is theirs from then on.
#[tokio::test]
async fn a_hold_that_somebody_took_over_stays() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.create_policy(policy("")).await.expect("a policy");
    let (account, invoice) = billing.owing(&desk).await;
    billing.dun_in(40).await;
    let profile = billing.profile_of(&account).await.expect("a profile");
    assert!(profile.hold && profile.held_by_dunning, "{profile:?}");
    let update = async |credit_profile: CreditProfile, path: &str| {
        let request = UpdateCreditProfileRequest {
            credit_profile: Some(credit_profile),
            update_mask: Some(paths(&[path])),
            ..Default::default()
        };
        let answer = billing.credit_profiles().update_credit_profile(billing.admin.request(request)).await;
        answer.expect("changed").into_inner()
    };
    let limited = CreditProfile { credit_limit: eur("10.00"), ..profile };
    let limited = update(limited, "credit_limit").await;
    let taken_over = CreditProfile { hold_reason: "Fraud".into(), ..limited.clone() };
    let taken_over = update(taken_over, "hold_reason").await;

    billing.pay(transfer(&invoice, "121.00"), vec![part(&invoice, "")]).await.expect("recorded");
    billing.dun_in(41).await;

    assert!(limited.held_by_dunning && !taken_over.held_by_dunning);
    assert_eq!(stands(&billing.dunning_of(&account).await), [(State::Cleared, 0, false)]);
    let kept = billing.profile_of(&account).await.expect("a profile");
    assert_eq!((kept.hold, kept.hold_reason.as_str()), (true, "Fraud"));
}

/// XTR-05: an account that somebody holds for too long is parked, and does not keep the others from being done; the next run
/// finishes it.
#[tokio::test]
async fn an_account_that_is_held_does_not_stop_the_others() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.create_policy(policy("")).await.expect("a policy");
    let ledger = billing.ledger(&desk).await;
    // Names ascend with time, and so does a run.
    let (held, there) = (billing.account().await, billing.account().await);
    for account in [&held, &there] {
        billing.open_balance(&ledger, account, eur("40.00"), days_ago(40)).await.expect("taken over");
    }
    let turn = billing.hold_turn(&held).await;

    billing.dun_in(0).await;
    let (waiting, done) = (billing.dunning_of(&held).await, billing.dunning_of(&there).await);
    let parked = billing.parked("state = PARKED").await;
    turn.roll_back().await.expect("the turn is given back");
    billing.dun_in(0).await;

    assert!(waiting.is_empty(), "{waiting:?}");
    assert_eq!(stands(&done), [(State::Active, 3, true)]);
    let subjects: Vec<_> = parked.iter().map(|task| (&task.subject, task.reason.as_str())).collect();
    assert_eq!(subjects, [(&held, "DATABASE_CONFLICT")]);
    assert_eq!(stands(&billing.dunning_of(&held).await), [(State::Active, 3, true)]);
    assert!(billing.parked("state = PARKED").await.is_empty());
}

/// XTR-05: a tenant that fails does not keep the others from being done, nor the job from ending: it is parked as a whole, for the
/// next run, or for whoever has mended it.
#[tokio::test]
async fn a_tenant_that_fails_does_not_stop_the_others() {
    let mut billing = Billing::start().await;
    let mut accounts = Vec::new();
    let mut books = None;
    for _ in 0..2 {
        // Ids of tenants ascend with time, and so does the job.
        billing.admin = billing.service.caller(Uuid::now_v7(), "admin", &["administrator"]);
        let desk = billing.desk().await;
        billing.create_policy(policy("")).await.expect("a policy");
        let ledger = billing.ledger(&desk).await;
        billing.open_balance(&ledger, &desk.account, eur("40.00"), days_ago(40)).await.expect("taken over");
        books.get_or_insert((billing.admin.tenant, desk.legal_entity.name));
        accounts.push(desk.account);
    }
    let (tenant, legal_entity) = books.expect("there are two");
    let legal_entity: Uuid = legal_entity.trim_start_matches("legalEntities/").parse().expect("an id");
    let mut advance = billing.service.transaction(tenant).await;
    sqlx::query("insert into dunning_run (tenant_id, legal_entity, as_of) values ($1, $2, '2020-01-01')")
        .bind(tenant)
        .bind(legal_entity)
        .execute(advance.connection())
        .await
        .expect("nobody else writes it");

    billing.dun_in(0).await;
    let done = billing.dunning_of(&accounts[1]).await;
    assert!(billing.parked("").await.is_empty(), "nothing failed for the second tenant");
    billing.admin = billing.service.caller(tenant, "admin", &["administrator"]);
    let parked = billing.parked("state = PARKED").await;
    advance.roll_back().await.expect("it is given back");
    let [task] = &parked[..] else { panic!("{parked:?}") };
    let retried = billing.retry(task, "").await.expect("it is done");

    assert_eq!(stands(&done), [(State::Active, 3, true)]);
    assert_eq!((&task.subject, task.reason.as_str()), (&format!("tenants/{tenant}"), "DATABASE_CONFLICT"));
    assert_eq!(retried.state(), parked_task::State::Done);
    assert_eq!(stands(&billing.dunning_of(&accounts[0]).await), [(State::Active, 3, true)]);
}

/// XTR-05: a tenant that fails for good is parked once, however often the job runs, and done by the first run after it was mended.
#[tokio::test]
async fn a_tenant_that_fails_for_good_is_parked_once() {
    let billing = Billing::start().await;
    billing.desk().await;
    billing.create_policy(policy("")).await.expect("a policy");
    let zone = async |name: &str| {
        let statement = format!("update legal_entity set time_zone = '{name}'");
        billing.tamper(&statement, true).await.expect("it is changed");
    };
    zone("Nowhere").await;
    billing.dun_in(0).await;
    billing.dun_in(0).await;
    let parked = billing.parked("").await;
    zone("Europe/Madrid").await;

    billing.dun_in(0).await;

    let [task] = &parked[..] else { panic!("{parked:?}") };
    assert_eq!(
        (task.reason.as_str(), task.state(), task.try_count),
        ("INTERNAL", parked_task::State::Parked, 1)
    );
    let over: Vec<_> = billing.parked("").await.iter().map(|task| task.state()).collect();
    assert_eq!(over, [parked_task::State::Done]);
}

/// XTR-05: what fails for one account does not keep the others from being done, and changes nothing of its own.
#[tokio::test]
async fn an_account_that_fails_does_not_stop_the_others() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.create_policy(policy("")).await.expect("a policy");
    let ledger = billing.ledger(&desk).await;
    // Names ascend with time, and so does a run.
    let (gone, full, there) = (billing.account().await, billing.account().await, billing.account().await);
    for account in [&gone, &full, &there] {
        billing.open_balance(&ledger, account, eur("40.00"), days_ago(40)).await.expect("taken over");
    }
    billing.hear_account(&gone, true).await;
    billing.owe_daily(&full, 50_000).await;

    let answer = billing.dun_on(None).await;

    let mut found: Vec<_> = answer
        .outcomes
        .iter()
        .map(|one| (one.account.as_str(), one.change(), one.failure_reason.as_str()))
        .collect();
    found.sort_by_key(|(_, change, _)| *change as i32);
    let expected = [
        (there.as_str(), Change::Entered, ""),
        (gone.as_str(), Change::Failed, "ACCOUNT_DELETED"),
        (full.as_str(), Change::Failed, "TOO_MANY_ITEMS"),
    ];
    assert_eq!(found, expected);
    let parked = billing.parked("state = PARKED").await;
    let mut parked: Vec<_> =
        parked.iter().map(|task| (task.subject.as_str(), task.reason.as_str())).collect();
    parked.sort_unstable();
    assert_eq!(
        parked,
        expected[1..].iter().map(|(account, _, reason)| (*account, *reason)).collect::<Vec<_>>()
    );
    assert!(billing.dunning_of(&gone).await.is_empty() && billing.dunning_of(&full).await.is_empty());
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
