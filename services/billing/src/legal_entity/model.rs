//! A legal entity and what makes one valid.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use trato_types::{
    Address, Currency, Date, DisplayName, Result, Timestamp, Violations, error::FieldError, id::Collection,
};

use crate::chain::Hash;

/// A company in whose name documents are made out.
#[derive(Clone, Debug, PartialEq)]
pub struct LegalEntity {
    /// Unique among the living.
    pub display_name: DisplayName,
    /// As it stands on documents.
    pub legal_name: DisplayName,
    /// Numbers by which authorities know it.
    pub tax_ids: TaxIds,
    /// As it stands on documents.
    pub address: Option<Address>,
    /// By which the day of a document is told.
    pub time_zone: TimeZone,
    /// In which its books are kept.
    pub base_currency_code: Currency,
    /// How often the tax of a document is rounded.
    pub tax_rounding: TaxRounding,
    /// Profile of its electronic invoices; may be empty.
    pub e_invoice_profile: String,
    /// Account to pay to; may be empty.
    pub iban: String,
    /// Its bank; may be empty.
    pub bic: String,
    /// What stands at the foot of documents; may be empty.
    pub document_footer: String,
    /// The logo at their head.
    pub logo: Option<Hash>,
}

impl Collection for LegalEntity {
    const COLLECTION: &'static str = "legalEntities";
}

/// Who makes out a document, as it stands on it: what a legal entity was on the day of issue. It is stored as JSON and is part
/// of what is hashed, so that the order of its fields is kept for ever, and what came later is left out where it is empty.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Seller {
    /// Its legal name.
    pub legal_name: String,
    /// Numbers by which authorities know it.
    pub tax_ids: TaxIds,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<Address>,
    /// Account to pay to; may be empty.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub iban: String,
    /// Its bank; may be empty.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub bic: String,
    /// What stands at the foot of the document; may be empty.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub document_footer: String,
    /// The logo at its head.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub logo: Option<Hash>,
    /// Profile of electronic invoices; may be empty.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub e_invoice_profile: String,
}

impl LegalEntity {
    /// What stands of it on a document that is issued now.
    pub fn seller(&self) -> Seller {
        Seller {
            legal_name: self.legal_name.to_string(),
            tax_ids: self.tax_ids.clone(),
            address: self.address.clone(),
            iban: self.iban.clone(),
            bic: self.bic.clone(),
            document_footer: self.document_footer.clone(),
            logo: self.logo,
            e_invoice_profile: self.e_invoice_profile.clone(),
        }
    }
}

/// Checks a BIC: 8 or 11 capital letters and digits, of which the first six are letters; or nothing.
pub fn bic(text: &str) -> Result<String, BicError> {
    let is_bic = matches!(text.len(), 8 | 11)
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && text.bytes().take(6).all(|byte| byte.is_ascii_uppercase());
    if text.is_empty() || is_bic { Ok(text.to_owned()) } else { Err(BicError) }
}

/// Checks an IBAN and takes its spaces out; or nothing.
pub fn iban(text: &str) -> Result<String, IbanError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    text.parse::<trato_einvoice::Iban>().map(|iban| iban.to_string()).map_err(|_| IbanError)
}

/// A text that is no IBAN.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be an IBAN, with correct check digits")]
pub struct IbanError;

impl FieldError for IbanError {
    fn reason(&self) -> &'static str {
        "INVALID_IBAN"
    }
}

/// A text that is no BIC.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be 8 or 11 capital letters and digits (ISO 9362)")]
pub struct BicError;

impl FieldError for BicError {
    fn reason(&self) -> &'static str {
        "INVALID_BIC"
    }
}

/// How often the tax of a document is rounded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TaxRounding {
    /// Once for each tax, category and rate.
    Group,
    /// Once for each line.
    Line,
}

/// Tax ids of a legal entity: at most 20, none twice.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct TaxIds(Vec<TaxId>);

/// A number by which an authority knows a company.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct TaxId {
    /// Country whose authority gave it.
    pub country_code: String,
    /// What kind of number it is: `VAT`.
    pub scheme: String,
    /// The number.
    pub value: String,
}

impl TaxIds {
    /// Most tax ids of one company.
    pub const MAX: usize = 20;

    /// Takes tax ids that are valid one by one; INVALID_ARGUMENT `DUPLICATE_TAX_ID` when one stands twice.
    pub fn new(tax_ids: Vec<TaxId>) -> Result<Self> {
        let mut violations = Violations::new();
        for (index, tax_id) in tax_ids.iter().enumerate() {
            if tax_ids[..index].contains(tax_id) {
                violations.add(format!("tax_ids[{index}]"), "DUPLICATE_TAX_ID", "stands in the list already");
            }
        }
        violations.into_result(Some(Self(tax_ids)))
    }

