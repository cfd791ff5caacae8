//! How orders are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column};
use trato_query::{Field, choice, date, member, minor, reference, text, timestamp};
use trato_types::Kind;

use super::{
    charges::BilledCharges,
    ledger::{DeliveryStatus, InvoiceStatus, InvoicingPolicy, Ledger},
    model::{HoldReason, Keys, Order, State},
};

columns!(Order {
    owner,
    team,
    account,
    document,
    gross,
    currency,
    customer_po,
    bill_to,
    ship_to,
    requested_date,
    promised_date,
    invoicing_policy,
    undelivered_lines,
    quote,
    state,
    hold_reason,
    hold_note,
    hold_time,
    held_with_account,
    released_percent,
    number_series,
    number,
    order_date,
    kits,
    ledger,
    billed_charges,
    delivery_status,
    invoice_status,
    awaits_invoice,
    next_promised_date,
    end_time,
    cancel_reason,
});

json_column!(Keys, Ledger, BilledCharges);
choice_column!(State {
    Draft = "DRAFT",
    Confirmed = "CONFIRMED",
    InFulfilment = "IN_FULFILMENT",
    Fulfilled = "FULFILLED",
    Closed = "CLOSED",
    Cancelled = "CANCELLED",
});
choice_column!(HoldReason { Credit = "CREDIT", Fraud = "FRAUD", Manual = "MANUAL" });
choice_column!(InvoicingPolicy {
    Ordered = "ORDERED",
    Delivered = "DELIVERED",
    Milestone = "MILESTONE",
    Prepaid = "PREPAID",
});
choice_column!(DeliveryStatus {
    NotApplicable = "NOT_APPLICABLE",
    None = "NONE",
    Partial = "PARTIAL",
    Full = "FULL",
    Over = "OVER",
    Returned = "RETURNED",
});
choice_column!(InvoiceStatus {
    NothingToInvoice = "NOTHING_TO_INVOICE",
    ToInvoice = "TO_INVOICE",
    Partial = "PARTLY_INVOICED",
    Invoiced = "INVOICED",
    ToCredit = "TO_CREDIT",
    Credited = "CREDITED",
});

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    member("owner").nullable(),
    reference("team", "teams").nullable(),
    reference("account", "accounts"),
    minor("gross").sortable(),
    text("currency_code").column("currency"),
    text("customer_po").searchable(),
    date("requested_date").nullable(),
    date("promised_date").nullable(),
    choice("invoicing_policy", InvoicingPolicy::NAMES),
    reference("quote", "quotes").nullable(),
    choice("state", State::NAMES),
    choice("hold_reason", HoldReason::NAMES).nullable(),
    timestamp("hold_time").nullable(),
    reference("number_series", "salesNumberSeries").nullable(),
    text("number").nullable().searchable(),
    date("order_date").nullable().sortable(),
    choice("delivery_status", DeliveryStatus::NAMES),
    choice("invoice_status", InvoiceStatus::NAMES),
    date("next_promised_date").nullable().sortable(),
    timestamp("end_time").nullable(),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken("sales_order_number_key", "NUMBER_TAKEN", "another series has given this number"),
    Constraint::taken("sales_order_quote_key", "ORDER_EXISTS", "the quote has an order"),
    Constraint::missing(
        "order_line_delivered_check",
        "OVER_DELIVERY",
        "more would be delivered than is left of a line",
    ),
    Constraint {
        name: "sales_order_immutable",
        kind: Kind::Precondition,
        reason: "ORDER_NOT_DRAFT",
        message: "what was agreed on does not change",
    },
    Constraint {
        name: "sales_order_delete_time_check",
        kind: Kind::Precondition,
        reason: "ORDER_NOT_DRAFT",
        message: "only a draft can be deleted",
    },
];
