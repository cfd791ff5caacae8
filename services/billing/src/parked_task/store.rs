//! How parked tasks are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column};
use trato_query::{Field, choice, integer, text, timestamp};

use super::model::{ParkedTask, State};
use crate::bank_statement::BankEntry;

columns!(ParkedTask {
    kind,
    subject,
    state,
    reason,
    message,
    first_try_time,
    last_try_time,
    try_count,
    drop_reason,
    bank_entry,
});

json_column!(BankEntry);
choice_column!(State { Parked = "PARKED", Done = "DONE", Dropped = "DROPPED" });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("kind"),
    text("subject"),
    choice("state", State::NAMES),
    text("reason"),
    timestamp("first_try_time"),
    timestamp("last_try_time").sortable(),
    integer("try_count"),
];

/// No caller writes one, so that none breaks a constraint.
pub const CONSTRAINTS: &[Constraint] = &[];
