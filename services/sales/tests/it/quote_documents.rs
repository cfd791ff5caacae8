//! The documents of quotes and orders: the same as PriceDocument answers, with everything in them, and as they were sent.

use trato_proto::sales::v1::{
    Adjustment, Choice, Order, PriceDocumentRequest, Product, Promotion, SalesDocument, adjustment,
    price_document_request::{self as request, TaxRounding},
    price_document_response,
    product::{Option as Choosable, OptionGroup},
    sales_document::Line,
};

use crate::{
    harness::{Sales, date, euros},
    pricing::cents,
    promotion::{free, percent, promotion},
    quote::quote,
};

/// A document with everything in it, but for what the server computes.
fn whole(desk: &str, lamp: &str) -> SalesDocument {
    let by_hand = |value| Adjustment {
        kind: adjustment::Kind::Discount.into(),
        value: Some(value),
        reason: "Friends".into(),
    };
    let desks = Line {
        key: "desks".into(),
        product: desk.into(),
        quantity: "3".into(),
        adjustments: vec![by_hand(adjustment::Value::Percent("2.5".into()))],
        choices: vec![Choice { option: "oak".into(), count: 2 }],
        description: "Oak, 160 cm".into(),
        promised_date: date(2027, 1, 15),
        ..Default::default()
    };
    let lamps = Line {
        key: "lamps".into(),
        product: lamp.into(),
        quantity: "0.5".into(),
        unit_price: "19.99".into(),
        tax_class: "ES-R".into(),
        withheld_tax_classes: vec!["ES-IRPF".into()],
        adjustments: vec![by_hand(adjustment::Value::Amount(euros(100).expect("an amount")))],
        ..Default::default()
    };
    SalesDocument {
        currency_code: "EUR".into(),
        date: date(2026, 6, 15),
        segment: "Industry".into(),
        channel: "portal".into(),
        coupon_codes: vec!["SPRING".into(), "NEVER".into()],
        lines: vec![desks, lamps],
        discounts: vec![request::Discount {
            value: Some(request::discount::Value::Amount(euros(333).expect("an amount"))),
            reason: "Round".into(),
            lines: vec!["desks".into()],
        }],
        charges: vec![request::Charge {
            key: "freight".into(),
            value: Some(request::charge::Value::Percent("1.5".into())),
            reason: "Freight".into(),
            tax_class: "ES-S".into(),
            withheld_tax_classes: vec!["ES-IRPF".into()],
        }],
        tax_rounding: TaxRounding::Line.into(),
        smallest_payment: euros(5),
        payment_terms: "30 days".into(),
        delivery_terms: "DAP Madrid".into(),
        note: "Thank you.\nSee you.".into(),
        ..Default::default()
    }
}

/// The same without what the server computes.
fn bare(document: &SalesDocument) -> SalesDocument {
    let bare = |line: &Line| Line {
        product_display_name: String::new(),
        amounts: None,
        cost: None,
        applied_tax_class: String::new(),
        applied_description: String::new(),
        ..line.clone()
    };
    SalesDocument {
        lines: document.lines.iter().map(bare).collect(),
        priced_date: None,
        applied_prices: 0,
        given_lines: Vec::new(),
        discount_amounts: Vec::new(),
        charge_amounts: Vec::new(),
        tax_groups: Vec::new(),
        withheld_groups: Vec::new(),
        totals: None,
        given: Vec::new(),
        unused_coupon_codes: Vec::new(),
        tax_rounding: document.tax_rounding,
        ..document.clone()
    }
}

