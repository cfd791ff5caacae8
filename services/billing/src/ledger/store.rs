//! How ledgers are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{columns, db::Constraint, json_column};
use trato_query::{Field, date, reference};
use trato_types::Kind;

use super::model::{Accounts, Ledger};

columns!(Ledger { legal_entity, accounts, rate_origin, closed_through, reopen_reason });

json_column!(Accounts);

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[reference("legal_entity", "legalEntities"), date("closed_through").nullable()];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken("ledger_legal_entity_key", "LEDGER_TAKEN", "the legal entity has a ledger"),
    Constraint::missing(
        "ledger_legal_entity_fkey",
        "LEGAL_ENTITY_NOT_FOUND",
        "there is no such legal entity",
    ),
    Constraint {
        name: "ledger_delete_time_check",
        kind: Kind::Precondition,
        reason: "PERIOD_CLOSED",
        message: "a period is closed, which deleting the ledger would open",
    },
];
