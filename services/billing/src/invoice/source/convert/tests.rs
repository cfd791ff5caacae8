//! Parts of what was sold, as lines of invoices.

use proptest::prelude::*;

use super::*;

const EUR: &str = "EUR";

fn cents(money: &Money) -> i64 {
    wire::parse_money(money).expect("an amount").0.0
}

fn decimal(millionths: i64) -> String {
    Decimal::new(millionths, 6).normalize().to_string()
}

/// Something that was taken off a line, below zero, or put on it.
fn adjusted(amount: Minor, reason: &str) -> priced::AppliedAdjustment {
    let currency = Currency::parse(EUR).expect("a currency");
    let amount = Some(wire::money(amount, currency));
    priced::AppliedAdjustment { amount, reason: reason.to_owned(), ..Default::default() }
}

/// A line of so much at a price for so many, from which a discount is taken, and a charge of ten dollars and a cent, as sales
/// tells them.
fn sold(quantity: &str, (unit_price, per): (&str, i64), base: Minor, discount: Minor) -> Sold {
    let currency = Currency::parse(EUR).expect("a currency");
    let amounts = priced::Line {
        quantity: quantity.to_owned(),
        unit_price: unit_price.to_owned(),
        per: per.to_string(),
        base: Some(wire::money(base, currency)),
        adjustments: vec![adjusted(Minor(-discount.0), "")],
        ..Default::default()
    };
    let line = sales::sales_document::Line {
        key: "1".to_owned(),
        amounts: Some(amounts),
        applied_tax_class: "VAT".to_owned(),
        ..Default::default()
    };
    let freight = Charge { key: "freight".to_owned(), tax_class: "VAT".to_owned(), ..Default::default() };
    let comes_to = priced::Charge { net: Some(wire::money(Minor(1_001), currency)), ..Default::default() };
    let document = sales::SalesDocument {
        currency_code: EUR.to_owned(),
        lines: vec![line],
        charges: vec![freight],
        charge_amounts: vec![comes_to],
        ..Default::default()
    };
    Sold {
        name: String::new(),
        account: String::new(),
        legal_entity: String::new(),
        bill_to: None,
        supplied: None,
        numbers: Default::default(),
        document,
        lines: Vec::new(),
        billables: Vec::new(),
        order: None,
    }
}

/// What the lines of an invoice come to, each rounded by itself: what its charges come to with it, and no discount is more than that.
fn total(lines: &[pb::invoice::Line]) -> i64 {
    let currency = Currency::parse(EUR).expect("a currency");
    let net = |line: &pb::invoice::Line| {
        let (quantity, price) = (line.quantity.parse(), line.unit_price.parse());
        let own = line_amount(quantity.expect("a quantity"), price.expect("a price"), currency);
        let put_on = line.charges.iter().filter_map(|charge| charge.amount.as_ref()).map(cents);
        let taken = line.discounts.iter().filter_map(|discount| discount.amount.as_ref()).map(cents);
        let net = own.expect("an amount").0 + put_on.sum::<i64>() - taken.sum::<i64>();
        assert!(net >= 0, "{line:?}");
        net
    };
    lines.iter().map(net).sum()
}

/// Parts of the first line, one after the other: the lines that each is invoiced as.
fn invoiced(sold: &Sold, parts: &[i64]) -> Vec<Vec<pb::invoice::Line>> {
    let exact = |millionths: i64| decimal(millionths).parse::<Quantity>().expect("a quantity");
    let tax_codes = HashMap::from([("VAT".to_owned(), "taxCodes/1".to_owned())]);
    let mut before = 0;
    let part = |part: &i64| {
        let mut converter = Converter::new(sold, &tax_codes).expect("a converter");
        let (before_it, quantity) = (exact(before), exact(*part));
        before += part;
        let part = Part { source_line: "1", priced: "1", before: before_it, quantity };
        converter.write(&part).expect("a line");
        converter.finish().0
    };
    parts.iter().map(part).collect()
}

proptest! {
    /// DOC-07: parts that are invoiced one after the other come to what was agreed on, also at prices with fractions of a
    /// cent, and at prices for so many that the price of one has no end.
    #[test]
    fn parts_at_a_fine_price_add_up(
        price in 0_i64..5_000_000,
        per in 1_i64..=12,
        parts in prop::collection::vec(1_i64..4_000_000, 1..6),
        percent in 0_i64..=100,
        surcharge in 0_i64..=100_000,
    ) {
        let (whole, unit_price) = (decimal(parts.iter().sum()), decimal(price));
        // Millionths times millionths, for so many, in cents, half away from zero.
        let (product, divisor) = (parts.iter().sum::<i64>() * price, per * 10_000_000_000);
        let base = Minor((2 * product + divisor) / (2 * divisor));
        let discount = Minor(base.0 * percent / 100);
        let mut sold = sold(&whole, (unit_price.as_str(), per), base, discount);
        let amounts = sold.document.lines[0].amounts.as_mut().expect("amounts");
        amounts.adjustments.push(adjusted(Minor(surcharge), "Big drive"));

        let invoices = invoiced(&sold, &parts);

        prop_assert!(invoices.iter().all(|lines| lines.len() == 1), "{:?}", invoices);
        let sum: i64 = invoices.iter().map(|lines| total(lines)).sum();
        prop_assert_eq!(sum, base.0 - discount.0 + surcharge);
    }
}

/// DOC-07: a part of which the price rounds to nothing and a discount to a cent comes to nothing, and not to less.
#[test]
fn no_part_comes_to_less_than_nothing() {
    let sold = sold("12", ("0.0025", 1), Minor(3), Minor(2));

    let invoices = invoiced(&sold, &[2_000_000, 1_000_000, 9_000_000]);

    assert_eq!(invoices.iter().map(|lines| total(lines)).collect::<Vec<_>>(), [0, 0, 1]);
}

