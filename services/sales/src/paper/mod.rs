//! Quotes and delivery notes as what stands on paper. Pure; amounts are those that were stored.

mod delivery_note;
mod quote;
#[cfg(test)]
mod tests;

use trato_paper::{Detail, Issuer, Language, Logo, Paper, Recipient, Value, Word};
use trato_types::{Address, Date};

use crate::parties;

/// How a document is to be printed, by whom it is made out, and to whom.
#[derive(Clone, Debug)]
pub struct Printing {
    /// In which language.
    pub language: Language,
    /// On which sheet.
    pub paper: Paper,
    /// Who makes it out: as it stands on the document, or as it would.
    pub issuer: parties::Issuer,
    /// Who gets it: as it stands on the document, or as it would.
    pub recipient: parties::Recipient,
    /// The logo of then.
    pub logo: Option<Logo>,
}

impl Printing {
    fn issuer(&self) -> Issuer {
        let tax_ids = self.issuer.tax_ids.iter();
        Issuer {
            name: self.issuer.legal_name.clone(),
            address: self.issuer.address.clone(),
            identifiers: tax_ids.map(|one| self.language.identifier(&one.scheme, &one.value)).collect(),
            logo: self.logo.clone(),
            footer: self.issuer.document_footer.clone(),
        }
    }

    /// To whom it goes; to an address of its own, where it has one.
    fn recipient(&self, address: Option<&Address>) -> Recipient {
        Recipient {
            name: self.recipient.name.clone(),
            address: address.or(self.recipient.address.as_ref()).cloned(),
        }
    }
}

/// A fact that is a text; none where it is empty.
fn text(label: Word, text: &str) -> Option<Detail> {
    (!text.is_empty()).then(|| Detail { label, value: Value::Text(text.to_owned()) })
}

fn date(label: Word, date: Option<Date>) -> Option<Detail> {
    date.map(|date| Detail { label, value: Value::Date(date) })
}
