//! What the rules refuse, each by its field and reason, and what they admit.

use trato_pricing::TaxCategory;
use trato_types::Minor;

use super::{checked, currency, day, in_category, parse, simple, vat};
use crate::{
    Address, Adjustment, DeclaredTax, DocumentAdjustment, EInvoice, Identifier, Invoice, Kind, Means, Payee,
    Period, PriceDiscount, Profile, Representative,
};

/// Field and reason of every violation.
fn faults(invoice: Invoice) -> Vec<(String, &'static str)> {
    let error = EInvoice::new(invoice).expect_err("it is wrong");
    error.violations().iter().map(|fault| (fault.field.clone(), fault.reason)).collect()
}

/// A name for a change, the change, and what is said of it.
type Case = (fn(&mut Invoice), &'static [(&'static str, &'static str)]);

fn assert_refused(cases: &[Case]) {
    for (number, (change, expected)) in cases.iter().enumerate() {
        let mut invoice = simple();
        change(&mut invoice);
        let expected: Vec<_> =
            expected.iter().map(|(field, reason)| ((*field).to_owned(), *reason)).collect();
        assert_eq!(faults(invoice), expected, "case {number}");
    }
}

/// XTR-05: an e-invoice says what it must say, and nothing that contradicts itself.
#[test]
fn what_is_missing_or_contradicts_itself_is_named_by_field_and_reason() {
    checked(simple());
    assert_refused(&[
        (|it| it.currency = currency("ABC"), &[("currency", "UNKNOWN_CURRENCY")]),
        (
            |it| it.seller.party.vat_number = None,
            &[("seller", "SELLER_UNIDENTIFIED"), ("seller.vat_number", "TAX_NUMBER_MISSING")],
        ),
        (
            |it| it.buyer.ids = ["1", "2"].map(|id| Identifier { scheme: None, value: parse(id) }).into(),
            &[("buyer.ids", "IDENTIFIER_REPEATED")],
        ),
        (
            |it| it.payee = Some(Payee { name: parse("Trato S.L."), id: None, registration: None }),
            &[("payee", "PAYEE_IS_SELLER")],
        ),
        (|it| it.due = None, &[("due", "PAYMENT_TERMS_MISSING")]),
        (|it| it.due = Some(day(2026, 11, 29)), &[("due", "DUE_BEFORE_ISSUE")]),
        (|it| it.issued = day(-1, 1, 1), &[("issued", "INVALID_DATE")]),
        (|it| it.due = Some(day(10_000, 1, 1)), &[("due", "INVALID_DATE")]),
        (|it| (it.kind, it.means) = (Kind::CreditNote, None), &[("due", "DUE_WITHOUT_PAYMENT_MEANS")]),
        (|it| it.means = Some(Means::new(parse("58"))), &[("means.accounts", "ACCOUNT_MISSING")]),
        (
            |it| it.means.iter_mut().for_each(|means| means.debit.mandate = Some(parse("M-1"))),
            &[("means.debit", "PAYMENT_MEANS_MIXED")],
        ),
        (|it| it.references.order = Some(parse("NA")), &[("references.order", "PLACEHOLDER")]),
        (
            |it| it.period = Period { first: Some(day(2026, 2, 1)), last: Some(day(2026, 1, 31)) },
            &[("period", "END_BEFORE_START")],
        ),
        (
            |it| it.declared_tax = Some(DeclaredTax { currency: currency("EUR"), amount: Minor(2_100) }),
            &[("declared_tax.currency", "CURRENCY_UNSUITED")],
        ),
        (
            |it| it.declared_tax = Some(DeclaredTax { currency: currency("KWD"), amount: Minor(700) }),
            &[("declared_tax.currency", "CURRENCY_TOO_FINE")],
        ),
    ]);
}

#[test]
fn what_is_wrong_with_a_line_is_named() {
    let twice = |it: &mut Invoice| {
        it.lines.push(it.lines[0].clone());
        it.taxes[0].basis = Minor(20_000);
        it.taxes[0].tax = Minor(4_200);
        it.totals.lines = Minor(20_000);
        it.totals.net = Minor(20_000);
        it.totals.tax = Minor(4_200);
        it.totals.gross = Minor(24_200);
        it.totals.due = Minor(24_200);
    };
    assert_refused(&[
        (twice, &[("lines[1].number", "DUPLICATE_LINE_NUMBER")]),
        (|it| it.lines[0].price.per = parse("0"), &[("lines[0].price.per", "NOT_POSITIVE")]),
        (
            |it| {
                it.lines[0].price.discount =
                    Some(PriceDiscount { amount: parse("10"), gross: parse("109.99") });
            },
            &[("lines[0].price.net", "PRICE_DIFFERS")],
        ),
        (
            |it| {
                it.lines[0].allowances =
                    vec![Adjustment { reason: None, ..Adjustment::new(Minor(1), parse("x")) }];
            },
            &[("lines[0].allowances[0]", "REASON_MISSING")],
        ),
        (
            |it| it.lines[0].period = Period { first: Some(day(2026, 2, 2)), last: Some(day(2026, 2, 1)) },
            &[("lines[0].period", "END_BEFORE_START")],
        ),
    ]);
    let mut empty = simple();
    empty.lines.clear();
    assert!(faults(empty).contains(&("lines".to_owned(), "NO_LINES")));
}

/// XTR-05: the amounts are given, and every one of them is held against the others.
#[test]
fn every_amount_that_is_a_cent_off_is_found() {
    assert_refused(&[
        (|it| it.totals.lines.0 += 1, &[("totals.lines", "SUM_DIFFERS"), ("totals.net", "SUM_DIFFERS")]),
        (
            |it| it.totals.allowances.0 += 1,
            &[("totals.allowances", "SUM_DIFFERS"), ("totals.net", "SUM_DIFFERS")],
        ),
        (|it| it.totals.charges.0 += 1, &[("totals.charges", "SUM_DIFFERS"), ("totals.net", "SUM_DIFFERS")]),
        (|it| it.totals.net.0 += 1, &[("totals.net", "SUM_DIFFERS"), ("totals.gross", "SUM_DIFFERS")]),
        (|it| it.totals.tax.0 += 1, &[("totals.tax", "SUM_DIFFERS"), ("totals.gross", "SUM_DIFFERS")]),
        (|it| it.totals.gross.0 += 1, &[("totals.gross", "SUM_DIFFERS"), ("totals.due", "SUM_DIFFERS")]),
        (|it| it.totals.prepaid.0 += 1, &[("totals.due", "SUM_DIFFERS")]),
        (|it| it.totals.rounding.0 += 1, &[("totals.due", "SUM_DIFFERS")]),
        (|it| it.totals.due.0 += 1, &[("totals.due", "SUM_DIFFERS")]),
        (|it| it.taxes[0].basis.0 += 1, &[("taxes[0].basis", "TAX_BASIS_DIFFERS")]),
        (|it| it.taxes[0].tax.0 += 1, &[("totals.tax", "SUM_DIFFERS")]),
        (
            |it| it.taxes[0].tax.0 += 100,
            &[("taxes[0].tax", "TAX_AMOUNT_DIFFERS"), ("totals.tax", "SUM_DIFFERS")],
        ),
        (
            |it| it.lines[0].net.0 += 1,
            &[("taxes[0].basis", "TAX_BASIS_DIFFERS"), ("totals.lines", "SUM_DIFFERS")],
        ),
    ]);
}

#[test]
fn sums_beyond_64_bits_differ_and_never_overflow() {
    let mut huge = simple();
    huge.lines[0].net = Minor(i64::MAX);
    let mut second = huge.lines[0].clone();
    second.number = parse("2");
    huge.lines.push(second);
    huge.totals.prepaid = Minor(i64::MIN);
    huge.totals.rounding = Minor(i64::MAX);
    assert!(faults(huge).contains(&("totals.lines".to_owned(), "SUM_DIFFERS")));
}

#[test]
fn rate_reason_and_breakdown_go_with_the_category() {
    assert_refused(&[
        (
            |it| it.lines[0].vat.rate = parse("0"),
            &[
                ("lines[0].vat", "TAX_RATE_UNSUITED"),
                ("taxes[0]", "TAX_GROUP_UNSUITED"),
                ("taxes", "TAX_GROUP_MISSING"),
            ],
        ),
        (|it| it.taxes[0].reason = Some(parse("None")), &[("taxes[0].reason", "TAX_REASON_UNSUITED")]),
        (|it| it.taxes[0].code = Some(parse("VATEX-EU-AE")), &[("taxes[0].reason", "TAX_REASON_UNSUITED")]),
        (|it| it.taxes.clear(), &[("taxes", "TAX_GROUP_MISSING"), ("totals.tax", "SUM_DIFFERS")]),
        (
            |it| it.taxes.push(it.taxes[0].clone()),
            &[("taxes[1]", "TAX_GROUP_UNSUITED"), ("totals.tax", "SUM_DIFFERS")],
        ),
        (
            |it| {
                let reduced = vat(TaxCategory::Standard, "10");
                let adjustment = Adjustment::new(Minor(0), parse("Freight"));
                it.charges = vec![DocumentAdjustment { adjustment, vat: reduced }];
            },
            &[("taxes", "TAX_GROUP_MISSING")],
        ),
    ]);
    let exempt = |reason: bool| {
        let mut invoice = in_category(TaxCategory::Exempt, "0", 0);
        if !reason {
            invoice.taxes[0].reason = None;
        }
        invoice
    };
    checked(exempt(true));
    assert_eq!(faults(exempt(false)), [("taxes[0].reason".to_owned(), "TAX_REASON_UNSUITED")]);
}

#[test]
fn each_category_wants_the_tax_numbers_its_rules_name() {
    let expect = |invoice: Invoice, field: &str, reason: &'static str| {
        assert_eq!(faults(invoice), [(field.to_owned(), reason)]);
    };
    let registered = Identifier { scheme: Some(parse("0002")), value: parse("123") };
    for (category, rate, tax) in [
        (TaxCategory::Standard, "21", 2_100),
        (TaxCategory::Zero, "0", 0),
        (TaxCategory::Exempt, "0", 0),
        (TaxCategory::CanaryIslands, "7", 700),
        (TaxCategory::CeutaAndMelilla, "0.5", 50),
    ] {
        let mut invoice = in_category(category, rate, tax);
        checked(invoice.clone());
        invoice.seller.party.vat_number = None;
        invoice.seller.party.registration = Some(registered.clone());
        expect(invoice.clone(), "seller.vat_number", "TAX_NUMBER_MISSING");
        invoice.seller.tax_number = Some(parse("12/345/6789"));
        checked(invoice);
    }

    let mut reverse = in_category(TaxCategory::ReverseCharge, "0", 0);
    expect(reverse.clone(), "buyer.vat_number", "TAX_NUMBER_MISSING");
    reverse.buyer.registration = Some(registered.clone());
    checked(reverse);

    let mut export = in_category(TaxCategory::Export, "0", 0);
    export.seller.party.registration = Some(registered.clone());
    checked(export.clone());
    export.seller.party.vat_number = None;
    export.seller.tax_number = Some(parse("1"));
    expect(export.clone(), "seller.vat_number", "TAX_NUMBER_MISSING");
    export.representative = Some(Representative {
        name: parse("Agent"),
        vat_number: parse("FR12345678901"),
        address: Address::new(parse("FR")),
    });
    checked(export);

    let mut outside = in_category(TaxCategory::NotSubject, "0", 0);
    expect(outside.clone(), "seller.vat_number", "TAX_NUMBER_UNSUITED");
    outside.seller.party.vat_number = None;
    outside.seller.party.registration = Some(registered);
    checked(outside.clone());
    let mut line = outside.lines[0].clone();
    (line.number, line.net, line.vat) = (parse("2"), Minor(0), vat(TaxCategory::Zero, "0"));
    outside.lines.push(line);
    assert!(faults(outside).contains(&("taxes".to_owned(), "NOT_SUBJECT_TO_TAX_MIXED")));
}

