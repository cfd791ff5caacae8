//! What an account is and which rules hold for it alone. Pure; the rules of the hierarchy are in the schema, which
//! sees all accounts at once.

use std::collections::BTreeSet;

use trato_types::{
    Address, Currency, DisplayName, DomainError, EmailAddress, MemberRef, Minor, PhoneNumber, Ref,
    error::FieldError, id::Collection, text::line,
};

use crate::team::Team;

/// A company, or a department of one, that the organisation deals with or plans to.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Who answers for it.
    pub owner: Option<MemberRef>,
    /// The team it belongs to.
    pub team: Option<Ref<Team>>,
    /// Name people use.
    pub display_name: DisplayName,
    /// Company or department.
    pub form: Form,
    /// What it is to us.
    pub kinds: Kinds,
    /// The company it belongs to.
    pub parent_account: Option<Ref<Account>>,
    /// Name in the commercial register, or empty.
    pub legal_name: String,
    /// Tax identifier as printed on invoices.
    pub tax_id: Option<String>,
    /// Sector of activity, or empty.
    pub sector: String,
    /// An http or https address, or empty.
    pub website: String,
    /// E-mail address for the account as a whole.
    pub email_address: Option<EmailAddress>,
    /// Phone number for the account as a whole.
    pub phone_number: Option<PhoneNumber>,
    /// Main office.
    pub address: Option<Address>,
    /// People employed, from 1.
    pub employee_count: Option<i64>,
    /// Revenue of a year, from 0, in `annual_revenue_currency`.
    pub annual_revenue: Option<Minor>,
    /// Set exactly when the revenue is.
    pub annual_revenue_currency: Option<Currency>,
    /// Year it was founded, 1000 to 9999.
    pub founding_year: Option<i64>,
    /// Anything else.
    pub description: String,
}

impl Collection for Account {
    const COLLECTION: &'static str = "accounts";
}

/// What an account is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// A company or other organisation.
    Company,
    /// A department of one.
    Department,
}

/// What an account is to us, in the order in which they are shown.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// It buys from us.
    Customer,
    /// We buy from it.
    Supplier,
    /// It sells with us.
    Partner,
    /// It is part of our own organisation.
    Internal,
}

/// All that an account is to us: each kind once, in the order of `Kind`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Kinds(BTreeSet<Kind>);

impl Kinds {
    /// Adds a kind; false when it was there.
    pub fn insert(&mut self, kind: Kind) -> bool {
        self.0.insert(kind)
    }

    /// The kinds, in order.
    pub fn iter(&self) -> impl Iterator<Item = Kind> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        Self(kinds.into_iter().collect())
    }
}

impl Account {
    /// Makes the account a customer, because it bought; false when it was one.
    pub fn become_customer(&mut self) -> bool {
        self.kinds.insert(Kind::Customer)
    }
}

/// Why a field of an account was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// A department is part of something.
    #[error("is required for a department")]
    DepartmentWithoutParent,
    /// Not an http or https address.
    #[error("must be an http or https address, such as https://www.example.com")]
    Website,
    /// Below zero.
    #[error("must not be negative")]
    Negative,
    /// Not a year of four digits.
    #[error("must be a year from 1000 to 9999, or 0 when it is not known")]
    FoundingYear,
}

impl FieldError for Fault {
    fn reason(&self) -> &'static str {
        match self {
            Self::DepartmentWithoutParent => "REQUIRED",
            Self::Website => "INVALID_WEBSITE",
            Self::Negative | Self::FoundingYear => "OUT_OF_RANGE",
        }
    }
}

/// Why something cannot be done with an account.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AccountError {
    /// It is not there, or deleted.
    #[error("{name} was not found")]
    NotFound {
        /// Its name.
        name: String,
    },
}

impl DomainError for AccountError {
    fn kind(&self) -> trato_types::Kind {
        match self {
            Self::NotFound { .. } => trato_types::Kind::NotFound,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "ACCOUNT_NOT_FOUND",
        }
    }
}

/// A department is part of something; a company may be.
pub fn require_parent(form: Form, parent: Option<Ref<Account>>) -> Result<(), Fault> {
    if form == Form::Department && parent.is_none() { Err(Fault::DepartmentWithoutParent) } else { Ok(()) }
}

/// Checks a web address; the empty text is none. Other schemes are refused because people click on it.
pub fn website(text: &str) -> Result<String, Fault> {
    let text = line(text, 500).map_err(|_| Fault::Website)?;
    if text.is_empty() {
        return Ok(text);
    }
    let (scheme, rest) = text.split_once("://").ok_or(Fault::Website)?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_clean = !text.chars().any(|c| c.is_whitespace() || "\"<>\\^`{|}".contains(c));
    if is_web && is_clean && is_host(host) { Ok(text) } else { Err(Fault::Website) }
}

