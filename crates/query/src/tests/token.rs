//! Page tokens: what they are good for, and what is refused.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use proptest::prelude::*;
use trato_types::Kind;
use uuid::Uuid;

use super::{now, request};
use crate::{Field, Listing, ListingRequest, Value};

proptest! {
    #[test]
    fn no_text_is_a_token(text in prop_oneof![any::<String>(), "[A-Za-z0-9_-]{0,200}"]) {
        prop_assume!(!text.is_empty());
        prop_assert_eq!(token_fault(&ListingRequest { page_token: &text, ..request() }), "INVALID_PAGE_TOKEN");
    }

    #[test]
    fn a_token_changed_anywhere_is_refused(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(token(&request())).expect("base64");
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let forged = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        prop_assert_eq!(token_fault(&ListingRequest { page_token: &forged, ..request() }), "INVALID_PAGE_TOKEN");
    }
}

/// The token behind a row of a request ordered by at most one text field.
fn token(request: &ListingRequest<'_>) -> String {
    let listing = Listing::parse(request).expect("a right request");
    let keys = vec![Some(Value::Text("Zoë \"0\"".to_owned())); listing.sort_keys().len()];
    listing.next_page_token(&keys, Uuid::from_u128(7))
}

fn token_fault(request: &ListingRequest<'_>) -> &'static str {
    let error = Listing::parse(request).expect_err("a wrong token");
    assert_eq!(
        (error.kind(), error.violations()[0].field.as_str()),
        (Kind::Invalid, "page_token"),
        "{error}"
    );
    error.reason()
}

#[test]
fn a_token_is_good_for_the_same_filter_order_and_binding_only() {
    let first = ListingRequest { filter: "state = OPEN", order_by: "display_name", ..request() };
    let token = token(&first);
    let next = ListingRequest { page_token: &token, ..first };

    assert!(
        Listing::parse(&ListingRequest { page_size: 7, ..next }).is_ok(),
        "the size may change from page to page"
    );
    for other in [
        ListingRequest { filter: "state = WON", ..next },
        ListingRequest { filter: "", ..next },
        ListingRequest { order_by: "display_name desc", ..next },
        ListingRequest { order_by: "nickname", ..next },
        ListingRequest { order_by: "", ..next },
        ListingRequest { binding: &["tenant-b", "ListOpportunities"], ..next },
        ListingRequest { binding: &["tenant-aL", "istOpportunities"], ..next },
        ListingRequest { binding: &["tenant-a", "ListOpportunities", "pipelines/1"], ..next },
        ListingRequest { binding: &[], ..next },
    ] {
        assert_eq!(token_fault(&other), "INVALID_PAGE_TOKEN", "{other:?}");
    }
}

#[test]
fn a_token_expires_after_three_days_and_never_comes_from_the_future() {
    let token = token(&request());
    let later = |delta: TimeDelta| ListingRequest { page_token: &token, now: now() + delta, ..request() };

    assert!(Listing::parse(&later(TimeDelta::days(3))).is_ok());
    assert!(Listing::parse(&later(TimeDelta::seconds(-60))).is_ok());
    assert_eq!(token_fault(&later(TimeDelta::days(3) + TimeDelta::seconds(1))), "INVALID_PAGE_TOKEN");
    assert_eq!(token_fault(&later(TimeDelta::seconds(-61))), "INVALID_PAGE_TOKEN");
}

#[test]
fn every_type_of_key_survives_the_token() {
    const KEYS: &[Field] = &[
        crate::text("a").sortable(),
        crate::choice("b", &["OPEN"]).sortable(),
        crate::minor("c").sortable(),
        crate::date("d").sortable(),
        crate::timestamp("e").sortable(),
        crate::boolean("f").sortable(),
        crate::reference("g", "accounts").sortable(),
        crate::member("h").nullable().sortable(),
    ];
    let values = [
        Value::Text("línea \u{1} \"*".to_owned()),
        Value::Text("OPEN".to_owned()),
        Value::Integer(i64::MIN),
        Value::Date("0001-01-01".parse().expect("a date")),
        Value::Timestamp(now() + TimeDelta::microseconds(1)),
        Value::Boolean(true),
        Value::Uuid(Uuid::from_u128(9)),
        Value::Text("auth0|ana".to_owned()),
    ];
    for (key, value) in KEYS.iter().zip(values) {
        let first = ListingRequest { fields: &[KEYS], order_by: key.name(), ..request() };
        let listing = Listing::parse(&first).expect("a right request");
        let token = listing.next_page_token(&[Some(value.clone())], Uuid::from_u128(7));
        let next = Listing::parse(&ListingRequest { page_token: &token, ..first }).expect("its token");

        let condition = next.predicate();
        let row = |id: u128, name: &str| match name {
            "id" => Some(Value::Uuid(Uuid::from_u128(id))),
            _ => Some(value.clone()),
        };
        assert!(condition.matches(&|name| row(8, name)), "{}", key.name());
        assert!(!condition.matches(&|name| row(7, name)), "{}", key.name());
        assert!(next.condition("", 1).values.contains(&value), "{}", key.name());
    }
}

#[test]
fn a_key_that_may_not_be_null_is_not_null_in_a_token() {
    let first = ListingRequest { order_by: "display_name", ..request() };
    let token = Listing::parse(&first).expect("a right request").next_page_token(&[None], Uuid::nil());

    assert_eq!(token_fault(&ListingRequest { page_token: &token, ..first }), "INVALID_PAGE_TOKEN");
}

#[test]
fn pages_go_on_behind_a_choice_that_is_no_longer_offered() {
    let first = ListingRequest { order_by: "state", ..request() };
    let listing = Listing::parse(&first).expect("a right request");
    let token = listing.next_page_token(&[Some(Value::Text("RETIRED".to_owned()))], Uuid::nil());

    assert!(Listing::parse(&ListingRequest { page_token: &token, ..first }).is_ok());
}
