//! Which texts are filters, how they group, and what is said of those that are none.

use proptest::prelude::*;
use trato_types::Kind;

use super::{
    filter,
    model::{Model, as_model, some_model},
    refused,
};
use crate::{Filter, parser::parse, tests::SETS};

/// The tree of a filter, written out with its grouping.
fn shape(text: &str) -> String {
    fn write(model: &Model) -> String {
        let joined = |parts: &[Model], with: &str| {
            format!("[{}]", parts.iter().map(write).collect::<Vec<_>>().join(with))
        };
        match model {
            Model::All(parts) => joined(parts, " & "),
            Model::Any(parts) => joined(parts, " | "),
            Model::Not(part) => format!("!{}", write(part)),
            Model::Term { name, comparator, literal, star } => {
                format!("{name}{comparator}{literal}{}", if *star { "*" } else { "" })
            }
        }
    }
    let node = parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}")).expect("a filter");
    write(&as_model(&node))
}

#[test]
fn or_binds_tighter_than_and_and_white_space_is_an_and() {
    for (text, expected) in [
        ("a=1 AND b=2 OR c=3", "[a=1 & [b=2 | c=3]]"),
        ("a=1 OR b=2 AND c=3", "[[a=1 | b=2] & c=3]"),
        ("a=1 OR b=2 OR c=3", "[a=1 | b=2 | c=3]"),
        ("a=1 b=2 OR c=3 d=4", "[a=1 & [b=2 | c=3] & d=4]"),
        ("a=1 b=2 AND c=3 d=4", "[a=1 & b=2 & c=3 & d=4]"),
        ("(a=1 AND b=2) OR c=3", "[[a=1 & b=2] | c=3]"),
        ("NOT a=1 OR b=2", "[!a=1 | b=2]"),
        ("NOT (a=1 OR b=2)", "![a=1 | b=2]"),
        ("-a=1 -b=2", "[!a=1 & !b=2]"),
        ("New York Giants OR Yankees", "[New & York & [Giants | Yankees]]"),
        ("((a=1))", "a=1"),
        ("NOT(a=1)", "!a=1"),
    ] {
        assert_eq!(shape(text), expected, "{text}");
    }
}

#[test]
fn literals_are_read_as_they_are_meant() {
    for (text, expected) in [
        ("a = 2026-01-31T12:00:00.5+01:00", "a=2026-01-31T12:00:00.5+01:00"),
        ("a<=-5 b=1", "[a<=-5 & b=1]"),
        ("a=accounts/0192-a", "a=accounts/0192-a"),
        ("owner:members/ana@example.com", "owner:members/ana@example.com"),
        ("a=\"it's \\\"x\\\" \\\\ \\*\\n\"", "a=it's \"x\" \\ *\n"),
        ("a='say \"x\"'", "a=say \"x\""),
        ("a=\"AND\"", "a=AND"),
        ("a=abc*", "a=abc*"),
        ("a = \"abc*\"", "a=abc*"),
        ("a:*", "a:*"),
        ("person.city = x", "person.city=x"),
        ("a.NOT = x", "a.NOT=x"),
        ("\"a\" != ''", "a!="),
        ("a=ñandú\u{3000}b=2", "[a=ñandú & b=2]"),
    ] {
        assert_eq!(shape(text), expected, "{text}");
    }
    for empty in ["", "  ", "\n\t"] {
        assert!(filter(empty).is_empty());
    }
}

