//! Balances that were posted when they were taken over, before such became invoices and payments: they are of a ledger and of no
//! document, and are owed all the same.

use trato_proto::billing::v1::{Ledger, dunning_state::State};

use crate::{
    dunning::{policy, stands},
    harness::{Billing, Desk, cents, days_ago, eur},
};

impl Billing {
    /// Posts so many cents of the desk's account as the version before did, so many days ago.
    pub async fn post_balance(&self, desk: &Desk, ledger: &Ledger, account: &str, cents: i64, days: i64) {
        let id = |name: &str| name.rsplit('/').next().expect("a name has an end").to_owned();
        let (tenant, legal_entity) = (self.admin.tenant, id(&desk.legal_entity.name));
        let (ledger, account) = (&ledger.name, id(account));
        let statement = format!(
            "with posted as (
               insert into posting (
                 tenant_id, id, legal_entity, date, kind, document, description, account, currency_code, base_currency_code,
                 rate, create_time, creator
               )
               values (
                 '{tenant}', gen_random_uuid(), '{legal_entity}', (now() at time zone 'UTC')::date - {days}, 'OPENING',
                 '{ledger}', 'Taken over', '{account}', 'EUR', 'EUR', 1, now(), 'members/admin'
               )
               returning tenant_id, id
             )
             insert into ledger_entry (
               tenant_id, posting, line, role, account_code, tax, debit, credit, base_debit, base_credit
             )
             select posted.tenant_id, posted.id, line.number, line.role, line.code, '', greatest(line.amount, 0),
               greatest(-line.amount, 0), greatest(line.amount, 0), greatest(-line.amount, 0)
             from posted
             cross join (values (1, 'RECEIVABLE', '1200', {cents}::bigint), (2, 'EQUITY', '9000', -({cents}::bigint)))
               as line (number, role, code, amount)"
        );
        self.tamper(&statement, false).await.expect("it is posted");
    }
}

/// XTR-05, DOC-14: a balance that is of no document counts against the limit, stands in the aging by the day it was posted, and is
/// dunned by it, without an invoice that could be named.
#[tokio::test]
async fn a_balance_that_was_posted_before_is_owed_by_its_day() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    let other = billing.account().await;
    billing.create_policy(policy("")).await.expect("a policy");
    billing.post_balance(&desk, &ledger, &desk.account, 4_000, 40).await;
    billing.post_balance(&desk, &ledger, &other, -1_550, 20).await;

    let owed = billing.assess(&desk.account, "EUR").await.expect("an assessment");
    let overpaid = billing.assess(&other, "EUR").await.expect("an assessment");
    let aging = billing.aging(&desk.account, days_ago(0)).await;
    billing.dun_on(None).await;
    let dunned = billing.dunning_of(&desk.account).await;

    assert_eq!((&owed.invoiced, &owed.exposure), (&eur("40.00"), &eur("40.00")));
    assert_eq!((&overpaid.invoiced, &overpaid.exposure), (&eur("-15.50"), &eur("-15.50")));
    let late: Vec<_> = aging.rows.iter().filter_map(|row| row.buckets.as_ref()).collect();
    assert_eq!(late.iter().map(|late| cents(late.days_31_to_60.as_ref())).collect::<Vec<_>>(), [4_000]);
    assert_eq!(stands(&dunned), [(State::Active, 3, true)]);
    let items: Vec<_> =
        dunned[0].items.iter().map(|item| (item.invoice.as_str(), item.number.as_str())).collect();
    assert_eq!((items, dunned[0].overdue_since), (vec![("", "")], days_ago(40)));
}