#[test]
fn a_supply_within_the_union_names_buyer_day_and_country() {
    let mut invoice = in_category(TaxCategory::IntraCommunity, "0", 0);
    assert_eq!(
        faults(invoice.clone()),
        [
            ("buyer.vat_number".to_owned(), "TAX_NUMBER_MISSING"),
            ("delivery.date".to_owned(), "DELIVERY_DATE_MISSING"),
            ("delivery.address".to_owned(), "DELIVERY_COUNTRY_MISSING"),
        ]
    );
    invoice.buyer.vat_number = Some(parse("DE123456789"));
    invoice.delivery.address = Some(Address::new(parse("DE")));
    invoice.period.last = Some(day(2026, 11, 30));
    checked(invoice);
}

#[test]
fn xrechnung_wants_more_than_the_standard() {
    let mut invoice = simple();
    invoice.profile = Profile::XRECHNUNG;
    let fields: Vec<_> = faults(invoice).into_iter().map(|(field, _)| field).collect();
    assert_eq!(
        fields,
        [
            "process",
            "seller.contact.name",
            "seller.contact.phone",
            "buyer_reference",
            "seller.endpoint",
            "buyer.endpoint",
            "seller.address.city",
            "seller.address.postcode",
            "buyer.address.city",
            "buyer.address.postcode",
        ]
    );
}

#[test]
fn a_profile_is_the_standard_or_builds_on_it() {
    assert_eq!("urn:cen.eu:en16931:2017".parse(), Ok(Profile::EN_16931));
    let peppol = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0";
    assert_eq!(peppol.parse::<Profile>().map(|profile| profile.as_str().to_owned()), Ok(peppol.to_owned()));
    for wrong in ["", "urn:cen.eu:en16931:2017x", "urn:factur-x.eu:1p0:minimum"] {
        assert!(wrong.parse::<Profile>().is_err(), "{wrong}");
    }
}

#[test]
fn a_currency_of_three_decimals_has_no_place_in_the_standard() {
    let mut invoice = simple();
    invoice.currency = currency("KWD");
    assert!(faults(invoice).contains(&("currency".to_owned(), "CURRENCY_TOO_FINE")));
}
