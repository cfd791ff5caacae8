//! What documents say of a line.

use trato_pricing::Quantity;
use trato_types::Id;
use uuid::Uuid;

use super::FrozenLine;
use crate::product::Chosen;

fn line(chosen: &[(&str, i32)]) -> FrozenLine {
    let chosen =
        chosen.iter().map(|(name, count)| Chosen { display_name: (*name).to_owned(), count: *count });
    FrozenLine {
        product: Id::from_uuid(Uuid::nil()),
        display_name: "Desk".to_owned(),
        unit_code: String::new(),
        tax_class: String::new(),
        unit_price: "1".parse().expect("a price"),
        per: Quantity::ONE,
        adjustments: Vec::new(),
        promotion: None,
        listed: None,
        cost: None,
        chosen: chosen.collect(),
    }
}

/// SFA-24: what was chosen stands behind the description, or else behind the name.
#[test]
fn what_was_chosen_stands_behind_what_the_line_says() {
    let configured = line(&[("Oak", 1), ("Lamp", 2)]);

    assert_eq!(configured.told(""), "Desk (Oak, Lamp × 2)");
    assert_eq!(configured.told("160 cm"), "160 cm (Oak, Lamp × 2)");
    assert_eq!((line(&[]).told(""), line(&[]).told("160 cm")), ("Desk".to_owned(), "160 cm".to_owned()));
}

/// SFA-24: what an invoice cannot take ends with a sign that something is left out; it is counted in characters.
#[test]
fn what_is_too_long_says_that_it_is_cut() {
    let longest = "ñ".repeat(1_000 - "Desk ()".len());
    let whole = line(&[(&longest, 1)]).told("");
    let cut = line(&[(&longest, 1), ("Lamp", 1)]).told("");

    assert!(whole.ends_with("ñ)"), "{whole}");
    assert_eq!((whole.chars().count(), cut.chars().count()), (1_000, 1_000));
    assert!(cut.ends_with('…'), "{cut}");
}
