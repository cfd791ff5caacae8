//! What pricing makes is what the standard wants: groups, totals and shares fit without a cent computed anew.

use proptest::{prelude::*, test_runner::RngAlgorithm};
use trato_pricing::{
    Adjustment as Cut, Charge, Document, DocumentDiscount, Line as PricedInput, Prices, Tax, TaxRounding,
    Value,
};
use trato_types::Minor;

use super::{checked, currency, parse, simple};
use crate::{Adjustment, DocumentAdjustment, Invoice, Item, Line, TaxGroup, Totals, Vat};

/// The priced document as an invoice: discounts of the document by tax group, everything else as it is.
fn invoice(document: &Document) -> Invoice {
    let priced = document.price().unwrap_or_else(|error| panic!("{error}"));
    let vat = |tax: &Tax| Vat { category: tax.key.category, rate: tax.key.rate };
    let mut invoice = simple();
    invoice.currency = document.currency;
    let lines = document.lines.iter().zip(&priced.lines).map(|(input, line)| {
        let mut written = Line::new(
            parse(&input.key),
            (line.quantity, parse("C62")),
            (input.unit_price, line.line_net),
            vat(&input.taxes[0]),
            Item::new(parse("Thing")),
        );
        for change in line.adjustments.iter().filter(|change| !change.is_zero()) {
            let list = if *change > Minor(0) { &mut written.charges } else { &mut written.allowances };
            list.push(Adjustment::new(Minor(change.0.abs()), parse("Changed")));
        }
        written
    });
    invoice.lines = lines.collect();
    let charges = document.charges.iter().zip(&priced.charges).map(|(input, charge)| DocumentAdjustment {
        adjustment: Adjustment::new(charge.net, parse("Freight")),
        vat: vat(&input.taxes[0]),
    });
    invoice.charges = charges.collect();
    let of_group =
        |group: &trato_pricing::TaxGroup| Vat { category: group.key.category, rate: group.key.rate };
    let discounts = priced.groups.iter().filter(|group| !group.discounts.is_zero());
    invoice.allowances = discounts
        .map(|group| DocumentAdjustment {
            adjustment: Adjustment::new(group.discounts, parse("Discount")),
            vat: of_group(group),
        })
        .collect();
    let taxes = priced.groups.iter().map(|group| TaxGroup {
        vat: of_group(group),
        basis: group.basis,
        tax: group.tax,
        reason: group.reasons.first().map(|reason| parse(reason)),
        code: None,
    });
    invoice.taxes = taxes.collect();
    let totals = priced.totals;
    invoice.totals = Totals {
        lines: totals.lines,
        allowances: totals.discounts,
        charges: totals.charges,
        net: totals.net,
        tax: totals.tax,
        gross: totals.gross,
        prepaid: totals.prepaid,
        rounding: totals.rounding,
        due: totals.due,
    };
    invoice
}

fn documents() -> impl Strategy<Value = Document> {
    let line = (1..50_i64, 0..100_000_i64, 0..3_usize, (0..=100_i64, 0..10_000_i64));
    let kind = (any::<bool>(), any::<bool>(), any::<bool>(), 0..=100_i64, 0..5_000_i64);
    (kind, prop::collection::vec(line, 1..8)).prop_map(
        |((inclusive, by_line, swiss, discount, freight), lines)| {
            let mut document = Document::new(currency(if swiss { "CHF" } else { "EUR" }));
            document.prices = if inclusive { Prices::TaxInclusive } else { Prices::Net };
            document.tax_rounding = if by_line { TaxRounding::Line } else { TaxRounding::Group };
            document.smallest_payment = Minor(if swiss { 5 } else { 1 });
            let taxes = [
                Tax::new("VAT", trato_pricing::TaxCategory::Standard, parse("21")),
                Tax::new("VAT", trato_pricing::TaxCategory::Standard, parse("7.7")),
                Tax::none("VAT", trato_pricing::TaxCategory::Exempt, "Education"),
            ];
            for (at, (quantity, cents, tax, (cut, surcharge))) in lines.into_iter().enumerate() {
                let price = format!("{}.{:02}", cents / 100, cents % 100);
                let tax = taxes[tax].clone();
                let mut line =
                    PricedInput::new(&at.to_string(), parse(&quantity.to_string()), parse(&price), tax);
                line.adjustments.push(Cut::charge(Value::Amount(Minor(surcharge)), "drive"));
                line.adjustments.push(Cut::discount(Value::Percent(parse(&cut.to_string())), "friend"));
                document.lines.push(line);
            }
            let value = Value::Percent(parse(&discount.to_string()));
            document.discounts.push(DocumentDiscount { value, reason: "spring".into(), lines: Vec::new() });
            document.charges.push(Charge {
                key: "freight".into(),
                value: Value::Amount(Minor(freight)),
                reason: "freight".into(),
                taxes: vec![taxes[0].clone()],
                withheld: Vec::new(),
            });
            document
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::with_cases(1_000) })]

    /// XTR-05: the amounts of a priced document obey every sum and tax rule of the standard.
    #[test]
    fn what_is_priced_is_an_e_invoice(document in documents()) {
        checked(invoice(&document));
    }
}
