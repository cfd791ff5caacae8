//! Rules of invoices that need no database: verbs, and the chain.

use std::sync::Arc;

use trato_pricing::Value;
use trato_proto::{billing::v1 as pb, google::value::Money};
use trato_types::{Address, Currency, Date, Id, Minor};
use uuid::Uuid;

use super::{
    content::{Charge, Left, Lines},
    model::{Invoice, InvoiceError, State},
    parse::parse,
    pricing::Basis,
};
use crate::{
    chain::{Chained as _, Fault, Hash, Walk},
    credit_note,
    legal_entity::{LegalEntity, Seller, TaxRounding},
    number_series::Place,
    tax_code::{Category, TaxCode},
};

const ID: Uuid = Uuid::from_u128(7);

fn name(collection: &str, number: u128) -> String {
    format!("{collection}/{}", Uuid::from_u128(number))
}

fn draft() -> Invoice {
    parse(&message()).expect("a draft")
}

fn message() -> pb::Invoice {
    let line = pb::invoice::Line {
        key: "1".into(),
        description: "Coffee machine".into(),
        quantity: "2".into(),
        unit_price: "1250.5".into(),
        tax_codes: vec![name("taxCodes", 3)],
        ..Default::default()
    };
    pb::Invoice {
        account: name("accounts", 1),
        legal_entity: name("legalEntities", 2),
        currency_code: "EUR".into(),
        bill_to: Some(pb::invoice::Party { display_name: "Hotel Miramar".into(), ..Default::default() }),
        lines: vec![line],
        ..Default::default()
    }
}

fn discount(percent: &str, units: i64) -> pb::invoice::Discount {
    let amount = Money { currency_code: "EUR".into(), units, nanos: 0 };
    let amount = percent.is_empty().then_some(amount);
    pb::invoice::Discount { percent: percent.into(), amount, reason: "Loyalty".into() }
}

