//! E-invoices by EN 16931, in both of its syntaxes: UBL 2.1 and UN/CEFACT CII, which Factur-X embeds in a PDF.
//!
//! An [`Invoice`] is what somebody says; an [`EInvoice`] is one that the rules of the standard do not refuse. Only the
//! latter is written, and a document that is read is one, too. What is written is read back as an equal value.
//!
//! Nothing here does I/O, reads the clock or computes an amount: all amounts are given, and must add up.
//!
//! # Rules
//!
//! Checked, by the names of EN 16931's validators:
//!
//! - BR-16, BR-17, BR-29, BR-30, BR-33, BR-38, BR-42, BR-44, BR-50, BR-61
//! - BR-CO-9 to BR-CO-18, BR-CO-21 to BR-CO-26; BR-CO-17 with the tolerance its validators have
//! - BR-S, BR-Z, BR-E, BR-AE, BR-IC (category K), BR-G, BR-O, BR-AF (L), BR-AG (M): -01 to -10, BR-IC-11 and BR-IC-12,
//!   BR-O-11 to BR-O-14
//! - BR-DEC-1 to BR-DEC-28, by refusing currencies with more than two decimals
//! - of XRechnung BR-DE-1 to BR-DE-11, BR-DE-15 and BR-DE-25
//! - besides: numbers of lines are unique, a price is its gross less its discount, nothing is due before it is issued
//!
//! Cannot occur, since the types have no value for it: BR-1 to BR-15, BR-18 to BR-28, BR-31, BR-32, BR-36, BR-37, BR-41,
//! BR-43, BR-45 to BR-49, BR-52 to BR-57, BR-62 to BR-65, BR-CO-3, BR-CO-4, BR-CO-19, BR-CO-20.
//!
//! Not checked: whether reason and reason code mean the same (BR-CO-5 to BR-CO-8), whether a code is on a list that
//! changes from year to year (BR-CL; the form of the code is), and whether a line is quantity times price, for which the
//! standard has no rule: with prices that include the tax it need not be.
//!
//! # What has no place here
//!
//! Of the terms of the standard: BT-7 and BT-8 (day of the tax), BT-11, BT-17, BT-18 and BT-128 (project, tender, objects),
//! BG-18 (cards) and BG-24 (attachments). A document that has them is refused by name when it is read, and never read in
//! part. Attributes that the standard does not know are passed over.

mod check;
mod cii;
mod error;
mod model;
mod text;
mod ubl;
mod vat;
mod xml;

#[cfg(test)]
mod tests;

use trato_types::Result;

pub use error::EInvoiceError;
pub use model::{
    Account, AccountNumber, Address, AddressScheme, Adjustment, Class, ClassList, Contact, Country,
    DeclaredTax, Delivery, DirectDebit, DocumentAdjustment, Endpoint, ExemptionCode, Iban, Identifier,
    Invoice, Item, Kind, Line, Means, MeansCode, Note, Party, Payee, Period, Preceding, Price, PriceDiscount,
    Profile, ReasonCode, References, Representative, Scheme, Seller, StandardId, Subject, TaxGroup, Totals,
    Unit, Vat, VatNumber,
};
pub use text::{Paragraph, Text};

/// An invoice that the rules of EN 16931 do not refuse.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EInvoice(Invoice);

impl EInvoice {
    /// Checks an invoice; INVALID_ARGUMENT names everything that is wrong with it, by the paths of its fields.
    pub fn new(invoice: Invoice) -> Result<Self> {
        let faults = check::check(&invoice);
        faults.into_result(Some(Self(invoice)))
    }

    /// What it says.
    pub const fn invoice(&self) -> &Invoice {
        &self.0
    }

    /// What it says, to be changed.
    pub fn into_invoice(self) -> Invoice {
        self.0
    }

    /// Writes UBL 2.1 in UTF-8: an `Invoice`, or a `CreditNote`. Equal invoices have equal bytes. DOCUMENT_TOO_LARGE when
    /// it would not be read again.
    pub fn to_ubl(&self) -> Result<Vec<u8>> {
        ubl::write(&self.0).into_document()
    }

    /// Writes UN/CEFACT CII in UTF-8. Equal invoices have equal bytes. DOCUMENT_TOO_LARGE when it would not be read again.
    pub fn to_cii(&self) -> Result<Vec<u8>> {
        cii::write(&self.0).into_document()
    }

    /// Reads UBL 2.1. INVALID_ARGUMENT names the element and line of the first thing that cannot be read, or everything
    /// that the rules refuse.
    pub fn from_ubl(document: &[u8]) -> Result<Self> {
        ubl::read(document).map_err(|fault| fault.into_error(document)).and_then(Self::new)
    }

    /// Reads UN/CEFACT CII. Errors are those of [`from_ubl`](Self::from_ubl).
    pub fn from_cii(document: &[u8]) -> Result<Self> {
        cii::read(document).map_err(|fault| fault.into_error(document)).and_then(Self::new)
    }
}
