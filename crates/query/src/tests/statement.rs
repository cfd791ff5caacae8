//! The SQL that filters, orders and pages become.

use uuid::Uuid;

use super::{filter, request};
use crate::{Listing, ListingRequest, Range, STANDARD, Value, tests::FIELDS};

fn sql(text: &str) -> String {
    filter(text).condition("t", 3).sql
}

#[test]
fn a_filter_becomes_columns_placeholders_and_operators() {
    for (text, expected) in [
        ("", "true"),
        ("display_name = x", "t.display_name = $3"),
        ("display_name != x", "t.display_name <> $3"),
        ("display_name > x", "t.display_name collate \"C\" > $3"),
        ("display_name : x", "strpos(t.display_name, $3) > 0"),
        (
            "display_name = \"x*\"",
            "(t.display_name collate \"C\" >= $3 and t.display_name collate \"C\" < $4)",
        ),
        (
            "display_name != \"x*\"",
            "(t.display_name collate \"C\" < $3 or t.display_name collate \"C\" >= $4)",
        ),
        ("display_name = \"\u{10ffff}*\"", "t.display_name collate \"C\" >= $3"),
        ("display_name:*", "t.display_name collate \"C\" > $3"),
        ("nickname != x", "t.nickname is distinct from $3"),
        ("NOT nickname = x", "t.nickname is distinct from $3"),
        ("-nickname:x", "(strpos(t.nickname, $3) = 0 or t.nickname is null)"),
        ("nickname = \"\"", "(t.nickname collate \"C\" <= $3 or t.nickname is null)"),
        ("amount >= 5", "t.amount >= $3"),
        ("NOT amount >= 5", "(t.amount < $3 or t.amount is null)"),
        ("amount:*", "t.amount is not null"),
        ("-amount:*", "t.amount is null"),
        ("stage_order:*", "true"),
        ("-stage_order:*", "false"),
        ("NOT stage_order < 5", "t.stage_order >= $3"),
        ("account = \"\"", "t.account is null"),
        ("owner = members/ana", "t.owner_subject = $3"),
        ("person.city = Lugo", "t.city = $3"),
        ("state = OPEN OR state = WON", "(t.state = $3 or t.state = $4)"),
        (
            "NOT (amount < 1 AND (state = OPEN OR sellable = true))",
            "((t.amount >= $3 or t.amount is null) or (t.state <> $4 and t.sellable is distinct from $5))",
        ),
        ("NOT (amount = 5 OR amount = 6)", "(t.amount is distinct from $3 and t.amount is distinct from $4)"),
        ("acme", "strpos(t.display_name, $3) > 0"),
    ] {
        assert_eq!(sql(text), expected, "{text}");
    }
}

#[test]
fn values_are_bound_in_the_order_of_their_placeholders() {
    let fragment =
        filter("amount = 5 state = OPEN owner = members/ana close_date < 2026-01-31 sellable = true")
            .condition("", 1);

    assert_eq!(
        fragment.sql,
        "(amount = $1 and state = $2 and owner_subject = $3 and close_date < $4 and sellable = $5)"
    );
    assert_eq!(
        fragment.values,
        [
            Value::Integer(5),
            Value::Text("OPEN".to_owned()),
            Value::Text("ana".to_owned()),
            Value::Date("2026-01-31".parse().expect("a date")),
            Value::Boolean(true),
        ]
    );
}

/// The order and the condition of the page behind a row with these values.
fn behind(order_by: &str, filter: &str, values: &[Option<Value>]) -> (String, String) {
    let first = ListingRequest { order_by, filter, ..request() };
    let listing = Listing::parse(&first).expect("a right request");
    assert_eq!(listing.condition("t", 1).sql, super::filter(filter).condition("t", 1).sql);
    let token = listing.next_page_token(values, Uuid::nil());
    let next = Listing::parse(&ListingRequest { page_token: &token, ..first }).expect("its token");
    let fragment = next.condition("t", 1);
    let places = fragment.sql.matches('$').count();
    assert_eq!(places, fragment.values.len(), "{}", fragment.sql);
    (next.order_sql("t"), fragment.sql)
}

