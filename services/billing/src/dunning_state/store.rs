//! How dunning states are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column};
use trato_query::{Field, boolean, choice, date, integer, minor, reference, text};

use super::model::{DunningState, Entered, Items, State};

columns!(DunningState {
    account,
    legal_entity,
    currency_code,
    state,
    level,
    steps,
    dunning_policy,
    holds_credit,
    as_of,
    overdue,
    unallocated,
    overdue_since,
    items,
    item_count,
});

json_column!(Entered, Items);
choice_column!(State { Active = "ACTIVE", Cleared = "CLEARED" });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    reference("account", "accounts"),
    reference("legal_entity", "legalEntities"),
    text("currency_code"),
    choice("state", State::NAMES),
    integer("level"),
    boolean("holds_credit"),
    date("as_of").sortable(),
    minor("overdue").sortable(),
    date("overdue_since").nullable(),
    reference("dunning_policy", "dunningPolicies").nullable(),
];

/// No caller writes one, so that none breaks a constraint.
pub const CONSTRAINTS: &[Constraint] = &[];
