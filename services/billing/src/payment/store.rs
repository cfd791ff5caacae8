//! How payments are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column};
use trato_query::{Field, choice, date, minor, reference, text};
use trato_types::Kind;

use super::{
    allocations::Allocations,
    model::{Direction, Method, Payment, State},
};

columns!(Payment {
    account,
    legal_entity,
    currency_code,
    amount,
    method,
    direction,
    external_key,
    reference,
    date,
    state,
    state_reason,
    allocated,
    refunded,
    allocations,
    books,
    takeover_date,
});

json_column!(Allocations);
choice_column!(State {
    Initiated = "INITIATED",
    Pending = "PENDING",
    Unknown = "UNKNOWN",
    Succeeded = "SUCCEEDED",
    Failed = "FAILED",
    PartlyRefunded = "PARTLY_REFUNDED",
    Refunded = "REFUNDED",
    ChargedBack = "CHARGED_BACK",
});
choice_column!(Direction { In = "IN", Out = "OUT" });
choice_column!(Method {
    BankTransfer = "BANK_TRANSFER",
    Card = "CARD",
    DirectDebit = "DIRECT_DEBIT",
    Cash = "CASH",
    Cheque = "CHEQUE",
    Other = "OTHER",
});

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    reference("account", "accounts"),
    reference("legal_entity", "legalEntities"),
    text("currency_code"),
    minor("amount").sortable(),
    choice("method", Method::NAMES),
    choice("direction", Direction::NAMES),
    choice("state", State::NAMES),
    text("external_key"),
    date("date").nullable().sortable(),
    date("takeover_date").nullable(),
    minor("allocated"),
    minor("refunded"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken(
        "payment_external_key_key",
        "PAYMENT_KEY_TAKEN",
        "another payment has this external key",
    ),
    Constraint {
        name: "payment_delete_time_check",
        kind: Kind::Precondition,
        reason: "PAYMENT_NOT_INITIATED",
        message: "only a payment that is not under way can be deleted",
    },
    Constraint {
        name: "payment_immutable",
        kind: Kind::Precondition,
        reason: "PAYMENT_NOT_INITIATED",
        message: "the payment is under way and cannot change any more",
    },
];
