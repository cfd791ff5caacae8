//! Prices from lists and promotions: who gets which, in which order, and within which budget.

use std::slice::from_ref;

use proptest::prelude::*;
use trato_types::{Date, Minor};

use super::{euro, percent, price, quantity, vat};
use crate::{
    Condition, Effect, ListPrice, Occasion, Offer, Period, PriceList, Prices, Promotion, Quantity, Scope,
    Wish, offer,
};

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn occasion() -> Occasion {
    Occasion {
        currency: euro(),
        prices: Prices::Net,
        date: day("2026-06-15"),
        account: Some("acme".into()),
        segment: Some("industry".into()),
        channel: Some("portal".into()),
        coupons: vec![],
    }
}

fn list(key: &str, items: &[(&str, &str, &str)]) -> PriceList {
    let items = items.iter().map(|(product, from, unit_price)| ListPrice {
        product: (*product).into(),
        min_quantity: quantity(from),
        unit_price: price(unit_price),
        per: Quantity::ONE,
    });
    PriceList {
        key: key.into(),
        currency: euro(),
        prices: Prices::Net,
        valid: Period::default(),
        scope: Scope::default(),
        priority: 0,
        items: items.collect(),
    }
}

fn wish(key: &str, product: &str, amount: &str) -> Wish {
    Wish {
        key: key.into(),
        product: product.into(),
        quantity: quantity(amount),
        agreed: None,
        taxes: vec![vat("21")],
        withheld: vec![],
    }
}

fn promotion(key: &str, order: i32, effect: Effect) -> Promotion {
    Promotion {
        key: key.into(),
        valid: Period::default(),
        scope: Scope::default(),
        coupon: None,
        condition: Condition { products: vec![], min_quantity: Quantity::ZERO, min_amount: Minor(0) },
        effect,
        order,
        stacks: true,
        budget: None,
    }
}

fn standard() -> PriceList {
    list(
        "standard",
        &[("desk", "0", "100"), ("desk", "10", "90"), ("lamp", "0", "19.99"), ("pen", "0", "1.50")],
    )
}

fn made(promotions: &[Promotion], wishes: &[Wish]) -> Offer {
    offer(&occasion(), &[standard()], promotions, wishes).expect("it can be offered")
}

/// Net amounts of the lines.
fn nets(offer: &Offer) -> Vec<i64> {
    offer.price().expect("it has a price").lines.iter().map(|line| line.amounts.net.0).collect()
}

fn given(offer: &Offer) -> Vec<(&str, i64)> {
    offer.given.iter().map(|given| (&*given.promotion, given.amount.0)).collect()
}

fn why(offer: &Offer) -> String {
    offer.trace.sentences().join("\n")
}

#[test]
fn a_quantity_break_counts_what_all_lines_of_a_product_have() {
    assert_eq!(nets(&made(&[], &[wish("a", "desk", "9")])), [90_000]);
    assert_eq!(nets(&made(&[], &[wish("a", "desk", "4"), wish("b", "desk", "6")])), [36_000, 54_000]);
    assert_eq!(nets(&made(&[], &[wish("a", "desk", "-12")])), [-108_000], "what is taken back has its price");
}

#[test]
fn the_narrowest_valid_list_that_has_the_product_gives_the_price() {
    let own = PriceList {
        scope: Scope { accounts: vec!["acme".into()], ..Scope::default() },
        ..list("acme", &[("desk", "0", "80")])
    };
    let portal = PriceList {
        scope: Scope { channels: vec!["portal".into()], ..Scope::default() },
        ..list("portal", &[("desk", "0", "70"), ("lamp", "0", "18"), ("sofa", "0", "400")])
    };
    let industry = PriceList {
        scope: Scope { segments: vec!["industry".into()], ..Scope::default() },
        ..list("industry", &[("desk", "0", "75"), ("sofa", "0", "450")])
    };
    let crafts = PriceList {
        scope: Scope { segments: vec!["crafts".into()], ..Scope::default() },
        ..list("crafts", &[("sofa", "0", "1")])
    };
    let preferred = PriceList { priority: 1, ..list("june", &[("pen", "0", "1.40")]) };
    let over = PriceList {
        valid: Period { from: None, until: Some(day("2026-06-14")) },
        priority: 9,
        ..list("spring", &[("pen", "0", "1")])
    };
    let foreign =
        PriceList { currency: super::currency("USD"), priority: 9, ..list("usd", &[("pen", "0", "1")]) };
    let inclusive =
        PriceList { prices: Prices::TaxInclusive, priority: 9, ..list("shop", &[("pen", "0", "1")]) };
    let others = PriceList {
        scope: Scope { accounts: vec!["other".into()], ..Scope::default() },
        ..list("other", &[("desk", "0", "1")])
    };
    let mut lists =
        vec![standard(), preferred, over, foreign, inclusive, others, portal, own, industry, crafts];
    let wishes =
        [wish("a", "desk", "1"), wish("b", "lamp", "1"), wish("c", "pen", "1"), wish("d", "sofa", "1")];

    let one = offer(&occasion(), &lists, &[], &wishes).expect("it can be offered");
    lists.reverse();
    let other = offer(&occasion(), &lists, &[], &wishes).expect("it can be offered");

    assert_eq!(nets(&one), [8_000, 1_800, 140, 45_000]);
    assert_eq!(one.document, other.document);
    assert!(why(&one).contains("\"spring\" = \"it is not valid on the day\""), "{}", why(&one));
}

