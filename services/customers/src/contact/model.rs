//! What a contact is. Pure.

use trato_types::{
    Address, Date, EmailAddress, MemberRef, PhoneNumber, Ref, error::FieldError, id::Collection,
};

use super::links::AccountLinks;
use crate::team::Team;

/// A person we communicate with.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    /// Who answers for the contact.
    pub owner: Option<MemberRef>,
    /// The team it belongs to.
    pub team: Option<Ref<Team>>,
    /// Given names; empty only when there is a surname.
    pub given_names: String,
    /// First surname; empty only when there are given names.
    pub surname: String,
    /// Second surname, where people have two.
    pub second_surname: String,
    /// What `full_name` makes of the names.
    pub display_name: String,
    /// Form of address, or empty.
    pub salutation: String,
    /// What the person does in the company, or empty.
    pub job_title: String,
    /// Profession, or empty.
    pub occupation: String,
    /// E-mail address.
    pub email_address: Option<EmailAddress>,
    /// Phone number.
    pub phone_number: Option<PhoneNumber>,
    /// Where the person is reached by post.
    pub address: Option<Address>,
    /// Language to write in, a BCP 47 tag, or empty.
    pub language_code: String,
    /// Accounts of the contact, current and ended.
    pub account_links: AccountLinks,
    /// Anything else.
    pub description: String,
}

impl Collection for Contact {
    const COLLECTION: &'static str = "contacts";
}

/// Why a field of a contact was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Neither given names nor surname.
    #[error("is required, unless there is a surname")]
    NoName,
    /// Not a language tag.
    #[error("must be a BCP 47 language tag, such as es-MX")]
    LanguageCode,
    /// A day that has not come.
    #[error("must not be in the future")]
    Future,
    /// A link that ends before it begins.
    #[error("must not be before the first day of the link")]
    EndBeforeStart,
}

impl FieldError for Fault {
    fn reason(&self) -> &'static str {
        match self {
            Self::NoName => "REQUIRED",
            Self::LanguageCode => "INVALID_LANGUAGE_CODE",
            Self::Future => "IN_FUTURE",
            Self::EndBeforeStart => "END_BEFORE_START",
        }
    }
}

/// Given names and surnames together, as people read them.
pub fn full_name(given_names: &str, surname: &str, second_surname: &str) -> String {
    let parts = [given_names, surname, second_surname];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A contact is called something.
pub fn require_name(given_names: &str, surname: &str) -> Result<(), Fault> {
    if given_names.is_empty() && surname.is_empty() { Err(Fault::NoName) } else { Ok(()) }
}

/// The day a link begins or ends: today unless said. Links are facts, so no day of theirs lies ahead, but for the one
/// that has begun already in zones ahead of UTC.
pub fn day(given: Option<Date>, today: Date) -> Result<Date, Fault> {
    let day = given.unwrap_or(today);
    let latest = today.succ_opt().unwrap_or(today);
    if day > latest { Err(Fault::Future) } else { Ok(day) }
}

/// Checks the last day of a link.
pub fn end_date(start_date: Date, end_date: Date) -> Result<Date, Fault> {
    if end_date < start_date { Err(Fault::EndBeforeStart) } else { Ok(end_date) }
}

/// Checks the form of a language tag (RFC 5646) and brings it into its usual spelling: `es-mx` is `es-MX`. Whether the
/// language exists is not asked.
pub fn language_code(text: &str) -> Result<String, Fault> {
    if text.is_empty() {
        return Ok(String::new());
    }
    if text.len() > 35 {
        return Err(Fault::LanguageCode);
    }
    let mut tags = text.split('-');
    let language = tags.next().unwrap_or_default();
    if !(2..=8).contains(&language.len()) || !language.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(Fault::LanguageCode);
    }
    let mut spelt = vec![language.to_ascii_lowercase()];
    for tag in tags {
        let is_tag = (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_tag {
            return Err(Fault::LanguageCode);
        }
        spelt.push(match tag.len() {
            2 => tag.to_ascii_uppercase(),
            4 if tag.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                let (first, rest) = tag.split_at(1);
                format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
            }
            _ => tag.to_ascii_lowercase(),
        });
    }
    Ok(spelt.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day_of(day: u32) -> Date {
        Date::from_ymd_opt(2026, 1, 1 + day % 28).expect("a day of January")
    }

    /// MDM-03: people have given names and one or two surnames, or only one of them.
    #[test]
    fn a_name_is_made_of_what_there_is() {
        assert_eq!(full_name("Ana María", "Pérez", "Gómez"), "Ana María Pérez Gómez");
        assert_eq!(full_name("Ana", "", ""), "Ana");
        assert_eq!(full_name("", "Pérez", ""), "Pérez");
        assert_eq!(require_name("", "Pérez"), Ok(()));
        assert_eq!(require_name("", ""), Err(Fault::NoName));
    }

    #[test]
    fn a_link_neither_begins_nor_ends_in_the_future() {
        assert_eq!(day(None, day_of(3)), Ok(day_of(3)));
        assert_eq!(day(Some(day_of(2)), day_of(3)), Ok(day_of(2)));
        assert_eq!(day(Some(day_of(4)), day_of(3)), Ok(day_of(4)));
        assert_eq!(day(Some(day_of(5)), day_of(3)), Err(Fault::Future));
        assert_eq!(end_date(day_of(3), day_of(3)), Ok(day_of(3)));
        assert_eq!(end_date(day_of(3), day_of(2)), Err(Fault::EndBeforeStart));
    }

    #[test]
    fn a_language_tag_has_one_spelling() {
        for (given, spelt) in
            [("es-mx", "es-MX"), ("ZH-hant-tw", "zh-Hant-TW"), ("es-419", "es-419"), ("", "")]
        {
            assert_eq!(language_code(given), Ok(spelt.to_owned()), "{given:?}");
        }
        for wrong in ["e", "es_MX", "es-", "-es", "español", "12", "es-MX-toolongsubtag", " es"] {
            assert_eq!(language_code(wrong), Err(Fault::LanguageCode), "{wrong:?}");
        }
    }
}
