//! Documents that mean harm, or nothing: clear errors and bounded work.

use std::time::{Duration, Instant};

use trato_types::{Error, Minor};

use super::{checked, parse, simple, written};
use crate::{EInvoice, Invoice, Line};

/// Reads it in the syntax that its root is of.
fn read(document: &[u8]) -> Result<EInvoice, Error> {
    let head = String::from_utf8_lossy(&document[..document.len().min(1_000)]);
    let is_cii = head.contains("<rsm:CrossIndustryInvoice");
    if is_cii { EInvoice::from_cii(document) } else { EInvoice::from_ubl(document) }
}

fn reason_of(document: &[u8]) -> &'static str {
    read(document).expect_err("it is refused").reason()
}

/// What both syntaxes say of a change to the text; it has to change something.
fn reasons_of(change: impl Fn(&str) -> String) -> [&'static str; 2] {
    written(&checked(simple())).map(|document| {
        let changed = change(&document);
        assert_ne!(changed, document);
        reason_of(changed.as_bytes())
    })
}

/// The document with something before its root.
fn with_prolog(document: &str, prolog: &str) -> String {
    document.replacen("?>", &format!("?>\n{prolog}"), 1)
}

/// XTR-05: XML with entities is refused before anything is expanded.
#[test]
fn a_document_type_is_refused_before_it_is_looked_at() {
    let laughs: String =
        (1..10).map(|at| format!("<!ENTITY l{at} \"{}\">", format!("&l{};", at - 1).repeat(10))).collect();
    let laughs = format!("<!DOCTYPE lolz [<!ENTITY l0 \"lol\">{laughs}]>");
    let external = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">";
    let parameter = "<!DOCTYPE x [<!ENTITY % p SYSTEM \"http://127.0.0.1/\"> %p;]>";
    let begun = Instant::now();
    for prolog in [laughs.as_str(), external, parameter, "<!DOCTYPE x>"] {
        let used = |document: &str| with_prolog(document, prolog).replace("Consulting", "&l9;");
        assert_eq!(reasons_of(used), ["DTD_NOT_ALLOWED"; 2], "{prolog:.40}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    for entity in ["&xxe;", "&nbsp;", "&l9;"] {
        assert_eq!(reasons_of(|document| document.replace("Consulting", entity)), ["UNKNOWN_ENTITY"; 2]);
    }
    assert_eq!(reasons_of(|document| document.replace("Consulting", "&#0;")), ["XML_MALFORMED"; 2]);
    assert_eq!(reasons_of(|document| document.replace("Consulting", "&#x1;")), ["CONTROL_CHARACTER"; 2]);
    assert_eq!(reasons_of(|document| document.replace("Consulting", "a & b")), ["XML_MALFORMED"; 2]);
}

#[test]
fn what_is_cut_anywhere_is_refused() {
    for document in written(&checked(simple())) {
        let whole = document.trim_end().len();
        for end in (0..whole).step_by(7).chain([whole / 2, whole - 1]) {
            let reason = reason_of(&document.as_bytes()[..end]);
            assert!(["XML_MALFORMED", "DTD_NOT_ALLOWED"].contains(&reason), "{end}: {reason}");
        }
    }
}

#[test]
fn another_namespace_or_root_is_no_invoice() {
    let elsewhere =
        |document: &str| document.replace("Invoice-2", "Invoice-3").replace("Invoice:100", "Invoice:101");
    assert_eq!(
        EInvoice::from_ubl(elsewhere(&written(&checked(simple()))[0]).as_bytes()).expect_err("no").reason(),
        "NOT_AN_INVOICE"
    );
    assert_eq!(
        EInvoice::from_cii(elsewhere(&written(&checked(simple()))[1]).as_bytes()).expect_err("no").reason(),
        "NOT_AN_INVOICE"
    );
    for other in ["<Invoice/>", "<a xmlns=\"urn:x\"/>", "<?xml version=\"1.0\"?><!-- only --><html></html>"] {
        assert_eq!(EInvoice::from_ubl(other.as_bytes()).expect_err("no").reason(), "NOT_AN_INVOICE");
        assert_eq!(EInvoice::from_cii(other.as_bytes()).expect_err("no").reason(), "NOT_AN_INVOICE");
    }
    let [ubl, cii] = written(&checked(simple()));
    assert_eq!(EInvoice::from_ubl(cii.as_bytes()).expect_err("no").reason(), "NOT_AN_INVOICE");
    assert_eq!(EInvoice::from_cii(ubl.as_bytes()).expect_err("no").reason(), "NOT_AN_INVOICE");
    // A line of a credit note in an invoice, and an element of nowhere.
    assert_eq!(
        reason_of(ubl.replace("cac:InvoiceLine", "cac:CreditNoteLine").as_bytes()),
        "ELEMENT_NOT_SUPPORTED"
    );
    let foreign = ubl.replace("<cac:InvoiceLine>", "<x xmlns=\"urn:x\"/><cac:InvoiceLine>");
    assert_eq!(reason_of(foreign.as_bytes()), "ELEMENT_NOT_SUPPORTED");
    assert_eq!(reason_of(ubl.replace("380", "381").as_bytes()), "UNKNOWN_CODE");
    assert_eq!(reason_of(ubl.replace("xmlns:cbc", "xmlns:abc").as_bytes()), "XML_MALFORMED");
}

#[test]
fn elements_twice_missing_or_mixed_with_text_are_named_with_their_line() {
    let [ubl, cii] = written(&checked(simple()));
    for (document, one, field) in [
        (&ubl, "<cbc:ID>F-2026-1</cbc:ID>", "cbc:ID"),
        (&ubl, "<cbc:Name>Consulting</cbc:Name>", "cbc:Name"),
        (&cii, "<ram:ID>F-2026-1</ram:ID>", "ram:ID"),
        (&cii, "<ram:GrandTotalAmount>121.00</ram:GrandTotalAmount>", "ram:GrandTotalAmount"),
    ] {
        let error = read(document.replace(one, &format!("{one}\n{one}")).as_bytes()).expect_err("twice");
        assert_eq!((error.reason(), error.violations()[0].field.as_str()), ("ELEMENT_REPEATED", field));
        assert!(error.violations()[0].description.contains("line "), "{error}");
        assert_eq!(reason_of(document.replace(one, "").as_bytes()), "ELEMENT_MISSING");
        assert_eq!(
            reason_of(document.replace(one, &format!("text{one}")).as_bytes()),
            "ELEMENT_NOT_SUPPORTED"
        );
    }
    let inner = ubl.replace(">Consulting<", "><cbc:Name>Consulting</cbc:Name><");
    assert_eq!(reason_of(inner.as_bytes()), "ELEMENT_NOT_SUPPORTED");
    let twice = ubl.replace("unitCode=\"HUR\"", "unitCode=\"HUR\" unitCode=\"HUR\"");
    assert_eq!(reason_of(twice.as_bytes()), "XML_MALFORMED");
    assert_eq!(reason_of(format!("{ubl}{ubl}").as_bytes()), "XML_MALFORMED");
    assert_eq!(reason_of(format!("{ubl}text").as_bytes()), "XML_MALFORMED");
}

#[test]
fn numbers_and_days_are_read_exactly_or_refused() {
    let huge = "9".repeat(100_000);
    let thirty = format!("121.0{}1", "0".repeat(28));
    for (other, reason) in [
        (huge.as_str(), "AMOUNT_TOO_LARGE"),
        (thirty.as_str(), "AMOUNT_TOO_FINE"),
        ("1.21E2", "NOT_A_DECIMAL"),
        ("121,00", "NOT_A_DECIMAL"),
        ("NaN", "NOT_A_DECIMAL"),
        ("", "NOT_A_DECIMAL"),
        ("-121.00", "INVALID_FIELD"),
    ] {
        assert_eq!(reasons_of(|text| text.replace(">121.00<", &format!(">{other}<"))), [reason; 2]);
    }
    let price = |other: &str| {
        let other = format!(">{other}</");
        reasons_of(|text| text.replace(">100</", &other))
    };
    assert_eq!(price("0.0000001"), ["TOO_MANY_DECIMALS"; 2]);
    assert_eq!(price("-1"), ["NEGATIVE_AMOUNT"; 2]);
    assert_eq!(price(&huge), ["AMOUNT_TOO_LARGE"; 2]);
    for (ubl, cii) in [
        ("2026-02-30", "20260230"),
        ("2026-1-1", "2026011"),
        ("30.11.2026", "3011202x"),
        ("+026-11-30", "+0261130"),
    ] {
        let other = |text: &str| text.replace("2026-11-30", ubl).replace("20261130", cii);
        assert_eq!(reasons_of(other), ["INVALID_DATE"; 2], "{ubl}");
    }
    let [ubl, cii] = written(&checked(simple()));
    assert_eq!(
        reason_of(ubl.replace("currencyID=\"EUR\">121", "currencyID=\"USD\">121").as_bytes()),
        "CURRENCY_UNSUITED"
    );
    assert_eq!(reason_of(cii.replace("format=\"102\"", "format=\"610\"").as_bytes()), "INVALID_DATE");
}

#[test]
fn depth_width_and_size_are_bounded() {
    let begun = Instant::now();
    let deep = format!("{}{}", "<a>".repeat(1_000_000), "</a>".repeat(1_000_000));
    assert_eq!(reason_of(deep.as_bytes()), "XML_TOO_DEEP");
    let wide = format!("<a>{}</a>", "<b/>".repeat(2_000_000));
    assert_eq!(reason_of(wide.as_bytes()), "DOCUMENT_TOO_LARGE");
    let attributes: String = (0..200_000).map(|at| format!(" a{at}=\"\"")).collect();
    assert_eq!(reason_of(format!("<a{attributes}/>").as_bytes()), "DOCUMENT_TOO_LARGE");
    let spaces: String = (0..200_000).map(|at| format!(" xmlns:a{at}=\"u\"")).collect();
    assert_eq!(reason_of(format!("<a{spaces}/>").as_bytes()), "XML_MALFORMED");
    assert_eq!(reason_of(&vec![b' '; (64 << 20) + 1]), "DOCUMENT_TOO_LARGE");
    let long = |document: &str| document.replace("Consulting", &"x".repeat(1_000_000));
    assert_eq!(reasons_of(long), ["TOO_LONG"; 2]);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn another_encoding_is_refused() {
    let [ubl, _] = written(&checked(simple()));
    assert_eq!(reason_of(ubl.replace("UTF-8", "ISO-8859-1").as_bytes()), "NOT_UTF8");
    assert_eq!(reason_of(ubl.replace("version=\"1.0\"", "version=\"1.1\"").as_bytes()), "NOT_UTF8");
    assert_eq!(reason_of(b"<a>\xFF</a>"), "NOT_UTF8");
    let wide: Vec<u8> = ubl.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(reason_of(&wide), "XML_MALFORMED");
    assert_eq!(reason_of(b""), "XML_MALFORMED");
    assert_eq!(reason_of(b"\0"), "XML_MALFORMED");
}

fn with_lines(number: usize) -> Invoice {
    let mut invoice = simple();
    let line = invoice.lines.remove(0);
    invoice.lines = (1..=number)
        .map(|at| Line { number: parse(&at.to_string()), net: Minor(100), ..line.clone() })
        .collect();
    let net = 100 * i64::try_from(number).expect("it is small");
    let (tax, gross) = (Minor(net * 21 / 100), Minor(net * 121 / 100));
    (invoice.taxes[0].basis, invoice.taxes[0].tax) = (Minor(net), tax);
    (invoice.totals.lines, invoice.totals.net, invoice.totals.tax) = (Minor(net), Minor(net), tax);
    (invoice.totals.gross, invoice.totals.due) = (gross, gross);
    invoice
}

/// XTR-05: ten thousand lines are written and read; one more is refused.
#[test]
fn ten_thousand_lines_are_written_and_read_like_ten() {
    let invoice = checked(with_lines(10_000));
    let ubl = invoice.to_ubl().expect("it is written");
    assert_eq!(EInvoice::from_ubl(&ubl).expect("it is read"), invoice);
    let cii = invoice.to_cii().expect("it is written");
    assert_eq!(EInvoice::from_cii(&cii).expect("it is read"), invoice);

    let error = EInvoice::new(with_lines(10_001)).expect_err("there is one too many");
    assert_eq!((error.violations()[0].field.as_str(), error.violations()[0].reason), ("lines", "TOO_MANY"));
}

/// What would not be read again is not written.
#[test]
fn a_document_beyond_the_bounds_is_not_written() {
    let mut invoice = with_lines(10_000);
    let property = (parse("name"), parse("value"));
    for line in &mut invoice.lines {
        line.item.properties = vec![property.clone(); 40];
    }
    let invoice = checked(invoice);
    assert_eq!(invoice.to_ubl().expect_err("it is too large").reason(), "DOCUMENT_TOO_LARGE");
    assert_eq!(invoice.to_cii().expect_err("it is too large").reason(), "DOCUMENT_TOO_LARGE");
}
