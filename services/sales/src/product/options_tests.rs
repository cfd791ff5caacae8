//! Which choices of a product go together.

use proptest::prelude::*;
use trato_types::{Currency, Minor, error::FieldError as _};

use super::options::{Choice, Choosable, OptionGroup, OptionGroups, SurchargeError};

fn option(key: &str) -> Choosable {
    Choosable {
        key: key.to_owned(),
        display_name: key.to_uppercase(),
        max_count: 1,
        requires: Vec::new(),
        excludes: Vec::new(),
        surcharges: Vec::new(),
    }
}

fn group(key: &str, min_count: i32, max_count: i32, options: Vec<Choosable>) -> OptionGroup {
    OptionGroup { key: key.to_owned(), display_name: key.to_uppercase(), min_count, max_count, options }
}

/// A press: one drive of two; of three extras as many as one likes, where cooling needs the big drive and cannot be with
/// heating, and up to four lamps.
fn press() -> OptionGroups {
    let cooling = Choosable {
        requires: vec!["big".to_owned()],
        excludes: vec!["heating".to_owned()],
        surcharges: vec![(Minor(15_000), Currency::USD)],
        ..option("cooling")
    };
    let lamp = Choosable { max_count: 4, surcharges: vec![(Minor(-500), Currency::USD)], ..option("lamp") };
    OptionGroups::new(vec![
        group("drive", 1, 1, vec![option("small"), option("big")]),
        group("extras", 0, 0, vec![cooling, option("heating"), lamp]),
    ])
    .expect("a press can be configured")
}

fn choices(given: &[(&str, i32)]) -> Vec<Choice> {
    given.iter().map(|(option, count)| Choice { option: (*option).to_owned(), count: *count }).collect()
}

fn reasons(given: &[(&str, i32)]) -> Vec<(Option<usize>, String, &'static str)> {
    let issues = press().issues(&choices(given));
    issues.into_iter().map(|issue| (issue.choice, issue.key, issue.error.reason())).collect()
}

fn issue(choice: usize, key: &str, reason: &'static str) -> (Option<usize>, String, &'static str) {
    (Some(choice), key.to_owned(), reason)
}

/// SFA-24: options require and exclude one another, and are counted.
#[test]
fn choices_that_do_not_go_together_are_named_one_by_one() {
    assert_eq!(reasons(&[("big", 1), ("cooling", 1), ("lamp", 4)]), []);
    assert_eq!(
        reasons(&[("small", 1), ("cooling", 1), ("heating", 1), ("lamp", 5), ("wings", 1), ("small", 1)]),
        [
            issue(1, "cooling", "OPTION_REQUIRES"),
            issue(1, "cooling", "OPTION_EXCLUDES"),
            issue(2, "heating", "OPTION_EXCLUDES"),
            issue(3, "lamp", "OPTION_COUNT"),
            issue(4, "wings", "OPTION_UNKNOWN"),
            issue(5, "small", "OPTION_TWICE"),
        ]
    );
    assert_eq!(reasons(&[("big", 0)])[0], issue(0, "big", "OPTION_COUNT"));
    assert_eq!(reasons(&[]), [(None, "drive".to_owned(), "GROUP_TOO_FEW")]);
    assert_eq!(reasons(&[("big", 1), ("small", 1)]), [(None, "drive".to_owned(), "GROUP_TOO_MANY")]);
}

/// SFA-24: choices have a price effect in each currency, and one without a price in it is named.
#[test]
fn choices_put_on_the_price_and_take_off_it() {
    let priced = |given: &[(&str, i32)], currency| {
        let press = press();
        let surcharges = press.surcharges(&choices(given), currency)?;
        Ok::<_, SurchargeError>(
            surcharges.into_iter().map(|(name, amount)| (name.to_owned(), amount.0)).collect(),
        )
    };
    let all = [("big", 1), ("cooling", 1), ("lamp", 3)];
    let expected = vec![("COOLING".to_owned(), 15_000), ("LAMP".to_owned(), -1_500)];
    assert_eq!(priced(&all, Currency::USD), Ok(expected));
    let euro = Currency::parse("EUR").expect("a code");
    assert_eq!(priced(&all, euro), Err(SurchargeError::Missing("cooling".to_owned())));
    assert_eq!(priced(&all[..1], euro), Ok(Vec::new()));
}

