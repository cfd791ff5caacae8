//! Questions what a document costs that cannot be answered, and promotions and taxes that change the answer.

use trato_proto::{
    billing::v1::{TaxCode, tax_code::Category},
    sales::v1::{
        Adjustment, PriceDocumentRequest, Product, Promotion, adjustment,
        price_document_request::{self as request, Line},
        promotion::Condition,
    },
};
use uuid::Uuid;

use crate::{
    harness::{Sales, date, euros, field, tax_code, timestamp, usd, violations},
    pricing::{cents, document, group, line, rules, told},
    promotion::{amount, free, percent, promotion},
};

/// DOC-11: promotions apply in their sequence, exclusive ones alone, each within its budget, coupons when handed in.
#[tokio::test]
async fn promotions_apply_in_their_sequence_within_budgets_and_with_coupons() {
    let (sales, list) = Sales::start_pricing().await;
    let (desk, lamp) = (sales.good("Desk", "ES-S").await, sales.good("Lamp", "ES-S").await);
    sales.price(&list, &desk, "", "100").await;
    sales.price(&list, &lamp, "", "20").await;
    let only = |product: &str| Some(Condition { products: vec![product.into()], ..Default::default() });
    let coupon = Promotion {
        coupon_code: "SUMMER".into(),
        sequence: 1,
        condition: only(&desk),
        ..promotion("Summer", percent("10"))
    };
    let capped = Promotion {
        budget: euros(300),
        sequence: 2,
        condition: only(&desk),
        ..promotion("Five off", amount(500))
    };
    let alone = Promotion { exclusive: true, sequence: 3, ..promotion("Alone", percent("50")) };
    for given in [coupon, capped, alone] {
        sales.create_promotion(given).await.expect("a promotion");
    }
    let ask = |codes: &[&str]| PriceDocumentRequest {
        coupon_codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        ..document(vec![line(&desk, "1"), line(&lamp, "1")])
    };

    // The lamp is left to the one that does not stack.
    assert_eq!(sales.nets(ask(&[])).await, [9_700, 1_000]);
    let answer = sales.price_document(ask(&["SUMMER", "WINTER"])).await.expect("it can be priced");
    let nets: Vec<_> = answer.lines.iter().map(|line| cents(line.net.as_ref())).collect();
    assert_eq!(nets, [8_700, 1_000], "10 % off 100, then what the budget of 3 has of 5");
    assert_eq!(answer.unused_coupon_codes, ["WINTER"]);
    let given: Vec<_> = answer.given.iter().map(|given| cents(given.amount.as_ref())).collect();
    assert_eq!(given, [1_000, 300, 1_000]);
    assert!(rules(&answer).contains(&"BUDGET_CAP"));
    assert_eq!(
        violations(sales.price_document(ask(&["SUMMER", "SUMMER"])).await),
        [field("coupon_codes[1]", "COUPON_TWICE")]
    );
}

/// DOC-11: for every three desks there is a lamp for nothing, in a line of its own; a gift that is not sold is left out.
#[tokio::test]
async fn a_free_item_is_a_line_of_its_own_and_costs_nothing() {
    let (sales, list) = Sales::start_pricing().await;
    let (desk, lamp) = (sales.good("Desk", "ES-S").await, sales.good("Lamp", "ES-R").await);
    sales.price(&list, &desk, "", "100").await;
    sales.price(&list, &lamp, "", "20").await;
    let condition = Condition { products: vec![desk.clone()], ..Default::default() };
    let lamps = Promotion { condition: Some(condition), ..promotion("Lamps", free(&lamp, "3")) };
    let lamps = sales.create_promotion(lamps).await.expect("a promotion");

    let answer = sales.price_document(document(vec![line(&desk, "7")])).await.expect("it can be priced");

    let [bought, given] = &answer.lines[..] else { panic!("{:?}", answer.lines) };
    assert_eq!((bought.promotion.as_str(), cents(bought.net.as_ref())), ("", 70_000));
    assert_eq!((&given.product, given.quantity.as_str()), (&lamp, "2"));
    assert_eq!(
        (&given.promotion, cents(given.base.as_ref()), cents(given.net.as_ref())),
        (&lamps.name, 4_000, 0)
    );
    assert_eq!(cents(answer.given[0].amount.as_ref()), 4_000);
    assert!(rules(&answer).contains(&"FREE_ITEM"));

    sales.delete_product(&lamp).await.expect("deleted");
    let answer = sales.price_document(document(vec![line(&desk, "7")])).await.expect("it can be priced");
    assert_eq!(answer.lines.len(), 1);
    assert!(told(&answer).contains("not sold"), "{}", told(&answer));
}