/// DOC-07: a charge of the whole is invoiced in parts as lines are: they count as the parts they are, and add up to it.
#[test]
fn parts_of_a_charge_add_up() {
    let sold = sold("1", ("1", 1), Minor(100), Minor(0));
    let tax_codes = HashMap::from([("VAT".to_owned(), "taxCodes/1".to_owned())]);
    let of = |text: &str| text.parse::<Quantity>().expect("a quantity");
    for parts in [vec!["1"], vec!["0.5", "0.5"], vec!["0.3", "0.3", "0.4"], vec!["0.333333", "0.666667"]] {
        let (mut before, mut sum, mut counted) = (Quantity::ZERO, 0, Quantity::ZERO);
        for part in &parts {
            let mut converter = Converter::new(&sold, &tax_codes).expect("a converter");
            let part = Part { source_line: "freight", priced: "freight", before, quantity: of(part) };
            converter.write(&part).expect("a line");
            let (lines, _) = converter.finish();
            sum += total(&lines);
            for line in lines.iter().filter(|line| line.source_line == "freight") {
                counted = counted.plus(of(&line.quantity)).expect("a quantity");
            }
            before = before.plus(part.quantity).expect("a quantity");
        }
        assert_eq!((sum, counted), (1_001, Quantity::ONE), "{parts:?}");
    }
}

/// DOC-07: what is put on a line stands in it, by its reason, so that it is credited with it; also where the price is nothing by
/// itself, and a discount is taken off what is put on.
#[test]
fn a_surcharge_is_part_of_its_line() {
    let mut sold = sold("2", ("0", 1), Minor(0), Minor(0));
    let amounts = sold.document.lines[0].amounts.as_mut().expect("amounts");
    amounts.adjustments = vec![adjusted(Minor(10_001), "Big drive"), adjusted(Minor(-5_001), "Loyal")];

    let invoices = invoiced(&sold, &[1_000_000, 1_000_000]);

    let told = |lines: &[pb::invoice::Line]| {
        let [line] = lines else { panic!("one line: {lines:?}") };
        let charges = line
            .charges
            .iter()
            .map(|one| (one.reason.clone(), cents(one.amount.as_ref().expect("an amount"))));
        let discounts = line
            .discounts
            .iter()
            .map(|one| (one.reason.clone(), cents(one.amount.as_ref().expect("an amount"))));
        (line.source_line.clone(), charges.chain(discounts).collect::<Vec<_>>())
    };
    let part = |on, off| ("1".to_owned(), vec![("Big drive".to_owned(), on), ("Loyal".to_owned(), off)]);
    assert_eq!(told(&invoices[0]), part(5_001, 2_501));
    assert_eq!(told(&invoices[1]), part(5_000, 2_500));
}

/// DOC-07, SFA-24: a line says what was chosen; else it says its description, or else the product's name; as many characters as an
/// invoice takes.
#[test]
fn a_line_says_what_was_chosen() {
    let mut sold = sold("1", ("1", 1), Minor(100), Minor(0));
    let mut said = |[chosen, own, name]: [&str; 3]| {
        let line = &mut sold.document.lines[0];
        line.applied_description = chosen.to_owned();
        line.description = own.to_owned();
        line.product_display_name = name.to_owned();
        invoiced(&sold, &[1_000_000])[0][0].description.clone()
    };

    assert_eq!(said(["160 cm (Oak)", "160 cm", "Desk"]), "160 cm (Oak)");
    assert_eq!(said(["", "160 cm", "Desk"]), "160 cm");
    assert_eq!(said(["", "", "Desk"]), "Desk");
    assert_eq!(said(["", &"ñ".repeat(1_001), ""]), "ñ".repeat(1_000));
}

/// DOC-07: what is withheld of a line is withheld of what is put on it, too, and so it is of a charge of the whole; a code that is
/// not there any more is named.
#[test]
fn what_is_withheld_is_taken_over() {
    let mut sold = sold("1", ("100", 1), Minor(10_000), Minor(0));
    let line = &mut sold.document.lines[0];
    line.withheld_tax_classes = vec!["IRPF".to_owned()];
    line.amounts.as_mut().expect("amounts").adjustments.push(adjusted(Minor(500), "Rush"));
    sold.document.charges[0].withheld_tax_classes = vec!["IRPF".to_owned()];
    assert_eq!(Converter::tax_classes(&sold), ["VAT", "IRPF", "VAT", "IRPF"]);
    let write = |tax_codes: &HashMap<String, String>| {
        let mut converter = Converter::new(&sold, tax_codes).expect("a converter");
        for key in ["1", "freight"] {
            let (before, quantity) = (Quantity::ZERO, Quantity::ONE);
            converter.write(&Part { source_line: key, priced: key, before, quantity })?;
        }
        Ok::<_, Error>(converter.finish().0)
    };
    let mut tax_codes = HashMap::from([("VAT".to_owned(), "taxCodes/1".to_owned())]);

    let gone = write(&tax_codes).expect_err("a code is not there");
    tax_codes.insert("IRPF".to_owned(), "taxCodes/2".to_owned());
    let lines = write(&tax_codes).expect("lines");

    assert_eq!(gone.reason(), "TAX_CODE_NOT_FOUND");
    assert!(gone.metadata().contains(&("tax_code", "IRPF".to_owned())), "{:?}", gone.metadata());
    assert_eq!(
        (lines.len(), total(&lines)),
        (2, 10_500 + 1_001),
        "the line with its charge, and the freight"
    );
    assert!(lines.iter().all(|line| line.tax_codes == ["taxCodes/1", "taxCodes/2"]), "{lines:?}");
}
