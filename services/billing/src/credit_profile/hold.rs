//! The hold of dunning: set where nobody holds the account yet, and taken back by dunning alone.

use trato_platform::db::{
    NewEvent, Record, Tx, from_sqlx,
    statement::{Statements, column_list},
};
use trato_types::{Ref, Result};

use super::model::CreditProfile;
use crate::foreign::Account;

/// Why an account is on hold that dunning holds.
pub const HOLD_REASON: &str = "Dunning: what the account owes is overdue";

/// Sets accounts on hold and takes it back.
#[derive(Clone, Copy, Debug)]
pub struct Holds {
    statements: Statements,
}

impl Holds {
    /// Prepares the statements.
    pub fn prepare() -> Self {
        Self { statements: Statements::of::<CreditProfile>() }
    }

    /// Sets the account on hold. One that is held already stays as it is; one without a profile gets one without a limit.
    pub async fn hold(&self, tx: &mut Tx, account: Ref<Account>, reason: &str) -> Result<()> {
        let cx = &tx.cx().clone();
        let hold_reason = reason.to_owned();
        let Some(before) = lock(tx, account).await? else {
            let profile = CreditProfile {
                account,
                credit_limit: None,
                currency_code: None,
                hold: true,
                hold_reason,
                held_by_dunning: true,
            };
            let after = Record::new(cx, profile, None);
            let event = NewEvent::of(cx, "held", None, &after);
            tx.insert(&self.statements, &[&after], vec![event]).await?;
            return Ok(());
        };
        if before.value.hold {
            return Ok(());
        }
        let value = CreditProfile { hold: true, hold_reason, held_by_dunning: true, ..before.value.clone() };
        let after = before.next(cx, value);
        let event = NewEvent::of(cx, "held", Some(&before), &after);
        tx.save(&self.statements, &after, event).await
    }

    /// Takes the hold back, if it is dunning's.
    pub async fn release(&self, tx: &mut Tx, account: Ref<Account>) -> Result<()> {
        let cx = &tx.cx().clone();
        let Some(before) = lock(tx, account).await?.filter(|before| before.value.held_by_dunning) else {
            return Ok(());
        };
        let value = CreditProfile {
            hold: false,
            hold_reason: String::new(),
            held_by_dunning: false,
            ..before.value.clone()
        };
        let after = before.next(cx, value);
        let event = NewEvent::of(cx, "released", Some(&before), &after);
        tx.save(&self.statements, &after, event).await
    }
}

/// The living profile of an account, locked.
async fn lock(tx: &mut Tx, account: Ref<Account>) -> Result<Option<Record<CreditProfile>>> {
    let tenant = tx.cx().tenant;
    // Only names that the service itself lists.
    let sql = format!(
        "select {} from credit_profile profile
         where tenant_id = $1 and account = $2 and delete_time is null
         for update",
        column_list::<CreditProfile>("profile")
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(tenant)
        .bind(account.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)?;
    row.as_ref().map(Record::read).transpose()
}
