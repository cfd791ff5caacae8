//! Products with options: which choices go together, and what they put on a line.

use tonic::{Code, Response, Status};
use trato_proto::{
    google::value::Money,
    sales::v1::{
        Choice, Product, ValidateConfigurationRequest, ValidateConfigurationResponse,
        price_document_request::Line,
        product::{Option as Choosable, OptionGroup},
    },
};
use uuid::Uuid;

use crate::{
    harness::{Sales, abc, euros, field, refusal, usd, violations},
    pricing::{cents, document, line},
    promotion::{percent, promotion},
};

impl Sales {
    async fn validate(
        &self,
        product: &str,
        choices: &[(&str, i32)],
        currency_code: &str,
    ) -> Result<ValidateConfigurationResponse, Status> {
        let request = ValidateConfigurationRequest {
            product: product.into(),
            choices: chosen(choices),
            currency_code: currency_code.into(),
        };
        self.pricing().validate_configuration(self.admin.request(request)).await.map(Response::into_inner)
    }
}

fn option(key: &str, surcharges: Vec<Option<Money>>) -> Choosable {
    Choosable {
        key: key.into(),
        display_name: key.to_uppercase(),
        surcharges: surcharges.into_iter().flatten().collect(),
        ..Default::default()
    }
}

/// One drive of two, and extras: cooling needs the big drive and excludes heating, lamps up to four.
fn press() -> Product {
    let cooling = Choosable {
        requires: vec!["big".into()],
        excludes: vec!["heating".into()],
        ..option("cooling", vec![euros(15_000), usd(160)])
    };
    let lamp = Choosable { max_count: 4, ..option("lamp", vec![euros(1_250)]) };
    let drives = OptionGroup {
        key: "drive".into(),
        display_name: "Drive".into(),
        min_count: 1,
        max_count: 1,
        options: vec![option("small", vec![euros(-9_999), usd(-100)]), option("big", vec![])],
    };
    let extras = OptionGroup {
        key: "extras".into(),
        display_name: "Extras".into(),
        options: vec![cooling, option("heating", vec![]), lamp],
        ..Default::default()
    };
    Product {
        display_name: "Press".into(),
        sellable: true,
        tax_class: "ES-S".into(),
        option_groups: vec![drives, extras],
        ..Default::default()
    }
}

fn chosen(choices: &[(&str, i32)]) -> Vec<Choice> {
    choices.iter().map(|(option, count)| Choice { option: (*option).into(), count: *count }).collect()
}

