//! Codes and numbers whose form is checked once.
//!
//! Lists that grow from year to year (units, reasons, schemes) are checked by the form of their codes, not by their items.

use std::{fmt, str::FromStr};

use celes::Country as KnownCountry;

use crate::EInvoiceError;

/// Whether the document claims or gives back (BT-3, UNTDID 1001).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Commercial invoice, 380.
    Invoice,
    /// Credit note, 381. Its amounts are above zero where they are given back.
    CreditNote,
    /// Corrected invoice, 384. It takes the place of the one before it, or its amounts are below zero.
    Corrected,
}

/// A country of ISO 3166-1 in two letters; `1A` is Kosovo and `XI` Northern Ireland in the lists of EN 16931.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Country([u8; 2]);

/// A VAT number with the country it begins with, without spaces (BT-31, BT-48, BT-63).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct VatNumber(String);

/// An international bank account number, without spaces and with correct check digits.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Iban(String);

/// Unit of a quantity by UN/ECE recommendation 20 or 21: `C62` one, `HUR` hour, `KGM` kilogram.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Unit(Short);

/// Scheme of an identifier of parties, places and goods by ISO 6523: `0088` GLN, `0160` GTIN.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Scheme(Short);

/// Scheme of an electronic address: `EM` e-mail, `0088` GLN, `9930` German VAT number.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct AddressScheme(Short);

/// How is paid (BT-81, UNTDID 4461): `58` SEPA transfer, `59` SEPA direct debit.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct MeansCode(Short);

/// Why something is taken off (UNTDID 5189) or put on (UNTDID 7161): `95` discount, `FC` freight.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReasonCode(Short);

/// What a note is about (BT-21, UNTDID 4451): `AAI` general information.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Subject(Short);

/// List that a classification of goods is of (UNTDID 7143): `STI`, `TST`, `HS`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ClassList(Short);

/// Why no tax is due (BT-121), by the list VATEX: `VATEX-EU-AE`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ExemptionCode(String);

/// Up to four capital letters or digits, filled with zeros.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Short([u8; 4]);

impl Short {
    /// A code of so many capital letters or digits.
    fn parse(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Result<Self, EInvoiceError> {
        let is_code = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !is_code || !lengths.contains(&text.len()) {
            return Err(EInvoiceError::UnknownCode);
        }
        let mut code = [0; 4];
        code.iter_mut().zip(text.bytes()).for_each(|(place, byte)| *place = byte);
        Ok(Self(code))
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }
}

impl fmt::Debug for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Kind {
    /// The code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invoice => "380",
            Self::CreditNote => "381",
            Self::Corrected => "384",
        }
    }
}

impl FromStr for Kind {
    type Err = EInvoiceError;

    fn from_str(text: &str) -> Result<Self, EInvoiceError> {
        let all = [Self::Invoice, Self::CreditNote, Self::Corrected];
        all.into_iter().find(|kind| kind.code() == text).ok_or(EInvoiceError::UnknownCode)
    }
}

impl Country {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Country {
    type Err = EInvoiceError;

    fn from_str(text: &str) -> Result<Self, EInvoiceError> {
        let [first, second] = text.as_bytes() else { return Err(EInvoiceError::InvalidCountry) };
        let is_listed = || {
            // XK is nobody's code but of custom; the lists of the standard call Kosovo 1A.
            KnownCountry::from_alpha2(text).is_ok_and(|country| country.alpha2 == text) && text != "XK"
        };
        if text == "1A" || text == "XI" || is_listed() {
            return Ok(Self([*first, *second]));
        }
        Err(EInvoiceError::InvalidCountry)
    }
}

impl VatNumber {
    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VatNumber {
    type Err = EInvoiceError;

    fn from_str(text: &str) -> Result<Self, EInvoiceError> {
        let number: String = text.chars().filter(|char| *char != ' ').collect();
        let has_country =
            |prefix: &str| prefix == "EL" || prefix != "1A" && prefix.parse::<Country>().is_ok();
        // Irish numbers of old have a plus or an asterisk.
        let is_part =
            |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'+' || byte == b'*';
        match number.split_at_checked(2) {
            Some((prefix, rest))
                if has_country(prefix) && (2..=20).contains(&rest.len()) && rest.bytes().all(is_part) =>
            {
                Ok(Self(number))
            }
            _ => Err(EInvoiceError::InvalidVatNumber),
        }
    }
}

impl Iban {
    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Iban {
    type Err = EInvoiceError;

    fn from_str(text: &str) -> Result<Self, EInvoiceError> {
        let number: String = text.chars().filter(|char| *char != ' ').collect();
        let is_alike = number.bytes().enumerate().all(|(at, byte)| match at {
            0 | 1 => byte.is_ascii_uppercase(),
            2 | 3 => byte.is_ascii_digit(),
            _ => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
        });
        if (15..=34).contains(&number.len()) && is_alike && remainder_of_97(&number) == 1 {
            return Ok(Self(number));
        }
        Err(EInvoiceError::InvalidIban)
    }
}

/// ISO 7064: the first four characters to the end, letters as 10 to 35, the whole by 97.
fn remainder_of_97(number: &str) -> u32 {
    let (head, tail) = number.split_at(4);
    let digits = tail.chars().chain(head.chars()).filter_map(|char| char.to_digit(36));
    digits.fold(0, |rest, digit| (rest * if digit < 10 { 10 } else { 100 } + digit) % 97)
}

impl ExemptionCode {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ExemptionCode {
    type Err = EInvoiceError;

