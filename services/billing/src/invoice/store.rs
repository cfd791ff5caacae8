//! How invoices are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column};
use trato_query::{Field, boolean, choice, date, minor, reference, text};
use trato_types::Kind;

use super::{
    content::{Amounts, Discounts, Left, Lines, Numbers, Party},
    model::{Invoice, State},
    settlement::PaymentState,
};
use crate::{
    billable::{EXCEEDED, UNEVEN, UNKNOWN},
    books::Books,
};

columns!(Invoice {
    account,
    legal_entity,
    currency_code,
    bill_to,
    seller,
    payment_term,
    supply_date,
    tax_inclusive,
    agreed_tax_rounding,
    tax_rounding,
    smallest_payment,
    lines,
    discounts,
    amounts,
    gross,
    due,
    credited,
    balance,
    credited_due,
    paid,
    refunded,
    written_off,
    write_off_reason,
    books,
    note,
    source_document,
    numbers,
    state,
    number_series,
    period,
    ordinal,
    number,
    issue_date,
    due_date,
    previous_hash,
    hash,
    send_time,
    void_time,
    void_reason,
    takeover_date,
});

json_column!(Party, Lines, Discounts, Amounts, Left, Books, Numbers);
choice_column!(State { Draft = "DRAFT", Issued = "ISSUED", Sent = "SENT", Void = "VOID" });
// The table computes it, as it does what is open.
choice_column!(PaymentState {
    Unpaid = "UNPAID",
    PartlyPaid = "PARTLY_PAID",
    Paid = "PAID",
    WrittenOff = "WRITTEN_OFF",
    Refunded = "REFUNDED",
});

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    reference("account", "accounts"),
    reference("legal_entity", "legalEntities"),
    text("currency_code"),
    choice("state", State::NAMES),
    text("number").nullable().searchable(),
    reference("number_series", "numberSeries").nullable(),
    date("issue_date").nullable().sortable(),
    date("due_date").nullable().sortable(),
    date("supply_date").nullable(),
    date("takeover_date").nullable(),
    minor("gross").sortable(),
    minor("due"),
    minor("credited"),
    minor("paid"),
    minor("open"),
    choice("payment_state", PaymentState::NAMES),
    boolean("tax_inclusive"),
    text("source_document"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    EXCEEDED,
    UNKNOWN,
    UNEVEN,
    Constraint::taken("invoice_number_takeover_key", "NUMBER_TAKEN", "another invoice has this number"),
    Constraint::missing(
        "invoice_credited_check",
        "NOTHING_TO_CREDIT",
        "nothing of the invoice is left to be credited",
    ),
    Constraint::missing(
        "invoice_paid_check",
        "ALLOCATION_EXCEEDS_INVOICE",
        "more is allocated than is open of the invoice",
    ),
    Constraint::missing("invoice_unpaid_check", "INVOICE_PAID", "part of the invoice is paid or written off"),
    Constraint {
        name: "invoice_delete_time_check",
        kind: Kind::Precondition,
        reason: "INVOICE_NOT_DRAFT",
        message: "only a draft can be deleted",
    },
    Constraint {
        name: "invoice_immutable",
        kind: Kind::Precondition,
        reason: "INVOICE_NOT_DRAFT",
        message: "the invoice is issued and cannot change any more",
    },
];
