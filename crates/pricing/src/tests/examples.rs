//! Documents that others worked out: the examples of EN 16931 and Peppol, and what tax offices print in their guides.

use trato_types::Minor;

use super::{currency, document, euro, line, percent, price, priced, quantity, totals, vat};
use crate::{Adjustment, Charge, Document, DocumentDiscount, Percent, Tax, TaxCategory, Value, Withholding};

fn charge(key: &str, amount: i64, tax: Tax) -> Charge {
    Charge {
        key: key.into(),
        value: Value::Amount(Minor(amount)),
        reason: key.into(),
        taxes: vec![tax],
        withheld: Vec::new(),
    }
}

fn amount(minor: i64) -> Value {
    Value::Amount(Minor(minor))
}

/// OpenPEPPOL/peppol-bis-invoice-3, rules/examples/base-example.xml: a line below zero, and a charge.
#[test]
fn the_base_example_of_peppol_comes_out() {
    let mut invoice = document([line("1", "7", "400", vat("25")), line("2", "-3", "500", vat("25"))]);
    invoice.charges.push(charge("Insurance", 2_500, vat("25")));
    let priced = priced(&invoice);

    let lines: Vec<i64> = priced.lines.iter().map(|line| line.line_net.0).collect();
    assert_eq!(lines, [280_000, -150_000]);
    assert_eq!(priced.totals.lines, Minor(130_000));
    assert_eq!(priced.groups[0].basis, Minor(132_500));
    assert_eq!(totals(&priced), [132_500, 33_125, 165_625, 165_625]);
}

/// OpenPEPPOL/peppol-bis-invoice-3, rules/examples/Allowance-example.xml: discounts and charges of lines and of the
/// document, a price for two, two categories, something prepaid.
#[test]
fn the_example_of_allowances_of_peppol_comes_out() {
    let exempt = || Tax::none("VAT", TaxCategory::Exempt, "Reason for tax exempt");
    let adjustments = || {
        vec![Adjustment::charge(amount(100), "Cleaning"), Adjustment::discount(amount(10_100), "Discount")]
    };
    let mut invoice = document([
        line("1", "10", "410", vat("25")),
        line("2", "10", "200", exempt()),
        line("3", "10", "100", vat("25")),
    ]);
    invoice.lines[0].adjustments = adjustments();
    invoice.lines[1].per = quantity("2");
    invoice.lines[2].adjustments = adjustments();
    invoice.charges.push(charge("Cleaning", 20_000, vat("25")));
    invoice.discounts.push(DocumentDiscount {
        value: amount(20_000),
        reason: "Discount".into(),
        lines: vec!["1".into(), "3".into()],
    });
    invoice.prepaid = Minor(100_000);
    let priced = priced(&invoice);

    let lines: Vec<i64> = priced.lines.iter().map(|line| line.line_net.0).collect();
    assert_eq!(lines, [400_000, 100_000, 90_000]);
    let groups: Vec<_> =
        priced.groups.iter().map(|group| (group.key.category.code(), group.basis.0, group.tax.0)).collect();
    assert_eq!(groups, [("S", 490_000, 122_500), ("E", 100_000, 0)]);
    let printed = priced.totals;
    assert_eq!(
        [printed.lines, printed.discounts, printed.charges].map(|total| total.0),
        [590_000, 20_000, 20_000]
    );
    assert_eq!(totals(&priced), [590_000, 122_500, 712_500, 612_500]);
}

/// ConnectingEurope/eInvoicing-EN16931, ubl/examples/ubl-tc434-example9.xml.
#[test]
fn the_dutch_example_of_the_standard_comes_out() {
    let priced = priced(&document([line("1", "3", "49.00", vat("21"))]));
    assert_eq!(totals(&priced), [14_700, 3_087, 17_787, 17_787]);
}

/// The Spanish surcharge of equivalence (Ley 37/1992, art. 161) is a second tax on the same net amount.
#[test]
fn two_taxes_of_a_line_are_two_groups() {
    let surcharge = Tax::new("RE", TaxCategory::Standard, percent("5.2"));
    let mut invoice = document([line("1", "1", "100", vat("21"))]);
    invoice.lines[0].taxes.push(surcharge);
    let priced = priced(&invoice);

    let taxes: Vec<_> =
        priced.groups.iter().map(|group| (&*group.key.code, group.basis.0, group.tax.0)).collect();
    assert_eq!(taxes, [("RE", 10_000, 520), ("VAT", 10_000, 2_100)]);
    assert_eq!(totals(&priced), [10_000, 2_620, 12_620, 12_620]);
}

/// A Spanish professional's invoice: the buyer keeps 15 % of the net amount back for the seller's income tax
/// (Ley 35/2006, art. 101.5).
#[test]
fn what_is_withheld_lessens_what_is_due_and_not_the_gross() {
    let mut invoice = document([line("1", "10", "100", vat("21"))]);
    invoice.lines[0].withheld.push(Withholding { code: "IRPF".into(), rate: percent("15") });
    let priced = priced(&invoice);

    assert_eq!(totals(&priced), [100_000, 21_000, 121_000, 106_000]);
    assert_eq!(priced.withheld[0].amount, Minor(15_000));
}

