//! Means of payment, allowances and charges, taxes and totals.

use trato_pricing::{Percent, TaxCategory};
use trato_types::{Currency, Minor};

use super::{ExemptionCode, Iban, MeansCode, ReasonCode};
use crate::Text;

/// How is paid (BG-16).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Means {
    /// The code (BT-81).
    pub code: MeansCode,
    /// The same in words (BT-82).
    pub name: Option<Text>,
    /// What the payment shall refer to (BT-83).
    pub remittance: Option<Text>,
    /// Accounts that may be paid to (BG-17).
    pub accounts: Vec<Account>,
    /// By what the amount is collected (BG-19).
    pub debit: DirectDebit,
}

/// An account to pay to (BG-17).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// Its number (BT-84).
    pub number: AccountNumber,
    /// Whose it is (BT-85).
    pub name: Option<Text>,
    /// The bank, by its BIC (BT-86).
    pub bank: Option<Text>,
}

/// Number of an account: an IBAN, or what else a bank calls it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccountNumber(Number);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Number {
    Iban(Iban),
    Other(Text),
}

/// A direct debit (BG-19); everything may be left open.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DirectDebit {
    /// The buyer's mandate (BT-89).
    pub mandate: Option<Text>,
    /// Identifier of the creditor (BT-90).
    pub creditor: Option<Text>,
    /// The account that is debited (BT-91).
    pub account: Option<Iban>,
}

/// How something is taxed: category and rate (BT-118 and BT-119, BT-95 and BT-96, BT-102 and BT-103, BT-151 and BT-152).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Vat {
    /// The category.
    pub category: TaxCategory,
    /// The rate; zero where nothing is subject to the tax.
    pub rate: Percent,
}

/// Something taken off or put on (BG-20, BG-21, BG-27, BG-28).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Adjustment {
    /// How much, without tax.
    pub amount: Minor,
    /// What the percentage is of.
    pub base: Option<Minor>,
    /// How many percent it is.
    pub percent: Option<Percent>,
    /// Why, in words.
    pub reason: Option<Text>,
    /// Why, by a code.
    pub code: Option<ReasonCode>,
}

/// An allowance or a charge of the whole document, which is taxed by itself (BG-20, BG-21).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DocumentAdjustment {
    /// How much, and why.
    pub adjustment: Adjustment,
    /// How it is taxed.
    pub vat: Vat,
}

/// The tax of everything that is taxed alike (BG-23).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TaxGroup {
    /// Category and rate.
    pub vat: Vat,
    /// What is taxed (BT-116).
    pub basis: Minor,
    /// The tax on it (BT-117).
    pub tax: Minor,
    /// Why none is due, in words (BT-120).
    pub reason: Option<Text>,
    /// Why none is due, by a code (BT-121).
    pub code: Option<ExemptionCode>,
}

/// The tax in the currency in which it is declared, where that is another than the document's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeclaredTax {
    /// The currency (BT-6).
    pub currency: Currency,
    /// The total of the taxes in it (BT-111).
    pub amount: Minor,
}

/// The totals (BG-22), in minor units of the document's currency.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Sum of the lines (BT-106).
    pub lines: Minor,
    /// Sum of the allowances of the document (BT-107).
    pub allowances: Minor,
    /// Sum of the charges of the document (BT-108).
    pub charges: Minor,
    /// Total without tax (BT-109).
    pub net: Minor,
    /// Total of the taxes (BT-110).
    pub tax: Minor,
    /// Total with tax (BT-112).
    pub gross: Minor,
    /// What was paid before (BT-113).
    pub prepaid: Minor,
    /// What rounding adds to what is due (BT-114).
    pub rounding: Minor,
    /// What is due (BT-115).
    pub due: Minor,
}

impl Means {
    /// Means of which no more is known than their code.
    pub fn new(code: MeansCode) -> Self {
        Self { code, name: None, remittance: None, accounts: Vec::new(), debit: DirectDebit::default() }
    }

    /// Transfers to accounts in euro within SEPA.
    pub const SEPA_TRANSFER: &'static str = "58";
    /// Direct debit within SEPA.
    pub const SEPA_DEBIT: &'static str = "59";

    /// True for codes of transfers, which need an account (BR-61).
    pub(crate) fn is_transfer(&self) -> bool {
        ["30", Self::SEPA_TRANSFER].contains(&self.code.as_str())
    }
}

impl DirectDebit {
    /// True when nothing is told.
    pub const fn is_open(&self) -> bool {
        self.mandate.is_none() && self.creditor.is_none() && self.account.is_none()
    }
}

impl AccountNumber {
    /// An IBAN where the text is one.
    pub fn new(text: Text) -> Self {
        Self(text.as_str().parse().map_or(Number::Other(text), Number::Iban))
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Number::Iban(iban) => iban.as_str(),
            Number::Other(text) => text.as_str(),
        }
    }

    /// True for an IBAN.
    pub const fn is_iban(&self) -> bool {
        matches!(self.0, Number::Iban(_))
    }
}

impl From<Iban> for AccountNumber {
    fn from(iban: Iban) -> Self {
        Self(Number::Iban(iban))
    }
}

impl Adjustment {
    /// An amount for a reason.
    pub const fn new(amount: Minor, reason: Text) -> Self {
        Self { amount, base: None, percent: None, reason: Some(reason), code: None }
    }
}
