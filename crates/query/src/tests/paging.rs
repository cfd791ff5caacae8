//! Orders and pages.

use std::cmp::Ordering;

use proptest::prelude::*;
use uuid::Uuid;

use super::{
    model::{Row, some_row},
    request,
};
use crate::{
    Listing, ListingRequest,
    order::{parse, ranges},
    tests::SETS,
};

/// The fields of a generated row that can be sorted by.
const SORTED: &[&str] = &["display_name", "nickname", "amount", "close_date"];

/// Distinct fields and directions.
fn some_order() -> impl Strategy<Value = Vec<(&'static str, bool)>> {
    let directions = prop::collection::vec(any::<bool>(), SORTED.len());
    (prop::sample::subsequence(SORTED, 0..=SORTED.len()).prop_shuffle(), directions)
        .prop_map(|(names, directions)| names.into_iter().zip(directions).collect())
}

fn written(order: &[(&str, bool)]) -> String {
    let part =
        |(name, descending): &(&str, bool)| format!("{name}{}", if *descending { " desc" } else { "" });
    order.iter().map(part).collect::<Vec<_>>().join(" , ")
}

/// What the database does with the `order by`: nulls last, then the id in the direction of the last key.
fn sorted(mut rows: Vec<Row>, order: &[(&str, bool)]) -> Vec<Row> {
    let directed = |order: Ordering, descending: bool| if descending { order.reverse() } else { order };
    rows.sort_by(|a, b| {
        for (name, descending) in order {
            let found = match (a.value(name), b.value(name)) {
                (Some(a), Some(b)) => directed(a.order(&b).expect("one type"), *descending),
                (a, b) => a.is_none().cmp(&b.is_none()),
            };
            if found != Ordering::Equal {
                return found;
            }
        }
        directed(a.id.cmp(&b.id), order.last().is_some_and(|(_, descending)| *descending))
    });
    rows
}

/// One call of a list method on a table in memory: the ids of the page, and the token of the next.
fn page(rows: &[Row], order: &[(&str, bool)], request: &ListingRequest<'_>) -> (Vec<Uuid>, String) {
    let listing = Listing::parse(request).expect("a right request");
    let condition = listing.predicate();
    let found = rows.iter().filter(|row| condition.matches(&|name| row.value(name))).cloned().collect();
    let mut found = sorted(found, order);
    found.truncate(usize::try_from(listing.limit()).expect("small"));
    let more = found.len() > listing.page_size();
    found.truncate(listing.page_size());
    let token = match found.last() {
        Some(last) if more => {
            let keys: Vec<_> = listing.sort_keys().iter().map(|key| last.value(key.field().name())).collect();
            listing.next_page_token(&keys, last.id)
        }
        _ => String::new(),
    };
    (found.iter().map(|row| row.id).collect(), token)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn pages_visit_each_row_exactly_once_in_order(
        rows in prop::collection::vec(some_row(), 0..40),
        order in some_order(),
        page_size in 1..7,
    ) {
        let order_by = written(&order);
        let mut token = String::new();
        let mut visited = Vec::new();
        for _ in 0..=rows.len() {
            let request = ListingRequest { order_by: &order_by, page_size, page_token: &token, ..request() };
            let (ids, next) = page(&rows, &order, &request);
            visited.extend(ids);
            token = next;
            if token.is_empty() {
                break;
            }
        }
        let expected: Vec<Uuid> = sorted(rows, &order).iter().map(|row| row.id).collect();
        prop_assert_eq!(visited, expected);
    }

    #[test]
    fn pages_neither_repeat_nor_skip_a_row_that_stays_while_others_come_and_go(
        stay in prop::collection::vec(some_row(), 0..20),
        guests in prop::collection::vec((some_row(), 0_usize..8, 0_usize..8), 0..20),
        order in some_order(),
        page_size in 1..5,
    ) {
        let order_by = written(&order);
        let mut token = String::new();
        let mut visited = Vec::new();
        for turn in 0..=stay.len() + guests.len() {
            let here = guests.iter().filter(|(_, from, turns)| (*from..from + turns).contains(&turn));
            let rows: Vec<Row> = stay.iter().chain(here.map(|(row, ..)| row)).cloned().collect();
            let request = ListingRequest { order_by: &order_by, page_size, page_token: &token, ..request() };
            let (ids, next) = page(&rows, &order, &request);
            visited.extend(ids);
            token = next;
            if token.is_empty() {
                break;
            }
        }
        for row in &stay {
            prop_assert_eq!(visited.iter().filter(|id| **id == row.id).count(), 1);
        }
        let mut distinct = visited.clone();
        distinct.sort();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), visited.len());
    }

    #[test]
    fn ranges_part_the_rows_behind_one_in_their_order(
        rows in prop::collection::vec(some_row(), 1..30),
        order in some_order(),
        at in any::<prop::sample::Index>(),
    ) {
        let rows = sorted(rows, &order);
        let last = at.get(&rows);
        let keys = parse(SETS, &written(&order)).expect("a right order");
        let values: Vec<_> = keys.iter().map(|key| last.value(key.field().name())).collect();
        let mut parted = Vec::new();
        for range in ranges(&keys, &values) {
            parted.extend(rows.iter().filter(|row| range.predicate.matches(&|name| row.value(name))).map(|row| row.id));
        }
        let behind: Vec<Uuid> = rows[at.index(rows.len()) + 1..].iter().map(|row| row.id).collect();
        prop_assert_eq!(parted, behind);
    }
}

