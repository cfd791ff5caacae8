//! Documents as they stand on the page, and documents as others write them.

use trato_types::Minor;

use super::{checked, day, parse, simple, written};
use crate::{EInvoice, Kind, Means};

/// XTR-05: the same invoice has the same bytes, in the order of the schemas.
#[test]
fn an_invoice_reads_like_this() {
    let [ubl, cii] = written(&checked(simple()));
    assert!(ubl.starts_with(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Invoice xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2\" \
         xmlns:cac=\"urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2\" \
         xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2\">\n \
         <cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>\n \
         <cbc:ID>F-2026-1</cbc:ID>\n \
         <cbc:IssueDate>2026-11-30</cbc:IssueDate>\n \
         <cbc:DueDate>2026-12-30</cbc:DueDate>\n \
         <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>\n \
         <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>\n \
         <cac:AccountingSupplierParty>\n"
    ));
    assert!(ubl.ends_with("</Invoice>\n"));
    assert!(cii.contains(
        "   <ram:SpecifiedTradeSettlementHeaderMonetarySummation>\n    \
         <ram:LineTotalAmount>100.00</ram:LineTotalAmount>\n    \
         <ram:TaxBasisTotalAmount>100.00</ram:TaxBasisTotalAmount>\n    \
         <ram:TaxTotalAmount currencyID=\"EUR\">21.00</ram:TaxTotalAmount>\n    \
         <ram:GrandTotalAmount>121.00</ram:GrandTotalAmount>\n    \
         <ram:DuePayableAmount>121.00</ram:DuePayableAmount>\n   \
         </ram:SpecifiedTradeSettlementHeaderMonetarySummation>\n"
    ));
    assert_eq!(written(&checked(simple())), [ubl, cii]);
}

/// XTR-05: a credit note is a document of its own in UBL, and keeps the day it is due with its means of payment.
#[test]
fn a_credit_note_is_one_in_both_syntaxes() {
    let mut note = simple();
    note.kind = Kind::CreditNote;
    note.preceding = vec![crate::Preceding { number: parse("F-2026-0"), issued: Some(day(2026, 10, 1)) }];
    let note = checked(note);
    let [ubl, cii] = written(&note);

    for part in
        ["<CreditNote ", "<cbc:CreditNoteTypeCode>381<", "<cac:CreditNoteLine>", "<cbc:CreditedQuantity "]
    {
        assert!(ubl.contains(part), "{part}");
    }
    assert!(ubl.contains("<cbc:PaymentDueDate>2026-12-30<") && !ubl.contains("<cbc:DueDate>"));
    assert!(!ubl.contains("Invoiced") && !ubl.contains("InvoiceLine"));
    assert!(cii.contains("<ram:TypeCode>381<") && cii.contains("<ram:IssuerAssignedID>F-2026-0<"));
    assert_eq!(EInvoice::from_ubl(ubl.as_bytes()).expect("it is read"), note);
}

/// Prefixes, comments, CDATA, references, white space, byte order mark and attributes of others change nothing.
#[test]
fn the_same_document_in_anothers_hand_is_the_same() {
    let invoice = checked(simple());
    let [ubl, cii] = written(&invoice);
    let other = ubl
        .replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "\u{FEFF}<?xml version='1.0' encoding='utf-8' standalone='yes'?><?style x?>")
        .replace("<Invoice xmlns=", "<u:Invoice xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='a b' xmlns:u=")
        .replace("</Invoice>", "</u:Invoice><!-- end -->")
        .replace("cac:", "x:")
        .replace("xmlns:cac", "xmlns:x")
        .replace(">Consulting<", "> <![CDATA[Con]]>s<!-- - -->&#117;l&#x74;ing\n<")
        .replace("<cbc:ID>F-2026-1</cbc:ID>", "<cbc:ID schemeAgencyID='6'>\r\n F-2026-1</cbc:ID >")
        .replace(">380<", " listID='UNCL1001'>380<")
        .replace(">121.00<", ">+121.000<")
        .replace('\n', "\r\n");
    assert_eq!(EInvoice::from_ubl(other.as_bytes()).expect("it is read"), invoice);

    let other = cii.replace("ram:", "").replace("xmlns:ram", "xmlns").replace(">121.00<", ">121.<");
    assert_eq!(EInvoice::from_cii(other.as_bytes()).expect("it is read"), invoice);
}

/// What both syntaxes say in several places agrees.
#[test]
fn places_that_contradict_each_other_are_refused() {
    let mut invoice = simple();
    let account = invoice.means.as_ref().expect("it has means").accounts[0].clone();
    let mut means = Means::new(parse("58"));
    means.accounts = vec![account.clone(), account];
    invoice.means = Some(means);
    let [ubl, cii] = written(&checked(invoice));
    let reason = |error: trato_types::Error| error.reason();
    let other = ubl.replacen(">58<", ">30<", 1);
    assert_eq!(EInvoice::from_ubl(other.as_bytes()).map_err(reason), Err("CONTRADICTORY"));
    let other = cii.replacen(">58<", ">30<", 1);
    assert_eq!(EInvoice::from_cii(other.as_bytes()).map_err(reason), Err("CONTRADICTORY"));
    let due =
        "<cbc:PaymentMeansCode>58</cbc:PaymentMeansCode><cbc:PaymentDueDate>2027-01-01</cbc:PaymentDueDate>";
    let other = ubl.replace("<cbc:PaymentMeansCode>58</cbc:PaymentMeansCode>", due);
    assert_eq!(EInvoice::from_ubl(other.as_bytes()).map_err(reason), Err("CONTRADICTORY"));
}

/// Rules are kept by what is read, too.
#[test]
fn a_document_that_breaks_a_rule_is_refused_with_all_that_is_wrong() {
    let [ubl, _] = written(&checked(simple()));
    let other =
        ubl.replace(">121.00<", ">121.01<").replace("<cbc:DueDate>2026-12-30", "<cbc:DueDate>2026-11-01");
    let error = EInvoice::from_ubl(other.as_bytes()).expect_err("it is wrong");
    let faults: Vec<_> =
        error.violations().iter().map(|fault| (fault.field.as_str(), fault.reason)).collect();
    assert_eq!(faults, [("due", "DUE_BEFORE_ISSUE"), ("totals.gross", "SUM_DIFFERS")]);
}

/// Yen have no decimals, and amounts below zero have a sign.
#[test]
fn amounts_have_the_decimals_of_their_currency() {
    let mut invoice = simple();
    invoice.currency = super::currency("JPY");
    invoice.kind = Kind::Corrected;
    invoice.lines[0].quantity = parse("-1");
    let turned = |amount: &mut Minor| amount.0 = -amount.0;
    turned(&mut invoice.lines[0].net);
    turned(&mut invoice.taxes[0].basis);
    turned(&mut invoice.taxes[0].tax);
    for amount in [
        &mut invoice.totals.lines,
        &mut invoice.totals.net,
        &mut invoice.totals.tax,
        &mut invoice.totals.gross,
        &mut invoice.totals.due,
    ] {
        turned(amount);
    }
    let invoice = checked(invoice);
    let [ubl, cii] = written(&invoice);
    assert!(ubl.contains("<cbc:PayableAmount currencyID=\"JPY\">-12100<"));
    assert!(cii.contains("<ram:DuePayableAmount>-12100<"));
    assert_eq!(EInvoice::from_cii(cii.as_bytes()).expect("it is read"), invoice);
}
