//! Documents priced through the service, and added up by hand: lists, promotions, discounts, charges, taxes, totals.

use tonic::{Code, Response, Status};
use trato_proto::{
    billing::v1::TaxCode,
    google::value::Money,
    sales::v1::{
        Adjustment, Audience, PriceDocumentRequest, PriceDocumentResponse, PriceList, Product, Promotion,
        adjustment,
        price_document_request::{self as request, Line},
        price_document_response::{TaxGroup, step},
        price_list::Prices,
        promotion::Condition,
    },
};
use uuid::Uuid;

use crate::{
    harness::{Sales, date, euros, field, refusal, tax_code, usd, violations},
    price_list::euro_list,
    promotion::{percent, promotion},
};

impl Sales {
    /// Sales with a standard list in euros, and the Spanish taxes: 21 % `ES-S`, 10 % `ES-R`.
    pub async fn start_pricing() -> (Self, String) {
        Self::start().await.pricing_in_a_list().await
    }

    /// With what `start_pricing` has.
    pub async fn pricing_in_a_list(self) -> (Self, String) {
        self.hear_tax_code("ES-S", "21").await;
        self.hear_tax_code("ES-R", "10").await;
        let list = self.price_list("Standard").await.name;
        (self, list)
    }

    /// A product that is sold and taxed.
    pub async fn good(&self, display_name: &str, tax_class: &str) -> String {
        let product = Product {
            display_name: display_name.into(),
            sellable: true,
            tax_class: tax_class.into(),
            ..Default::default()
        };
        self.create_product(product).await.expect("a product").name
    }

