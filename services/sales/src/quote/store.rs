//! How quotes are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column};
use trato_query::{Field, choice, date, integer, member, minor, reference, text, timestamp};
use trato_types::Kind;

use super::{
    approvals::Approvals,
    model::{DeclineReason, Quote, State},
};

columns!(Quote {
    owner,
    team,
    account,
    contact,
    opportunity,
    document,
    currency_code,
    net,
    gross,
    valid_until,
    legal_entity,
    root,
    version,
    previous_version,
    state,
    number_series,
    number,
    submitter,
    submit_time,
    approvals,
    reject_reason,
    send_time,
    view_time,
    view_count,
    decision_time,
    accepter,
    signature,
    decline_reason,
    decline_note,
    cancel_reason,
    parties,
    valid_before,
    send_date,
});

json_column!(Approvals);
choice_column!(State {
    Draft = "DRAFT",
    InApproval = "IN_APPROVAL",
    Approved = "APPROVED",
    Rejected = "REJECTED",
    Sent = "SENT",
    Accepted = "ACCEPTED",
    Declined = "DECLINED",
    Expired = "EXPIRED",
    Superseded = "SUPERSEDED",
    Cancelled = "CANCELLED",
});
choice_column!(DeclineReason {
    Price = "PRICE",
    Competitor = "COMPETITOR",
    NoBudget = "NO_BUDGET",
    NoDecision = "NO_DECISION",
    ProductFit = "PRODUCT_FIT",
    Timing = "TIMING",
    Other = "OTHER",
});

/// Fields to filter and sort by: each offer can be followed to its outcome.
pub const FIELDS: &[Field] = &[
    member("owner").nullable(),
    reference("team", "teams").nullable(),
    reference("account", "accounts"),
    reference("contact", "contacts").nullable(),
    reference("opportunity", "opportunities").nullable(),
    text("currency_code"),
    minor("net"),
    minor("gross").sortable(),
    date("valid_until").nullable().sortable(),
    reference("root", "quotes"),
    integer("version"),
    choice("state", State::NAMES),
    text("number").nullable().searchable(),
    member("submitter").nullable(),
    timestamp("submit_time").nullable(),
    timestamp("send_time").nullable().sortable(),
    timestamp("view_time").nullable(),
    integer("view_count"),
    timestamp("decision_time").nullable().sortable(),
    choice("decline_reason", DeclineReason::NAMES).nullable(),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::missing("quote_opportunity_fkey", "OPPORTUNITY_NOT_FOUND", "there is no such opportunity"),
    Constraint {
        name: "quote_live_version_key",
        kind: Kind::Precondition,
        reason: "QUOTE_HAS_LIVE_VERSION",
        message: "another version of the quote is open or accepted",
    },
    Constraint {
        name: "quote_version_key",
        kind: Kind::Precondition,
        reason: "QUOTE_HAS_LIVE_VERSION",
        message: "another version of the quote is open or accepted",
    },
    Constraint::taken("quote_number_key", "NUMBER_TAKEN", "another quote has this number"),
    Constraint {
        name: "quote_delete_time_check",
        kind: Kind::Precondition,
        reason: "QUOTE_NOT_DRAFT",
        message: "only a draft can be deleted",
    },
    Constraint {
        name: "quote_immutable",
        kind: Kind::Precondition,
        reason: "QUOTE_NOT_DRAFT",
        message: "the quote was submitted and cannot change any more",
    },
];
