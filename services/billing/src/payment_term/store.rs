//! How payment terms are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint};
use trato_query::{Field, choice, text};

use super::model::{PaymentTerm, Rule};

columns!(PaymentTerm { code, display_name, days, rule });

choice_column!(Rule {
    Net = "NET",
    DaysThenEndOfMonth = "DAYS_THEN_END_OF_MONTH",
    EndOfMonthThenDays = "END_OF_MONTH_THEN_DAYS",
});

/// Fields to filter and sort by.
pub const FIELDS: &[Field] =
    &[text("code").sortable().searchable(), text("display_name").searchable(), choice("rule", Rule::NAMES)];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[Constraint::taken(
    "payment_term_code_key",
    "PAYMENT_TERM_CODE_TAKEN",
    "another payment term has this code",
)];
