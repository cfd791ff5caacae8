//! How promotions are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{columns, db::Constraint, json_column};
use trato_query::{Field, boolean, date, integer, minor, text};
use trato_types::Kind;

use super::{
    effect::{Condition, Effect},
    model::Promotion,
};

columns!(Promotion {
    display_name,
    description,
    start_date,
    end_date,
    audience,
    coupon_code,
    condition,
    effect,
    sequence,
    exclusive,
    currency,
    budget,
    budget_used,
    max_uses,
    uses,
});

json_column!(Condition, Effect);

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("display_name").sortable().searchable(),
    date("start_date").nullable(),
    date("end_date").nullable(),
    text("coupon_code").nullable(),
    integer("sequence"),
    boolean("exclusive"),
    text("currency_code").column("currency").nullable(),
    minor("budget").nullable(),
    minor("budget_used"),
    integer("max_uses").nullable(),
    integer("uses"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken(
        "promotion_display_name_key",
        "PROMOTION_NAME_TAKEN",
        "another promotion has this name",
    ),
    Constraint::taken("promotion_coupon_code_key", "COUPON_TAKEN", "another promotion has this coupon code"),
    Constraint::missing(
        "promotion_products_known",
        "PRODUCT_NOT_FOUND",
        "one of the products does not exist",
    ),
    Constraint {
        name: "promotion_budget_used_check",
        kind: Kind::Precondition,
        reason: "BUDGET_BELOW_USED",
        message: "the budget would be less than what of it is used up",
    },
    Constraint {
        name: "promotion_uses_check",
        kind: Kind::Precondition,
        reason: "MAX_USES_BELOW_USES",
        message: "it was used more often than it might be",
    },
];
