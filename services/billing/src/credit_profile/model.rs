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
}

impl Collection for CreditProfile {
    const COLLECTION: &'static str = "creditProfiles";
}