/// SFA-24: whether choices go together is answered with every reason why they do not, and with their price.
#[tokio::test]
async fn a_configuration_is_answered_with_its_issues_or_its_price() {
    let sales = Sales::start().await;
    let press = sales.create_product(press()).await.expect("a product");
    assert_eq!(press.option_groups[1].options[2].max_count, 4);
    assert_eq!(press.option_groups[1].options[0].max_count, 1, "once unless it is said");

    let good = sales.validate(&press.name, &[("big", 0), ("cooling", 1), ("lamp", 3)], "EUR").await;
    let good = good.expect("it is answered");
    assert_eq!((good.issues.len(), good.surcharge), (0, euros(18_750)));
    let silent = sales.validate(&press.name, &[("big", 1)], "").await.expect("it is answered");
    assert_eq!((silent.issues.len(), silent.surcharge), (0, None));

    let bad = sales.validate(&press.name, &[("small", 1), ("cooling", 1), ("lamp", 5), ("wings", 1)], "EUR");
    let bad = bad.await.expect("it is answered");
    let issues: Vec<_> =
        bad.issues.iter().map(|issue| (issue.choice, issue.key.as_str(), issue.reason.as_str())).collect();
    let expected = [
        (Some(1), "cooling", "OPTION_REQUIRES"),
        (Some(2), "lamp", "OPTION_COUNT"),
        (Some(3), "wings", "OPTION_UNKNOWN"),
    ];
    assert_eq!(issues, expected);
    assert_eq!(bad.surcharge, None);
    let nothing = sales.validate(&press.name, &[], "").await.expect("it is answered");
    assert_eq!(nothing.issues[0].reason, "GROUP_TOO_FEW");

    let dollars = sales.validate(&press.name, &[("big", 1), ("lamp", 1)], "USD").await;
    assert_eq!(violations(dollars), [field("currency_code", "OPTION_PRICE_MISSING")]);
    let unknown = format!("products/{}", Uuid::now_v7());
    let unknown = sales.validate(&unknown, &[], "").await;
    assert_eq!(refusal(unknown), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
    let strange = sales.validate(&press.name, &[("", 1), ("Lamp", 1), (&"x".repeat(100_000), 1)], "").await;
    let keys = [0, 1, 2].map(|at| field(&format!("choices[{at}].option"), "INVALID_OPTION_KEY"));
    assert_eq!(violations(strange), keys);
    let nowhere = sales.validate(&press.name, &[], "ABC").await;
    assert_eq!(violations(nowhere), [field("currency_code", "UNKNOWN_CURRENCY")]);
    let many = sales.validate(&press.name, &[("lamp", 1); 201], "eur").await;
    assert_eq!(violations(many), [field("choices", "TOO_MANY"), field("currency_code", "INVALID_CURRENCY")]);
}

/// SFA-24, DOC-10: a document is priced by the rules that a configuration is validated by.
#[tokio::test]
async fn a_line_carries_its_configuration_and_what_it_costs() {
    let (sales, list) = Sales::start_pricing().await;
    let press = sales.create_product(press()).await.expect("a product").name;
    sales.price(&list, &press, "", "1000").await;
    sales.create_promotion(promotion("Ten", percent("10"))).await.expect("a promotion");
    let configured = |choices: &[(&str, i32)], quantity: &str| {
        document(vec![Line { choices: chosen(choices), ..line(&press, quantity) }])
    };

    let answer = sales.price_document(configured(&[("small", 1), ("lamp", 2)], "1.5")).await;
    let answer = answer.expect("it can be priced");
    // 1.5 × 1000.00 = 1500.00, less 10 %; 1.5 × -99.99 = -149.985, so -149.99; 1.5 × 2 × 12.50 = 37.50.
    let adjustments = &answer.lines[0].adjustments;
    let told: Vec<_> =
        adjustments.iter().map(|one| (one.reason.as_str(), cents(one.amount.as_ref()))).collect();
    assert_eq!(told, [("Ten", -15_000), ("LAMP", 3_750), ("SMALL", -14_999)]);
    assert_eq!(adjustments.iter().filter(|one| one.promotion.is_empty()).count(), 2);
    assert_eq!(cents(answer.lines[0].net.as_ref()), 150_000 - 15_000 - 14_999 + 3_750);

    let free = Line { unit_price: "99".into(), choices: chosen(&[("small", 1)]), ..line(&press, "1") };
    let refused = sales.price_document(document(vec![free])).await;
    assert_eq!(violations(refused), [field("lines[0]", "DISCOUNT_EXCEEDS_AMOUNT")]);
    let many = Line { choices: chosen(&[("lamp", 1); 11]), ..line(&press, "1") };
    let refused = sales.price_document(document(vec![many; 1_000])).await;
    assert_eq!(violations(refused), [field("lines", "TOO_MANY")]);

    let refused = sales.price_document(configured(&[("cooling", 1), ("heating", 1)], "1")).await;
    let expected = [
        field("lines[0].choices", "GROUP_TOO_FEW"),
        field("lines[0].choices[0]", "OPTION_REQUIRES"),
        field("lines[0].choices[0]", "OPTION_EXCLUDES"),
        field("lines[0].choices[1]", "OPTION_EXCLUDES"),
    ];
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(violations(refused), expected);
}

#[tokio::test]
async fn what_cannot_be_chosen_is_named_field_by_field() {
    let sales = Sales::start().await;
    let groups = vec![
        OptionGroup { min_count: -1, max_count: 1_001, ..Default::default() },
        OptionGroup {
            key: "Drive".into(),
            display_name: "x".repeat(101),
            min_count: 3,
            max_count: 2,
            options: vec![Choosable {
                max_count: 1_001,
                ..option("a", vec![euros(1), usd(1), euros(2), abc(1)])
            }],
        },
    ];
    let answer = sales.create_product(Product { option_groups: groups, ..press() }).await;
    let expected = [
        field("product.option_groups[0].display_name", "REQUIRED"),
        field("product.option_groups[0].key", "REQUIRED"),
        field("product.option_groups[0].max_count", "OUT_OF_RANGE"),
        field("product.option_groups[0].min_count", "OUT_OF_RANGE"),
        field("product.option_groups[0].options", "REQUIRED"),
        field("product.option_groups[1].display_name", "TOO_LONG"),
        field("product.option_groups[1].key", "INVALID_OPTION_KEY"),
        field("product.option_groups[1].max_count", "OUT_OF_RANGE"),
        field("product.option_groups[1].options[0].max_count", "OUT_OF_RANGE"),
        field("product.option_groups[1].options[0].surcharges[2]", "DUPLICATE"),
        field("product.option_groups[1].options[0].surcharges[3]", "UNKNOWN_CURRENCY"),
    ];
    assert_eq!(violations(answer), expected);
    let group = OptionGroup {
        key: "g".into(),
        display_name: "G".into(),
        options: vec![Choosable { requires: vec!["z".into()], ..option("a", vec![]) }, option("a", vec![])],
        ..Default::default()
    };
    let answer = sales.create_product(Product { option_groups: vec![group], ..press() }).await;
    let expected = [
        field("product.option_groups[0].options[0].requires[0]", "OPTION_UNKNOWN"),
        field("product.option_groups[0].options[1].key", "DUPLICATE_OPTION"),
    ];
    assert_eq!(violations(answer), expected);
}
