//! Documents for the tests, and what is read out of them again.

mod checklist;
mod formats;
mod images;
mod offers;
mod pages;
mod places;
mod properties;
mod reader;

use lopdf::{Document as File, Object};
use trato_types::{Address, Currency, Date, Minor};

use crate::{
    Detail, Document, Issuer, Kind, Language, Line, Logo, Paper, Payment, Recipient, Sum, Value, Word,
};

/// A red square, eight by eight.
pub const PNG: &[u8] = include_bytes!("square.png");
/// The same as JPEG.
pub const JPEG: &[u8] = include_bytes!("square.jpg");

/// A day.
pub fn day(year: i32, month: u32, day: u32) -> Date {
    Date::from_ymd_opt(year, month, day).expect("a day")
}

/// A currency.
pub fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("a code")
}

/// An address.
pub fn address(street: &str, postal_code: &str, locality: &str, country_code: &str) -> Address {
    Address {
        lines: vec![street.into()],
        locality: locality.into(),
        region: String::new(),
        postal_code: postal_code.into(),
        country_code: country_code.into(),
    }
}

/// A line of one euro and 25 cents each.
pub fn line(description: &str) -> Line {
    Line {
        description: description.into(),
        quantity: "12.5".into(),
        unit: "kg".into(),
        unit_price: "1250.5".into(),
        tax_rates: vec!["21".into()],
        amount: Some(Minor(1_563_125)),
        ..Line::default()
    }
}

/// An invoice with these lines.
pub fn invoice(language: Language, paper: Paper, lines: Vec<Line>) -> Document {
    Document {
        kind: Kind::Invoice,
        mark: None,
        number: "F2026-0042".into(),
        date: day(2026, 11, 30),
        language,
        paper,
        currency: currency("EUR"),
        issuer: Issuer {
            name: "Cafés Hispania S.L.".into(),
            address: Some(address("Calle Mayor 1", "28013", "Madrid", "ES")),
            identifiers: vec!["NIF B12345678".into()],
            logo: None,
            footer: "Registro Mercantil de Madrid, tomo 1234, folio 56".into(),
        },
        recipient: Recipient {
            name: "Hôtel Miramar & Söhne".into(),
            address: Some(address("2 rue de l'Église", "64200", "Biarritz", "FR")),
        },
        details: vec![
            Detail { label: Word::Number, value: Value::Text("F2026-0042".into()) },
            Detail { label: Word::Date, value: Value::Date(day(2026, 11, 30)) },
            Detail { label: Word::DueDate, value: Value::Date(day(2026, 12, 30)) },
        ],
        introduction: String::new(),
        lines,
        sums: vec![
            Sum::Lines(Minor(1_563_125)),
            Sum::Discount { percent: "2.5".into(), reason: "spring".into(), amount: Minor(39_078) },
            Sum::Net(Minor(1_524_047)),
            Sum::Tax {
                tax: "VAT".into(),
                percent: "21".into(),
                basis: Minor(1_524_047),
                amount: Minor(320_050),
                included: false,
            },
            Sum::Total(Minor(1_844_097)),
        ],
        payment: Some(Payment {
            amount: Minor(1_844_097),
            due: Some(day(2026, 12, 30)),
            iban: "ES9121000418450200051332".into(),
            bic: "CAIXESBBXXX".into(),
            reference: "F2026-0042".into(),
        }),
        notes: vec!["Ley 37/1992, art. 84: inversión del sujeto pasivo.".into()],
        signature: None,
    }
}

/// The logo of the tests.
pub fn logo() -> Logo {
    Logo::checked("logo", PNG.to_vec()).expect("a logo")
}

/// The file, read by somebody else.
pub fn read(pdf: &[u8]) -> File {
    File::load_mem(pdf).expect("it is a PDF")
}

/// How many pictures are in the file.
pub fn pictures(file: &File) -> usize {
    let streams = file.objects.values().filter_map(|object| object.as_stream().ok());
    let kinds = streams.filter_map(|stream| stream.dict.get(b"Subtype").and_then(Object::as_name).ok());
    kinds.filter(|kind| *kind == b"Image").count()
}

/// What the file says about itself.
pub fn metadata(pdf: &[u8]) -> String {
    let file = read(pdf);
    let id = file.catalog().and_then(|catalog| catalog.get(b"Metadata")).and_then(Object::as_reference);
    let stream = file.get_object(id.expect("metadata")).and_then(Object::as_stream).expect("a stream");
    assert!(stream.dict.get(b"Filter").is_err(), "metadata are readable as they are");
    String::from_utf8(stream.content.clone()).expect("it is UTF-8")
}

/// The text of each page without white space, which is a matter of places and not of text.
pub fn texts(pdf: &[u8]) -> Vec<String> {
    let file = read(pdf);
    let text = |page: u32| bare(&file.extract_text(&[page]).expect("it has text"));
    file.get_pages().into_keys().map(text).collect()
}

/// The text without white space.
pub fn bare(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

/// Says when a text is not there.
pub fn assert_says(text: &str, expected: &[&str]) {
    for part in expected {
        assert!(text.contains(&bare(part)), "{part:?} is not in {text}");
    }
}
