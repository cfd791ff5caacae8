//! How credit reservations are stored: columns, fields to filter by, the constraints that speak to clients, and the locks under
//! which they change.

use trato_platform::{
    choice_column, columns,
    db::{Constraint, Record, Tx, from_sqlx, statement::column_list},
};
use trato_query::{Field, choice, minor, reference, text, timestamp};
use trato_types::{Ref, Result};

use super::model::{CreditReservation, State};
use crate::foreign::Account;

columns!(CreditReservation {
    order_name,
    account,
    amount,
    currency_code,
    state,
    expire_time,
    quote,
    order_revision,
    ended_with_order,
    delivered,
});

choice_column!(State { Open = "OPEN", Released = "RELEASED" });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("order").column("order_name"),
    reference("account", "accounts"),
    minor("amount"),
    text("currency_code"),
    choice("state", State::NAMES),
    timestamp("expire_time").nullable(),
    text("quote"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[Constraint::missing(
    "credit_reservation_order_key",
    "RESERVATION_OF_ANOTHER_ACCOUNT",
    "the order has a reservation of another account",
)];

/// The locked reservation of an order.
pub async fn lock_of_order(tx: &mut Tx, order: &str) -> Result<Option<Record<CreditReservation>>> {
    let tenant = tx.cx().tenant;
    // Only names that the service itself lists.
    let sql = format!(
        "select {} from credit_reservation reservation
         where tenant_id = $1 and order_name = $2 and delete_time is null
         for update",
        column_list::<CreditReservation>("reservation")
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(tenant)
        .bind(order)
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)?;
    row.as_ref().map(Record::read).transpose()
}

/// The order that a quote has become, if credit was ever asked for it: it is before an order is confirmed, unless it costs nothing.
/// The newest one, where an earlier one was deleted as a draft. A sales of the release before says of no quote which order it has
/// become; in the next release nobody asks this any more.
pub async fn order_of_quote(tx: &mut Tx, quote: &str) -> Result<Option<String>> {
    let tenant = tx.cx().tenant;
    sqlx::query_scalar(
        "select order_name from credit_reservation
         where tenant_id = $1 and quote = $2 and quote <> '' order by id desc limit 1",
    )
    .bind(tenant)
    .bind(quote)
    .fetch_optional(tx.connection())
    .await
    .map_err(from_sqlx)
}

/// Waits for other reservations of the account, so that each sees what the one before it took.
pub async fn take_turn(tx: &mut Tx, account: Ref<Account>) -> Result<()> {
    tx.take_turn("credit", &account.uuid().to_string()).await
}
