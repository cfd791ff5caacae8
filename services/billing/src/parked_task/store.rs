//! How parked tasks are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{
    choice_column, columns,
    db::{Column, Constraint},
    json_column,
};
use trato_query::{Field, choice, integer, text, timestamp};
use trato_types::{Error, Result};

use super::model::{Asked, ParkedTask, State};
use crate::bank_statement::BankEntry;

columns!(ParkedTask {
    kind,
    subject,
    state,
    reason,
    message,
    first_try_time,
    last_try_time,
    try_count,
    drop_reason,
    bank_entry,
    asked,
});

json_column!(BankEntry);
choice_column!(State { Parked = "PARKED", Done = "DONE", Dropped = "DROPPED" });

impl Column for Asked {
    type Sql = Vec<u8>;
    const TYPE: &'static str = "bytea";
    fn to_sql(&self) -> Option<Vec<u8>> {
        Some(prost::Message::encode_to_vec(self))
    }
    fn from_sql(stored: Option<Vec<u8>>) -> Result<Self> {
        prost::Message::decode(stored.unwrap_or_default().as_slice()).map_err(Error::internal)
    }
}

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("kind"),
    text("subject"),
    choice("state", State::NAMES),
    text("reason"),
    timestamp("first_try_time"),
    timestamp("last_try_time").sortable(),
    integer("try_count"),
];

/// No caller writes one, so that none breaks a constraint.
pub const CONSTRAINTS: &[Constraint] = &[];

#[cfg(test)]
mod tests {
    use super::*;

    /// XTR-05: a request is stored with who asked, and read as it was.
    #[test]
    fn a_request_is_stored_whole() {
        let asked =
            Asked { asker: "members/ana".to_owned(), request_id: "1".to_owned(), content: vec![0, 7] };
        assert_eq!(Asked::from_sql(asked.to_sql()).expect("it is one"), asked);
    }
}
