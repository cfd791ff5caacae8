//! How tax codes are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column};
use trato_query::{Field, boolean, choice, text};

use super::model::{Category, Rates, TaxCode};

columns!(TaxCode { code, display_name, country_code, tax, category, rates, inclusive_allowed, legal_note });

json_column!(Rates);
choice_column!(Category {
    Standard = "STANDARD",
    Reduced = "REDUCED",
    Zero = "ZERO",
    Exempt = "EXEMPT",
    ReverseCharge = "REVERSE_CHARGE",
    IntraCommunity = "INTRA_COMMUNITY",
    Export = "EXPORT",
    NotSubject = "NOT_SUBJECT",
    CanaryIslands = "CANARY_ISLANDS",
    CeutaAndMelilla = "CEUTA_AND_MELILLA",
    Withholding = "WITHHOLDING",
});

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("code").sortable().searchable(),
    text("display_name").searchable(),
    text("country_code"),
    text("tax"),
    choice("category", Category::NAMES),
    boolean("inclusive_allowed"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] =
    &[Constraint::taken("tax_code_code_key", "TAX_CODE_TAKEN", "another tax code has this code")];