/// DOC-10: a document is taxed at the rate of its day, and what cannot be taxed or sold is named line by line.
#[tokio::test]
async fn what_cannot_be_sold_or_taxed_is_named_line_by_line() {
    let (sales, list) = Sales::start_pricing().await;
    let desk = sales.good("Desk", "ES-S").await;
    sales.price(&list, &desk, "", "100").await;
    let untaxed = sales.good("Untaxed", "").await;
    let strange = sales.good("Strange", "XX-S").await;
    let gone = sales.good("Gone", "ES-S").await;
    sales.delete_product(&gone).await.expect("deleted");
    let bought = Product { display_name: "Bought".into(), tax_class: "ES-S".into(), ..Default::default() };
    let bought = sales.create_product(bought).await.expect("a product").name;
    let past = Product {
        display_name: "Past".into(),
        sellable: true,
        end_date: date(2026, 6, 14),
        tax_class: "ES-S".into(),
        ..Default::default()
    };
    let past = sales.create_product(past).await.expect("a product").name;
    let unknown = format!("products/{}", Uuid::now_v7());
    let charge = request::Charge {
        key: "freight".into(),
        value: Some(request::charge::Value::Percent("1".into())),
        tax_class: "XX-F".into(),
        ..Default::default()
    };

    let answer = sales
        .price_document(PriceDocumentRequest {
            charges: vec![charge],
            ..document(vec![
                line(&desk, "1"),
                line(&untaxed, "1"),
                line(&strange, "1"),
                line(&gone, "1"),
                line(&bought, "1"),
                line(&past, "1"),
                line(&unknown, "1"),
            ])
        })
        .await;

    let expected = [
        field("charges[0].tax_class", "TAX_CODE_NOT_FOUND"),
        field("lines[1].tax_class", "TAX_CLASS_MISSING"),
        field("lines[2].tax_class", "TAX_CODE_NOT_FOUND"),
        field("lines[3].product", "PRODUCT_DELETED"),
        field("lines[4].product", "NOT_SELLABLE"),
        field("lines[5].product", "NOT_ACTIVE"),
        field("lines[6].product", "PRODUCT_NOT_FOUND"),
    ];
    assert_eq!(violations(answer), expected);
    let ancient = PriceDocumentRequest { date: date(1999, 1, 1), ..document(vec![line(&desk, "1")]) };
    let answer = sales.price_document(ancient).await;
    assert_eq!(violations(answer), [field("lines[0].tax_class", "TAX_RATE_MISSING")]);
}

/// DOC-10: a tax rate from next year is none of today, and holds from its day on.
#[tokio::test]
async fn a_tax_rate_from_next_year_is_none_of_today() {
    let (sales, list) = Sales::start_pricing().await;
    let mut coming = tax_code("XX-N", "25");
    coming.rates[0].valid_from = date(2027, 1, 1);
    sales.hear_tax_code_of(coming).await;
    let desk = sales.good("Desk", "XX-N").await;
    sales.price(&list, &desk, "", "100").await;

    let today = sales.price_document(document(vec![line(&desk, "1")])).await;
    let then = PriceDocumentRequest { date: date(2027, 1, 1), ..document(vec![line(&desk, "1")]) };
    let then = sales.price_document(then).await.expect("it can be priced");

    assert_eq!(violations(today), [field("lines[0].tax_class", "TAX_RATE_MISSING")]);
    assert_eq!(cents(then.totals.expect("totals").tax.as_ref()), 2_500);
}

/// DOC-10: bad input is named in one round, and nothing is computed of it.
#[tokio::test]
async fn everything_that_is_wrong_with_a_question_is_said_at_once() {
    let sales = Sales::start().await;
    let product = format!("products/{}", Uuid::now_v7());
    let thirty = format!("1.{}1", "0".repeat(29));
    let percent = |percent: &str| Some(adjustment::Value::Percent(percent.into()));
    let discount = |value| Adjustment { value, ..Default::default() };
    let charge = Adjustment { kind: adjustment::Kind::Charge.into(), ..discount(percent("150")) };

    let answer = sales
        .price_document(PriceDocumentRequest {
            account: "acme".into(),
            segment: "x".repeat(101),
            currency_code: "EUR".into(),
            date: date(2026, 2, 30),
            prices: 9,
            price_list: "standard".into(),
            coupon_codes: (0..21).map(|number| number.to_string()).collect(),
            lines: vec![
                Line { unit_price: "-1".into(), ..line("desk", &thirty) },
                line(&product, ""),
                Line {
                    adjustments: vec![discount(percent("101")), charge, discount(None)],
                    ..line(&product, "1")
                },
                Line {
                    adjustments: vec![discount(Some(adjustment::Value::Amount(usd(1).expect("an amount"))))],
                    ..line(&product, "1e3")
                },
            ],
            tax_rounding: 9,
            prepaid: euros(-1),
            ..Default::default()
        })
        .await;

    let expected = [
        field("account", "INVALID_RESOURCE_NAME"),
        field("coupon_codes", "TOO_MANY"),
        field("date", "INVALID_DATE"),
        field("lines[0].product", "INVALID_RESOURCE_NAME"),
        field("lines[0].quantity", "TOO_MANY_DECIMALS"),
        field("lines[0].unit_price", "NEGATIVE_AMOUNT"),
        field("lines[1].quantity", "NOT_A_DECIMAL"),
        field("lines[2].adjustments[0].percent", "PERCENT_OUT_OF_RANGE"),
        field("lines[2].adjustments[2]", "REQUIRED"),
        field("lines[3].adjustments[0].amount", "CURRENCY_DIFFERS"),
        field("lines[3].quantity", "NOT_A_DECIMAL"),
        field("prepaid", "NEGATIVE_AMOUNT"),
        field("price_list", "INVALID_RESOURCE_NAME"),
        field("prices", "UNKNOWN_VALUE"),
        field("segment", "TOO_LONG"),
        field("tax_rounding", "UNKNOWN_VALUE"),
    ];
    assert_eq!(violations(answer), expected);
    for (currency_code, reason) in
        [("", "INVALID_CURRENCY"), ("ABC", "UNKNOWN_CURRENCY"), ("eur", "INVALID_CURRENCY")]
    {
        let request = PriceDocumentRequest {
            currency_code: currency_code.into(),
            ..document(vec![line(&product, "1")])
        };
        assert_eq!(violations(sales.price_document(request).await), [field("currency_code", reason)]);
    }
    assert_eq!(violations(sales.price_document(document(vec![])).await), [field("lines", "REQUIRED")]);
    let many = document(vec![line(&product, "1"); 1_001]);
    assert_eq!(violations(sales.price_document(many).await), [field("lines", "TOO_MANY")]);
    let ten_thousand = document(vec![line(&product, "1"); 10_000]);
    assert_eq!(violations(sales.price_document(ten_thousand).await), [field("lines", "TOO_MANY")]);
}

