//! Accounts that billing has on hold: what is open of their orders is held with them, and goes on when they are released.
//!
//! What billing says is kept (`credit_hold`), so that events may come again and in any order, and so that an order that is
//! confirmed or goes on meanwhile is held, too. Only the change counts: an order that somebody has released stays released.

use std::sync::Arc;

use futures::FutureExt as _;
use trato_platform::{
    db::{NewEvent, Tx, from_sqlx, statement::Statements},
    events::{Event, Subscription},
};
use trato_proto::billing::v1 as billing;
use trato_types::{Error, Id, Ref, Result, id::parse_name};
use uuid::Uuid;

use super::model::Order;
use crate::foreign::Account;

/// Orders that are read at once.
const PAGE: i64 = 500;

/// Those of an account, after one, of which something is left to be delivered: also those that somebody holds, who may be
/// releasing them at this moment.
const OPEN: &str = "select id from sales_order
    where tenant_id = $1 and account = $2 and id > $3 and state in ('CONFIRMED', 'IN_FULFILMENT')
    order by id
    limit $4";

/// Those of an account, after one, that are held with it.
const HELD: &str = "select id from sales_order
    where tenant_id = $1 and account = $2 and id > $3 and held_with_account
    order by id
    limit $4";

/// Credit profiles that were set on hold, released, or anything else.
pub fn hold_orders() -> Subscription {
    let orders = Statements::of::<Order>();
    Subscription::new(
        "hold-orders",
        &["trato.billing.v1.credit_profile.*"],
        Arc::new(move |tx, event| follow(orders, tx, event).boxed()),
    )
}

async fn follow(orders: Statements, tx: &mut Tx, event: &Event) -> Result<()> {
    let profile: billing::CreditProfile = event.resource()?;
    let account = Ref::<Account>::parse(&profile.account).map_err(Error::internal)?;
    take_turn(tx, account).await?;
    let before = find(tx, account).await?;
    remember(tx, &profile, account, event.revision).await?;
    match (before, find(tx, account).await?) {
        (None, Some(why)) => hold_all(&orders, tx, account, &why).await,
        (Some(_), None) => release_all(&orders, tx, account).await,
        _ => Ok(()),
    }
}

/// Waits for whoever sets the account on hold or releases it at this moment. Taken by whoever confirms or opens an order, which
/// he does not see; one that is open already he locks.
pub async fn take_turn(tx: &mut Tx, account: Ref<Account>) -> Result<()> {
    tx.take_turn("account-hold", &account.uuid().to_string()).await
}

/// Holds an order with its account, if that is on hold.
pub async fn hold_with_account(tx: &mut Tx, order: &mut Order) -> Result<()> {
    if let Some(why) = find(tx, order.account).await? {
        order.hold_with_account(&why, tx.cx().now);
    }
    Ok(())
}

async fn hold_all(orders: &Statements, tx: &mut Tx, account: Ref<Account>, why: &str) -> Result<()> {
    let now = tx.cx().now;
    change_all(orders, tx, (account, OPEN), "held", |order| order.hold_with_account(why, now)).await
}

async fn release_all(orders: &Statements, tx: &mut Tx, account: Ref<Account>) -> Result<()> {
    change_all(orders, tx, (account, HELD), "released", Order::release_with_account).await
}

/// Changes those orders of an account that the statement finds, in the order of their ids, page by page.
async fn change_all(
    orders: &Statements,
    tx: &mut Tx,
    (account, sql): (Ref<Account>, &'static str),
    participle: &str,
    change: impl Fn(&mut Order) -> bool,
) -> Result<()> {
    let tenant = tx.cx().tenant;
    let mut last = Uuid::nil();
    loop {
        let page: Vec<Uuid> = sqlx::query_scalar(sql)
            .bind(tenant)
            .bind(account.uuid())
            .bind(last)
            .bind(PAGE)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
        let Some(end) = page.last().copied() else { return Ok(()) };
        for id in page {
            let before = tx.lock::<Order>(orders, &Id::<Order>::from_uuid(id).name()).await?;
            let mut value = before.value.clone();
            // Somebody may have changed it before we had the lock.
            if change(&mut value) {
                let after = before.next(tx.cx(), value);
                let event = NewEvent::of(tx.cx(), participle, Some(&before), &after);
                tx.save(orders, &after, event).await?;
            }
        }
        last = end;
    }
}

/// Why an account is on hold, if it is; it stays so until the transaction ends.
async fn find(tx: &mut Tx, account: Ref<Account>) -> Result<Option<String>> {
    let tenant = tx.cx().tenant;
    let sql = "select reason from credit_hold
        where tenant_id = $1 and account = $2 and is_held
        order by credit_profile
        limit 1
        for share";
    sqlx::query_scalar(sql)
        .bind(tenant)
        .bind(account.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)
}

/// Keeps what a credit profile says, where it is news.
async fn remember(
    tx: &mut Tx,
    profile: &billing::CreditProfile,
    account: Ref<Account>,
    revision: i64,
) -> Result<()> {
    let tenant = tx.cx().tenant;
    sqlx::query(include_str!("../../sql/remember_credit_hold.sql"))
        .bind(tenant)
        .bind(parse_name("creditProfiles", &profile.name).map_err(Error::internal)?)
        .bind(account.uuid())
        .bind(revision)
        .bind(profile.hold && profile.delete_time.is_none())
        .bind(&profile.hold_reason)
        .execute(tx.connection())
        .await
        .map_err(from_sqlx)?;
    Ok(())
}