/// DOC-02, DOC-10, DOC-11, SFA-24: a quote comes to what PriceDocument answers, gifts and options included, and is read as it was
/// sent; so does an order of the same, in the portal or not.
#[tokio::test]
async fn quotes_and_orders_are_priced_like_any_document_and_read_as_they_were_sent() {
    let (sales, list) = Sales::start_pricing().await;
    sales.hear_withholding("15").await;
    let oak = Choosable {
        key: "oak".into(),
        display_name: "Oak".into(),
        surcharges: euros(1_999).into_iter().collect(),
        max_count: 2,
        ..Default::default()
    };
    let group = OptionGroup {
        key: "wood".into(),
        display_name: "Wood".into(),
        options: vec![oak],
        ..Default::default()
    };
    let desk = Product {
        display_name: "Desk".into(),
        sellable: true,
        tax_class: "ES-S".into(),
        cost: euros(6_000),
        option_groups: vec![group],
        ..Default::default()
    };
    let desk = sales.create_product(desk).await.expect("a product").name;
    let lamp = sales.good("Lamp", "ES-S").await;
    sales.price(&list, &desk, "", "100").await;
    sales.price(&list, &lamp, "", "25").await;
    let spring = Promotion { coupon_code: "SPRING".into(), ..promotion("Spring", percent("10")) };
    let spring = sales.create_promotion(spring).await.expect("a promotion").name;
    let gift = sales.create_promotion(promotion("Gift", free(&lamp, "3"))).await.expect("a promotion").name;
    let sent = whole(&desk, &lamp);
    let account = sales.account().await;

    let mut given = quote(&account, Vec::new());
    given.document = Some(sent.clone());
    let created = sales.create_quote(given).await.expect("a quote");
    let mut orders = Vec::new();
    for channel in ["", "portal"] {
        let document = Some(SalesDocument { channel: channel.into(), ..sent.clone() });
        let order = Order { account: account.clone(), document, ..Default::default() };
        orders.push(sales.create_order(order).await.expect("an order"));
    }
    let line = |line: &Line| request::Line {
        key: line.key.clone(),
        product: line.product.clone(),
        quantity: line.quantity.clone(),
        unit_price: line.unit_price.clone(),
        adjustments: line.adjustments.clone(),
        tax_class: line.tax_class.clone(),
        choices: line.choices.clone(),
        withheld_tax_classes: line.withheld_tax_classes.clone(),
    };
    let question = PriceDocumentRequest {
        account,
        segment: sent.segment.clone(),
        channel: sent.channel.clone(),
        currency_code: sent.currency_code.clone(),
        date: sent.date,
        coupon_codes: sent.coupon_codes.clone(),
        lines: sent.lines.iter().map(line).collect(),
        discounts: sent.discounts.clone(),
        charges: sent.charges.clone(),
        tax_rounding: sent.tax_rounding,
        smallest_payment: sent.smallest_payment.clone(),
        ..Default::default()
    };
    let answer = sales.price_document(question).await.expect("it can be priced");

    let document = created.document.as_ref().expect("a quote has a document");
    assert_eq!(bare(document), sent);
    for order in orders {
        let ordered = order.document.expect("an order has a document");
        let channel = document.channel.clone();
        assert_eq!(&SalesDocument { channel, ..ordered.clone() }, document, "in {:?}", ordered.channel);
    }
    let all = document.lines.iter().chain(&document.given_lines);
    let amounts: Vec<_> = all.filter_map(|line| line.amounts.clone()).collect();
    assert_eq!(amounts, answer.lines);
    assert_eq!((&document.totals, &document.tax_groups), (&answer.totals, &answer.tax_groups));
    assert_eq!((document.withheld_groups.len(), &document.withheld_groups), (1, &answer.withheld_groups));
    assert_eq!((&document.charge_amounts, &document.discount_amounts), (&answer.charges, &answer.discounts));
    assert_eq!(
        (&document.given, &document.unused_coupon_codes),
        (&answer.given, &answer.unused_coupon_codes)
    );
    assert_eq!((document.priced_date, document.applied_prices), (answer.date, answer.prices));
    assert_eq!(document.unused_coupon_codes, ["NEVER"]);
    let by: Vec<_> = document.given.iter().map(|given| given.promotion.as_str()).collect();
    assert_eq!(by, [spring.as_str(), gift.as_str()]);
    let promotions: Vec<_> = document.given_lines.iter().filter_map(promotion_of).collect();
    assert_eq!(promotions, [gift.as_str()]);
    assert_eq!(cents(document.lines[0].cost.as_ref()), 18_000);
    assert_eq!(document.lines[1].cost, None);
    let all = document.lines.iter().chain(&document.given_lines);
    let tax_classes: Vec<_> = all.map(|line| line.applied_tax_class.as_str()).collect();
    assert_eq!(tax_classes, ["ES-S", "ES-R", "ES-S"], "of the line, else of the product");
    let all = document.lines.iter().chain(&document.given_lines);
    let told: Vec<_> = all.map(|line| line.applied_description.as_str()).collect();
    assert_eq!(told, ["Oak, 160 cm (Oak × 2)", "", ""], "where something is chosen");
    let again = sales.update_quote(created.clone(), &["document"]).await.expect("it is a draft");
    assert_eq!(again, created);
}

fn promotion_of(line: &Line) -> Option<&str> {
    let amounts: &price_document_response::Line = line.amounts.as_ref()?;
    Some(amounts.promotion.as_str())
}