#[tokio::test]
async fn keys_of_lines_and_charges_are_told_apart_and_named() {
    let (sales, list) = Sales::start_pricing().await;
    let desk = sales.good("Desk", "ES-S").await;
    sales.price(&list, &desk, "", "100").await;
    let keyed = |key: &str| Line { key: key.into(), ..line(&desk, "1") };
    let discount = |lines: &[&str]| request::Discount {
        value: Some(request::discount::Value::Amount(euros(1).expect("an amount"))),
        lines: lines.iter().map(|key| (*key).to_owned()).collect(),
        ..Default::default()
    };

    let answer = sales
        .price_document(PriceDocumentRequest {
            discounts: vec![discount(&["a", "z"])],
            ..document(vec![keyed("a"), keyed("a"), keyed(&"x".repeat(129))])
        })
        .await;
    let expected = [
        field("discounts[0].lines[1]", "UNKNOWN_LINE_KEY"),
        field("lines[1].key", "DUPLICATE_LINE_KEY"),
        field("lines[2].key", "INVALID_LINE_KEY"),
    ];
    assert_eq!(violations(answer), expected);
    let answer = sales
        .price_document(PriceDocumentRequest {
            discounts: vec![discount(&["2"])],
            ..document(vec![keyed("a"), keyed("")])
        })
        .await
        .expect("a line without key has its number");
    assert_eq!(answer.lines.iter().map(|line| cents(line.net.as_ref())).collect::<Vec<_>>(), [10_000, 9_999]);
    let off = Adjustment {
        value: Some(adjustment::Value::Amount(euros(10_001).expect("an amount"))),
        ..Default::default()
    };
    let answer =
        sales.price_document(document(vec![Line { adjustments: vec![off], ..line(&desk, "1") }])).await;
    assert_eq!(violations(answer), [field("lines[0]", "DISCOUNT_EXCEEDS_AMOUNT")]);
}

/// DOC-10: rates are billing's; what it says of a tax code counts from then on, whatever the order in which it is heard.
#[tokio::test]
async fn tax_codes_are_known_by_what_billing_said_last() {
    let sales = Sales::start().await;
    let desk = sales.good("Desk", "ES-S").await;
    let ask = || document(vec![Line { unit_price: "100".into(), ..line(&desk, "1") }]);
    let heard = |percent: &str| tax_code("ES-S", percent);
    let first = heard("21");
    let second = TaxCode { name: first.name.clone(), ..heard("22") };
    let gone = TaxCode { delete_time: Some(timestamp(2026, 1, 1)), ..second.clone() };
    let tell = async |revision: i64, told: &TaxCode| {
        sales.hear("trato.billing.v1.tax_code.updated", &told.name, revision, told).await;
        let answer = sales.price_document(ask()).await;
        answer.map(|answer| answer.tax_groups.iter().map(group).next())
    };

    let taxed = |percent: &str, tax: i64| Some((format!("VAT S {percent}"), 10_000, tax));
    assert_eq!(tell(2, &second).await.expect("it is taxed"), taxed("22", 2_200));
    assert_eq!(tell(1, &first).await.expect("it is taxed"), taxed("22", 2_200), "it came late");
    assert_eq!(violations(tell(3, &gone).await), [field("lines[0].tax_class", "TAX_CODE_NOT_FOUND")]);
    let anew = TaxCode { category: Category::Exempt.into(), legal_note: "Article 20".into(), ..heard("0") };
    assert_eq!(tell(1, &anew).await.expect("it is exempt"), Some(("VAT E 0".to_owned(), 10_000, 0)));
    let withheld = TaxCode { name: anew.name.clone(), category: Category::Withholding.into(), ..heard("15") };
    assert_eq!(violations(tell(2, &withheld).await), [field("lines[0].tax_class", "TAX_CODE_UNSUITED")]);
}
