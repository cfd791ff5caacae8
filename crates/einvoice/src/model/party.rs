//! Who sells, who buys, who is paid, and where.

use std::{collections::BTreeSet, str::FromStr};

use trato_types::text::TextError;

use super::{AddressScheme, Country, Scheme, Subject, VatNumber};
use crate::{Paragraph, Text};

/// A party with everything that seller and buyer have in common (BG-4, BG-7).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Party {
    /// Full name by which it is registered (BT-27, BT-44).
    pub name: Text,
    /// Name by which it is known (BT-28, BT-45).
    pub trading_name: Option<Text>,
    /// Identifiers others gave it (BT-29, BT-46); a buyer has at most one.
    pub ids: BTreeSet<Identifier>,
    /// Number of its registration (BT-30, BT-47).
    pub registration: Option<Identifier>,
    /// VAT number (BT-31, BT-48).
    pub vat_number: Option<VatNumber>,
    /// Electronic address that documents are sent to (BT-34, BT-49).
    pub endpoint: Option<Endpoint>,
    /// Postal address (BG-5, BG-8).
    pub address: Address,
    /// Whom to ask (BG-6, BG-9).
    pub contact: Contact,
}

/// The seller (BG-4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seller {
    /// What every party has.
    pub party: Party,
    /// Number of its registration for tax other than the VAT number, such as the German Steuernummer (BT-32).
    pub tax_number: Option<Text>,
    /// What else the law wants to be told: form of the company, capital, court (BT-33).
    pub legal_form: Option<Text>,
}

/// Who is paid instead of the seller (BG-10).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Payee {
    /// Its name (BT-59).
    pub name: Text,
    /// An identifier others gave it (BT-60).
    pub id: Option<Identifier>,
    /// Number of its registration (BT-61).
    pub registration: Option<Identifier>,
}

/// Who owes the tax in the seller's place (BG-11).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Representative {
    /// Its name (BT-62).
    pub name: Text,
    /// Its VAT number (BT-63).
    pub vat_number: VatNumber,
    /// Its postal address (BG-12).
    pub address: Address,
}

/// An identifier, by a scheme of ISO 6523 where there is one.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Identifier {
    /// Who gives such identifiers.
    pub scheme: Option<Scheme>,
    /// The identifier.
    pub value: Text,
}

/// An electronic address; its scheme always stands beside it (BR-62, BR-63).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// What kind of address it is.
    pub scheme: AddressScheme,
    /// The address.
    pub value: Text,
}

/// A postal address; its country is always told (BR-09, BR-11, BR-20, BR-57).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    /// Street and number, or box.
    pub street: Option<Text>,
    /// Second line.
    pub addition: Option<Text>,
    /// Third line.
    pub third_line: Option<Text>,
    /// Town.
    pub city: Option<Text>,
    /// Post code.
    pub postcode: Option<Text>,
    /// State or province.
    pub subdivision: Option<Text>,
    /// Country.
    pub country: Country,
}

/// Whom to ask; everything may be left open.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Contact {
    /// Person or department (BT-41, BT-56).
    pub name: Option<Text>,
    /// Phone number (BT-42, BT-57).
    pub phone: Option<Text>,
    /// E-mail address (BT-43, BT-58).
    pub email: Option<Text>,
}

/// A note of the document (BG-1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    subject: Option<Subject>,
    text: Paragraph,
}

impl Party {
    /// A party of which no more is known than name and country.
    pub fn new(name: Text, country: Country) -> Self {
        Self {
            name,
            trading_name: None,
            ids: BTreeSet::new(),
            registration: None,
            vat_number: None,
            endpoint: None,
            address: Address::new(country),
            contact: Contact::default(),
        }
    }
}

impl Address {
    /// Somewhere in a country.
    pub const fn new(country: Country) -> Self {
        Self {
            street: None,
            addition: None,
            third_line: None,
            city: None,
            postcode: None,
            subdivision: None,
            country,
        }
    }
}

impl Note {
    /// A note. One without a subject that begins with a subject in UBL's way, `#AAI#`, has that subject.
    pub fn new(subject: Option<Subject>, text: Paragraph) -> Self {
        let parted = if subject.is_none() { in_parts(text.as_str()) } else { None };
        match parted {
            Some((subject, rest)) => rest
                .parse()
                .map_or(Self { subject: None, text }, |text| Self { subject: Some(subject), text }),
            None => Self { subject, text },
        }
    }

    /// What it is about (BT-21).
    pub const fn subject(&self) -> Option<Subject> {
        self.subject
    }

    /// What it says (BT-22).
    pub const fn text(&self) -> &Paragraph {
        &self.text
    }

    /// Both in one, as UBL has them.
    pub(crate) fn with_subject(&self) -> String {
        match self.subject {
            Some(subject) => format!("#{subject}#{}", self.text),
            None => self.text.to_string(),
        }
    }
}

/// Reads both in one, as UBL has them.
impl FromStr for Note {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        match in_parts(text).map(|(subject, rest)| (subject, rest.parse())) {
            Some((subject, Ok(text))) => Ok(Self { subject: Some(subject), text }),
            Some((_, Err(error))) if error != TextError::Empty => Err(error),
            _ => text.parse().map(|text| Self { subject: None, text }),
        }
    }
}

/// Subject and rest of `#AAI#rest`.
fn in_parts(text: &str) -> Option<(Subject, &str)> {
    let (code, rest) = text.strip_prefix('#')?.split_once('#')?;
    Some((code.parse().ok()?, rest))
}
