//! How exchange rates are stored: columns, fields to filter by, and the constraints that speak to clients.

use rust_decimal::Decimal;
use trato_platform::{
    columns,
    db::{Column, Constraint},
};
use trato_query::{Field, date, text};
use trato_types::{Error, Result};

use super::model::{ExchangeRate, Rate};

columns!(ExchangeRate { date, from_currency_code, to_currency_code, rate, origin });

impl Column for Rate {
    type Sql = Decimal;
    const TYPE: &'static str = "numeric";
    fn to_sql(&self) -> Option<Decimal> {
        Some(self.0.into())
    }
    fn from_sql(stored: Option<Decimal>) -> Result<Self> {
        stored.unwrap_or_default().try_into().map(Self).map_err(Error::internal)
    }
}

/// Fields to filter and sort by.
pub const FIELDS: &[Field] =
    &[date("date").sortable(), text("from_currency_code"), text("to_currency_code"), text("origin")];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[Constraint::taken(
    "exchange_rate_date_key",
    "EXCHANGE_RATE_TAKEN",
    "there is a rate of this day, pair and origin",
)];
