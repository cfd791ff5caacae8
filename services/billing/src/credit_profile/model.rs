//! A credit profile.

use trato_types::{Currency, Minor, Ref, id::Collection};

use crate::foreign::Account;

/// How much an account may owe.
#[derive(Clone, Debug, PartialEq)]
pub struct CreditProfile {
    /// Whose it is; it has one that lives.
    pub account: Ref<Account>,
    /// Most that it may owe and have ordered; no limit without one.
    pub credit_limit: Option<Minor>,
    /// Currency of the limit; there when the limit is.
    pub currency_code: Option<Currency>,
    /// Nothing more is reserved for it.
    pub hold: bool,
    /// Why; may be empty.
    pub hold_reason: String,
    /// It was dunning that set the hold; never without one.
    pub held_by_dunning: bool,
    /// What counts against the limit.
    pub exposure_basis: ExposureBasis,
    /// It was the limit that set the hold; never without one.
    pub held_by_limit: bool,
}

/// From which step on an order counts against the limit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ExposureBasis {
    /// When it is confirmed.
    #[default]
    Order,
    /// When it is delivered.
    Delivery,
    /// When it is invoiced.
    Invoice,
}

impl CreditProfile {
    /// One that says nothing yet.
    pub fn of(account: Ref<Account>) -> Self {
        Self {
            account,
            credit_limit: None,
            currency_code: None,
            hold: false,
            hold_reason: String::new(),
            held_by_dunning: false,
            exposure_basis: ExposureBasis::default(),
            held_by_limit: false,
        }
    }
}

impl Collection for CreditProfile {
    const COLLECTION: &'static str = "creditProfiles";
}
