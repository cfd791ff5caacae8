//! What is put on paper of a delivery note, before it is laid out.

use trato_paper::{Language, Mark, Paper, Signature, Value, Word};
use trato_pricing::Quantity;
use trato_types::{Address, Currency, Date, Id, Ref};
use uuid::Uuid;

use super::Printing;
use crate::{
    delivery_note::{DeliveryNote, Line, Lines, State},
    document::Document,
    order::Order,
    parties::{Issuer, Recipient},
};

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn printing() -> Printing {
    let town = |locality: &str| Some(Address { locality: locality.into(), ..Address::default() });
    Printing {
        language: Language::Spanish,
        paper: Paper::A4,
        issuer: Issuer { legal_name: "Hispania S.L.".into(), ..Issuer::default() },
        recipient: Recipient { name: "Miramar".into(), address: town("Biarritz"), ..Recipient::default() },
        logo: None,
    }
}

fn order() -> Order {
    let document = Document::empty(Currency::USD);
    let mut order = Order::draft(Ref::from_uuid(Uuid::from_u128(7)), document);
    order.number = Some("O1".into());
    order.promised_date = Some(day("2026-12-01"));
    order
}

fn delivery_note(serials: &[&str]) -> DeliveryNote {
    let line = Line {
        key: "1".into(),
        order_line: "1".into(),
        quantity: Quantity::whole(2).expect("a quantity"),
        lot: "L7".into(),
        serials: serials.iter().map(|serial| (*serial).to_owned()).collect(),
        good: None,
    };
    DeliveryNote {
        owner: None,
        team: None,
        order_id: Id::from_uuid(Uuid::nil()),
        account: None,
        lines: Lines(vec![line]),
        kits: Default::default(),
        ship_to: None,
        note: String::new(),
        legal_entity: None,
        state: State::Draft,
        number_series: None,
        number: None,
        issue_date: None,
        issue_time: None,
        carrier: String::new(),
        tracking: String::new(),
        dispatch_time: None,
        delivery_time: None,
        proof: None,
        refusals: Default::default(),
        void_time: None,
        void_reason: String::new(),
        parties: None,
    }
}

/// DOC-05: a delivery note names lot and serial numbers, is signed for, and knows no prices.
#[test]
fn a_delivery_note_says_what_comes_and_not_what_it_costs() {
    let printed = printing().delivery_note(&delivery_note(&["a", "b"]), &order(), day("2026-11-30"));

    let line = &printed.lines[0];
    assert_eq!(line.remarks, ["Lote L7", "Números de serie: a, b"]);
    assert_eq!((line.unit_price.as_str(), line.amount, line.tax_rates.len()), ("", None, 0));
    assert!(printed.sums.is_empty() && printed.payment.is_none());
    assert_eq!((printed.signature, printed.mark), (Some(Signature::Receipt), Some(Mark::Draft)));
    let promised = printed.details.iter().find(|detail| detail.label == Word::Promised);
    let promised = promised.map(|detail| detail.value.clone());
    assert!(matches!(promised, Some(Value::Date(date)) if date == day("2026-12-01")), "{promised:?}");
}

/// It goes to where the delivery goes, else to where the customer is; the mark follows the state.
#[test]
fn a_delivery_note_goes_to_its_own_address() {
    let locality = |note: &DeliveryNote| {
        let printed = printing().delivery_note(note, &order(), day("2026-11-30"));
        (printed.recipient.address.map(|address| address.locality), printed.mark)
    };
    let mut note = delivery_note(&[]);
    assert_eq!(locality(&note), (Some("Biarritz".to_owned()), Some(Mark::Draft)));
    note.ship_to = Some(Address { locality: "Errenteria".into(), ..Address::default() });
    for (state, mark) in [
        (State::Issued, None),
        (State::Delivered, None),
        (State::PartlyRefused, None),
        (State::Void, Some(Mark::Void)),
    ] {
        note.state = state;
        assert_eq!(locality(&note), (Some("Errenteria".to_owned()), mark));
    }
}
