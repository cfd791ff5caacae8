//! Which rows a filter means.

use proptest::prelude::*;
use trato_types::Timestamp;
use uuid::Uuid;

use super::{
    filter,
    model::{some_model, some_row},
};
use crate::Value;

/// Judges a row that has this one value, or none.
fn holds(text: &str, value: Option<Value>) -> bool {
    filter(text).matches(&|_| value.clone())
}

fn words(text: &str) -> Option<Value> {
    Some(Value::Text(text.to_owned()))
}

#[test]
fn a_comparison_with_an_absent_value_is_false_and_its_negation_true() {
    for (text, expected) in [
        ("amount = 5", false),
        ("amount < 5", false),
        ("amount >= 5", false),
        ("amount != 5", true),
        ("NOT amount = 5", true),
        ("NOT amount < 5", true),
        ("NOT amount != 5", false),
        ("NOT (amount = 5 OR amount != 5)", false),
        ("amount:*", false),
        ("-amount:*", true),
        ("amount = *", false),
        ("amount != *", true),
        ("nickname : a", false),
        ("-nickname : a", true),
        ("nickname = \"a*\"", false),
        ("nickname != \"a*\"", true),
    ] {
        assert_eq!(holds(text, None), expected, "{text}");
    }
}

#[test]
fn an_empty_text_is_absent_since_the_wire_cannot_tell_it_from_none() {
    for absent in [None, words("")] {
        assert!(holds("nickname = \"\"", absent.clone()));
        assert!(!holds("nickname != \"\"", absent.clone()));
        assert!(!holds("nickname:*", absent.clone()));
        assert!(holds("owner = \"\"", absent));
    }
    assert!(holds("account = \"\"", None));
    assert!(!holds("account = \"\"", Some(Value::Uuid(Uuid::nil()))));
    assert!(holds("nickname:*", words("a")));
}

#[test]
fn text_is_compared_in_the_same_case_by_prefix_and_by_part() {
    for (text, value, expected) in [
        ("display_name = Acme", "Acme", true),
        ("display_name = acme", "Acme", false),
        ("display_name = \"Ac*\"", "Acme", true),
        ("display_name = \"Ac*\"", "Acm", true),
        ("display_name = \"Ac*\"", "Ac", true),
        ("display_name = \"Ac*\"", "Ad", false),
        ("display_name = \"Ac\\*\"", "Ac*", true),
        ("display_name = \"Ac\\*\"", "Acme", false),
        ("display_name = \"\u{10ffff}*\"", "\u{10ffff}x", true),
        ("display_name = \"a\u{d7ff}*\"", "a\u{d7ff}z", true),
        ("display_name = \"a\u{d7ff}*\"", "a\u{e000}", false),
        ("display_name : cm", "Acme", true),
        ("display_name : CM", "Acme", false),
        ("display_name > Zz", "a", true),
        ("cme", "Acme", true),
        ("\"cme\" -xyz", "Acme", true),
        ("person.city = Lugo", "Lugo", true),
    ] {
        assert_eq!(holds(text, words(value)), expected, "{text} of {value}");
    }
}

#[test]
fn references_members_and_instants_are_compared_by_what_they_stand_for() {
    let id = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
    let time = |text: &str| Some(Value::Timestamp(text.parse::<Timestamp>().expect("an instant")));

    assert!(holds(&format!("account = accounts/{id}"), Some(Value::Uuid(id))));
    assert!(holds(&format!("cause : \"{id}\""), Some(Value::Uuid(id))));
    assert!(holds("owner = members/auth0|ana", words("auth0|ana")));
    assert!(holds("create_time = 2026-01-31T13:00:00+01:00", time("2026-01-31T12:00:00Z")));
    assert!(holds("create_time < \"2026-01-31T12:00:00.000001Z\"", time("2026-01-31T12:00:00Z")));
    assert!(holds("update_time = 2016-12-31T23:59:60Z", time("2017-01-01T00:00:00Z")));
    assert!(holds(
        "create_time > 0000-01-01T00:00:00Z create_time < 9999-12-31T23:59:59.999999Z",
        time("2026-01-31T12:00:00Z")
    ));
}

#[test]
fn a_value_of_another_type_meets_no_test() {
    assert!(!holds("amount = 5", words("5")));
    assert!(!holds("display_name : 5", Some(Value::Integer(5))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_filter_accepts_the_rows_its_reader_expects(model in some_model(), rows in prop::collection::vec(some_row(), 8)) {
        let text = model.to_string();
        let filter = filter(&text);
        for row in &rows {
            prop_assert_eq!(filter.matches(&|name| row.value(name)), model.accepts(row), "{} of {:?}", text, row);
        }
    }
}
