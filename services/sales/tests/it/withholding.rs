//! What buyers withhold, such as the Spanish IRPF: asked for line by line, kept with the document, and printed.

use trato_proto::{
    billing::v1::{TaxCode, tax_code::Category},
    sales::v1::{
        Adjustment, PriceDocumentRequest, Quote, SalesDocument, adjustment,
        price_document_request::{self as request, Line},
        price_document_response::{Totals, WithheldAmount, WithheldGroup},
        price_list::Prices,
        rendered_document::Paper,
        sales_document,
    },
};

use crate::{
    cart::{checking_out, visitor},
    harness::{Sales, euros, field, refusal, tax_code, violations},
    order_from_quote::of,
    pricing::{cents, document, line, rules},
    quote::{accepting, quote, refused},
    render::{assert_says, pages},
};

impl Sales {
    /// Hears from billing of `ES-IRPF`, which is withheld at this rate.
    pub async fn hear_withholding(&self, percent: &str) -> TaxCode {
        let heard = withholding("ES-IRPF", percent);
        self.hear_tax_code_of(heard.clone()).await;
        heard
    }
}

/// A tax code of the IRPF, which prices cannot include.
fn withholding(code: &str, percent: &str) -> TaxCode {
    TaxCode {
        tax: "IRPF".into(),
        category: Category::Withholding.into(),
        inclusive_allowed: false,
        ..tax_code(code, percent)
    }
}

/// So much advice at a price, of which the buyer withholds the IRPF.
fn advice(product: &str, unit_price: &str) -> Line {
    Line { unit_price: unit_price.into(), withheld_tax_classes: vec!["ES-IRPF".into()], ..line(product, "1") }
}

/// The same of a document that is kept.
fn kept(product: &str) -> sales_document::Line {
    sales_document::Line {
        product: product.into(),
        quantity: "1".into(),
        unit_price: "1000".into(),
        withheld_tax_classes: vec!["ES-IRPF".into()],
        ..Default::default()
    }
}

/// Net, tax, total, what is withheld, and what is due, in cents.
fn sums(totals: Option<&Totals>) -> [i64; 5] {
    let totals = totals.expect("it is priced");
    [&totals.net, &totals.tax, &totals.gross, &totals.withheld, &totals.due].map(|sum| cents(sum.as_ref()))
}

fn group(group: &WithheldGroup) -> (String, i64, i64) {
    let key = format!("{} {}", group.code, group.percent);
    (key, cents(group.basis.as_ref()), cents(group.amount.as_ref()))
}

fn share(share: &WithheldAmount) -> (&str, &str, i64) {
    (&share.code, &share.percent, cents(share.amount.as_ref()))
}

fn of_quote(quote: &Quote) -> &SalesDocument {
    quote.document.as_ref().expect("a quote has a document")
}

/// DOC-10: what is withheld is a share of the net amount, whether prices include taxes or not; it lessens what is due and not the
/// total, and the trace tells it.
#[tokio::test]
async fn what_is_withheld_lessens_what_is_due() {
    let (sales, _) = Sales::start_pricing().await;
    sales.hear_withholding("15").await;
    let product = sales.good("Advice", "ES-S").await;
    let included = PriceDocumentRequest {
        prices: Prices::TaxInclusive.into(),
        ..document(vec![advice(&product, "1210")])
    };

    for question in [document(vec![advice(&product, "1000")]), included] {
        let answer = sales.price_document(question).await.expect("it can be priced");

        assert_eq!(sums(answer.totals.as_ref()), [100_000, 21_000, 121_000, 15_000, 106_000]);
        let groups: Vec<_> = answer.withheld_groups.iter().map(group).collect();
        assert_eq!(groups, [("IRPF 15".to_owned(), 100_000, 15_000)]);
        let shares: Vec<_> = answer.lines[0].withheld.iter().map(share).collect();
        assert_eq!(shares, [("IRPF", "15", 15_000)]);
        assert!(rules(&answer).contains(&"WITHHELD"), "{:?}", rules(&answer));
    }
}