    pub async fn price_document(
        &self,
        request: PriceDocumentRequest,
    ) -> Result<PriceDocumentResponse, Status> {
        self.pricing().price_document(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// The net amounts of the lines, in cents.
    pub async fn nets(&self, request: PriceDocumentRequest) -> Vec<i64> {
        let answer = self.price_document(request).await.expect("it can be priced");
        answer.lines.iter().map(|line| cents(line.net.as_ref())).collect()
    }
}

/// A document in euros for the 15th of June 2026.
pub fn document(lines: Vec<Line>) -> PriceDocumentRequest {
    PriceDocumentRequest { currency_code: "EUR".into(), date: date(2026, 6, 15), lines, ..Default::default() }
}

pub fn line(product: &str, quantity: &str) -> Line {
    Line { product: product.into(), quantity: quantity.into(), ..Default::default() }
}

pub fn cents(amount: Option<&Money>) -> i64 {
    let amount = amount.expect("there is an amount");
    amount.units * 100 + i64::from(amount.nanos) / 10_000_000
}

pub fn group(group: &TaxGroup) -> (String, i64, i64) {
    let tax = group.tax.as_ref().expect("a group is of a tax");
    let key = format!("{} {} {}", tax.code, tax.category, tax.percent);
    (key, cents(group.basis.as_ref()), cents(group.amount.as_ref()))
}

pub fn rules(answer: &PriceDocumentResponse) -> Vec<&str> {
    answer.trace.iter().map(|step| step.rule.as_str()).collect()
}

/// All texts that stand in the trace.
pub fn told(answer: &PriceDocumentResponse) -> String {
    let data = answer.trace.iter().flat_map(|step| step.inputs.iter().chain(&step.output));
    let texts = data.filter_map(|datum| match &datum.value {
        Some(step::datum::Value::Text(text)) => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// DOC-10, DOC-11: a document with everything in it, computed on paper.
#[tokio::test]
async fn a_document_adds_up_as_it_does_by_hand() {
    let (sales, list) = Sales::start_pricing().await;
    let (desk, lamp, book) = (
        sales.good("Desk", "ES-S").await,
        sales.good("Lamp", "ES-S").await,
        sales.good("Book", "ES-R").await,
    );
    sales.price(&list, &desk, "", "100").await;
    sales.price(&list, &desk, "10", "90").await;
    sales.price(&list, &lamp, "", "19.99").await;
    let condition =
        Condition { products: vec![desk.clone()], min_quantity: "10".into(), ..Default::default() };
    let five = sales
        .create_promotion(Promotion { condition: Some(condition), ..promotion("Five", percent("5")) })
        .await
        .expect("a promotion");
    let ten = Adjustment {
        value: Some(adjustment::Value::Percent("10".into())),
        reason: "scratched".into(),
        ..Default::default()
    };
    let one = request::Discount {
        value: Some(request::discount::Value::Percent("1".into())),
        reason: "cash".into(),
        ..Default::default()
    };
    let freight = request::Charge {
        key: "freight".into(),
        value: Some(request::charge::Value::Amount(euros(1_500).expect("an amount"))),
        reason: "by lorry".into(),
        tax_class: "ES-S".into(),
        ..Default::default()
    };
    let before = sales.event_types().await;

    let answer = sales
        .price_document(PriceDocumentRequest {
            discounts: vec![one],
            charges: vec![freight],
            prepaid: euros(40_000),
            ..document(vec![
                line(&desk, "12"),
                Line { adjustments: vec![ten], ..line(&lamp, "3") },
                Line { unit_price: "12.345".into(), ..line(&book, "7") },
            ])
        })
        .await
        .expect("it can be priced");

    // 12 × 90.00 = 1080.00, less 5 % = 1026.00; 3 × 19.99 = 59.97, less 10 % = 53.97; 7 × 12.345 = 86.415, so 86.42.
    let bases: Vec<i64> = answer.lines.iter().map(|line| cents(line.base.as_ref())).collect();
    assert_eq!(bases, [108_000, 5_997, 8_642]);
    let priced: Vec<i64> = answer.lines.iter().map(|line| cents(line.priced.as_ref())).collect();
    assert_eq!(priced, [102_600, 5_397, 8_642]);
    // 1 % of 1166.39 is 11.66, which the lines share as 10.26, 0.54 and 0.86.
    assert_eq!(answer.discounts, [euros(1_166).expect("an amount")]);
    let nets: Vec<i64> = answer.lines.iter().map(|line| cents(line.net.as_ref())).collect();
    assert_eq!(nets, [101_574, 5_343, 8_556]);
    // 21 % of 1015.74 + 53.43 + 15.00 = 1084.17 is 227.68; 10 % of 85.56 is 8.56.
    let groups: Vec<_> = answer.tax_groups.iter().map(group).collect();
    assert_eq!(groups, [("VAT S 10".to_owned(), 8_556, 856), ("VAT S 21".to_owned(), 108_417, 22_768)]);
    let totals = answer.totals.as_ref().expect("there are totals");
    assert_eq!(cents(totals.lines.as_ref()), 116_639);
    assert_eq!(cents(totals.discounts.as_ref()), 1_166);
    assert_eq!(cents(totals.charges.as_ref()), 1_500);
    assert_eq!(cents(totals.net.as_ref()), 116_973);
    assert_eq!(cents(totals.tax.as_ref()), 23_624);
    assert_eq!(cents(totals.gross.as_ref()), 140_597);
    assert_eq!(cents(totals.due.as_ref()), 100_597);
    // Taxes are shared by lines and charges without a cent over.
    let shares =
        answer.lines.iter().map(|line| &line.taxes).chain(answer.charges.iter().map(|one| &one.taxes));
    assert_eq!(shares.flatten().map(|share| cents(share.amount.as_ref())).sum::<i64>(), 23_624);

    let discount = &answer.lines[0].adjustments[0];
    assert_eq!(
        (cents(discount.amount.as_ref()), discount.reason.as_str(), &discount.promotion),
        (-5_400, "Five", &five.name)
    );
    let by_hand = &answer.lines[1].adjustments[0];
    assert_eq!(
        (cents(by_hand.amount.as_ref()), by_hand.reason.as_str(), by_hand.promotion.as_str()),
        (-600, "scratched", "")
    );
    assert_eq!(answer.given.len(), 1);
    assert_eq!(cents(answer.given[0].amount.as_ref()), 5_400);
    for rule in [
        "LIST_PRICE",
        "AGREED_PRICE",
        "PROMOTION",
        "LINE_DISCOUNT",
        "DOCUMENT_DISCOUNT",
        "DISCOUNT_SHARE",
        "DOCUMENT_CHARGE",
        "TAX_ON_NET",
        "TAX_SHARE",
        "GROSS_TOTAL",
        "AMOUNT_DUE",
    ] {
        assert!(rules(&answer).contains(&rule), "{rule} is not told: {:?}", rules(&answer));
    }
    assert_eq!(sales.event_types().await, before, "it is a question, and nothing changes");
}

/// MDM-07, DOC-10: the narrowest list that holds and has the product gives the price, and breaks count over all lines.
#[tokio::test]
async fn the_narrowest_list_gives_the_price_and_its_breaks_count_over_all_lines() {
    let (sales, standard) = Sales::start_pricing().await;
    let product = sales.good("Desk", "ES-S").await;
    let account = format!("accounts/{}", Uuid::now_v7());
    let audience = |audience: Audience| Some(audience);
    let lists = [
        ("Own", Audience { accounts: vec![account.clone()], ..Default::default() }, "60"),
        ("Industry", Audience { segments: vec!["Industry".into()], ..Default::default() }, "70"),
        ("Portal", Audience { channels: vec!["portal".into()], ..Default::default() }, "80"),
    ];
    for (name, whom, unit_price) in lists {
        let list = PriceList { audience: audience(whom), ..euro_list(name) };
        let list = sales.create_price_list(list).await.expect("a list").name;
        sales.price(&list, &product, "", unit_price).await;
    }
    let over = PriceList { end_date: date(2026, 6, 14), priority: 9, ..euro_list("Over") };
    let over = sales.create_price_list(over).await.expect("a list").name;
    let inclusive = PriceList { prices: Prices::TaxInclusive.into(), priority: 9, ..euro_list("Shop") };
    let inclusive = sales.create_price_list(inclusive).await.expect("a list").name;
    for list in [&over, &inclusive] {
        sales.price(list, &product, "", "1").await;
    }
    sales.price(&standard, &product, "", "100").await;
    sales.price(&standard, &product, "10", "90").await;

    let ask = |lines: Vec<Line>| document(lines);
    let one = || vec![line(&product, "1")];
    assert_eq!(sales.nets(ask(one())).await, [10_000]);
    assert_eq!(sales.nets(ask(vec![line(&product, "4"), line(&product, "6")])).await, [36_000, 54_000]);
    assert_eq!(sales.nets(ask(vec![line(&product, "-12")])).await, [-108_000]);
    let portal = PriceDocumentRequest { channel: "portal".into(), ..ask(one()) };
    assert_eq!(sales.nets(portal.clone()).await, [8_000]);
    let industry = PriceDocumentRequest { segment: "Industry".into(), ..portal };
    assert_eq!(sales.nets(industry.clone()).await, [7_000]);
    let own = PriceDocumentRequest { account, ..industry };
    assert_eq!(sales.nets(own.clone()).await, [6_000]);
    let named = PriceDocumentRequest { price_list: standard.clone(), ..own.clone() };
    assert_eq!(sales.nets(named).await, [10_000], "only the list that is named is asked");
    let earlier = PriceDocumentRequest { date: date(2026, 6, 14), ..ask(one()) };
    assert_eq!(sales.nets(earlier).await, [100], "the list that is over now was preferred");
    let gross = PriceDocumentRequest { prices: Prices::TaxInclusive.into(), ..ask(one()) };
    let answer = sales.price_document(gross).await.expect("it can be priced");
    assert_eq!(cents(answer.lines[0].gross.as_ref()), 100);
    sales.delete_price_list(&standard).await.expect("deleted");
    assert_eq!(violations(sales.price_document(ask(one())).await), [field("lines[0]", "PRICE_MISSING")]);
}

#[tokio::test]
async fn a_list_that_is_named_must_suit() {
    let (sales, standard) = Sales::start_pricing().await;
    let product = sales.good("Desk", "ES-S").await;
    let ask = |price_list: &str| PriceDocumentRequest {
        price_list: price_list.into(),
        ..document(vec![Line { unit_price: "5".into(), ..line(&product, "1") }])
    };
    let unknown = format!("priceLists/{}", Uuid::now_v7());
    assert_eq!(
        refusal(sales.price_document(ask(&unknown)).await),
        (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned())
    );
    let dollars = PriceList { currency_code: "USD".into(), ..euro_list("Dollars") };
    let later = PriceList { start_date: date(2026, 6, 16), ..euro_list("Later") };
    let portal = Audience { channels: vec!["portal".into()], ..Default::default() };
    let portal = PriceList { audience: Some(portal), ..euro_list("Portal") };
    let unsuited = (Code::FailedPrecondition, "PRICE_LIST_UNSUITED".to_owned());
    for list in [dollars, later, portal] {
        let list = sales.create_price_list(list).await.expect("a list").name;
        assert_eq!(refusal(sales.price_document(ask(&list)).await), unsuited);
    }
    let gross = PriceDocumentRequest { prices: Prices::TaxInclusive.into(), ..ask(&standard) };
    assert_eq!(refusal(sales.price_document(gross).await), unsuited);
    sales.delete_price_list(&standard).await.expect("deleted");
    assert_eq!(refusal(sales.price_document(ask(&standard)).await), unsuited);
}

/// MDM-07, DOC-10: prices that include taxes never change by them; the default list says whether they do.
#[tokio::test]
async fn inclusive_prices_stay_and_the_default_list_says_that_they_are() {
    let (sales, _) = Sales::start_pricing().await;
    let shop = PriceList {
        prices: Prices::TaxInclusive.into(),
        is_default: true,
        end_date: date(2026, 12, 31),
        ..euro_list("Shop")
    };
    let shop = sales.create_price_list(shop).await.expect("a list").name;
    let product = sales.good("Desk", "ES-S").await;
    sales.price(&shop, &product, "", "99.99").await;

    let answer = sales.price_document(document(vec![line(&product, "3")])).await.expect("it can be priced");

    assert_eq!(answer.prices(), Prices::TaxInclusive);
    // 299.97 / 1.21 = 247.9091, so 247.91; the tax is the difference.
    assert_eq!(
        answer.tax_groups.iter().map(group).collect::<Vec<_>>(),
        [("VAT S 21".to_owned(), 24_791, 5_206)]
    );
    assert_eq!(cents(answer.totals.and_then(|totals| totals.gross).as_ref()), 29_997);

    // What it says of taxes stands also on a day for which it has no price.
    let over = PriceDocumentRequest {
        date: date(2027, 1, 1),
        ..document(vec![Line { unit_price: "121".into(), ..line(&product, "1") }])
    };
    let answer = sales.price_document(over).await.expect("it can be priced");
    assert_eq!(answer.prices(), Prices::TaxInclusive);
    assert_eq!(cents(answer.totals.and_then(|totals| totals.gross).as_ref()), 12_100);

    sales.hear_tax_code_of(TaxCode { inclusive_allowed: false, ..tax_code("ES-TOP", "5") }).await;
    let on_top = Line { tax_class: "ES-TOP".into(), ..line(&product, "1") };
    let answer = sales.price_document(document(vec![on_top])).await;
    assert_eq!(violations(answer), [field("lines[0].tax_class", "TAX_CODE_UNSUITED")]);
}

/// MDM-05, DOC-10: where no list has it, the price that the product suggests is taken.
#[tokio::test]
async fn without_a_list_the_product_says_its_price() {
    let (sales, _) = Sales::start_pricing().await;
    let product = Product {
        display_name: "Desk".into(),
        sellable: true,
        tax_class: "ES-R".into(),
        list_price: usd(75),
        unit_code: "HUR".into(),
        ..Default::default()
    };
    let product = sales.create_product(product).await.expect("a product").name;
    let dollars =
        PriceDocumentRequest { currency_code: "USD".into(), ..document(vec![line(&product, "2.5")]) };

    let answer = sales.price_document(dollars).await.expect("it can be priced");
    assert_eq!(cents(answer.lines[0].net.as_ref()), 18_750);
    assert_eq!(answer.lines[0].unit_code, "HUR");
    let euros = sales.price_document(document(vec![line(&product, "1")])).await;
    assert_eq!(violations(euros), [field("lines[0]", "PRICE_MISSING")]);
}

/// DOC-10: a charge is no discount in disguise.
#[tokio::test]
async fn a_charge_never_takes_off() {
    let (sales, list) = Sales::start_pricing().await;
    let desk = sales.good("Desk", "ES-S").await;
    sales.price(&list, &desk, "", "100").await;
    let amount = |cents: i64| euros(cents).expect("an amount");
    let rush = |cents: i64| Adjustment {
        kind: adjustment::Kind::Charge.into(),
        value: Some(adjustment::Value::Amount(amount(cents))),
        ..Default::default()
    };
    let freight = |cents: i64| request::Charge {
        key: "freight".into(),
        value: Some(request::charge::Value::Amount(amount(cents))),
        tax_class: "ES-S".into(),
        ..Default::default()
    };
    let ask = |quantity: &str, on_line: i64, on_all: i64| {
        let line = Line { adjustments: vec![rush(on_line)], ..line(&desk, quantity) };
        let request = PriceDocumentRequest { charges: vec![freight(on_all)], ..document(vec![line]) };
        sales.price_document(request)
    };

    assert!(ask("1", 5, 5).await.is_ok() && ask("-1", -5, -5).await.is_ok());
    assert_eq!(violations(ask("1", -500_000, 5).await), [field("lines[0]", "CHARGE_REDUCES")]);
    assert_eq!(violations(ask("1", 5, -500_000).await), [field("charges[0].amount", "CHARGE_REDUCES")]);
    assert_eq!(violations(ask("-1", -5, 500_000).await), [field("charges[0].amount", "CHARGE_REDUCES")]);
}
