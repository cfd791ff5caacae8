//! What is written is valid, and what is not valid is refused.

use std::collections::BTreeSet;

use trato_einvoice::{EInvoice, Kind};

use super::{
    published::{Fault, validate},
    samples::{STANDARD, plain, samples},
};

/// XTR-05: e-invoices of every kind and tax category are valid by the published schemas of both syntaxes, and the rules of
/// EN 16931 have neither an error nor a warning to say of them.
#[tokio::test]
async fn what_is_written_is_valid_by_the_published_schemas_and_rules() {
    let mut documents = Vec::new();
    for (name, invoice) in samples() {
        documents.push((format!("{name}-ubl"), invoice.to_ubl().expect("it is written")));
        documents.push((format!("{name}-cii"), invoice.to_cii().expect("it is written")));
    }
    assert!(documents.len() > 150, "there are only {}", documents.len());

    let mut faults = validate(&documents).await;

    faults.retain(|fault| !is_of_the_form(fault));
    assert!(faults.is_empty(), "{faults:#?}");
}

/// What the rules of Factur-X say of every document that tells nothing of its delivery, which its schema wants an element for
/// all the same, and of every profile but its own.
fn is_of_the_form(fault: &Fault) -> bool {
    let is_empty_delivery = fault.rule == "PEPPOL-EN16931-R008"
        && fault.kind == "warning"
        && fault.text.contains("/*:ApplicableHeaderTradeDelivery[");
    let is_other_profile = fault.rule == "FX-SCH-A-000556"
        && fault.document.ends_with("-xrechnung-cii")
        && fault.text.contains("/*:GuidelineSpecifiedDocumentContextParameter[");
    is_empty_delivery || is_other_profile
}

/// After the first of these texts, the second is replaced by the third.
type Change = (&'static str, &'static str, &'static str);

const SUM: &str = "<ram:SpecifiedTradeSettlementHeaderMonetarySummation>";
const LINE: &str = "<ram:IncludedSupplyChainTradeLineItem>";
const GROUP: &str = "<ram:ApplicableHeaderTradeSettlement>";

/// Rules, our reasons, and changes of the two syntaxes that break them.
const BROKEN: [(&str, &str, Change, Change); 15] = [
    (
        "BR-03",
        "ELEMENT_MISSING",
        ("", "<cbc:IssueDate>2026-11-30</cbc:IssueDate>", ""),
        ("", "<udt:DateTimeString format=\"102\">20261130</udt:DateTimeString>", ""),
    ),
    ("BR-02", "EMPTY", ("", ">F-2026-1<", "><"), ("", ">F-2026-1<", "><")),
    ("BR-27", "NEGATIVE_AMOUNT", ("PriceAmount", ">100<", ">-100<"), (LINE, ">100<", ">-100<")),
    (
        "BR-CO-10",
        "SUM_DIFFERS",
        ("<cac:LegalMonetaryTotal>", ">100.00<", ">100.01<"),
        (SUM, ">100.00<", ">100.01<"),
    ),
    (
        "BR-CO-13",
        "SUM_DIFFERS",
        ("<cbc:TaxExclusiveAmount", ">100.00<", ">99.99<"),
        ("<ram:TaxBasisTotalAmount", ">100.00<", ">99.99<"),
    ),
    (
        "BR-CO-14",
        "SUM_DIFFERS",
        ("<cac:TaxTotal>", ">21.00<", ">21.01<"),
        ("<ram:TaxTotalAmount", ">21.00<", ">21.01<"),
    ),
    (
        "BR-CO-15",
        "SUM_DIFFERS",
        ("<cbc:TaxInclusiveAmount", ">121.00<", ">121.01<"),
        ("<ram:GrandTotalAmount", ">121.00<", ">121.01<"),
    ),
    (
        "BR-CO-16",
        "SUM_DIFFERS",
        ("<cbc:PayableAmount", ">121.00<", ">120.99<"),
        ("<ram:DuePayableAmount", ">121.00<", ">120.99<"),
    ),
    (
        "BR-S-09",
        "TAX_AMOUNT_DIFFERS",
        ("<cac:TaxSubtotal>", ">21.00<", ">22.00<"),
        (GROUP, ">21.00<", ">22.00<"),
    ),
    (
        "BR-S-08",
        "TAX_BASIS_DIFFERS",
        ("<cbc:TaxableAmount", ">100.00<", ">102.00<"),
        (GROUP, ">100.00<", ">102.00<"),
    ),
    ("BR-S-05", "TAX_RATE_UNSUITED", ("<cac:ClassifiedTaxCategory>", ">21<", ">0<"), (LINE, ">21<", ">0<")),
    (
        "BR-CO-04",
        "ELEMENT_MISSING",
        ("<cac:ClassifiedTaxCategory>", "<cbc:ID>S</cbc:ID>", ""),
        (LINE, "<ram:CategoryCode>S</ram:CategoryCode>", ""),
    ),
    (
        "BR-CO-09",
        "INVALID_VAT_NUMBER",
        ("", ">ESB12345678<", ">12345678<"),
        ("", ">ESB12345678<", ">12345678<"),
    ),
    (
        "BR-61",
        "ELEMENT_MISSING",
        ("<cac:PayeeFinancialAccount>", "<cbc:ID>ES9121000418450200051332</cbc:ID>", ""),
        ("", "<ram:IBANID>ES9121000418450200051332</ram:IBANID>", ""),
    ),
    (
        "BR-21",
        "EMPTY",
        ("<cac:InvoiceLine>", ">1<", "><"),
        ("<ram:AssociatedDocumentLineDocument>", ">1<", "><"),
    ),
];

/// The document with one change.
fn change(document: &str, (anchor, from, to): Change) -> String {
    let (head, rest) = document.split_at(document.find(anchor).expect("the anchor is there"));
    assert!(rest.contains(from), "{from} is not after {anchor}");
    format!("{head}{}", rest.replacen(from, to, 1))
}

/// XTR-05: what breaks a rule of EN 16931 is found by those who keep the rules, and is refused here with a reason.
#[tokio::test]
async fn what_the_published_rules_refuse_is_refused_here() {
    let invoice = plain(Kind::Invoice, STANDARD);
    let text = |document: Vec<u8>| String::from_utf8(document).expect("it is UTF-8");
    let (ubl, cii) =
        (text(invoice.to_ubl().expect("it is written")), text(invoice.to_cii().expect("it is written")));
    let mut documents = Vec::new();
    for (rule, reason, in_ubl, in_cii) in BROKEN {
        let (ubl, cii) = (change(&ubl, in_ubl), change(&cii, in_cii));
        for (syntax, document, error) in [
            ("ubl", &ubl, EInvoice::from_ubl(ubl.as_bytes())),
            ("cii", &cii, EInvoice::from_cii(cii.as_bytes())),
        ] {
            let error = error.expect_err(rule);
            let reasons: Vec<_> = error.violations().iter().map(|fault| fault.reason).collect();
            assert!(reasons.contains(&reason), "{rule} in {syntax}: {reasons:?}");
            documents.push((format!("{rule}-{syntax}"), document.clone().into_bytes()));
        }
    }

    let faults = validate(&documents).await;

    let found: BTreeSet<_> = faults
        .iter()
        .filter(|fault| fault.kind != "warning" && fault.document.starts_with(&format!("{}-", fault.rule)))
        .map(|fault| fault.document.as_str())
        .collect();
    let missed: Vec<_> =
        documents.iter().map(|(name, _)| name.as_str()).filter(|name| !found.contains(name)).collect();
    assert!(missed.is_empty(), "the published rules admit {missed:?}: {faults:#?}");
}