/// DOC-10: it is withheld of what is left after all discounts, of the lines and charges that say so, and of no other; their
/// shares add up.
#[tokio::test]
async fn it_is_withheld_of_what_is_left_and_of_no_other_line() {
    let (sales, _) = Sales::start_pricing().await;
    sales.hear_withholding("15").await;
    let (product, book) = (sales.good("Advice", "ES-S").await, sales.good("Book", "ES-R").await);
    let friends = Adjustment { value: Some(adjustment::Value::Percent("10".into())), ..Default::default() };
    let travel = request::Charge {
        key: "travel".into(),
        value: Some(request::charge::Value::Amount(euros(3_333).expect("an amount"))),
        tax_class: "ES-S".into(),
        withheld_tax_classes: vec!["ES-IRPF".into()],
        ..Default::default()
    };
    let cash = request::Discount {
        value: Some(request::discount::Value::Percent("5".into())),
        ..Default::default()
    };
    let lines = vec![
        Line { adjustments: vec![friends], ..advice(&product, "1000") },
        advice(&product, "0.33"),
        Line { unit_price: "20".into(), ..line(&book, "1") },
    ];

    let answer = sales
        .price_document(PriceDocumentRequest {
            charges: vec![travel],
            discounts: vec![cash],
            ..document(lines)
        })
        .await
        .expect("it can be priced");

    // 900.00 and 0.33 and 20.00 less 5 %, which is 46.02; travel is 33.33.
    let nets: Vec<_> = answer.lines.iter().map(|line| cents(line.net.as_ref())).collect();
    assert_eq!(nets, [85_500, 31, 1_900]);
    // 15 % of 855.00 + 0.31 + 33.33 is 133.296.
    let groups: Vec<_> = answer.withheld_groups.iter().map(group).collect();
    assert_eq!(groups, [("IRPF 15".to_owned(), 88_864, 13_330)]);
    let of_charges = answer.charges.iter().flat_map(|charge| &charge.withheld);
    let of_all = answer.lines.iter().flat_map(|line| &line.withheld).chain(of_charges);
    assert_eq!(of_all.map(|share| cents(share.amount.as_ref())).sum::<i64>(), 13_330);
    assert!(answer.lines[2].withheld.is_empty(), "nothing is withheld of the book");
    let [_, _, gross, withheld, due] = sums(answer.totals.as_ref());
    assert_eq!((withheld, due), (13_330, gross - 13_330));
}

/// DOC-10: what cannot be withheld is named by its place, and so is what is withheld where a tax should be.
#[tokio::test]
async fn what_cannot_be_withheld_is_named_by_its_place() {
    let (sales, _) = Sales::start_pricing().await;
    sales.hear_withholding("15").await;
    sales.hear_tax_code_of(withholding("ES-TWIN", "15")).await;
    sales.hear_tax_code_of(withholding("ES-LESS", "7")).await;
    let untaxed = sales.good("Untaxed", "").await;
    let product = sales.good("Advice", "ES-S").await;
    let ask = |product: &str, tax_class: &str, withheld: &[&str]| {
        let line = Line {
            tax_class: tax_class.into(),
            withheld_tax_classes: withheld.iter().map(|code| (*code).to_owned()).collect(),
            ..advice(product, "1000")
        };
        sales.price_document(document(vec![line]))
    };
    let withheld = |at: usize, reason| field(&format!("lines[0].withheld_tax_classes[{at}]"), reason);

    let cases = [
        (ask(&product, "ES-IRPF", &[]).await, field("lines[0].tax_class", "TAX_CODE_UNSUITED")),
        (ask(&untaxed, "", &["ES-IRPF"]).await, field("lines[0].tax_class", "TAX_CLASS_MISSING")),
        (ask(&product, "", &["ES-IRPF", "ES-R"]).await, withheld(1, "TAX_CODE_UNSUITED")),
        (ask(&product, "", &["ES-IRPF", "ES-IRPF"]).await, withheld(1, "DUPLICATE_TAX")),
        (ask(&product, "", &["ES-IRPF", "ES-TWIN"]).await, withheld(1, "DUPLICATE_TAX")),
        (ask(&product, "", &["XX-W"]).await, withheld(0, "TAX_CODE_NOT_FOUND")),
        (ask(&product, "", &[""]).await, withheld(0, "TAX_CODE_NOT_FOUND")),
        (ask(&product, "", &["ES-IRPF"; 5]).await, field("lines[0].withheld_tax_classes", "TOO_MANY")),
    ];
    for (answer, expected) in cases {
        assert_eq!(violations(answer), [expected]);
    }
    let travel = request::Charge {
        key: "travel".into(),
        value: Some(request::charge::Value::Percent("5".into())),
        tax_class: "ES-S".into(),
        withheld_tax_classes: vec!["ES-S".into()],
        ..Default::default()
    };
    let with_travel =
        PriceDocumentRequest { charges: vec![travel], ..document(vec![advice(&product, "1000")]) };
    let expected = field("charges[0].withheld_tax_classes[0]", "TAX_CODE_UNSUITED");
    assert_eq!(violations(sales.price_document(with_travel).await), [expected]);
    let both = ask(&product, "", &["ES-IRPF", "ES-LESS"]).await.expect("one tax at two rates is two");
    assert_eq!(sums(both.totals.as_ref()), [100_000, 21_000, 121_000, 22_000, 99_000]);
}