#[test]
fn what_has_no_price_is_told_and_an_agreed_price_stands_over_all_lists() {
    let error = offer(&occasion(), &[standard()], &[], &[wish("a", "desk", "1"), wish("b", "sofa", "1")])
        .expect_err("nobody sells it");
    assert_eq!(error.violations()[0].reason, "PRICE_MISSING");
    assert_eq!(error.violations()[0].field, "lines[1]");

    let agreed = Wish { agreed: Some(price("64.5")), ..wish("b", "sofa", "2") };
    let made = made(&[], &[agreed, Wish { agreed: Some(price("1")), ..wish("c", "desk", "2") }]);
    assert_eq!(nets(&made)[0], 12_900);
    assert_eq!(made.listed, [None, Some(Minor(20_000))], "no list has a sofa, and one has the desk");
}

#[test]
fn promotions_apply_in_their_order_each_to_what_is_left() {
    let mut promotions = [
        promotion("ten percent", 1, Effect::Percent(percent("10"))),
        promotion("five off", 2, Effect::Amount(Minor(500))),
    ];
    let wishes = [wish("a", "desk", "1"), wish("b", "lamp", "1")];
    let first = made(&promotions, &wishes);
    assert_eq!(given(&first), [("ten percent", 1_200), ("five off", 500)]);
    // 90.00 and 17.99 share 5.00 as 4.17 and 0.83.
    assert_eq!(nets(&first), [8_583, 1_716]);

    promotions[0].order = 3;
    assert_eq!(given(&made(&promotions, &wishes)), [("five off", 500), ("ten percent", 1_150)]);
}

#[test]
fn what_does_not_stack_neither_joins_nor_is_joined() {
    let alone = Promotion { stacks: false, ..promotion("alone", 1, Effect::Percent(percent("20"))) };
    let other = promotion("other", 2, Effect::Percent(percent("10")));
    let wishes = [wish("a", "desk", "1")];

    assert_eq!(given(&made(&[other.clone(), alone.clone()], &wishes)), [("alone", 2_000)]);
    let later = Promotion { order: 3, ..alone };
    let offer = made(&[later, other], &wishes);
    assert_eq!(given(&offer), [("other", 1_000)]);
    assert!(why(&offer).contains("it does not stack"), "{}", why(&offer));
}

#[test]
fn a_promotion_gives_no_more_than_its_budget_has() {
    let capped =
        Promotion { budget: Some(Minor(1_000)), ..promotion("spring", 1, Effect::Percent(percent("50"))) };
    let offer = made(from_ref(&capped), &[wish("a", "desk", "1"), wish("b", "lamp", "1")]);
    assert_eq!(given(&offer), [("spring", 1_000)]);
    assert_eq!(nets(&offer).iter().sum::<i64>(), 11_999 - 1_000);

    let spent = Promotion { budget: Some(Minor(0)), ..capped };
    assert!(given(&made(&[spent], &[wish("a", "desk", "1")])).is_empty());
}

#[test]
fn a_fixed_price_is_taken_where_it_is_lower() {
    let fixed = promotion("ninety-five", 1, Effect::FixedPrice(price("95")));
    let offer = made(&[fixed], &[wish("a", "desk", "2"), wish("b", "lamp", "1")]);
    assert_eq!(nets(&offer), [19_000, 1_999]);
    assert_eq!(given(&offer), [("ninety-five", 1_000)]);
}

#[test]
fn three_desks_bring_a_lamp_for_nothing_each_time() {
    let effect = Effect::FreeItem {
        product: "lamp".into(),
        quantity: Quantity::ONE,
        every: quantity("3"),
        taxes: vec![vat("21")],
    };
    let mut gift = promotion("lamps", 1, effect);
    gift.condition.products = vec!["desk".into()];
    let offer = made(from_ref(&gift), &[wish("a", "desk", "7"), wish("b", "pen", "9")]);

    let added = &offer.document.lines[2];
    assert_eq!((&*added.key, added.quantity), ("lamps:lamp", quantity("2")));
    assert_eq!(nets(&offer), [70_000, 1_350, 0]);
    assert_eq!(given(&offer), [("lamps", 3_998)]);
    assert_eq!(made(from_ref(&gift), &[wish("a", "desk", "2")]).document.lines.len(), 1);
    let poor = Promotion { budget: Some(Minor(1_998)), ..gift };
    assert_eq!(made(&[poor], &[wish("a", "desk", "3")]).document.lines.len(), 1);
}

