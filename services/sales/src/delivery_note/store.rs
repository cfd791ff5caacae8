//! How delivery notes are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column};
use trato_query::{Field, choice, date, member, reference, text, timestamp};
use trato_types::Kind;

use super::{
    content::{Lines, Proof, Refusals},
    model::{DeliveryNote, State},
};

columns!(DeliveryNote {
    owner,
    team,
    order_id,
    account,
    lines,
    kits,
    ship_to,
    note,
    legal_entity,
    state,
    number_series,
    number,
    issue_date,
    issue_time,
    carrier,
    tracking,
    dispatch_time,
    delivery_time,
    proof,
    refusals,
    void_time,
    void_reason,
    parties,
});

json_column!(Lines, Proof, Refusals);
choice_column!(State {
    Draft = "DRAFT",
    Issued = "ISSUED",
    Dispatched = "DISPATCHED",
    Delivered = "DELIVERED",
    PartlyRefused = "PARTLY_REFUSED",
    Void = "VOID",
});

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    member("owner").nullable(),
    reference("team", "teams").nullable(),
    reference("order", "orders").column("order_id"),
    reference("account", "accounts"),
    choice("state", State::NAMES),
    reference("number_series", "salesNumberSeries").nullable(),
    text("number").nullable().searchable(),
    date("issue_date").nullable().sortable(),
    text("carrier"),
    text("tracking").searchable(),
    timestamp("dispatch_time").nullable(),
    timestamp("delivery_time").nullable(),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken("delivery_note_number_key", "NUMBER_TAKEN", "another series has given this number"),
    Constraint {
        name: "delivery_note_delete_time_check",
        kind: Kind::Precondition,
        reason: "DELIVERY_NOTE_NOT_DRAFT",
        message: "only a draft can be deleted",
    },
    Constraint {
        name: "delivery_note_immutable",
        kind: Kind::Precondition,
        reason: "DELIVERY_NOTE_NOT_DRAFT",
        message: "the delivery note is issued and cannot change any more",
    },
];
