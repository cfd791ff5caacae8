//! How pipelines are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{columns, db::Constraint, json_column, parsed_column};
use trato_query::{Field, text};
use trato_types::Kind;

use super::model::{Pipeline, StageKey, Stages};

columns!(Pipeline { display_name, segment, stages });

json_column!(Stages);

parsed_column!(StageKey);

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[text("display_name").sortable().searchable(), text("segment")];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken("pipeline_display_name_key", "PIPELINE_NAME_TAKEN", "another pipeline has this name"),
    Constraint {
        name: "pipeline_stages_in_use",
        kind: Kind::Precondition,
        reason: "STAGE_IN_USE",
        message: "an open opportunity is at a stage that would be taken away",
    },
    Constraint {
        name: "pipeline_in_use",
        kind: Kind::Precondition,
        reason: "PIPELINE_IN_USE",
        message: "open opportunities walk the pipeline",
    },
];
