//! How credit profiles are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint};
use trato_query::{Field, boolean, choice, minor, reference, text};

use super::model::{CreditProfile, ExposureBasis};

columns!(CreditProfile {
    account,
    credit_limit,
    currency_code,
    hold,
    hold_reason,
    held_by_dunning,
    exposure_basis,
    held_by_limit,
});

choice_column!(ExposureBasis { Order = "ORDER", Delivery = "DELIVERY", Invoice = "INVOICE" });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    reference("account", "accounts"),
    minor("credit_limit").nullable(),
    text("currency_code").nullable(),
    boolean("hold"),
    boolean("held_by_dunning"),
    choice("exposure_basis", ExposureBasis::NAMES),
    boolean("held_by_limit"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[Constraint::taken(
    "credit_profile_account_key",
    "CREDIT_PROFILE_TAKEN",
    "another credit profile is of this account",
)];
