//! How invoices are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{
    choice_column, columns,
    db::{Column, Constraint},
    json_column,
};
use trato_query::{Field, boolean, choice, date, minor, reference, text};
use trato_types::{Error, Kind, Result};

use super::{
    chain::Hash,
    content::{Amounts, Discounts, Lines, Party},
    model::{Invoice, State},
};

columns!(Invoice {
    account,
    legal_entity,
    currency_code,
    bill_to,
    payment_term,
    supply_date,
    tax_inclusive,
    tax_rounding,
    lines,
    discounts,
    amounts,
    gross,
    due,
    note,
    source_document,
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
});

json_column!(Party, Lines, Discounts, Amounts);
choice_column!(State { Draft = "DRAFT", Issued = "ISSUED", Sent = "SENT", Void = "VOID" });

impl Column for Hash {
    type Sql = Vec<u8>;
    const TYPE: &'static str = "bytea";
    fn to_sql(&self) -> Option<Vec<u8>> {
        Some(self.0.to_vec())
    }
    fn from_sql(stored: Option<Vec<u8>>) -> Result<Self> {
        let bytes = stored.unwrap_or_default().try_into();
        bytes.map(Self).map_err(|_| Error::internal("a stored hash has not 32 bytes"))
    }
}

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
    minor("gross").sortable(),
    minor("due"),
    boolean("tax_inclusive"),
    text("source_document"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken("invoice_number_key", "NUMBER_TAKEN", "another series has given this number"),
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