    fn from_str(text: &str) -> Result<Self, EInvoiceError> {
        let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
        let rest = text.strip_prefix("VATEX-").unwrap_or_default();
        if (1..=30).contains(&rest.len()) && rest.bytes().all(is_part) {
            return Ok(Self(text.to_owned()));
        }
        Err(EInvoiceError::UnknownCode)
    }
}

macro_rules! short_codes {
    ($($type:ident $lengths:expr, $suits:expr;)*) => {$(
        impl $type {
            /// The code.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $type {
            type Err = EInvoiceError;

            fn from_str(text: &str) -> Result<Self, EInvoiceError> {
                let suits: fn(&str) -> bool = $suits;
                match Short::parse(text, $lengths) {
                    Ok(code) if suits(text) => Ok(Self(code)),
                    _ => Err(EInvoiceError::UnknownCode),
                }
            }
        }
    )*};
}
short_codes! {
    Unit 1..=3, |_| true;
    Scheme 4..=4, is_digits;
    AddressScheme 2..=4, |text| text.len() == 2 || is_digits(text) && text.len() == 4;
    MeansCode 1..=3, |text| text == "ZZZ" || is_digits(text) && text.len() < 3 && !text.starts_with('0');
    ReasonCode 1..=3, |_| true;
    Subject 3..=3, |_| true;
    ClassList 2..=3, |_| true;
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

macro_rules! display_as_code {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
    )*};
}
display_as_code!(
    Country,
    VatNumber,
    Iban,
    Unit,
    Scheme,
    AddressScheme,
    MeansCode,
    ReasonCode,
    Subject,
    ClassList,
    ExemptionCode
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iban_has_correct_check_digits() {
        for right in ["DE89 3704 0044 0532 0130 00", "ES9121000418450200051332", "NO9386011117947"] {
            let iban: Iban = right.parse().unwrap_or_else(|error| panic!("{right}: {error}"));
            assert_eq!(iban.as_str(), right.replace(' ', ""));
        }
        for wrong in
            ["DE88370400440532013000", "", "DE89", "de89370400440532013000", "DE8937040044053201300ß"]
        {
            assert_eq!(wrong.parse::<Iban>(), Err(EInvoiceError::InvalidIban), "{wrong}");
        }
    }

    #[test]
    fn a_vat_number_begins_with_its_country() {
        for right in ["ESB12345678", "EL123456789", "XI123456789", "IE1234567WA", "DE 123 456 789"] {
            assert!(right.parse::<VatNumber>().is_ok(), "{right}");
        }
        for wrong in ["", "ES", "12345678", "QQ12345678", "esB12345678", "ES-12345678", "1A123", "ßE12"] {
            assert_eq!(wrong.parse::<VatNumber>(), Err(EInvoiceError::InvalidVatNumber), "{wrong}");
        }
    }

    #[test]
    fn codes_have_the_form_of_their_lists() {
        assert!(["ES", "DE", "US", "1A", "XI"].iter().all(|code| code.parse::<Country>().is_ok()));
        assert!(["XK", "QQ", "es", "ESP", "", "é"].iter().all(|code| code.parse::<Country>().is_err()));
        assert!(["C62", "HUR", "5"].iter().all(|code| code.parse::<Unit>().is_ok()));
        assert!(["", "c62", "C 2", "HOUR"].iter().all(|code| code.parse::<Unit>().is_err()));
        assert!(["1", "58", "ZZZ"].iter().all(|code| code.parse::<MeansCode>().is_ok()));
        assert!(["0", "058", "ABC", ""].iter().all(|code| code.parse::<MeansCode>().is_err()));
        assert!(["0088"].iter().all(|code| code.parse::<Scheme>().is_ok()));
        assert!(["88", "SEPA"].iter().all(|code| code.parse::<Scheme>().is_err()));
        assert!(["EM", "0088"].iter().all(|code| code.parse::<AddressScheme>().is_ok()));
        assert!(["EMA", "008"].iter().all(|code| code.parse::<AddressScheme>().is_err()));
        assert!("VATEX-EU-AE".parse::<ExemptionCode>().is_ok());
        assert!(["VATEX-", "EU-AE", "VATEX-eu"].iter().all(|code| code.parse::<ExemptionCode>().is_err()));
        assert_eq!("380".parse(), Ok(Kind::Invoice));
        assert_eq!("325".parse::<Kind>(), Err(EInvoiceError::UnknownCode));
    }
}
