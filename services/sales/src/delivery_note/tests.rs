//! What a delivery note takes over, and what of it may be refused.

use trato_pricing::Quantity;

use super::content::{Line, Lines, Refusal, Refusals};

fn whole(number: i64) -> Quantity {
    Quantity::whole(number).expect("a quantity")
}

fn line(key: &str, quantity: i64, serials: &[&str]) -> Line {
    Line {
        key: key.to_owned(),
        order_line: format!("order-{key}"),
        quantity: whole(quantity),
        lot: String::new(),
        serials: serials.iter().map(|serial| (*serial).to_owned()).collect(),
        good: None,
    }
}

fn refusal(line: &str, quantity: i64, serials: &[&str]) -> Refusal {
    let serials = serials.iter().map(|serial| (*serial).to_owned()).collect();
    Refusal { line: line.to_owned(), quantity: whole(quantity), serials, reason: String::new() }
}

/// DOC-05: what is refused was sent, and serial numbers say which of it.
#[test]
fn a_refusal_is_of_what_was_sent() {
    let lines = Lines(vec![line("1", 3, &["a", "b", "c"]), line("2", 5, &[])]);
    for right in [
        vec![],
        vec![refusal("1", 2, &["a", "c"])],
        vec![refusal("2", 5, &[]), refusal("1", 3, &["c", "b", "a"])],
    ] {
        let refusals = Refusals::of(right.clone(), &lines).expect("these were sent");
        assert_eq!(refusals.0, right);
    }
    for (wrong, fields) in [
        (vec![refusal("3", 1, &[])], vec![("refusals[0].line", "DELIVERY_LINE_NOT_FOUND")]),
        (vec![refusal("2", 6, &[])], vec![("refusals[0].quantity", "OVER_REFUSED")]),
        (vec![refusal("1", 1, &[])], vec![("refusals[0].serials", "SERIALS_DIFFER")]),
        (vec![refusal("1", 2, &["a", "a"])], vec![("refusals[0].serials", "SERIALS_DIFFER")]),
        (vec![refusal("1", 1, &["d"])], vec![("refusals[0].serials", "SERIALS_DIFFER")]),
        (vec![refusal("2", 1, &["a"])], vec![("refusals[0].serials", "SERIALS_DIFFER")]),
        (vec![refusal("2", 1, &[]), refusal("2", 1, &[])], vec![("refusals[1].line", "DUPLICATE")]),
    ] {
        let error = Refusals::of(wrong, &lines).expect_err("these were not");
        let found: Vec<_> = error.violations().iter().map(|one| (one.field.as_str(), one.reason)).collect();
        assert_eq!(found, fields);
    }
}

/// DOC-05: a line names as many serial numbers as it delivers, or none.
#[test]
fn serial_numbers_are_as_many_as_the_quantity() {
    for (line, is_right) in [
        (line("1", 2, &[]), true),
        (line("1", 2, &["a", "b"]), true),
        (line("1", 2, &["a"]), false),
        (Line { quantity: "1.5".parse().expect("a quantity"), ..line("1", 1, &["a"]) }, false),
    ] {
        let mut violations = trato_types::Violations::new();
        line.check("lines[0]", &mut violations);
        assert_eq!(violations.is_empty(), is_right, "{line:?}");
    }
}
