//! Taxes of invoices: by the day of supply, within the price, and withheld.

use tonic::Code;
use tonic_types::StatusExt as _;
use trato_proto::billing::v1::{Invoice, TaxCode, invoice::Line, tax_code::Category};

use crate::harness::{Billing, date, eur, field, rate, vat, violations};

/// DOC-06, XTR-05: the rate of the day of supply holds; on a day without one nothing is recorded.
#[tokio::test]
async fn the_rate_of_the_day_of_supply_holds() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let on = |day| Invoice { supply_date: day, ..desk.invoice(vec![desk.line("1", "1", "100")]) };

    for (day, tax) in [(date(2012, 8, 31), eur("18.00")), (date(2012, 9, 1), eur("21.00"))] {
        let draft = billing.create_invoice(on(day)).await.expect("a draft");
        assert_eq!((draft.totals.expect("totals").tax, draft.supply_date), (tax, day));
    }
    let status = billing.create_invoice(on(date(2010, 6, 30))).await.expect_err("there is no rate");

    let info = status.get_details_error_info().expect("a reason");
    assert_eq!((status.code(), info.reason.as_str()), (Code::FailedPrecondition, "TAX_RATE_NOT_FOUND"));
    assert_eq!(info.metadata["field"], "invoice.lines[0].tax_codes[0]");
    assert_eq!(billing.invoices_of("").await.len(), 2);
}

/// DOC-06: prices that include the tax do not change by it, and what the buyer withholds lessens what is due.
#[tokio::test]
async fn taxes_can_be_within_the_price_and_something_withheld() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let withholding = TaxCode {
        tax: "IRPF".into(),
        category: Category::Withholding.into(),
        rates: vec![rate("15", date(2015, 7, 12), None)],
        inclusive_allowed: false,
        ..vat("ES-IRPF")
    };
    let withholding = billing.create_tax_code(withholding).await.expect("a tax code").name;
    let mut line = desk.line("1", "1", "121");
    line.tax_codes.push(withholding);

    let invoice = Invoice { tax_inclusive: true, ..desk.invoice(vec![line]) };
    let draft = billing.create_invoice(invoice).await.expect("a draft");

    let totals = draft.totals.expect("totals");
    assert_eq!((totals.gross, totals.net, totals.tax), (eur("121.00"), eur("100.00"), eur("21.00")));
    assert_eq!((totals.withheld, totals.due), (eur("15.00"), eur("106.00")));
    let shares: Vec<_> = draft.lines[0].taxes.iter().map(|tax| tax.amount.clone()).collect();
    assert_eq!(shares, [eur("21.00"), eur("15.00")]);
}

/// A refusal names the tax code that the client sent, whatever stands before it.
#[tokio::test]
async fn a_tax_that_stands_twice_is_named_by_its_place() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let withholding = TaxCode {
        category: Category::Withholding.into(),
        rates: vec![rate("15", date(2015, 7, 12), None)],
        inclusive_allowed: false,
        ..vat("ES-IRPF")
    };
    let withholding = billing.create_tax_code(withholding).await.expect("a tax code").name;
    let twin = billing.create_tax_code(vat("ES-S2")).await.expect("a tax code").name;
    let tax_codes = vec![withholding, desk.tax_code.name.clone(), twin];
    let line = Line { tax_codes, ..desk.line("1", "1", "100") };

    let twice = billing.create_invoice(desk.invoice(vec![line])).await;

    assert_eq!(violations(twice), [field("invoice.lines[0].tax_codes[2]", "DUPLICATE_TAX")]);
}