#[test]
fn a_coupon_is_needed_taken_once_and_named_when_nobody_takes_it() {
    let coupon =
        Promotion { coupon: Some("SUMMER".into()), ..promotion("summer", 1, Effect::Percent(percent("10"))) };
    let with = |coupons: &[&str]| {
        let occasion = Occasion { coupons: coupons.iter().map(|one| (*one).into()).collect(), ..occasion() };
        offer(&occasion, &[standard()], from_ref(&coupon), &[wish("a", "desk", "1")])
    };

    assert!(given(&with(&[]).expect("it can be offered")).is_empty());
    let taken = with(&["SUMMER", "WINTER"]).expect("it can be offered");
    assert_eq!(given(&taken), [("summer", 1_000)]);
    assert_eq!(taken.unused_coupons.iter().map(|one| &**one).collect::<Vec<_>>(), ["WINTER"]);
    assert_eq!(with(&["SUMMER", "SUMMER"]).expect_err("it is twice").violations()[0].reason, "COUPON_TWICE");
}

#[test]
fn conditions_count_what_is_bought_as_listed() {
    let mut bulk = promotion("bulk", 1, Effect::Percent(percent("10")));
    bulk.condition.products = vec!["pen".into()];
    bulk.condition.min_quantity = quantity("10");
    bulk.condition.min_amount = Minor(1_500);
    let enough =
        made(from_ref(&bulk), &[wish("a", "pen", "4"), wish("b", "pen", "6"), wish("c", "desk", "1")]);
    assert_eq!(nets(&enough), [540, 810, 10_000]);
    assert!(given(&made(&[bulk], &[wish("a", "pen", "9")])).is_empty());
}

/// DOC-11: the work grows with lines times promotions and no faster, however many of them changed a line before.
#[test]
fn a_thousand_lines_take_many_promotions() {
    let promotions: Vec<Promotion> = (0..200)
        .map(|at| {
            let mut one = promotion(&format!("{at:03}"), at, Effect::Percent(percent("1")));
            one.condition.products = (0..1_000).map(|product| format!("none {product}").into()).collect();
            one.condition.products.push("desk".into());
            one
        })
        .collect();
    let wishes: Vec<Wish> = (0..1_000).map(|at| wish(&at.to_string(), "desk", "1")).collect();

    let offer = made(&promotions, &wishes);

    assert_eq!(offer.given.len(), 200);
    // What was taken step by step is what pricing the whole takes again.
    let given: i64 = offer.given.iter().map(|given| given.amount.0).sum();
    assert_eq!(nets(&offer).iter().sum::<i64>() + given, 1_000 * 9_000);
}

fn some_promotion() -> impl Strategy<Value = (Effect, i32, bool, Option<i64>)> {
    let effects = prop_oneof![
        (0..=100_i64).prop_map(|rate| Effect::Percent(rate.to_string().parse().expect("a percentage"))),
        (0..20_000_i64).prop_map(|amount| Effect::Amount(Minor(amount))),
        (0..120_i64).prop_map(|cost| Effect::FixedPrice(cost.to_string().parse().expect("a price"))),
    ];
    (effects, 0..3_i32, any::<bool>(), prop::option::of(0..5_000_i64))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn promotions_give_what_they_say_within_budget_whatever_the_order_of_lines(
        promotions in prop::collection::vec(some_promotion(), 0..5),
        wishes in prop::collection::vec((0..3_usize, 1..12_i64), 1..6),
        turn in 0..6_usize,
    ) {
        let promotions: Vec<Promotion> = promotions
            .into_iter()
            .enumerate()
            .map(|(at, (effect, order, stacks, budget))| Promotion {
                stacks,
                budget: budget.map(Minor),
                ..promotion(&at.to_string(), order, effect)
            })
            .collect();
        let mut wishes: Vec<Wish> = wishes
            .into_iter()
            .enumerate()
            .map(|(at, (product, amount))| {
                wish(&at.to_string(), ["desk", "lamp", "pen"][product], &amount.to_string())
            })
            .collect();
        let one = made(&promotions, &wishes);
        let listed: i64 = nets(&made(&[], &wishes)).iter().sum();
        let paid = nets(&one);
        let given: i64 = one.given.iter().map(|given| given.amount.0).sum();
        prop_assert_eq!(paid.iter().sum::<i64>() + given, listed);
        prop_assert!(paid.iter().all(|net| *net >= 0));
        for given in &one.given {
            let promotion = promotions.iter().find(|one| one.key == given.promotion).expect("it is there");
            prop_assert!(promotion.budget.is_none_or(|budget| given.amount <= budget));
        }

        let turn = turn % wishes.len();
        wishes.rotate_left(turn);
        let other = made(&promotions, &wishes);
        prop_assert_eq!(&one.given, &other.given);
        let mut turned = one.document.lines.clone();
        turned.rotate_left(turn);
        prop_assert_eq!(turned, other.document.lines);
    }
}
