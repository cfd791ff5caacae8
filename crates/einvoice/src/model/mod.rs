//! The semantic model of EN 16931: business terms (BT) and their groups (BG), without any syntax.
//!
//! What is optional in the standard is optional here, and what must be there has to be given. What must agree with
//! something else is checked when an [`EInvoice`](crate::EInvoice) is made of it.

mod code;
mod line;
mod party;
mod settlement;

use std::str::FromStr;

use trato_types::{Currency, Date};

pub use code::{
    AddressScheme, ClassList, Country, ExemptionCode, Iban, Kind, MeansCode, ReasonCode, Scheme, Subject,
    Unit, VatNumber,
};
pub use line::{Class, Item, Line, Period, Price, PriceDiscount, StandardId};
pub use party::{Address, Contact, Endpoint, Identifier, Note, Party, Payee, Representative, Seller};
pub use settlement::{
    Account, AccountNumber, Adjustment, DeclaredTax, DirectDebit, DocumentAdjustment, Means, TaxGroup,
    Totals, Vat,
};

use crate::{EInvoiceError, Paragraph, Text};

/// Identifier of the standard alone.
const STANDARD: &str = "urn:cen.eu:en16931:2017";

/// An invoice, a corrected invoice or a credit note, as somebody says it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invoice {
    /// Rules it follows (BT-24).
    pub profile: Profile,
    /// Business process it belongs to (BT-23).
    pub process: Option<Text>,
    /// Its number (BT-1).
    pub number: Text,
    /// Day of issue (BT-2).
    pub issued: Date,
    /// What it is (BT-3).
    pub kind: Kind,
    /// Currency of every amount (BT-5); one with at most two decimals.
    pub currency: Currency,
    /// The tax in the currency it is declared in (BT-6, BT-111).
    pub declared_tax: Option<DeclaredTax>,
    /// Day on which it is due (BT-9).
    pub due: Option<Date>,
    /// What the buyer wants to find on it, such as the Leitweg-ID (BT-10).
    pub buyer_reference: Option<Text>,
    /// Other documents it refers to.
    pub references: References,
    /// Where the buyer books it (BT-19).
    pub buyer_account: Option<Text>,
    /// Terms of payment in words (BT-20).
    pub terms: Option<Paragraph>,
    /// Notes (BG-1).
    pub notes: Vec<Note>,
    /// Invoices it corrects, credits or follows (BG-3).
    pub preceding: Vec<Preceding>,
    /// Who sells (BG-4).
    pub seller: Seller,
    /// Who buys (BG-7).
    pub buyer: Party,
    /// Who is paid, where it is not the seller (BG-10).
    pub payee: Option<Payee>,
    /// Who owes the tax in the seller's place (BG-11).
    pub representative: Option<Representative>,
    /// When and where to it is delivered (BG-13).
    pub delivery: Delivery,
    /// The time it is for (BG-14).
    pub period: Period,
    /// How is paid (BG-16).
    pub means: Option<Means>,
    /// What is taken off the whole (BG-20).
    pub allowances: Vec<DocumentAdjustment>,
    /// What is put on the whole (BG-21).
    pub charges: Vec<DocumentAdjustment>,
    /// The taxes by category and rate (BG-23).
    pub taxes: Vec<TaxGroup>,
    /// The totals (BG-22).
    pub totals: Totals,
    /// What is sold (BG-25); at least one.
    pub lines: Vec<Line>,
}

/// The rules that a document follows (BT-24): those of EN 16931, alone or with what a country or a network adds.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Profile(Rules);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Rules {
    En16931,
    XRechnung,
    Other(Text),
}

/// Other documents, by their numbers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct References {
    /// Contract (BT-12).
    pub contract: Option<Text>,
    /// The buyer's order (BT-13).
    pub order: Option<Text>,
    /// The seller's order (BT-14).
    pub sales_order: Option<Text>,
    /// The buyer's notice that it was received (BT-15).
    pub receipt: Option<Text>,
    /// The seller's notice that it was sent, such as a delivery note (BT-16).
    pub despatch: Option<Text>,
}

/// An invoice before this one (BG-3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Preceding {
    /// Its number (BT-25).
    pub number: Text,
    /// Its day of issue (BT-26).
    pub issued: Option<Date>,
}

/// When and where to something is delivered (BG-13); everything may be left open.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Delivery {
    /// Who receives it (BT-70).
    pub name: Option<Text>,
    /// The place, by an identifier (BT-71).
    pub location: Option<Identifier>,
    /// Day of delivery (BT-72).
    pub date: Option<Date>,
    /// The address (BG-15).
    pub address: Option<Address>,
}

impl Profile {
    /// The standard alone. Factur-X and ZUGFeRD call it their profile EN 16931.
    pub const EN_16931: Self = Self(Rules::En16931);
    /// XRechnung 3.0, which German authorities want.
    pub const XRECHNUNG: Self = Self(Rules::XRechnung);

    /// The identifier.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Rules::En16931 => STANDARD,
            Rules::XRechnung => "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
            Rules::Other(id) => id.as_str(),
        }
    }
}

/// A specification by its identifier: that of EN 16931, or one that builds on it, of which no more is checked.
impl FromStr for Profile {
    type Err = EInvoiceError;

    fn from_str(text: &str) -> Result<Self, EInvoiceError> {
        if let Some(known) =
            [Self::EN_16931, Self::XRECHNUNG].into_iter().find(|known| known.as_str() == text)
        {
            return Ok(known);
        }
        match text.strip_prefix(STANDARD) {
            Some(rest) if rest.starts_with('#') => {
                text.parse().map(|id| Self(Rules::Other(id))).map_err(|_| EInvoiceError::UnknownCode)
            }
            _ => Err(EInvoiceError::UnknownCode),
        }
    }
}
