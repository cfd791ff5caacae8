//! Tests of the crate as a whole: rules, documents as others write them, hostile input, and properties of generated
//! documents.

mod documents;
mod generate;
mod hostile;
mod priced;
mod properties;
mod rules;

use std::str::FromStr;

use trato_pricing::{Percent, TaxCategory};
use trato_types::{Currency, Date, Minor};

use crate::{
    Account, Contact, EInvoice, Invoice, Item, Kind, Line, Means, Party, Profile, Seller, TaxGroup, Text,
    Totals, Vat,
};

/// Anything that is read from a text.
pub(crate) fn parse<T: FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is one"))
}

pub(crate) fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("a code")
}

pub(crate) fn day(year: i32, month: u32, day: u32) -> Date {
    Date::from_ymd_opt(year, month, day).expect("a day")
}

pub(crate) fn vat(category: TaxCategory, rate: &str) -> Vat {
    Vat { category, rate: parse::<Percent>(rate) }
}

/// One hour for a hundred euro at 21 %, from Spain to Germany.
pub(crate) fn simple() -> Invoice {
    let standard = vat(TaxCategory::Standard, "21");
    let line = Line::new(
        parse("1"),
        (parse("1"), parse("HUR")),
        (parse("100"), Minor(10_000)),
        standard,
        Item::new(parse("Consulting")),
    );
    let mut seller = Party::new(parse("Trato S.L."), parse("ES"));
    seller.vat_number = Some(parse("ESB12345678"));
    seller.contact = Contact { email: Some(parse("billing@example.com")), ..Contact::default() };
    let mut means = Means::new(parse(Means::SEPA_TRANSFER));
    means.accounts = vec![Account {
        number: crate::AccountNumber::from(parse::<crate::Iban>("ES9121000418450200051332")),
        name: None,
        bank: None,
    }];
    Invoice {
        profile: Profile::EN_16931,
        process: None,
        number: parse("F-2026-1"),
        issued: day(2026, 11, 30),
        kind: Kind::Invoice,
        currency: currency("EUR"),
        declared_tax: None,
        due: Some(day(2026, 12, 30)),
        buyer_reference: None,
        references: crate::References::default(),
        buyer_account: None,
        terms: None,
        notes: Vec::new(),
        preceding: Vec::new(),
        seller: Seller { party: seller, tax_number: None, legal_form: None },
        buyer: Party::new(parse("Muster GmbH"), parse("DE")),
        payee: None,
        representative: None,
        delivery: crate::Delivery::default(),
        period: crate::Period::default(),
        means: Some(means),
        allowances: Vec::new(),
        charges: Vec::new(),
        taxes: vec![TaxGroup {
            vat: standard,
            basis: Minor(10_000),
            tax: Minor(2_100),
            reason: None,
            code: None,
        }],
        totals: Totals {
            lines: Minor(10_000),
            net: Minor(10_000),
            tax: Minor(2_100),
            gross: Minor(12_100),
            due: Minor(12_100),
            ..Totals::default()
        },
        lines: vec![line],
    }
}

/// The invoice in another category, with a reason where that needs one.
pub(crate) fn in_category(category: TaxCategory, rate: &str, tax: i64) -> Invoice {
    let mut invoice = simple();
    let vat = vat(category, rate);
    invoice.lines[0].vat = vat;
    let reason = category.needs_reason().then(|| parse::<Text>("Reason"));
    invoice.taxes[0] = TaxGroup { vat, tax: Minor(tax), reason, ..invoice.taxes[0].clone() };
    let gross = Minor(10_000 + tax);
    invoice.totals = Totals { tax: Minor(tax), gross, due: gross, ..invoice.totals };
    invoice
}

pub(crate) fn checked(invoice: Invoice) -> EInvoice {
    EInvoice::new(invoice).unwrap_or_else(|error| panic!("{error}: {:?}", error.violations()))
}

/// Both syntaxes of a document as text.
pub(crate) fn written(invoice: &EInvoice) -> [String; 2] {
    [invoice.to_ubl(), invoice.to_cii()]
        .map(|document| String::from_utf8(document.expect("it is written")).expect("it is UTF-8"))
}
