//! How return policies are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint};
use trato_query::{Field, choice, integer, text, timestamp};
use trato_types::Kind;

use super::model::{Payer, ReturnPolicy, State};

columns!(ReturnPolicy {
    display_name,
    code,
    window_days,
    conditions,
    payer,
    state,
    version,
    publish_time,
    retire_time,
});

choice_column!(State { Draft = "DRAFT", Published = "PUBLISHED", Retired = "RETIRED" });
choice_column!(Payer { Buyer = "BUYER", Seller = "SELLER" });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("display_name").sortable().searchable(),
    text("code").sortable(),
    choice("payer", Payer::NAMES),
    choice("state", State::NAMES),
    integer("version").nullable(),
    timestamp("publish_time").nullable(),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint {
        name: "return_policy_published_key",
        kind: Kind::Stale,
        reason: "CONCURRENT_CHANGE",
        message: "another version of the code was published at the same moment",
    },
    Constraint {
        name: "return_policy_version_key",
        kind: Kind::Stale,
        reason: "CONCURRENT_CHANGE",
        message: "another version of the code was published at the same moment",
    },
    Constraint {
        name: "return_policy_delete_time_check",
        kind: Kind::Precondition,
        reason: "RETURN_POLICY_PUBLISHED",
        message: "only a draft can be deleted",
    },
];
