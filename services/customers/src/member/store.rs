//! How members are stored: columns, the fields they are listed by, and what a violated constraint means.

use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use trato_platform::{
    columns,
    db::{Column, Constraint},
    json_column,
};
use trato_query::{Field, member, text};
use trato_types::{Date, Error, MemberRef, Ref, Result};
use uuid::Uuid;

use super::model::{Absence, Absences, Member, Skills, Teams};

columns!(Member { subject, display_name, email_address, manager, teams, skills, absences });

json_column!(Skills);

/// An array of identifiers. Not `uuid[]`, as columns are bound as arrays of rows.
impl Column for Teams {
    type Sql = Json<Vec<Uuid>>;
    const TYPE: &'static str = "jsonb";

    fn to_sql(&self) -> Option<Self::Sql> {
        Some(Json(self.0.iter().map(|team| team.uuid()).collect()))
    }

    fn from_sql(stored: Option<Self::Sql>) -> Result<Self> {
        Ok(stored.unwrap_or_default().0.into_iter().map(Ref::from_uuid).collect())
    }
}

/// An absence as it is stored.
#[derive(Deserialize, Serialize)]
pub struct StoredAbsence {
    start_date: Date,
    end_date: Date,
    deputy: Option<String>,
}

impl Column for Absences {
    type Sql = Json<Vec<StoredAbsence>>;
    const TYPE: &'static str = "jsonb";

    fn to_sql(&self) -> Option<Self::Sql> {
        let stored = self.0.iter().map(|absence| StoredAbsence {
            start_date: absence.start_date,
            end_date: absence.end_date,
            deputy: absence.deputy.as_ref().map(|deputy| deputy.subject().to_owned()),
        });
        Some(Json(stored.collect()))
    }

    fn from_sql(stored: Option<Self::Sql>) -> Result<Self> {
        let absence = |stored: StoredAbsence| -> Result<Absence> {
            let deputy = stored.deputy.as_deref().map(MemberRef::from_subject).transpose();
            let deputy = deputy.map_err(Error::internal)?;
            Ok(Absence { start_date: stored.start_date, end_date: stored.end_date, deputy })
        };
        stored.unwrap_or_default().0.into_iter().map(absence).collect::<Result<_>>().map(Self)
    }
}

/// What members can be filtered and sorted by.
pub const FIELDS: &[Field] = &[
    text("subject").sortable(),
    text("display_name").sortable().searchable(),
    text("email_address").nullable(),
    member("manager").nullable(),
];

/// What the schema refuses.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken(
        "member_pkey",
        "MEMBER_EXISTS",
        "there is a member of this subject, perhaps a deleted one",
    ),
    Constraint::missing(
        "member_teams_fkey",
        "TEAM_NOT_FOUND",
        "a team of the member is not there, or is deleted",
    ),
];
