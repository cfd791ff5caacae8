//! How legal entities are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column, parsed_column};
use trato_query::{Field, choice, text};
use trato_types::Kind;

use super::model::{LegalEntity, Seller, TaxIds, TaxRounding, TimeZone};

columns!(LegalEntity {
    display_name,
    legal_name,
    tax_ids,
    address,
    time_zone,
    base_currency_code,
    tax_rounding,
    e_invoice_profile,
    iban,
    bic,
    document_footer,
    logo,
});

json_column!(TaxIds, Seller);
parsed_column!(TimeZone);
choice_column!(TaxRounding { Group = "GROUP", Line = "LINE" });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("display_name").sortable().searchable(),
    text("legal_name").searchable(),
    text("base_currency_code"),
    choice("tax_rounding", TaxRounding::NAMES),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken(
        "legal_entity_display_name_key",
        "LEGAL_ENTITY_NAME_TAKEN",
        "another legal entity has this name",
    ),
    Constraint {
        name: "legal_entity_in_use",
        kind: Kind::Precondition,
        reason: "LEGAL_ENTITY_IN_USE",
        message: "number series belong to the legal entity",
    },
];
