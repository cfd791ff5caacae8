//! How teams are stored: columns, the fields they are listed by, and what a violated constraint means.

use trato_platform::{columns, db::Constraint};
use trato_query::{Field, member, text};

use super::model::Team;

columns!(Team { display_name, region, lead });

/// What teams can be filtered and sorted by.
pub const FIELDS: &[Field] =
    &[text("display_name").sortable().searchable(), text("region"), member("lead").nullable()];

/// What the schema refuses.
pub const CONSTRAINTS: &[Constraint] =
    &[Constraint::taken("team_display_name_key", "TEAM_NAME_TAKEN", "another team has this name")];