#[test]
fn where_the_buyer_owes_the_tax_none_is_charged_and_the_reason_is_kept() {
    let kinds = [
        (TaxCategory::ReverseCharge, "AE"),
        (TaxCategory::IntraCommunity, "K"),
        (TaxCategory::Export, "G"),
        (TaxCategory::Exempt, "E"),
        (TaxCategory::NotSubject, "O"),
    ];
    for (category, code) in kinds {
        let priced = priced(&document([
            line("1", "1", "100", Tax::none("VAT", category, "art. 196")),
            line("2", "1", "50", Tax::none("VAT", category, "art. 44")),
        ]));
        assert_eq!(totals(&priced), [15_000, 0, 15_000, 15_000], "{code}");
        let [group] = priced.groups.as_slice() else { panic!("{code} has more than one group") };
        assert_eq!(group.key.category.code(), code);
        let reasons: Vec<&str> = group.reasons.iter().map(|reason| &**reason).collect();
        assert_eq!(reasons, ["art. 196", "art. 44"], "BR-E-01 and its like want one group");
    }
}

#[test]
fn zero_rated_lines_stand_in_a_group_of_their_own() {
    let zero = Tax::new("VAT", TaxCategory::Zero, Percent::ZERO);
    let priced = priced(&document([line("1", "1", "10", vat("20")), line("2", "1", "7", zero)]));

    let groups: Vec<_> =
        priced.groups.iter().map(|group| (group.key.category.code(), group.basis.0, group.tax.0)).collect();
    assert_eq!(groups, [("S", 1_000, 200), ("Z", 700, 0)]);
}

#[test]
fn yen_have_no_decimals_and_dinars_three() {
    for (code, unit_price, expected) in [
        ("JPY", "333.5", [1_001, 100, 1_101]),
        ("KWD", "0.3335", [1_001, 100, 1_101]),
        ("EUR", "3.335", [1_001, 100, 1_101]),
    ] {
        let invoice =
            Document { lines: vec![line("1", "3", unit_price, vat("10"))], ..Document::new(currency(code)) };
        assert_eq!(totals(&priced(&invoice))[..3], expected, "{code}");
    }
}

/// Swiss cash has no coin below five; the difference is BT-114.
#[test]
fn what_is_due_is_rounded_to_what_can_be_paid() {
    let mut invoice =
        Document { lines: vec![line("1", "1", "9.98", vat("8.1"))], ..Document::new(currency("CHF")) };
    invoice.smallest_payment = Minor(5);
    let priced = priced(&invoice);

    assert_eq!(totals(&priced), [998, 81, 1_079, 1_080]);
    assert_eq!(priced.totals.rounding, Minor(1));
}

/// The trace says which rule made each amount, so that somebody can follow it with a pencil.
#[test]
fn the_trace_leads_from_the_price_to_what_is_due() {
    let mut invoice = Document { lines: vec![line("1", "3", "19.99", vat("21"))], ..Document::new(euro()) };
    invoice.lines[0].adjustments.push(Adjustment::discount(Value::Percent(percent("10")), "friend"));
    let trace = priced(&invoice).trace;

    assert_eq!(
        trace.sentences(),
        [
            "line 1: quantity times price, rounded once: quantity 3, price 19.99, per 1 = 59.97 EUR",
            "line 1: discount of the line: of 59.97 EUR, value 10 %, reason \"friend\" = -6.00 EUR",
            "VAT S 21 %: tax on the net amount, rounded once (EN 16931, BR-CO-17): net 53.97 EUR, rate 21 % = 11.33 EUR",
            "line 1, VAT S 21 %: share of the tax, by the largest remainder: tax 11.33 EUR = 11.33 EUR",
            "document: sum of the lines' net amounts (BR-CO-10) = 53.97 EUR",
            "document: sum of the document's discounts (BR-CO-11) = 0.00 EUR",
            "document: sum of the document's charges (BR-CO-12) = 0.00 EUR",
            "document: lines less discounts plus charges (BR-CO-13): lines 53.97 EUR, discounts 0.00 EUR, charges 0.00 EUR = 53.97 EUR",
            "document: sum of the taxes of all groups (BR-CO-14) = 11.33 EUR",
            "document: net plus tax (BR-CO-15): net 53.97 EUR, tax 11.33 EUR = 65.30 EUR",
            "document: gross less what is withheld and prepaid, plus rounding (BR-CO-16): gross 65.30 EUR, withheld 0.00 EUR, prepaid 0.00 EUR, rounding 0.00 EUR = 65.30 EUR",
        ]
    );
    let json = serde_json::to_value(&trace.steps[0]).expect("it is JSON");
    assert_eq!(json["rule"], "LINE_AMOUNT");
    assert_eq!(json["output"]["money"], 5_997);
    assert_eq!(json["inputs"][1], serde_json::json!({ "name": "price", "value": { "price": "19.99" } }));
    assert_eq!(price("19.99").to_string(), "19.99");
}