#[test]
fn what_is_no_filter_is_refused_with_the_position_of_the_fault() {
    for (text, reason, position) in [
        ("amount =", "INVALID_FILTER", 9),
        ("amount = 5 AND", "INVALID_FILTER", 15),
        ("AND amount = 5", "INVALID_FILTER", 1),
        ("amount = 5 OR OR amount = 6", "INVALID_FILTER", 15),
        ("NOT NOT amount = 5", "INVALID_FILTER", 5),
        ("--amount = 5", "INVALID_FILTER", 2),
        ("(amount = 5", "INVALID_FILTER", 12),
        ("amount = 5)", "INVALID_FILTER", 11),
        ("()", "INVALID_FILTER", 2),
        ("amount = (5 OR 6)", "INVALID_FILTER", 10),
        ("amount ! 5", "INVALID_FILTER", 8),
        ("amount = = 5", "INVALID_FILTER", 10),
        ("amount == 5", "INVALID_FILTER", 9),
        ("amount = AND", "INVALID_FILTER", 10),
        ("amount = 5(amount = 6)", "INVALID_FILTER", 10),
        ("(amount = 5)(amount = 6)", "INVALID_FILTER", 13),
        ("lower(display_name) = 'x'", "INVALID_FILTER", 1),
        ("display_name = upper('x')", "INVALID_FILTER", 16),
        ("amount = 5, amount = 6", "INVALID_FILTER", 11),
        ("display_name = \"x", "INVALID_FILTER", 16),
        ("display_name = \"\\q\"", "INVALID_FILTER", 17),
        ("ñame = \"\\q\"", "INVALID_FILTER", 9),
        ("display_name = x\\y", "INVALID_FILTER", 17),
        ("display_name = \"x\u{0}\"", "INVALID_FILTER", 18),
        ("amount* = 5", "INVALID_FILTER", 1),
        ("person. = x", "INVALID_FILTER", 9),
        ("display_name = x and amount = 5", "INVALID_FILTER", 18),
        ("acme*", "INVALID_FILTER", 1),
        ("salary = 5", "UNKNOWN_FIELD", 1),
        ("amount = 5 AND person.salary = 5", "UNKNOWN_FIELD", 16),
        ("Amount = 5", "UNKNOWN_FIELD", 1),
        ("amount.units = 5", "UNKNOWN_FIELD", 1),
        ("amount = 5.5", "WRONG_TYPE", 10),
        ("amount = +5", "WRONG_TYPE", 10),
        ("amount = 1e1000000", "WRONG_TYPE", 10),
        ("amount = 9223372036854775808", "WRONG_TYPE", 10),
        ("amount = \"\"", "WRONG_TYPE", 10),
        ("amount = 5*", "WRONG_TYPE", 10),
        ("create_time > 20s", "WRONG_TYPE", 15),
        ("create_time > 2026-01-31", "WRONG_TYPE", 15),
        ("create_time > 2026-02-29T00:00:00Z", "WRONG_TYPE", 15),
        ("create_time > 2026-01-31T00:00:00.0000001Z", "WRONG_TYPE", 15),
        ("create_time > +294277-01-01T00:00:00Z", "WRONG_TYPE", 15),
        ("close_date = 2026-1-1", "WRONG_TYPE", 14),
        ("close_date = 2026-02-29", "WRONG_TYPE", 14),
        ("close_date = +2026-01-1", "WRONG_TYPE", 14),
        ("sellable = yes", "WRONG_TYPE", 12),
        ("sellable > false", "WRONG_TYPE", 12),
        ("state = DONE", "WRONG_TYPE", 9),
        ("state = \"O*\"", "WRONG_TYPE", 9),
        ("state < OPEN", "WRONG_TYPE", 9),
        ("account = contacts/01920000-0000-7000-8000-000000000000", "WRONG_TYPE", 11),
        ("account = 01920000-0000-7000-8000-000000000000", "WRONG_TYPE", 11),
        ("owner = ana", "WRONG_TYPE", 9),
        ("cause = 0192", "WRONG_TYPE", 9),
        ("display_name = \"*x\"", "WRONG_TYPE", 16),
        ("display_name = \"x*y*\"", "WRONG_TYPE", 16),
        ("display_name : \"x*\"", "WRONG_TYPE", 16),
        ("display_name > \"x*\"", "WRONG_TYPE", 16),
        ("display_name : \"\"", "WRONG_TYPE", 16),
    ] {
        let error = refused(text);
        assert_eq!((error.kind(), error.reason()), (Kind::Invalid, reason), "{text}: {error}");
        let [violation] = error.violations() else { panic!("{text}: {error:?}") };
        assert_eq!((violation.field.as_str(), violation.reason), ("filter", reason), "{text}");
        assert!(
            violation.description.ends_with(&format!("(at character {position})")),
            "{text}: {violation:?}"
        );
        assert_eq!(error.metadata(), [("position", position.to_string())]);
    }
}

#[test]
fn several_unknown_names_and_wrong_types_are_told_at_once() {
    let error = refused("salary = 5 AND amount = x OR state = DONE");

    let reasons: Vec<_> = error.violations().iter().map(|violation| violation.reason).collect();
    assert_eq!(reasons, ["UNKNOWN_FIELD", "WRONG_TYPE", "WRONG_TYPE"]);
    assert_eq!(refused(&"salary = 5 ".repeat(100)).violations().len(), 5, "an answer stays small");
}

#[test]
fn a_bare_literal_is_refused_where_no_field_is_searchable() {
    const PLAIN: &[crate::Field] = &[crate::text("display_name")];
    for text in ["acme", "\"acme corp\"", "display_name", "acme AND display_name = x"] {
        let error = Filter::parse(&[PLAIN], text).expect_err("a bare literal");
        assert_eq!(error.reason(), "INVALID_FILTER", "{text}");
        assert!(error.message().contains("stands alone"), "{error}");
    }
}

#[test]
fn size_depth_and_number_of_terms_are_bounded() {
    let deep = |depth: usize| format!("{}amount = 5{}", "(".repeat(depth), ")".repeat(depth));
    let many = |terms: usize| vec!["amount = 5"; terms].join(" OR ");
    filter(&deep(32));
    filter(&many(100));

    for text in [
        deep(33),
        deep(4_000),
        "(".repeat(8_000),
        "NOT (".repeat(1_000),
        "-(".repeat(4_000),
        "(".repeat(10_000),
        many(101),
        "a ".repeat(4_000),
        format!("display_name = \"{}\"", "x".repeat(8 * 1024)),
    ] {
        assert_eq!(refused(&text).reason(), "FILTER_TOO_COMPLEX", "{:.40}…", text);
    }
}

/// Texts made of the grammar's own pieces, which reach deeper than random characters do.
fn some_scraps() -> impl Strategy<Value = String> {
    let scraps = vec![
        "amount",
        "display_name",
        "state",
        "(",
        ")",
        " ",
        "=",
        "!=",
        "<",
        ":",
        "*",
        "\"",
        "'",
        "\\",
        ".",
        ",",
        "-",
        "AND",
        "OR",
        "NOT",
        "5",
        "OPEN",
        "ñ",
        "\u{0}",
        "2026-01-31",
        "\u{202e}",
        "\u{10ffff}",
    ];
    prop::collection::vec(prop::sample::select(scraps), 0..40).prop_map(|scraps| scraps.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in prop_oneof![any::<String>(), some_scraps()]) {
        if let Err(error) = Filter::parse(SETS, &text) {
            prop_assert_eq!(error.kind(), Kind::Invalid);
            prop_assert!(error.violations().iter().all(|violation| violation.field == "filter"));
        }
    }

    #[test]
    fn a_written_tree_is_parsed_into_itself(model in some_model()) {
        let text = model.to_string();
        let node = parse(&text).map_err(|fault| TestCaseError::fail(format!("{text}: {fault:?}")))?;
        prop_assert_eq!(node.as_ref().map(as_model), Some(model), "{}", text);
    }
}
