//! What is in one of a kit, and in so many.

use std::collections::HashMap;

use trato_pricing::Quantity;
use trato_types::Id;
use uuid::Uuid;

use super::{
    model::{Called, Contents, Kits},
    render_kits,
};
use crate::product::{Component, Link, Product, Within};

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn product(number: u128) -> Id<Product> {
    Id::from_uuid(id(number))
}

fn quantity(text: &str) -> Quantity {
    text.parse().expect("a quantity")
}

fn link(bundle: u128, product: u128, factor: &str) -> Link {
    Link { bundle: id(bundle), component: Component { product: id(product), factor: quantity(factor) } }
}

fn of(kits: &[Uuid], links: &[Link], called: &HashMap<Uuid, Called>) -> Kits {
    Kits::of(kits, &Within::of(links), called)
}

fn called(names: &[(u128, &str, &str)]) -> HashMap<Uuid, Called> {
    let one = |(number, description, unit_code): &(u128, &str, &str)| {
        (id(*number), Called { description: (*description).to_owned(), unit_code: (*unit_code).to_owned() })
    };
    names.iter().map(one).collect()
}

/// A desk (10) of a top, a frame (11) of four legs, and screws; and a shelf (12) of legs.
fn desk_and_shelf() -> Kits {
    let links = [
        link(10, 3, "1"),
        link(10, 11, "1"),
        link(10, 2, "8"),
        link(11, 1, "4"),
        link(11, 2, "8.5"),
        link(12, 1, "2"),
    ];
    let called = called(&[(1, "Leg", "C62"), (2, "Screw", "C62"), (3, "Oak top", "MTK"), (11, "Frame", "")]);
    of(&[id(10), id(12)], &links, &called)
}

fn told<'a>(contents: &'a Contents<'_>) -> Vec<(&'a str, &'a str, &'a str)> {
    let parts = contents.parts.iter();
    parts
        .map(|(part, quantity)| (part.description.as_str(), quantity.as_str(), part.unit_code.as_str()))
        .collect()
}

/// SFA-25: each line of a kit has the parts of its own quantity, by name, and what is no kit has none.
#[test]
fn a_line_has_the_parts_of_its_quantity() {
    let kits = desk_and_shelf();
    let lines = [
        (Some(product(10)), quantity("2")),
        (Some(product(1)), quantity("3")),
        (None, quantity("3")),
        (Some(product(12)), quantity("0.5")),
        (Some(product(10)), quantity("1")),
    ];

    let contents = kits.contents(lines);

    assert_eq!(told(&contents[0]), [("Leg", "8", "C62"), ("Oak top", "2", "MTK"), ("Screw", "33", "C62")]);
    assert_eq!(contents[1..3], [Contents::default(), Contents::default()]);
    assert_eq!(told(&contents[3]), [("Leg", "1", "C62")]);
    assert_eq!(told(&contents[4])[2], ("Screw", "16.5", "C62"));
}

/// SFA-25: a part that is finer or larger than a quantity may be is delivered all the same: it is told to a millionth, and never as
/// nothing.
#[test]
fn no_factor_makes_a_kit_undeliverable() {
    let most = "999999999999";
    let links = [
        link(10, 11, "0.000001"),
        link(11, 12, "0.0005"),
        link(11, 1, "0.5"),
        link(12, 2, "0.001"),
        link(20, 21, most),
        link(21, 22, most),
        link(22, 3, most),
    ];
    let kits = of(&[id(10), id(20)], &links, &called(&[(1, "Glue", "KGM"), (2, "Dye", "KGM")]));

    let told_of = |number, text| kits.contents([(Some(product(number)), quantity(text))]).remove(0);
    let [one, many] = ["1", "2000000"].map(|text| told_of(10, text));
    assert_eq!(told(&one), [("Dye", "0.000001", "KGM"), ("Glue", "0.000001", "KGM")]);
    assert_eq!(told(&many), [("Dye", "0.000001", "KGM"), ("Glue", "1", "KGM")]);
    assert_eq!(told(&told_of(10, "200000000000"))[0].1, "0.1");
    let huge = told_of(20, "1000000");
    assert!(!huge.omitted && huge.parts[0].1.len() > 27, "{huge:?}");
}

