//! How carts are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint};
use trato_query::{Field, choice, member, minor, reference, text, timestamp};
use trato_types::Kind;

use super::model::{Cart, State, Step};

columns!(Cart {
    owner,
    team,
    account,
    session_id,
    document,
    gross,
    currency,
    bill_to,
    ship_to,
    step,
    furthest_step,
    state,
    last_activity_time,
    abandon_step,
    abandon_time,
    recover_time,
    order_id,
});

choice_column!(Step {
    Lines = "LINES",
    Address = "ADDRESS",
    Delivery = "DELIVERY",
    Payment = "PAYMENT",
    Review = "REVIEW",
});
choice_column!(State { Open = "OPEN", Abandoned = "ABANDONED", CheckedOut = "CHECKED_OUT" });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    member("owner").nullable(),
    reference("team", "teams").nullable(),
    reference("account", "accounts").nullable(),
    text("session_id").nullable(),
    minor("gross").sortable(),
    text("currency_code").column("currency"),
    choice("step", Step::NAMES),
    choice("furthest_step", Step::NAMES),
    choice("state", State::NAMES),
    timestamp("last_activity_time").sortable(),
    choice("abandon_step", Step::NAMES).nullable(),
    timestamp("abandon_time").nullable().sortable(),
    timestamp("recover_time").nullable(),
    reference("order", "orders").column("order_id").nullable(),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint {
        name: "cart_immutable",
        kind: Kind::Precondition,
        reason: "CART_CHECKED_OUT",
        message: "the cart is an order by now",
    },
    Constraint {
        name: "cart_delete_time_check",
        kind: Kind::Precondition,
        reason: "CART_CHECKED_OUT",
        message: "the cart is an order by now",
    },
];
