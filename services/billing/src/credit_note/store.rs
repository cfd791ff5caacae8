//! How credit notes are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column};
use trato_query::{Field, choice, date, minor, reference, text};
use trato_types::Kind;

use super::model::{CreditNote, Credited, Reasons, State, Wishes};
use crate::billable::UNEVEN;

columns!(CreditNote {
    invoice,
    reason,
    wishes,
    account,
    legal_entity,
    currency_code,
    bill_to,
    seller,
    credit,
    reasons,
    gross,
    due,
    state,
    number_series,
    period,
    ordinal,
    number,
    issue_date,
    sales_return,
    previous_hash,
    hash,
});

json_column!(Wishes, Credited, Reasons);
choice_column!(State { Draft = "DRAFT", Issued = "ISSUED" });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    reference("invoice", "invoices"),
    reference("account", "accounts"),
    reference("legal_entity", "legalEntities"),
    text("currency_code"),
    choice("state", State::NAMES),
    text("number").nullable().searchable(),
    reference("number_series", "numberSeries").nullable(),
    date("issue_date").nullable().sortable(),
    minor("gross"),
    minor("due"),
    text("sales_return"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    UNEVEN,
    Constraint::taken("credit_note_number_key", "NUMBER_TAKEN", "another series has given this number"),
    Constraint::taken("credit_note_sales_return_key", "RETURN_CREDITED", "the return is credited already"),
    Constraint {
        name: "credit_note_delete_time_check",
        kind: Kind::Precondition,
        reason: "CREDIT_NOTE_NOT_DRAFT",
        message: "only a draft can be deleted",
    },
    Constraint {
        name: "credit_note_immutable",
        kind: Kind::Precondition,
        reason: "CREDIT_NOTE_NOT_DRAFT",
        message: "the credit note is issued and cannot change any more",
    },
];
