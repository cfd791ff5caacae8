//! Words, numbers and days of each language.

use trato_types::{Minor, error::FieldError as _};

use super::{currency, day};
use crate::{Language, PaperError, Word};

const ENGLISH: Language = Language::English;
const AMERICAN: Language = Language::AmericanEnglish;
const SPANISH: Language = Language::Spanish;

#[test]
fn amounts_have_the_decimals_of_their_currency_and_the_marks_of_the_language() {
    let cases = [
        (123_456_789, "EUR", "1,234,567.89", "1.234.567,89"),
        (-5, "EUR", "\u{2212}0.05", "\u{2212}0,05"),
        (1_234_567, "JPY", "1,234,567", "1.234.567"),
        (0, "JPY", "0", "0"),
        (1_234_567, "KWD", "1,234.567", "1.234,567"),
        (i64::MIN, "EUR", "\u{2212}92,233,720,368,547,758.08", "\u{2212}92.233.720.368.547.758,08"),
    ];
    for (amount, code, english, spanish) in cases {
        assert_eq!(ENGLISH.amount(Minor(amount), currency(code)), english);
        assert_eq!(SPANISH.amount(Minor(amount), currency(code)), spanish);
    }
}

#[test]
fn a_currency_stands_where_the_language_has_it() {
    let money = |language: Language, amount, code| language.money(Minor(amount), currency(code));
    assert_eq!(money(ENGLISH, 123_456, "EUR"), "€1,234.56");
    assert_eq!(money(SPANISH, 123_456, "EUR"), "1.234,56\u{A0}€");
    assert_eq!(money(AMERICAN, -123_456, "USD"), "\u{2212}$1,234.56");
    assert_eq!(money(ENGLISH, 1_234, "JPY"), "JPY\u{A0}1,234");
    assert_eq!(money(SPANISH, 1_234, "KWD"), "1,234\u{A0}KWD");
}

#[test]
fn prices_and_quantities_keep_their_decimals() {
    assert_eq!(ENGLISH.price("1250.5", currency("EUR")), "1,250.50");
    assert_eq!(SPANISH.price("9.995", currency("EUR")), "9,995");
    assert_eq!(SPANISH.price("1000", currency("JPY")), "1.000");
    assert_eq!(ENGLISH.decimal("1000000.000001"), "1,000,000.000001");
    assert_eq!(SPANISH.percent("5.2"), "5,2\u{A0}%");
    for text in ["", "-", ".5", "1.2.3", "1e5", "twelve"] {
        assert_eq!(ENGLISH.decimal(text), text, "what is no number stays as it is");
    }
}

#[test]
fn days_are_written_as_people_write_them() {
    let date = day(2026, 3, 9);
    assert_eq!(ENGLISH.date(date), "9 March 2026");
    assert_eq!(AMERICAN.date(date), "March 9, 2026");
    assert_eq!(SPANISH.date(date), "09/03/2026");
}

#[test]
fn a_language_is_known_by_its_tag() {
    for language in [ENGLISH, AMERICAN, SPANISH] {
        assert_eq!(language.tag().parse::<Language>(), Ok(language));
    }
    for tag in ["", "EN", "es-MX", "de"] {
        assert_eq!(tag.parse::<Language>(), Err(PaperError::UnknownLanguage), "{tag:?}");
    }
    assert_eq!(PaperError::UnknownLanguage.reason(), "UNKNOWN_LANGUAGE");
}

#[test]
fn sentences_have_their_parts_in_order() {
    assert_eq!(SPANISH.sentence(Word::Page, &["2", "3"]), "Página 2 de 3");
    assert_eq!(ENGLISH.sentence(Word::Page, &["2"]), "Page 2 of ");
    assert_eq!((SPANISH.tax("VAT"), SPANISH.tax("IGIC")), ("IVA".to_owned(), "IGIC".to_owned()));
    assert_eq!((SPANISH.country("FR"), SPANISH.country("KI")), ("Francia".to_owned(), "KI".to_owned()));
}