    /// All of them, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &TaxId> {
        self.0.iter()
    }
}

/// A time zone of the IANA database, such as `Europe/Madrid`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimeZone(chrono_tz::Tz);

impl TimeZone {
    /// The zone of nobody.
    pub const UTC: Self = Self(chrono_tz::UTC);
    /// Where days begin first: nothing that has happened is of a later day than it is there.
    pub const FIRST: Self = Self(chrono_tz::Pacific::Kiritimati);

    /// The day it is there at an instant.
    pub fn day_of(self, now: Timestamp) -> Date {
        now.with_timezone(&self.0).date_naive()
    }
}

impl FromStr for TimeZone {
    type Err = TimeZoneError;

    fn from_str(text: &str) -> Result<Self, TimeZoneError> {
        text.parse().map(Self).map_err(|_| TimeZoneError)
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// A text that names no time zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be a time zone of the IANA database, such as Europe/Madrid")]
pub struct TimeZoneError;

impl FieldError for TimeZoneError {
    fn reason(&self) -> &'static str {
        "INVALID_TIME_ZONE"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tax_id(value: &str) -> TaxId {
        TaxId { country_code: "ES".into(), scheme: "VAT".into(), value: value.into() }
    }

    #[test]
    fn a_tax_id_stands_once() {
        let error = TaxIds::new(vec![tax_id("A1"), tax_id("A2"), tax_id("A1")]).expect_err("it stands twice");

        let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["tax_ids[2]"]);
        assert!(TaxIds::new(vec![]).is_ok());
    }

    #[test]
    fn where_days_begin_first_it_is_never_yesterday() {
        let begun = chrono::DateTime::UNIX_EPOCH + chrono::Days::new(20_000);
        for hour in 0..24 {
            let now = begun + chrono::TimeDelta::hours(hour);
            let first = TimeZone::FIRST.day_of(now);
            for zone in chrono_tz::TZ_VARIANTS {
                assert!(first >= TimeZone(zone).day_of(now), "{zone} is ahead at {now}");
            }
        }
    }

    #[test]
    fn a_time_zone_is_one_of_the_iana_database() {
        for right in ["Europe/Madrid", "America/New_York", "UTC"] {
            assert_eq!(right.parse::<TimeZone>().map(|zone| zone.to_string()), Ok(right.to_owned()));
        }
        for wrong in ["", "Madrid", "europe/madrid", "+01:00", "Europe/Madrid\u{0}"] {
            assert_eq!(wrong.parse::<TimeZone>(), Err(TimeZoneError), "{wrong:?}");
        }
    }

    /// XTR-05: the day of a document is told in the zone of the company, over midnight and summer time.
    #[test]
    fn a_day_is_told_in_the_zone() {
        let day = |zone: &str, now: &str| {
            let zone: TimeZone = zone.parse().expect("a zone");
            zone.day_of(now.parse().expect("an instant")).to_string()
        };
        assert_eq!(day("Europe/Madrid", "2026-12-31T22:59:59Z"), "2026-12-31");
        assert_eq!(day("Europe/Madrid", "2026-12-31T23:00:00Z"), "2027-01-01");
        assert_eq!(day("Europe/Madrid", "2026-06-30T22:00:00Z"), "2026-07-01");
        assert_eq!(day("America/New_York", "2027-01-01T04:59:59Z"), "2026-12-31");
        assert_eq!(day("UTC", "2027-01-01T00:00:00Z"), "2027-01-01");
    }

    #[test]
    fn a_bic_has_a_bank_and_a_country() {
        for right in ["", "CAIXESBB", "CAIXESBBXXX", "COBADEFF"] {
            assert_eq!(bic(right).as_deref(), Ok(right));
        }
        for wrong in ["caixesbb", "CAIXESB", "CAIX3SBB", "CAIXESBBX", "CAIXESBÑ"] {
            assert_eq!(bic(wrong), Err(BicError), "{wrong:?}");
        }
    }

    /// What was hashed before there were accounts and logos is written as it was.
    #[test]
    fn a_seller_of_old_has_the_same_json() {
        let old =
            r#"{"legal_name":"Hispania S.L.","tax_ids":[{"country_code":"ES","scheme":"VAT","value":"A1"}]}"#;

        let seller: Seller = serde_json::from_str(old).expect("it is read");

        assert_eq!(serde_json::to_string(&seller).expect("it is written"), old);
    }
}