/// What was kept is read as it was, whatever the digits of its factors.
#[test]
fn kits_are_read_as_they_were_kept() {
    let links = [link(10, 11, "0.000001"), link(11, 1, "0.123456"), link(12, 11, "1")];
    let kits = of(&[id(10), id(12)], &links, &called(&[(1, "Leg", "C62")]));

    let kept = serde_json::to_value(&kits).expect("it is JSON");
    let read: Kits = serde_json::from_value(kept.clone()).expect("it can be read");

    assert_eq!(kept[0]["parts"][0]["factor"], "0.000000123456");
    assert_eq!(read, kits);
    let too_large = Kits::too_large(&[id(10)]);
    let kept = serde_json::to_value(&too_large).expect("it is JSON");
    assert_eq!(serde_json::from_value::<Kits>(kept).expect("it can be read"), too_large);
}

#[test]
fn a_document_keeps_its_own_kits_only() {
    let kits = desk_and_shelf();
    let only = kits.only([product(1), product(12)].into_iter());
    assert_eq!(only.all().map(|(product, _)| product).collect::<Vec<_>>(), [product(12)]);
}

/// Parts are kept and listed as long as there is room, and what is left out is said, kit by kit and line by line; a smaller one after it
/// still has room. A document of fewer kits has the room for what another one leaves out.
#[test]
fn what_has_no_room_is_left_out_whole_and_told() {
    let long = "x".repeat(200);
    let (count, fits) = (1_000, Kits::MAX_KEPT / (1_000 * 300));
    let bundles: Vec<u128> = (1..=u128::try_from(fits).expect("a few") + 1).collect();
    let parts = |bundle: &u128| {
        let bundle = *bundle;
        (0..count).map(move |number| link(bundle, 1_000_000 + number, "1"))
    };
    let mut links: Vec<Link> = bundles.iter().flat_map(parts).collect();
    links.push(link(99, 1_000_000, "2"));
    let called = (0..count).map(|number| {
        let called = Called { description: long.clone(), unit_code: "C62".to_owned() };
        (id(1_000_000 + number), called)
    });
    let called: HashMap<Uuid, Called> = called.collect();
    let ids: Vec<Uuid> = bundles.iter().chain(&[99]).map(|bundle| id(*bundle)).collect();

    let found = of(&ids, &links, &called);
    let kits = found.only(ids.iter().map(|kit| Id::from_uuid(*kit)));
    let omitted: Vec<bool> = render_kits(&kits).iter().map(|kit| kit.parts_omitted).collect();
    let mut expected = vec![false; fits];
    expected.extend([true, false]);
    assert_eq!(omitted, expected);
    let own = found.only([product(bundles[fits])].into_iter());
    let alone = own.contents([(Some(product(bundles[fits])), Quantity::ONE)]);
    assert_eq!((alone[0].omitted, alone[0].parts.len()), (false, 1_000));

    let one = |bundle: u128| (Some(product(bundle)), Quantity::ONE);
    let lines: Vec<_> = vec![one(1); fits + 1].into_iter().chain([one(99), one(bundles[fits])]).collect();
    let contents = kits.contents(lines);
    let omitted: Vec<bool> = contents.iter().map(|contents| contents.omitted).collect();
    let mut expected = vec![false; fits];
    expected.extend([true, false, true]);
    assert_eq!(omitted, expected);
    assert_eq!(contents[fits + 1].parts[0].1, "2");
}

/// What is found at once has an end as well, and so has the work of opening kits: what comes after it is told as omitted.
#[test]
fn what_is_too_much_to_be_found_at_once_is_left_out() {
    let long = "x".repeat(300);
    let components = 1_000;
    let bundles = u128::try_from(Kits::MAX_FOUND / (1_000 * 400)).expect("a few") + 1;
    let parts = |bundle: u128| (0..components).map(move |number| link(bundle, 1_000_000 + number, "1"));
    let links: Vec<Link> = (1..=bundles).flat_map(parts).collect();
    let called =
        |number| (id(1_000_000 + number), Called { description: long.clone(), unit_code: "C62".to_owned() });
    let called: HashMap<Uuid, Called> = (0..components).map(called).collect();
    let ids: Vec<Uuid> = (1..=bundles).map(id).collect();
    let last = |kits: &Kits| kits.contents([(Some(product(bundles)), Quantity::ONE)])[0].omitted;

    assert!(last(&of(&ids, &links, &called)), "it has no room");
    assert!(!last(&of(&ids[1..], &links, &called)), "it has");

    // Each kit is all that is within the one before, and more.
    let steps = 700;
    let links: Vec<Link> = (0..steps).map(|number| link(number, number + 1, "1")).collect();
    let ids: Vec<Uuid> = (0..steps).map(id).collect();
    let kits = of(&ids, &links, &HashMap::new());
    let omitted = |number| kits.contents([(Some(product(number)), Quantity::ONE)])[0].omitted;
    assert_eq!([omitted(0), omitted(steps - 1)], [false, true]);
}
