//! What is asked for on a day, and which steps are due. Pure: told from open items and the policy alone.

use chrono::Days;
use serde::{Deserialize, Serialize};
use trato_pricing::PricingError;
use trato_types::{Currency, Date, Id, Minor, Result};

use crate::{
    dunning_policy::{DunningPolicy, Step},
    invoice::Invoice,
};

/// Something that is open: a claim, or below zero what an account is owed for it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Item {
    /// The invoice; none of a balance that was taken over before such were invoices.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub invoice: Option<Id<Invoice>>,
    /// Its number; may be empty.
    pub number: String,
    /// When it is due.
    pub due_date: Date,
    /// What is open of it.
    pub open: Minor,
}

/// What an account has open with a legal entity in a currency, on a day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Open {
    /// What is open, due or not, in any order.
    pub items: Vec<Item>,
    /// What it has paid and nobody has allocated.
    pub unallocated: Minor,
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// What is overdue and not wholly covered by what was paid, the oldest first.
    pub items: Vec<Item>,
    /// How much of what was paid is taken off them.
    pub covered: Minor,
    /// What is open of them, less that.
    pub overdue: Minor,
    /// When the oldest of it was due; none where nothing is asked for.
    pub since: Option<Date>,
}

impl Open {
    /// What is overdue on a day, less what was paid and not allocated, and what invoices were credited beyond what was paid of
    /// them. Both are taken off the oldest first, as a payment without a word would be.
    pub fn asked(&self, day: Date) -> Result<Asked> {
        let credited = self.items.iter().map(|item| i128::from(item.open.0.min(0))).sum::<i128>();
        let mut credit = i128::from(self.unallocated.0).max(0) - credited;
        let is_overdue = |item: &&Item| item.open > Minor(0) && item.due_date < day;
        let mut overdue: Vec<&Item> = self.items.iter().filter(is_overdue).collect();
        overdue.sort_by_key(|item| (item.due_date, item.invoice.map(Id::uuid)));
        let mut asked = Asked::default();
        let (mut open, mut covered) = (0_i128, 0_i128);
        for item in overdue {
            let amount = i128::from(item.open.0);
            let taken = credit.min(amount);
            credit -= taken;
            if taken < amount {
                asked.since = asked.since.or(Some(item.due_date));
                asked.items.push(item.clone());
                open += amount;
                covered += taken;
            }
        }
        let minor = |amount: i128| i64::try_from(amount).map(Minor).map_err(|_| PricingError::TooLarge);
        asked.covered = minor(covered)?;
        asked.overdue = minor(open - covered)?;
        Ok(asked)
    }
}

impl Asked {
    /// Days since the oldest of it was due; 0 where nothing is asked for.
    pub fn days(&self, day: Date) -> i32 {
        let days = self.since.map_or(0, |since| (day - since).num_days());
        i32::try_from(days).unwrap_or(i32::MAX)
    }

    /// True where less is asked for than the policy's minimum, or nothing, or nobody asks.
    pub fn is_too_little(&self, policy: Option<&DunningPolicy>, currency: Currency) -> bool {
        policy.is_none_or(|policy| self.overdue < policy.minimums.of(currency))
    }

    /// The steps of the policy that are due on a day, in their order.
    pub fn due<'a>(&self, policy: &'a DunningPolicy, currency: Currency, day: Date) -> Vec<&'a Step> {
        if self.is_too_little(Some(policy), currency) {
            return Vec::new();
        }
        let is_due = |step: &&Step| {
            let days = Days::new(step.after_days.unsigned_abs().into());
            // Beyond the calendar it is never due.
            self.since.and_then(|since| since.checked_add_days(days)).is_some_and(|from| from <= day)
        };
        policy.steps.iter().filter(is_due).collect()
    }
}
