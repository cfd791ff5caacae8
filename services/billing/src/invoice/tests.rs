//! Rules of invoices that need no database: verbs, and the chain.

use trato_proto::billing::v1 as pb;
use trato_types::{Date, Id, Minor};
use uuid::Uuid;

use super::{
    model::{Invoice, InvoiceError, State},
    parse::parse,
};
use crate::{
    chain::{Chained as _, Fault, Hash, Walk},
    number_series::Place,
};

const ID: Uuid = Uuid::from_u128(7);

fn draft() -> Invoice {
    let name = |collection: &str, number: u128| format!("{collection}/{}", Uuid::from_u128(number));
    let line = pb::invoice::Line {
        key: "1".into(),
        description: "Coffee machine".into(),
        quantity: "2".into(),
        unit_price: "1250.5".into(),
        tax_codes: vec![name("taxCodes", 3)],
        ..Default::default()
    };
    let message = pb::Invoice {
        account: name("accounts", 1),
        legal_entity: name("legalEntities", 2),
        currency_code: "EUR".into(),
        bill_to: Some(pb::invoice::Party { display_name: "Hotel Miramar".into(), ..Default::default() }),
        lines: vec![line],
        ..Default::default()
    };
    parse(&message).expect("a draft")
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

/// An invoice of this place in the series, chained to `previous`.
fn issued(ordinal: i64, previous: Hash) -> (Uuid, Invoice) {
    let mut invoice = draft();
    let place = Place {
        number_series: Id::from_uuid(Uuid::from_u128(4)),
        period: "2026".into(),
        ordinal,
        number: format!("F2026-{ordinal}"),
        issue_date: day("2026-11-30"),
    };
    invoice.issue(place, day("2026-12-30")).expect("a draft is issued");
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
    let mut walk = Walk::from(1);
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

    assert_eq!(text, "9bf97c0059f9e1db8751e2323f091ec2dd987ecdf544f8c622d33a8c357b9517");
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