/// A host name in any script, with or without a port. No user name: `https://bank.example@evil.example` misleads.
fn is_host(text: &str) -> bool {
    let (host, port) = text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_label = |label: &str| {
        let inside = label.chars().all(|c| c.is_alphanumeric() || c == '-');
        inside && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    host.len() <= 253 && host.split('.').all(is_label) && port.is_none_or(is_port)
}

/// Reads the number of people employed; 0 is not known.
pub fn employee_count(count: i32) -> Result<Option<i64>, Fault> {
    match count {
        0 => Ok(None),
        1.. => Ok(Some(count.into())),
        _ => Err(Fault::Negative),
    }
}

/// Reads the year of foundation; 0 is not known.
pub fn founding_year(year: i32) -> Result<Option<i64>, Fault> {
    match year {
        0 => Ok(None),
        1000..=9999 => Ok(Some(year.into())),
        _ => Err(Fault::FoundingYear),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account() -> Account {
        Account {
            owner: None,
            team: None,
            display_name: "Acme".parse().expect("a name"),
            form: Form::Company,
            kinds: Kinds::default(),
            parent_account: None,
            legal_name: String::new(),
            tax_id: None,
            sector: String::new(),
            website: String::new(),
            email_address: None,
            phone_number: None,
            address: None,
            employee_count: None,
            annual_revenue: None,
            annual_revenue_currency: None,
            founding_year: None,
            description: String::new(),
        }
    }

    /// MDM-01: a department belongs to a company.
    #[test]
    fn a_department_needs_a_parent() {
        let parent = Some(Ref::from_uuid(uuid::Uuid::from_u128(1)));

        assert_eq!(require_parent(Form::Department, None), Err(Fault::DepartmentWithoutParent));
        assert_eq!(require_parent(Form::Department, parent), Ok(()));
        assert_eq!(require_parent(Form::Company, None), Ok(()));
        assert_eq!(require_parent(Form::Company, parent), Ok(()));
    }

    #[test]
    fn a_revenue_is_never_negative() {}

    #[test]
    fn only_web_addresses_are_websites() {
        for right in [
            "https://www.example.com",
            "HTTP://example.com:8080/a?b=c#d",
            "https://bücher.example/straße",
            "http://localhost",
            "",
        ] {
            assert_eq!(website(right), Ok(right.to_owned()), "{right:?}");
        }
        for wrong in [
            "www.example.com",
            "javascript:alert(1)",
            "javascript://example.com/%0aalert(1)",
            "ftp://example.com",
            "https://",
            "https://user@example.com",
            "https://exa mple.com",
            "https://example.com/\u{0}",
            "https://-a.example",
            "https://example.com:0",
            "https://example.com:port",
            "https://a..b",
            "https://example.com/<script>",
        ] {
            assert_eq!(website(wrong), Err(Fault::Website), "{wrong:?}");
        }
        assert_eq!(website(&format!("https://example.com/{}", "a".repeat(500))), Err(Fault::Website));
    }

    #[test]
    fn zero_means_not_known() {
        assert_eq!(employee_count(0), Ok(None));
        assert_eq!(employee_count(i32::MAX), Ok(Some(2_147_483_647)));
        assert_eq!(employee_count(-1), Err(Fault::Negative));
        assert_eq!(founding_year(0), Ok(None));
        assert_eq!(founding_year(1000), Ok(Some(1000)));
        for wrong in [-1, 1, 999, 10_000] {
            assert_eq!(founding_year(wrong), Err(Fault::FoundingYear), "{wrong}");
        }
    }

    #[test]
    fn an_account_becomes_a_customer_once() {
        let mut account = account();

        assert!(account.become_customer());
        assert!(!account.become_customer());
        assert_eq!(account.kinds.iter().collect::<Vec<_>>(), [Kind::Customer]);
    }

    proptest! {
        /// MDM-02: several kinds may hold at once, each once, whatever order and repetition they are given in.
        #[test]
        fn kinds_are_a_set_in_one_order(given in proptest::collection::vec(0..4_usize, 0..12)) {
            const ALL: [Kind; 4] = [Kind::Customer, Kind::Supplier, Kind::Partner, Kind::Internal];
            let kinds: Kinds = given.iter().map(|index| ALL[*index]).collect();

            let expected: Vec<Kind> =
                (0..4).filter(|index| given.contains(index)).map(|index| ALL[index]).collect();
            prop_assert_eq!(kinds.iter().collect::<Vec<_>>(), expected);
        }
    }
}
