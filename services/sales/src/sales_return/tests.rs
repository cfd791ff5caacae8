//! What is received and found of the lines of a return.

use trato_pricing::Quantity;

use super::content::{Condition, Disposition, Finding, Line, Lines, Part};

fn whole(number: i64) -> Quantity {
    Quantity::whole(number).expect("a quantity")
}

fn texts(given: &[&str]) -> Vec<String> {
    given.iter().map(|text| (*text).to_owned()).collect()
}

fn line(key: &str, quantity: i64, serials: &[&str]) -> Line {
    Line {
        key: key.to_owned(),
        delivery_line: key.to_owned(),
        quantity: whole(quantity),
        serials: texts(serials),
        condition: None,
        good: None,
        received: None,
        found: None,
    }
}

fn part(key: &str, quantity: i64, serials: &[&str]) -> (String, Part) {
    (key.to_owned(), Part { quantity: whole(quantity), serials: texts(serials) })
}

fn finding(key: &str, disposition: Disposition) -> (String, Finding) {
    (key.to_owned(), Finding { condition: Condition::Used, disposition, note: String::new() })
}

fn faults(refused: trato_types::Result<()>) -> Vec<(String, &'static str)> {
    let error = refused.expect_err("it is refused");
    error.violations().iter().map(|one| (one.field.clone(), one.reason)).collect()
}

/// DOC-09: what has come back is part of what was authorised; named by nobody, it is all of it.
#[test]
fn what_is_received_was_authorised() {
    let lines = Lines(vec![line("1", 2, &["a", "b"]), line("2", 3, &[])]);
    let mut all = lines.clone();
    all.receive(Vec::new()).expect("all of it");
    let received: Vec<_> = all.0.iter().filter_map(|line| Some(line.received.as_ref()?.quantity)).collect();
    assert_eq!(received, [whole(2), whole(3)]);
    let mut some = lines.clone();
    some.receive(vec![part("1", 1, &["b"])]).expect("one of it");
    assert!(some.0[1].received.is_none());
    for (wrong, expected) in [
        (vec![part("9", 1, &[])], ("lines[0].line", "RETURN_LINE_NOT_FOUND")),
        (vec![part("2", 4, &[])], ("lines[0].quantity", "OVER_RETURNED")),
        (vec![part("1", 1, &["c"])], ("lines[0].serials", "SERIALS_DIFFER")),
        (vec![part("1", 2, &["a"])], ("lines[0].serials", "SERIALS_DIFFER")),
        (vec![part("2", 1, &[]), part("2", 1, &[])], ("lines[1].line", "DUPLICATE")),
    ] {
        let (field, reason) = expected;
        assert_eq!(faults(lines.clone().receive(wrong)), [(field.to_owned(), reason)]);
    }
}

/// DOC-09: each line that was received is inspected once.
#[test]
fn what_was_received_is_inspected() {
    let mut lines = Lines(vec![line("1", 2, &[]), line("2", 3, &[])]);
    lines.receive(vec![part("1", 2, &[])]).expect("received");
    let refund = || finding("1", Disposition::Refund);
    assert_eq!(faults(lines.clone().inspect(Vec::new())), [("lines".to_owned(), "REQUIRED")]);
    let of_nothing = vec![refund(), finding("2", Disposition::Refund)];
    assert_eq!(
        faults(lines.clone().inspect(of_nothing)),
        [("lines[1].line".to_owned(), "RETURN_LINE_NOT_FOUND")]
    );
    assert_eq!(
        faults(lines.clone().inspect(vec![refund(), refund()])),
        [("lines[1].line".to_owned(), "DUPLICATE")]
    );
    lines.inspect(vec![refund()]).expect("inspected");
    assert!(!Disposition::Refund.goes_back() && !Disposition::Replace.goes_back());
    assert!(Disposition::Repair.goes_back() && Disposition::Reject.goes_back());
}
