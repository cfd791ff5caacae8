//! How dunning policies are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{columns, db::Constraint, json_column};
use trato_query::{Field, reference, text};

use super::model::{DunningPolicy, Minimums, Steps};

columns!(DunningPolicy { display_name, legal_entity, steps, minimums });

json_column!(Steps, Minimums);

/// Fields to filter and sort by.
pub const FIELDS: &[Field] =
    &[text("display_name").sortable().searchable(), reference("legal_entity", "legalEntities").nullable()];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken(
        "dunning_policy_legal_entity_key",
        "DUNNING_POLICY_TAKEN",
        "the legal entity has a dunning policy, or there is a default",
    ),
    Constraint::missing(
        "dunning_policy_legal_entity_fkey",
        "LEGAL_ENTITY_NOT_FOUND",
        "there is no such legal entity",
    ),
];
