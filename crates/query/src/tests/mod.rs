//! Tests of the crate as a whole; the resource they list has a field of every type.

mod grammar;
mod hostile;
mod meaning;
mod model;
mod paging;
mod statement;
mod token;

use chrono::DateTime;
use trato_types::{Error, Timestamp};

use crate::*;

pub(crate) const FIELDS: &[Field] = &[
    text("display_name").sortable().searchable(),
    text("nickname").nullable().sortable(),
    choice("state", &["OPEN", "WON", "LOST"]).sortable(),
    integer("stage_order").sortable(),
    minor("amount").nullable().sortable(),
    date("close_date").nullable().sortable(),
    boolean("sellable").nullable(),
    reference("account", "accounts").nullable(),
    member("owner").column("owner_subject").nullable(),
    text("person.city"),
    uuid("cause").nullable(),
];

pub(crate) const SETS: &[&[Field]] = &[FIELDS, STANDARD];

pub(crate) fn now() -> Timestamp {
    DateTime::from_timestamp(1_795_305_600, 0).expect("an instant")
}

/// A request for the first page without filter and order.
pub(crate) fn request() -> ListingRequest<'static> {
    ListingRequest {
        fields: SETS,
        filter: "",
        order_by: "",
        page_size: 0,
        page_token: "",
        binding: &["tenant-a", "ListOpportunities"],
        now: now(),
    }
}

pub(crate) fn filter(text: &str) -> Filter {
    Filter::parse(SETS, text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The error of a filter that must have one.
pub(crate) fn refused(text: &str) -> Error {
    Filter::parse(SETS, text).err().unwrap_or_else(|| panic!("{text} was taken"))
}
