//! How credit profiles are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{columns, db::Constraint};
use trato_query::{Field, boolean, minor, reference, text};

use super::model::CreditProfile;

columns!(CreditProfile { account, credit_limit, currency_code, hold, hold_reason, held_by_dunning });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    reference("account", "accounts"),
    minor("credit_limit").nullable(),
    text("currency_code").nullable(),
    boolean("hold"),
    boolean("held_by_dunning"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[Constraint::taken(
    "credit_profile_account_key",
    "CREDIT_PROFILE_TAKEN",
    "another credit profile is of this account",
)];
