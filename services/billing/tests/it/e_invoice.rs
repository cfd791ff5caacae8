//! E-invoices of issued documents: what they say, and what EN 16931 wants that a document does not say.

use tonic::Code;
use tonic_types::StatusExt as _;
use trato_einvoice::{EInvoice, Kind};
use trato_proto::billing::v1::{
    Invoice, LegalEntity, TaxCode,
    invoice::Line,
    rendered_document::{Format, Paper},
    tax_code::Category,
};

use crate::{
    harness::{Billing, Desk, company, date, eur, rate, vat},
    render::{IBAN, address, assert_says, attachment, sale, text},
};

/// XTR-05: the e-invoice says what the document says, in both syntaxes and inside of the PDF.
#[tokio::test]
async fn the_e_invoice_says_what_the_document_says() {
    let billing = Billing::start().await;
    let desk = billing.office().await;
    let draft = billing.create_invoice(sale(&desk)).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");

    let ubl = billing.render(&issued, Format::Ubl, "", Paper::A4).await.expect("UBL");
    let cii = billing.render(&issued, Format::Cii, "", Paper::A4).await.expect("CII");
    let hybrid = billing.render(&issued, Format::PdfHybrid, "es", Paper::A4).await.expect("a PDF");

    assert_eq!((cii.media_type.as_str(), cii.file_name.as_str()), ("application/xml", "F0001.xml"));
    let e_invoice = EInvoice::from_cii(&cii.content).expect("it is CII");
    assert_eq!(EInvoice::from_ubl(&ubl.content).expect("it is UBL"), e_invoice);
    assert_eq!(attachment(&hybrid), cii.content);
    assert_says(&text(&hybrid), &["Factura F0001", "Total 4.519,25 €"]);
    let said = e_invoice.invoice();
    assert_eq!((said.kind, said.number.as_str(), said.lines.len()), (Kind::Invoice, "F0001", 2));
    assert_eq!(
        (said.totals.gross.0, said.totals.due.0, said.totals.allowances.0),
        (451_925, 451_925, 19_658)
    );
    assert_eq!(said.buyer.vat_number.as_ref().map(|number| number.as_str()), Some("FR12345678901"));
    assert_eq!(said.lines[1].unit.as_str(), "HUR");
    assert_eq!(said.lines[1].allowances[0].amount.0, 2_000);
    let means = said.means.as_ref().expect("means of payment");
    assert_eq!((means.code.as_str(), means.accounts[0].number.as_str()), ("58", IBAN));
    let note = said.notes.first().expect("a note").text().as_str();
    assert_eq!(note, "Gracias por su pedido.");
}

/// XTR-05: the numbers by which others know what is invoiced stand on paper and on the e-invoice, where the standard has them.
#[tokio::test]
async fn numbers_of_orders_stand_on_the_invoice() {
    let billing = Billing::start().await;
    let desk = billing.office().await;
    let draft = Invoice {
        buyer_reference: "04011000-12345-34".into(),
        purchase_order: "PO 77".into(),
        sales_order_number: "O1".into(),
        delivery_note_number: "D1".into(),
        ..sale(&desk)
    };
    let draft = billing.create_invoice(draft).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");

    let ubl = billing.render(&issued, Format::Ubl, "", Paper::A4).await.expect("UBL");
    let hybrid = billing.render(&issued, Format::PdfHybrid, "es", Paper::A4).await.expect("a PDF");

    let e_invoice = EInvoice::from_ubl(&ubl.content).expect("it is UBL");
    assert_eq!(EInvoice::from_cii(&attachment(&hybrid)).expect("it is CII"), e_invoice);
    let (said, others) = (e_invoice.invoice(), &e_invoice.invoice().references);
    let numbers = [&said.buyer_reference, &others.order, &others.sales_order, &others.despatch];
    let numbers = numbers.map(|number| number.as_ref().map(|number| number.as_str()));
    assert_eq!(numbers, [Some("04011000-12345-34"), Some("PO 77"), Some("O1"), Some("D1")]);
    assert_says(
        &text(&hybrid),
        &["Su pedido", "PO 77", "Pedido", "O1", "Albarán", "D1", "Referencia", "04011000-12345-34"],
    );
}

