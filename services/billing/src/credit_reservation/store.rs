//! How credit reservations are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint};
use trato_query::{Field, choice, minor, reference, text, timestamp};

use super::model::{CreditReservation, State};

columns!(CreditReservation { order_name, account, amount, currency_code, state, expire_time });

choice_column!(State { Open = "OPEN", Released = "RELEASED" });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("order").column("order_name"),
    reference("account", "accounts"),
    minor("amount"),
    text("currency_code"),
    choice("state", State::NAMES),
    timestamp("expire_time").nullable(),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[Constraint::missing(
    "credit_reservation_order_key",
    "RESERVATION_OF_ANOTHER_ACCOUNT",
    "the order has a reservation of another account",
)];
