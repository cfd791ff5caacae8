//! Documents of a thousand lines: priced at once, or refused for what they would take.

use tonic::Code;
use trato_proto::sales::v1::{
    Price, PriceDocumentRequest, Promotion,
    price_document_request::{Line, TaxRounding},
    price_document_response,
};

use crate::{
    harness::{Sales, refusal},
    pricing::{cents, document, line},
    promotion::{percent, promotion},
};

/// DOC-10: a thousand lines are one question, and lines plus tax are the gross by either way of rounding.
#[tokio::test]
async fn a_thousand_lines_are_priced_at_once_and_add_up() {
    let (sales, list) = Sales::start_pricing().await;
    let mut products = Vec::new();
    for number in 0..20 {
        let product = sales.good(&number.to_string(), if number % 3 == 0 { "ES-R" } else { "ES-S" }).await;
        let unit_price = format!("{}.{:06}", number, number * 4_321);
        let given =
            Price { price_list: list.clone(), product: product.clone(), unit_price, ..Default::default() };
        sales.create_price(given).await.expect("a price");
        products.push(product);
    }
    let lines: Vec<Line> =
        (0..1_000).map(|at: usize| line(&products[at % 20], &format!("{}.{}", at % 17, at % 10))).collect();
    for tax_rounding in [TaxRounding::Group, TaxRounding::Line] {
        let request = PriceDocumentRequest { tax_rounding: tax_rounding.into(), ..document(lines.clone()) };
        let answer = sales.price_document(request).await.expect("it can be priced");
        let sum =
            |amount: fn(&price_document_response::Line) -> i64| answer.lines.iter().map(amount).sum::<i64>();
        let totals = answer.totals.as_ref().expect("there are totals");
        assert_eq!(answer.lines.len(), 1_000);
        assert_eq!(sum(|line| cents(line.net.as_ref())), cents(totals.net.as_ref()));
        assert_eq!(sum(|line| cents(line.gross.as_ref())), cents(totals.gross.as_ref()));
        assert_eq!(cents(totals.net.as_ref()) + cents(totals.tax.as_ref()), cents(totals.gross.as_ref()));
        assert!(answer.trace.len() > 3_000, "only {} steps are told", answer.trace.len());
    }
}

/// DOC-10, DOC-11: what is too much to compute, or to tell, is refused and never cut.
#[tokio::test]
async fn a_thousand_lines_with_too_many_promotions_are_refused() {
    let (sales, list) = Sales::start_pricing().await;
    let desk = sales.good("Desk", "ES-S").await;
    sales.price(&list, &desk, "", "100").await;
    let ask = |lines: usize| sales.price_document(document(vec![line(&desk, "1"); lines]));
    let promote = async |from: usize, to: usize| {
        for number in from..to {
            let given = Promotion { sequence: 1, ..promotion(&format!("Off {number}"), percent("0.5")) };
            sales.create_promotion(given).await.expect("a promotion");
        }
    };

    promote(0, 3).await;
    let answer = ask(1_000).await.expect("it can be priced");
    assert_eq!((answer.lines.len(), answer.given.len()), (1_000, 3));
    promote(3, 20).await;
    let too_large = (Code::FailedPrecondition, "ANSWER_TOO_LARGE".to_owned());
    assert_eq!(refusal(ask(1_000).await), too_large);
    assert_eq!(ask(100).await.expect("it can be priced").given.len(), 20);
    promote(20, 51).await;
    let too_many = (Code::FailedPrecondition, "TOO_MANY_PROMOTIONS".to_owned());
    assert_eq!(refusal(ask(1_000).await), too_many);
}
