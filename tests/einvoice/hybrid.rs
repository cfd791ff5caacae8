//! The PDF that carries an e-invoice, read by the library of those who made Factur-X.

use std::{fs, time::Duration};

use tokio::process::Command;
use trato_einvoice::{EInvoice, Kind};
use trato_paper::{Attachment, Document, Issuer, Language, Line, Paper, Recipient, Sum};
use trato_types::{Currency, Date, Minor};

use super::{
    published::{PACKAGES, validate},
    samples::{STANDARD, plain},
};
use crate::harness::python;

/// Takes the file out, checks it by the schema of its profile, and says which flavour and profile the metadata name.
const SCRIPT: &str = include_str!("read_hybrid.py");
const READ: Duration = Duration::from_secs(60);

fn document(paper: Paper, language: Language) -> Document {
    Document {
        kind: trato_paper::Kind::Invoice,
        mark: None,
        number: "F-2026-1".into(),
        date: Date::from_ymd_opt(2026, 11, 30).expect("a day"),
        language,
        paper,
        currency: Currency::parse("EUR").expect("a code"),
        issuer: Issuer { name: "Trato S.L.".into(), ..Issuer::default() },
        recipient: Recipient { name: "Muster GmbH".into(), address: None },
        details: Vec::new(),
        introduction: String::new(),
        lines: vec![Line {
            description: "Consulting".into(),
            quantity: "1".into(),
            unit: "h".into(),
            unit_price: "100".into(),
            price_per: String::new(),
            tax_rates: vec!["21".into()],
            amount: Some(Minor(10_000)),
            remarks: Vec::new(),
        }],
        sums: vec![Sum::Net(Minor(10_000)), Sum::Total(Minor(12_100))],
        payment: None,
        notes: Vec::new(),
        signature: None,
    }
}

/// XTR-05: others find the e-invoice in the PDF, hold it for one of Factur-X by EN 16931, and read what was written.
#[tokio::test]
async fn others_find_the_e_invoice_in_the_pdf() {
    let environment = python::environment("einvoice", &PACKAGES).await;
    let e_invoice = plain(Kind::Invoice, STANDARD);
    let cii = e_invoice.to_cii().expect("it is written");
    for (paper, language) in [(Paper::A4, Language::Spanish), (Paper::Letter, Language::English)] {
        let pdf = document(paper, language).to_hybrid(&Attachment { cii: cii.clone() }).expect("a PDF");
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("in.pdf"), pdf).expect("a file can be written");

        let mut command = Command::new(environment.join("bin/python"));
        let output = python::succeed(command.args(["-c", SCRIPT]).arg(folder.path()), READ).await;

        let said = String::from_utf8(output.stdout).expect("it is UTF-8");
        assert_eq!(said.trim(), "factur-x.xml factur-x en16931 EN 16931 INVOICE");
        let found = fs::read(folder.path().join("out.xml")).expect("the file was taken out");
        assert_eq!(found, cii);
        assert_eq!(EInvoice::from_cii(&found).expect("it is read"), e_invoice);
        let faults = validate(&[("hybrid".to_owned(), found)]).await;
        let faults: Vec<_> = faults.iter().filter(|fault| fault.kind != "warning").collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