#[test]
fn an_order_names_sortable_fields_each_once() {
    for (order_by, reason) in [
        ("salary", "UNKNOWN_FIELD"),
        ("owner", "INVALID_ORDER_BY"),
        ("amount down", "INVALID_ORDER_BY"),
        ("amount desc desc", "INVALID_ORDER_BY"),
        ("amount DESC", "INVALID_ORDER_BY"),
        ("amount,", "INVALID_ORDER_BY"),
        (",amount", "INVALID_ORDER_BY"),
        ("amount,,state", "INVALID_ORDER_BY"),
        ("amount, amount desc", "INVALID_ORDER_BY"),
        ("amount, state, display_name, nickname, close_date", "INVALID_ORDER_BY"),
        ("id", "UNKNOWN_FIELD"),
        ("amount; drop table account", "INVALID_ORDER_BY"),
    ] {
        let error = Listing::parse(&ListingRequest { order_by, ..request() }).expect_err(order_by);
        assert_eq!(
            (error.reason(), error.violations()[0].field.as_str()),
            (reason, "order_by"),
            "{order_by}"
        );
    }
    let error =
        Listing::parse(&ListingRequest { order_by: "amount, salary", ..request() }).expect_err("unknown");
    assert!(error.message().ends_with("(at character 9)"), "{error}");
}

#[test]
fn page_sizes_have_a_default_and_a_limit() {
    let size = |page_size| {
        Listing::parse(&ListingRequest { page_size, ..request() }).map(|listing| listing.page_size())
    };

    assert_eq!(size(0).ok(), Some(50));
    assert_eq!(size(7).ok(), Some(7));
    assert_eq!(size(1001).ok(), Some(1000));
    assert_eq!(size(i32::MAX).ok(), Some(1000));
    assert_eq!(size(-1).expect_err("negative").reason(), "INVALID_PAGE_SIZE");
    assert_eq!(Listing::parse(&request()).expect("a right request").limit(), 51);
}

#[test]
fn all_faults_of_a_request_are_told_at_once() {
    let error = Listing::parse(&ListingRequest {
        filter: "salary = 1",
        order_by: "salary",
        page_size: -1,
        ..request()
    })
    .expect_err("three faults");

    let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["filter", "order_by", "page_size"]);
}