/// XTR-05: what EN 16931 wants and the document does not say is named by the terms of the standard, all at once.
#[tokio::test]
async fn what_an_e_invoice_lacks_is_named() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let line = Line { unit: "bags of ten".into(), ..desk.line("1", "1", "100") };
    let draft = billing.create_invoice(desk.invoice(vec![line])).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");

    for format in [Format::Ubl, Format::Cii, Format::PdfHybrid] {
        let status = billing.render(&issued, format, "", Paper::A4).await.expect_err("it is refused");
        let info = status.get_details_error_info().expect("it has a reason");
        assert_eq!((status.code(), info.reason.as_str()), (Code::FailedPrecondition, "E_INVOICE_INCOMPLETE"));
        let missing = info.metadata.get("missing").expect("it says what");
        for part in [
            "BR-09 legal_entity.address.country_code",
            "BR-11 bill_to.address.country_code",
            "BT-130 lines[0].unit",
        ] {
            assert!(missing.contains(part), "{part} is not in {missing}");
        }
    }
    billing.pdf(&issued, "en").await;
}

/// XTR-05: who is known by no number for taxes cannot make out an e-invoice with taxes; the rule is named.
#[tokio::test]
async fn rules_of_the_standard_are_named() {
    let billing = Billing::start().await;
    let entity =
        LegalEntity { address: address("Calle Mayor 1", "28013", "Madrid", "ES"), ..company("Hispania") };
    let legal_entity = billing.create_legal_entity(entity).await.expect("a legal entity");
    let series = billing.series(&legal_entity, "F").await;
    let tax_code = billing.create_tax_code(vat("ES-S")).await.expect("a tax code");
    let account = billing.account().await;
    let desk = Desk { account, legal_entity, series, tax_code };
    let draft = billing.create_invoice(sale(&desk)).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");

    let status = billing.render(&issued, Format::Cii, "", Paper::A4).await.expect_err("it is refused");

    let info = status.get_details_error_info().expect("it has a reason");
    assert_eq!(info.reason, "E_INVOICE_INCOMPLETE");
    let missing = &info.metadata["missing"];
    assert!(
        missing.contains("BR-CO-26 seller") && missing.contains("BR-S-02 seller.vat_number"),
        "{missing}"
    );
}

/// XTR-05: prices that include the tax and a withholding stay what they are; what is withheld counts as paid.
#[tokio::test]
async fn included_taxes_and_withholdings_have_their_place() {
    let billing = Billing::start().await;
    let desk = billing.office().await;
    let irpf = TaxCode {
        tax: "IRPF".into(),
        category: Category::Withholding.into(),
        rates: vec![rate("15", date(2015, 7, 12), None)],
        inclusive_allowed: false,
        ..vat("ES-IRPF")
    };
    let irpf = billing.create_tax_code(irpf).await.expect("a tax code");
    let mut line = desk.line("1", "1", "121");
    line.tax_codes.push(irpf.name);
    let draft = Invoice { lines: vec![line], discounts: Vec::new(), tax_inclusive: true, ..sale(&desk) };
    let draft = billing.create_invoice(draft).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");

    let pdf = billing.render(&issued, Format::PdfHybrid, "es", Paper::A4).await.expect("a PDF");

    let totals = issued.totals.as_ref().expect("totals");
    assert_eq!((&totals.withheld, &totals.due), (&eur("15.00"), &eur("106.00")));
    assert_says(
        &text(&pdf),
        &[
            "Total 121,00 €",
            "IVA 21 % sobre 100,00, incluido 21,00",
            "Retención IRPF 15 % −15,00",
            "Importe a pagar 106,00 €",
            "Le rogamos que abone 106,00 €",
        ],
    );
    let e_invoice = EInvoice::from_cii(&attachment(&pdf)).expect("it is CII");
    let said = &e_invoice.invoice().totals;
    assert_eq!((said.net.0, said.gross.0, said.prepaid.0, said.due.0), (10_000, 12_100, 1_500, 10_600));
}