fn tax_code(code: &str, category: Category, percent: &str) -> TaxCode {
    let rates = format!(r#"[{{"percent":"{percent}","valid_from":"2012-09-01"}}]"#);
    TaxCode {
        code: code.parse().expect("a code"),
        display_name: code.parse().expect("a name"),
        country_code: "ES".into(),
        tax: if category == Category::Withholding { "IRPF" } else { "VAT" }.parse().expect("a code"),
        category,
        rates: serde_json::from_str(&rates).expect("rates"),
        inclusive_allowed: true,
        legal_note: "Law 37/1992".into(),
    }
}

/// An invoice with all that can stand on one: discounts, three taxes, something withheld, an address.
fn priced() -> Invoice {
    let mut message = message();
    let party = message.bill_to.as_mut().expect("somebody is invoiced");
    party.tax_id = "A87654321".into();
    party.address = Some(pb::Address { locality: "Palma".into(), ..Default::default() });
    message.supply_date = Some(trato_proto::google::value::Date { year: 2026, month: 11, day: 30 });
    message.payment_term = name("paymentTerms", 8);
    message.note = "Thank you".into();
    message.source_document = "orders/9".into();
    message.discounts = vec![discount("", 5)];
    let mut second = message.lines[0].clone();
    second.key = "2".into();
    second.tax_codes = vec![name("taxCodes", 5)];
    let first = &mut message.lines[0];
    first.product = name("products", 6);
    first.discounts = vec![discount("10", 0), discount("", 1)];
    first.tax_codes.push(name("taxCodes", 4));
    message.lines.push(second);
    let tax_codes = [
        (3, tax_code("ES-S", Category::Standard, "21")),
        (4, tax_code("ES-IRPF", Category::Withholding, "15")),
        (5, tax_code("ES-X", Category::Exempt, "0")),
    ];
    let tax_codes = tax_codes.into_iter().map(|(id, code)| (Uuid::from_u128(id), code)).collect();
    let legal_entity = LegalEntity {
        display_name: "Hispania".parse().expect("a name"),
        legal_name: "Hispania S.L.".parse().expect("a name"),
        tax_ids: seller().tax_ids,
        address: Some(address()),
        time_zone: "Europe/Madrid".parse().expect("a zone"),
        base_currency_code: Currency::parse("EUR").expect("a currency"),
        tax_rounding: TaxRounding::Group,
        e_invoice_profile: String::new(),
        iban: String::new(),
        bic: String::new(),
        document_footer: String::new(),
        logo: None,
    };
    let basis = Basis { legal_entity: &legal_entity, tax_codes: &tax_codes, today: day("2026-12-01") };
    let mut invoice = parse(&message).expect("a draft");
    invoice.price(&basis).expect("it has a price");
    invoice.issue(place(1), day("2026-12-30"), legal_entity.seller()).expect("a draft is issued");
    invoice
}

fn place(ordinal: i64) -> Place {
    Place {
        number_series: Id::from_uuid(Uuid::from_u128(4)),
        period: "2026".into(),
        ordinal,
        number: format!("F2026-{ordinal}"),
        issue_date: day("2026-11-30"),
    }
}

fn address() -> Address {
    Address { lines: vec!["Calle Mayor 1".into()], locality: "Madrid".into(), ..Address::default() }
}

fn seller() -> Seller {
    let tax_ids = r#"[{"country_code":"ES","scheme":"NIF","value":"B12345678"}]"#;
    let tax_ids = serde_json::from_str(tax_ids).expect("tax ids");
    Seller {
        legal_name: "Hispania S.L.".into(),
        tax_ids,
        address: Some(address()),
        iban: String::new(),
        bic: String::new(),
        document_footer: String::new(),
        logo: None,
        e_invoice_profile: String::new(),
    }
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

/// An invoice of this place in the series, chained to `previous`.
fn issued(ordinal: i64, previous: Hash) -> (Uuid, Invoice) {
    let mut invoice = draft();
    invoice.issue(place(ordinal), day("2026-12-30"), seller()).expect("a draft is issued");
    invoice.previous_hash = Some(previous);
    invoice.hash = Some(invoice.hash_after(ID, previous).expect("it has a hash"));
    (ID, invoice)
}

fn chain(length: i64) -> Vec<(Uuid, Invoice)> {
    let mut previous = Hash::START;
    let mut chain = Vec::new();
    for ordinal in 1..=length {
        let (id, invoice) = issued(ordinal, previous);
        previous = invoice.hash.expect("it was just made");
        chain.push((id, invoice));
    }
    chain
}

fn follow(chain: &[(Uuid, Invoice)]) -> (i64, Option<Fault>) {
    let mut walk = Walk::from(1, Hash::START);
    for (id, invoice) in chain {
        if let Some(fault) = walk.step(*id, invoice).expect("content is JSON") {
            return (walk.verified, Some(fault));
        }
    }
    (walk.verified, None)
}

/// DOC-06: whoever changes, takes out, swaps or forges an invoice breaks the chain where it was.
#[test]
fn a_chain_breaks_where_it_was_tampered_with() {
    let whole = chain(4);
    assert_eq!(follow(&whole), (4, None));

    let mut changed = whole.clone();
    changed[1].1.gross = Minor(1);
    assert_eq!(follow(&changed), (1, Some(Fault::Changed)));

    let mut swapped = whole.clone();
    swapped.swap(1, 2);
    assert_eq!(follow(&swapped), (1, Some(Fault::Missing)));
    (swapped[1].1.ordinal, swapped[2].1.ordinal) = (Some(2), Some(3));
    assert_eq!(follow(&swapped), (1, Some(Fault::Changed)), "the place is part of what is hashed");

    let mut short = whole.clone();
    short.remove(2);
    assert_eq!(follow(&short), (2, Some(Fault::Missing)));

    let mut forged = whole.clone();
    let previous = forged[1].1.previous_hash.expect("it has one");
    forged[1].1.note = "paid".into();
    forged[1].1.hash = Some(forged[1].1.hash_after(ID, previous).expect("it has a hash"));
    assert_eq!(follow(&forged), (2, Some(Fault::Unchained)));

    let mut bare = whole;
    bare[0].1.hash = None;
    assert_eq!(follow(&bare), (0, Some(Fault::Changed)));
}

/// DOC-06: hashes are kept for ever, so the form of what is hashed is, too.
#[test]
fn the_hash_of_an_invoice_stays_what_it_was() {
    let (_, invoice) = issued(1, Hash::START);

    let text = invoice.hash.expect("it has one").to_string();

    assert_eq!(text, "58baba6d0bc1e11c6e85babcd52f30c7eb7edd906bc80d19784b5a879dc88f09");
}

/// DOC-06: so is the form of everything in it, amounts and taxes among them.
#[test]
fn the_hash_of_a_priced_invoice_stays_what_it_was() {
    let text = priced().hash_after(ID, Hash::START).expect("it has a hash").to_string();

    assert_eq!(text, "b7b094c475e29fab0e5dd4bdcc408c4cf340a9f3b7d2da8ea42ae196d925ef91");
}

/// DOC-06: and that of a credit note.
#[test]
fn the_hash_of_a_credit_note_stays_what_it_was() {
    let message = pb::CreditNote {
        invoice: name("invoices", 7),
        reason: "Came back broken".into(),
        ..Default::default()
    };
    let mut credit_note = credit_note::parse(&message).expect("a draft");
    credit_note.compute(&priced()).expect("something is left");
    credit_note.issue(place(1), seller()).expect("a draft is issued");

    let text = credit_note.hash_after(ID, Hash::START).expect("it has a hash").to_string();

    assert_eq!(credit_note.reasons.0.concat(), [Arc::<str>::from("Law 37/1992")]);
    assert_eq!(text, "22e6e29014764cfb8019e58bd7e31e6a823f5269d9b0125e5be792bf6972d0ae");
}

/// DOC-06: where lines are on both sides of zero, nobody credits what comes to less than nothing; what comes to more is credited.
#[test]
fn less_than_nothing_is_not_credited() {
    let mut invoice = priced();
    let mut left = invoice.left().expect("it is issued");
    let taken_back = &mut left.items[1];
    taken_back.quantity = taken_back.quantity.negated();
    (taken_back.amounts.net, taken_back.amounts.gross) = (Minor(-10_000), Minor(-10_000));
    invoice.balance = Left(Some(left));
    let hundred = Money { currency_code: "EUR".into(), units: 100, nanos: 0 };
    let rest = |key: &str| pb::credit_note::Line { key: key.into(), ..Default::default() };
    let some = pb::credit_note::Line { gross: Some(hundred), ..rest("1") };
    let compute = |lines: Vec<pb::credit_note::Line>| {
        let reason = "Came back broken".into();
        let message = pb::CreditNote { invoice: name("invoices", 7), reason, lines, ..Default::default() };
        credit_note::parse(&message).expect("a draft").compute(&invoice).map(|(credit, _)| credit)
    };

    // Of the hundred that the second one takes from the first, 15 % of the net were withheld.
    for lines in [vec![rest("2")], vec![some, rest("2")]] {
        let refused = compute(lines).expect_err("it is less than nothing");
        let [violation] = refused.violations() else { panic!("{refused:?}") };
        assert_eq!((violation.field.as_str(), violation.reason), ("credit_note.lines", "NEGATIVE_AMOUNT"));
    }
    let all = compute(vec![]).expect("it is more than nothing");
    assert!(all.due > Minor(0) && all.items.len() == 2, "{all:?}");
}

/// DOC-06: lines of before there were charges are read as they are, and written as they were; a charge is part of what is proven.
#[test]
fn lines_without_charges_stay_what_they_were() {
    let mut invoice = priced();
    let hash = |invoice: &Invoice| invoice.hash_after(ID, Hash::START).expect("it has a hash").to_string();
    let (before, stored) = (hash(&invoice), serde_json::to_string(&invoice.lines).expect("it is JSON"));

    let read: Lines = serde_json::from_str(&stored).expect("they are lines");
    let charge = Charge { value: Value::Amount(Minor(0)), reason: "Big drive".into() };
    invoice.lines.0[0].charges.push(charge);

    assert!(!stored.contains(r#""charges""#), "{stored}");
    assert!(read.0.iter().all(|line| line.charges.is_empty()));
    assert_ne!(hash(&invoice), before);
    let again = serde_json::to_string(&invoice.lines).expect("it is JSON");
    assert_eq!(serde_json::from_str::<Lines>(&again).expect("they are lines"), invoice.lines);
}

/// DOC-06: states go one way, and a verb that does not suit changes nothing.
#[test]
fn a_verb_that_does_not_suit_changes_nothing() {
    let now = "2026-11-30T10:00:00Z".parse().expect("an instant");
    let mut invoice = draft();
    let before = invoice.clone();
    assert_eq!(invoice.send(now), Err(InvoiceError::NotIssued));
    assert!(invoice.void("Wrong", now).is_err());
    assert_eq!(invoice, before);

    let (_, mut sent) = issued(1, Hash::START);
    sent.send(now).expect("it is sent");
    let before = sent.clone();
    assert!(sent.void("Wrong", now).is_err() && sent.require_draft().is_err());
    sent.send("2027-01-01T00:00:00Z".parse().expect("an instant")).expect("it is sent already");
    assert_eq!(sent, before);

    let (_, mut void) = issued(1, Hash::START);
    void.void(" Wrong customer ", now).expect("it is void");
    assert_eq!((void.state, void.void_reason.as_str()), (State::Void, "Wrong customer"));
    assert_eq!(void.send(now), Err(InvoiceError::NotIssued));
}
