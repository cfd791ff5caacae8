//! Invoices and credit notes as what stands on paper. Pure; amounts are those that were stored.

mod credit_note;
mod invoice;

use trato_paper::{Issuer, Language, Logo, Paper, Recipient, Sum};
use trato_pricing::TaxKey;
use trato_types::Minor;

use crate::{
    invoice::Party,
    legal_entity::{Seller, TaxId},
};

/// How a document is to be printed, and by whom it is made out.
#[derive(Clone, Debug)]
pub struct Printing {
    /// In which language.
    pub language: Language,
    /// On which sheet.
    pub paper: Paper,
    /// Who makes it out: as it stands on the document, or as it would.
    pub seller: Seller,
    /// The logo of then.
    pub logo: Option<Logo>,
}

impl Printing {
    fn issuer(&self) -> Issuer {
        Issuer {
            name: self.seller.legal_name.clone(),
            address: self.seller.address.clone(),
            identifiers: self.seller.tax_ids.iter().map(|tax_id| self.identifier(tax_id)).collect(),
            logo: self.logo.clone(),
            footer: self.seller.document_footer.clone(),
        }
    }

    fn identifier(&self, tax_id: &TaxId) -> String {
        self.language.identifier(&tax_id.scheme, &tax_id.value)
    }
}

fn recipient(party: &Party) -> Recipient {
    Recipient { name: party.display_name.clone(), address: party.address.clone() }
}

/// A tax that is on top of the amounts, or within them.
fn tax(key: &TaxKey, (basis, amount): (Minor, Minor), included: bool) -> Sum {
    Sum::Tax { tax: key.code.to_string(), percent: key.rate.to_string(), basis, amount, included }
}

/// What a document came from, where that is a number that people know and no name of ours.
fn is_for_people(reference: &str) -> bool {
    !reference.is_empty() && !reference.contains('/')
}
