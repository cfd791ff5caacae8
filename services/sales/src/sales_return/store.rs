//! How returns are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column};
use trato_query::{Field, choice, member, reference, text, timestamp};
use trato_types::Kind;

use super::{
    content::{Applied, Lines},
    model::{SalesReturn, State},
};

columns!(SalesReturn {
    owner,
    team,
    delivery_note,
    reason,
    policy_code,
    lines,
    order_id,
    account,
    state,
    policy,
    number_series,
    number,
    authorise_time,
    exception_reason,
    receive_time,
    inspect_time,
    end_time,
    reject_reason,
});

json_column!(Applied, Lines);
choice_column!(State {
    Requested = "REQUESTED",
    Authorised = "AUTHORISED",
    Received = "RECEIVED",
    Inspected = "INSPECTED",
    Settled = "SETTLED",
    Rejected = "REJECTED",
});

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    member("owner").nullable(),
    reference("team", "teams").nullable(),
    reference("delivery_note", "deliveryNotes"),
    reference("order", "orders").column("order_id"),
    reference("account", "accounts"),
    text("policy_code"),
    choice("state", State::NAMES),
    reference("number_series", "salesNumberSeries").nullable(),
    text("number").nullable().searchable(),
    timestamp("authorise_time").nullable(),
    timestamp("receive_time").nullable(),
    timestamp("end_time").nullable(),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken("sales_return_number_key", "NUMBER_TAKEN", "another series has given this number"),
    Constraint {
        name: "sales_return_delete_time_check",
        kind: Kind::Precondition,
        reason: "RETURN_NOT_REQUESTED",
        message: "only a return that is requested can be deleted",
    },
];