/// DOC-10: what is too much is refused, never cut to what fits.
#[test]
fn a_surcharge_that_is_too_large_is_refused() {
    let gold = Choosable {
        max_count: 2,
        surcharges: vec![(Minor(i64::MAX / 2 + 1), Currency::USD)],
        ..option("gold")
    };
    let groups = OptionGroups::new(vec![group("metal", 0, 0, vec![gold])]).expect("a group");
    assert!(groups.surcharges(&choices(&[("gold", 1)]), Currency::USD).is_ok());
    assert_eq!(
        groups.surcharges(&choices(&[("gold", 2)]), Currency::USD),
        Err(SurchargeError::TooLarge("gold".to_owned()))
    );
}

/// SFA-24: two hundred options that each exclude all others are answered with the first hundred things wrong.
#[test]
fn what_is_wrong_with_many_choices_is_cut_short() {
    let keys: Vec<String> = (0..200).map(|at| format!("o{at}")).collect();
    let others = |own: &String| keys.iter().filter(|key| *key != own).cloned().collect();
    let all: Vec<Choosable> =
        keys.iter().map(|key| Choosable { excludes: others(key), ..option(key) }).collect();
    let groups = OptionGroups::new(vec![group("all", 0, 0, all)]).expect("a group");
    let chosen: Vec<Choice> = keys.iter().map(|key| Choice { option: key.clone(), count: 1 }).collect();

    let issues = groups.issues(&chosen);

    assert_eq!(issues.len(), OptionGroups::MAX_ISSUES);
    assert!(issues.iter().all(|issue| issue.error.reason() == "OPTION_EXCLUDES"));
}

#[test]
fn keys_stand_once_and_rules_name_other_options() {
    let strange = Choosable {
        requires: vec!["a".to_owned(), "z".to_owned()],
        excludes: vec!["g".to_owned()],
        ..option("a")
    };
    let error =
        OptionGroups::new(vec![group("g", 0, 0, vec![strange, option("a")]), group("g", 0, 0, vec![])])
            .expect_err("nearly all is wrong");
    let found: Vec<_> = error.violations().iter().map(|fault| (fault.field.as_str(), fault.reason)).collect();
    assert_eq!(
        found,
        [
            ("option_groups[0].options[0].requires[0]", "OPTION_UNKNOWN"),
            ("option_groups[0].options[0].requires[1]", "OPTION_UNKNOWN"),
            ("option_groups[0].options[0].excludes[0]", "OPTION_UNKNOWN"),
            ("option_groups[0].options[1].key", "DUPLICATE_OPTION"),
            ("option_groups[1].key", "DUPLICATE_OPTION"),
        ]
    );
}

proptest! {
    /// SFA-24: whatever the order of choices, they go together or they do not.
    #[test]
    fn the_order_of_choices_decides_nothing(
        given in prop::collection::vec((0..6_usize, 0..6_i32), 0..6),
        turn in 0..6_usize,
    ) {
        let keys = ["small", "big", "cooling", "heating", "lamp", "wings"];
        let mut given: Vec<Choice> =
            given.into_iter().map(|(at, count)| Choice { option: keys[at].to_owned(), count }).collect();
        // The last of twins counts for its group, so that only distinct ones can be turned.
        given.sort_by(|a, b| a.option.cmp(&b.option));
        given.dedup_by(|a, b| a.option == b.option);
        let told = |given: &[Choice]| {
            let mut told: Vec<_> =
                press().issues(given).into_iter().map(|issue| (issue.key, issue.error.to_string())).collect();
            told.sort();
            told
        };
        let before = told(&given);
        let turn = turn % given.len().max(1);
        given.rotate_left(turn);
        prop_assert_eq!(before, told(&given));
    }
}
