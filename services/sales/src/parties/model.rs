//! The parties of a document. Pure. They are stored as JSON with documents: what is added one day has a default.

use serde::{Deserialize, Serialize};
use trato_types::{Address, DomainError};

/// What was known of both when a document was sent or issued.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Parties {
    /// Who makes it out; none where sales knew no legal entity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub issuer: Option<Issuer>,
    /// Who gets it; none where sales had not heard of the account.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub recipient: Option<Recipient>,
}

/// What stands of a legal entity on documents.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Issuer {
    /// Its legal name.
    pub legal_name: String,
    /// Numbers by which authorities know it.
    pub tax_ids: Vec<TaxId>,
    /// Where it is.
    pub address: Option<Address>,
    /// What stands at the foot; may be empty.
    pub document_footer: String,
    /// SHA-256 of the logo at the head, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub logo: Option<String>,
}

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

/// What stands of an account on documents.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Recipient {
    /// Name in full.
    pub name: String,
    /// Number by which an authority knows it; may be empty.
    pub tax_id: String,
    /// Where it is.
    pub address: Option<Address>,
}

/// Why a document cannot be printed, or sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PartiesError {
    /// The legal entity that is named, or any where none is.
    #[error("sales knows no such legal entity in whose name the document could be made out")]
    LegalEntityNotFound,
    /// The account.
    #[error("sales has not heard the name of the account yet")]
    RecipientUnknown,
}

impl DomainError for PartiesError {
    fn reason(&self) -> &'static str {
        match self {
            Self::LegalEntityNotFound => "LEGAL_ENTITY_NOT_FOUND",
            Self::RecipientUnknown => "RECIPIENT_UNKNOWN",
        }
    }
}

impl Parties {
    /// Both, what is missing here taken from what is known now.
    pub fn or(self, now: Self) -> Result<(Issuer, Recipient), PartiesError> {
        let issuer = self.issuer.or(now.issuer).ok_or(PartiesError::LegalEntityNotFound)?;
        let recipient = self.recipient.or(now.recipient).ok_or(PartiesError::RecipientUnknown)?;
        Ok((issuer, recipient))
    }

    /// True when nothing is missing.
    pub const fn are_complete(&self) -> bool {
        self.issuer.is_some() && self.recipient.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(issuer: Option<&str>, recipient: Option<&str>) -> Parties {
        Parties {
            issuer: issuer.map(|name| Issuer { legal_name: name.into(), ..Issuer::default() }),
            recipient: recipient.map(|name| Recipient { name: name.into(), ..Recipient::default() }),
        }
    }

    #[test]
    fn what_was_kept_stands_over_what_is_known_now() {
        let both = |kept: Parties, now: Parties| {
            kept.or(now).map(|(issuer, recipient)| format!("{} to {}", issuer.legal_name, recipient.name))
        };
        let now = named(Some("New"), Some("Bistro"));
        assert_eq!(both(named(Some("Old"), Some("Bar")), now.clone()), Ok("Old to Bar".to_owned()));
        assert_eq!(both(named(None, Some("Bar")), now.clone()), Ok("New to Bar".to_owned()));
        assert_eq!(both(Parties::default(), now), Ok("New to Bistro".to_owned()));
        let missing = both(named(None, Some("Bar")), Parties::default());
        assert_eq!(missing, Err(PartiesError::LegalEntityNotFound));
        let missing = both(named(Some("Old"), None), Parties::default());
        assert_eq!(missing, Err(PartiesError::RecipientUnknown));
    }

    /// What was kept with a document is read for ever.
    #[test]
    fn what_is_missing_is_left_out_of_what_is_kept() {
        assert_eq!(serde_json::to_string(&Parties::default()).expect("JSON"), "{}");
        let kept = named(Some("Old"), Some("Bar"));
        let json = serde_json::to_string(&kept).expect("JSON");
        assert!(!json.contains("logo"), "{json}");
        assert_eq!(serde_json::from_str::<Parties>(&json).expect("parties"), kept);
    }
}