/// DOC-01, DOC-02, DOC-04, DOC-10: a quote keeps what is withheld of it as of when it was written, and its order has the same; a
/// draft at a rate that has changed is not submitted unseen, and what was submitted withholds what it did.
#[tokio::test]
async fn quotes_and_their_orders_keep_what_is_withheld() {
    let (sales, desk) = Sales::start_quoting().await;
    let irpf = sales.hear_withholding("15").await;
    let account = sales.account().await;
    let draft = sales.create_quote(quote(&account, vec![kept(&desk)])).await.expect("a quote");
    let stale = sales.create_quote(quote(&account, vec![kept(&desk)])).await.expect("a quote");
    let sent = sales.send_draft(&draft).await;

    let dearer = TaxCode { name: irpf.name.clone(), ..withholding("ES-IRPF", "19") };
    sales.hear("trato.billing.v1.tax_code.updated", &irpf.name, 2, &dearer).await;
    let accepted = sales.accept(accepting(&sent.name)).await.expect("accepted");
    let order = sales.order_from(of(&accepted.name)).await.expect("an order");

    assert_eq!(sums(of_quote(&sent).totals.as_ref()), [100_000, 21_000, 121_000, 15_000, 106_000]);
    assert_eq!(of_quote(&sent).lines[0].withheld_tax_classes, ["ES-IRPF"]);
    assert_eq!(order.document, sent.document);
    assert_eq!(refusal(sales.submit(&stale.name).await), refused("PRICE_CHANGED"));
    let written = sales.update_quote(stale, &["document"]).await.expect("it is a draft");
    assert_eq!(sums(of_quote(&written).totals.as_ref()), [100_000, 21_000, 121_000, 19_000, 102_000]);

    let mut tx = sales.service.transaction(sales.admin.tenant).await;
    let forged = sqlx::query(
        "update quote set document = document #- '{lines,0,wanted,withheld_tax_classes}'
         where tenant_id = $1 and state = 'ACCEPTED'",
    )
    .bind(sales.admin.tenant)
    .execute(tx.connection())
    .await;
    assert!(format!("{forged:?}").contains("quote_immutable"), "{forged:?}");
}

/// DOC-12: what is withheld of a cart is withheld of the order that comes of it, and what cannot be is named by its place in it.
#[tokio::test]
async fn an_order_withholds_what_its_cart_does() {
    let (sales, desk) = Sales::start_ordering().await;
    sales.hear_withholding("15").await;
    let mut cart = visitor("session", &desk, "1");
    let lines = &mut cart.document.as_mut().expect("a cart has a document").lines;
    *lines = vec![kept(&desk)];
    let mut wrong = cart.clone();
    let wrong_lines = &mut wrong.document.as_mut().expect("a cart has a document").lines;
    wrong_lines[0].withheld_tax_classes = vec!["ES-S".into()];

    let refused = sales.create_cart(wrong).await;
    let cart = sales.create_cart(cart).await.expect("a cart");
    let account = sales.account().await;
    let order = sales.check_out(checking_out(&cart.name, &account)).await.expect("an order");

    let expected = field("cart.document.lines[0].withheld_tax_classes[0]", "TAX_CODE_UNSUITED");
    assert_eq!(violations(refused), [expected]);
    let ordered = order.document.expect("an order has a document");
    assert_eq!(sums(ordered.totals.as_ref()), [100_000, 21_000, 121_000, 15_000, 106_000]);
    assert_eq!(ordered.lines[0].withheld_tax_classes, ["ES-IRPF"]);
}

/// DOC-01: a quote on paper says what is withheld, and what is due after that.
#[tokio::test]
async fn a_quote_on_paper_says_what_is_withheld_and_due() {
    let (sales, desk) = Sales::start_quoting().await;
    sales.hear_withholding("15").await;
    sales.hear_company().await;
    let customer = sales.hear_customer().await;
    let draft = sales.create_quote(quote(&customer.name, vec![kept(&desk)])).await.expect("a quote");

    for (language, expected) in [
        ("es", ["IVA 21 %", "Retención IRPF 15 % −150,00", "1.210,00", "1.060,00"]),
        ("en", ["VAT 21%", "Withheld IRPF 15% −150.00", "1,210.00", "1,060.00"]),
    ] {
        let printed = sales.render_quote(&draft.name, language, Paper::A4).await.expect("a PDF");
        assert_says(&pages(&printed).concat(), &expected);
    }
}