#[test]
fn an_order_without_nulls_in_one_direction_is_one_range_of_an_index() {
    let text = || Some(Value::Text("x".to_owned()));
    let number = || Some(Value::Integer(5));

    assert_eq!(behind("", "", &[]), ("t.id".into(), "t.id > $1".into()));
    assert_eq!(
        behind("stage_order desc", "", &[number()]),
        ("t.stage_order desc, t.id desc".into(), "(t.stage_order, t.id) < ($1, $2)".into())
    );
    assert_eq!(
        behind("display_name, stage_order asc", "amount = 5", &[text(), number()]),
        (
            "t.display_name collate \"C\", t.stage_order, t.id".into(),
            "(t.amount = $1 and (t.display_name collate \"C\", t.stage_order, t.id) > ($2, $3, $4))".into()
        )
    );
}

#[test]
fn mixed_directions_and_nulls_are_written_out() {
    let number = || Some(Value::Integer(5));

    assert_eq!(
        behind("stage_order desc, state", "", &[number(), Some(Value::Text("OPEN".to_owned()))]),
        (
            "t.stage_order desc, t.state collate \"C\", t.id".into(),
            "(t.stage_order <= $1 and ((t.stage_order = $2 and (t.state collate \"C\", t.id) > ($3, $4)) \
             or t.stage_order < $5))"
                .into()
        )
    );
    assert_eq!(
        behind("amount desc", "", &[number()]),
        (
            "t.amount desc nulls last, t.id desc".into(),
            "((t.amount = $1 and t.id < $2) or t.amount < $3 or t.amount is null)".into()
        )
    );
    assert_eq!(
        behind("amount", "", &[None]),
        ("t.amount, t.id".into(), "(t.amount is null and t.id > $1)".into())
    );
}

#[test]
fn declared_fields_tell_what_they_are() {
    let owner = FIELDS.iter().find(|field| field.name() == "owner").expect("declared");

    assert_eq!(
        (owner.column_name(), owner.is_nullable(), owner.is_sortable()),
        ("owner_subject", true, false)
    );
    assert!(STANDARD.iter().all(|field| field.name() == field.column_name()));
}

#[test]
fn ranges_stand_in_the_order_of_the_rows_and_share_one_count_of_placeholders() {
    let first = ListingRequest { order_by: "amount", filter: "stage_order = 2", ..request() };
    let listing = Listing::parse(&first).expect("a right request");
    let token = listing.next_page_token(&[Some(Value::Integer(5))], Uuid::nil());
    let next = Listing::parse(&ListingRequest { page_token: &token, ..first }).expect("its token");

    let ranges = next.ranges("t", 4);
    let texts: Vec<&str> = ranges.iter().map(|range| range.condition.sql.as_str()).collect();
    assert_eq!(
        texts,
        [
            "(t.stage_order = $4 and (t.amount = $5 and t.id > $6))",
            "(t.stage_order = $7 and t.amount > $8)",
            "(t.stage_order = $9 and t.amount is null)",
        ]
    );
    assert_eq!(ranges.iter().map(|range| range.condition.values.len()).sum::<usize>(), 6);
    let whole = Range { condition: listing.condition("t", 4), order: listing.order_sql("t") };
    assert_eq!(listing.ranges("t", 4), [whole]);
}

#[test]
fn the_place_of_nulls_is_said_only_where_a_range_mixes_them_with_values() {
    let first = ListingRequest { order_by: "amount desc", ..request() };
    let listing = Listing::parse(&first).expect("a right request");
    let token = listing.next_page_token(&[Some(Value::Integer(5))], Uuid::nil());
    let next = Listing::parse(&ListingRequest { page_token: &token, ..first }).expect("its token");

    let texts = |listing: &Listing| -> Vec<String> {
        let ranges = listing.ranges("t", 1).into_iter();
        ranges.map(|range| format!("{} by {}", range.condition.sql, range.order)).collect()
    };
    assert_eq!(
        texts(&listing),
        ["t.amount is not null by t.amount desc, t.id desc", "t.amount is null by t.amount desc, t.id desc",]
    );
    assert_eq!(
        texts(&next),
        [
            "(t.amount = $1 and t.id < $2) by t.amount desc, t.id desc",
            "t.amount < $3 by t.amount desc, t.id desc",
            "t.amount is null by t.amount desc, t.id desc",
        ]
    );
    let mixed = Listing::parse(&ListingRequest { order_by: "stage_order, amount desc", ..request() });
    let mixed = mixed.expect("a right request").ranges("t", 1);
    assert_eq!(mixed[0].order, "t.stage_order, t.amount desc nulls last, t.id desc");
}
