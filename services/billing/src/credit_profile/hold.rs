//! Holds that nobody asked for: dunning's and the limit's, set where nobody holds the account yet, and taken back by whichever of
//! them has set them, alone.

use trato_platform::db::{
    NewEvent, Record, Tx, from_sqlx,
    statement::{Statements, column_list},
};
use trato_types::{Ref, Result};

use super::model::CreditProfile;
use crate::foreign::Account;

/// Who sets an account on hold without being asked to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holder {
    /// What the account owes is overdue.
    Dunning,
    /// What counts against its limit is more than that.
    Limit,
}

impl Holder {
    const ALL: [Self; 2] = [Self::Dunning, Self::Limit];

    /// Why the account is on hold.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Dunning => "Dunning: what the account owes is overdue",
            Self::Limit => "Credit limit: what counts against it is more than it",
        }
    }

    /// True for the reason of a holder; who gives another one holds the account from then on.
    pub fn gives(reason: &str) -> bool {
        Self::ALL.iter().any(|holder| holder.reason() == reason)
    }

    /// Where a profile says that it is this one's.
    fn flag(self, profile: &mut CreditProfile) -> &mut bool {
        match self {
            Self::Dunning => &mut profile.held_by_dunning,
            Self::Limit => &mut profile.held_by_limit,
        }
    }
}

/// Sets accounts on hold and takes it back.
#[derive(Clone, Copy, Debug)]
pub struct Holds {
    statements: Statements,
}

impl CreditProfile {
    /// Sets it on hold, also beside the other holder. False where that is nothing new, and where somebody holds it, who alone
    /// decides.
    fn hold_by(&mut self, holder: Holder) -> bool {
        let is_of_somebody = self.hold && !self.held_by_dunning && !self.held_by_limit;
        if is_of_somebody || std::mem::replace(holder.flag(self), true) {
            return false;
        }
        if !self.hold {
            self.hold = true;
            holder.reason().clone_into(&mut self.hold_reason);
        }
        true
    }

    /// Takes the hold back, unless the other holder has set it as well. False where it is not this one's.
    fn release_by(&mut self, holder: Holder) -> bool {
        if !std::mem::take(holder.flag(self)) {
            return false;
        }
        let left = match (self.held_by_dunning, self.held_by_limit) {
            (true, _) => Some(Holder::Dunning),
            (_, true) => Some(Holder::Limit),
            (false, false) => None,
        };
        self.hold = left.is_some();
        left.map_or("", Holder::reason).clone_into(&mut self.hold_reason);
        true
    }
}

impl Holds {
    /// Prepares the statements.
    pub fn prepare() -> Self {
        Self { statements: Statements::of::<CreditProfile>() }
    }

    /// Sets the account on hold. One that somebody holds stays as it is; one without a profile gets one without a limit.
    pub async fn hold(&self, tx: &mut Tx, account: Ref<Account>, holder: Holder) -> Result<()> {
        let cx = &tx.cx().clone();
        let Some(before) = lock(tx, account).await? else {
            let mut profile = CreditProfile::of(account);
            profile.hold_by(holder);
            let after = Record::new(cx, profile, None);
            let event = NewEvent::of(cx, "held", None, &after);
            tx.insert(&self.statements, &[&after], vec![event]).await?;
            return Ok(());
        };
        let mut value = before.value.clone();
        if !value.hold_by(holder) {
            return Ok(());
        }
        let after = before.next(cx, value);
        let event = if before.value.hold {
            NewEvent::of(cx, "updated", Some(&before), &after)
        } else {
            NewEvent::of(cx, "held", Some(&before), &after)
        };
        tx.save(&self.statements, &after, event).await
    }

    /// Takes the hold back, if it is this holder's.
    pub async fn release(&self, tx: &mut Tx, account: Ref<Account>, holder: Holder) -> Result<()> {
        let cx = &tx.cx().clone();
        let Some(before) = lock(tx, account).await? else { return Ok(()) };
        let mut value = before.value.clone();
        if !value.release_by(holder) {
            return Ok(());
        }
        let after = before.next(cx, value);
        let event = if after.value.hold {
            NewEvent::of(cx, "updated", Some(&before), &after)
        } else {
            NewEvent::of(cx, "released", Some(&before), &after)
        };
        tx.save(&self.statements, &after, event).await
    }
}

/// The living profile of an account, locked.
pub async fn lock(tx: &mut Tx, account: Ref<Account>) -> Result<Option<Record<CreditProfile>>> {
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// XTR-05: each holder takes back its own hold, and the account is free when the last of them has; what somebody holds is
    /// neither's.
    #[test]
    fn the_last_holder_sets_an_account_free() {
        let mut profile = CreditProfile::of(Ref::from_uuid(Uuid::nil()));

        assert!(profile.hold_by(Holder::Limit) && !profile.hold_by(Holder::Limit));
        assert!(profile.hold_by(Holder::Dunning));
        assert_eq!(profile.hold_reason, Holder::Limit.reason(), "the first reason stays");
        assert!(profile.release_by(Holder::Limit) && !profile.release_by(Holder::Limit));
        assert_eq!((profile.hold, profile.hold_reason.as_str()), (true, Holder::Dunning.reason()));
        assert!(profile.release_by(Holder::Dunning));
        assert_eq!(profile, CreditProfile::of(Ref::from_uuid(Uuid::nil())));

        let by_hand = CreditProfile { hold: true, hold_reason: "Fraud".into(), ..profile };
        let mut held = by_hand.clone();
        assert!(!held.hold_by(Holder::Limit) && !held.release_by(Holder::Limit));
        assert_eq!(held, by_hand);
    }
}
