//! What stands on a document, before anybody says in which words and where. All amounts are given; none is computed here.

use trato_types::{Address, Currency, Date, Minor};

use crate::{Language, Logo, Paper, Word};

/// A document as it is handed on.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    /// What it is not: valid.
    pub mark: Option<Mark>,
    /// Its number; empty while it has none.
    pub number: String,
    /// Day it is of. The file bears it as its date, so that a reprint is the same.
    pub date: Date,
    /// In which words and formats.
    pub language: Language,
    /// On which sheet.
    pub paper: Paper,
    /// Currency of every amount.
    pub currency: Currency,
    /// Who makes it out.
    pub issuer: Issuer,
    /// To whom it goes; stands in the window of the envelope.
    pub recipient: Recipient,
    /// Number, days and references beside the window, in this order.
    pub details: Vec<Detail>,
    /// Text before the lines; may be empty.
    pub introduction: String,
    /// What it is about.
    pub lines: Vec<Line>,
    /// What the lines come to, from the first sum to the last.
    pub sums: Vec<Sum>,
    /// How it is paid; none where nothing is.
    pub payment: Option<Payment>,
    /// Texts below the sums, such as legal notes. A line feed begins a new line; what is said twice is printed once.
    pub notes: Vec<String>,
    /// What the recipient signs; none where nothing is.
    pub signature: Option<Signature>,
}

/// What a document is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// What is owed.
    Invoice,
    /// What is taken back of an invoice.
    CreditNote,
    /// What is offered.
    Quote,
    /// What is ordered.
    Order,
    /// What is delivered.
    DeliveryNote,
}

/// Why a document is not to be taken for one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mark {
    /// It is not issued.
    Draft,
    /// It is worth nothing any more.
    Void,
}

/// What a recipient says by signing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signature {
    /// That the offer is taken.
    Acceptance,
    /// That everything has come.
    Receipt,
}

/// Who makes out a document.
#[derive(Clone, Debug, Default)]
pub struct Issuer {
    /// Name in full.
    pub name: String,
    /// Where it is.
    pub address: Option<Address>,
    /// Numbers by which authorities know it, such as `NIF ESB12345678`.
    pub identifiers: Vec<String>,
    /// Stands at the head in place of the name.
    pub logo: Option<Logo>,
    /// Stands at the foot of every page; may be empty.
    pub footer: String,
}

/// To whom a document goes.
#[derive(Clone, Debug, Default)]
pub struct Recipient {
    /// Name in full.
    pub name: String,
    /// Where it is.
    pub address: Option<Address>,
}

/// A fact beside the window.
#[derive(Clone, Debug)]
pub struct Detail {
    /// What it is.
    pub label: Word,
    /// The fact.
    pub value: Value,
}

/// A fact that is written as the language wants it.
#[derive(Clone, Debug)]
pub enum Value {
    /// As it is.
    Text(String),
    /// A day.
    Date(Date),
}

/// Something that is sold, offered or delivered. A column that no line has anything for is left out.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// What it is.
    pub description: String,
    /// Said in smaller type below, each on a line of its own; a discount is among them.
    pub remarks: Vec<String>,
    /// How much, as decimal text such as `2.5`.
    pub quantity: String,
    /// Unit of measure, in words or by its code of UN/ECE recommendation 20; may be empty.
    pub unit: String,
    /// Price of one, as decimal text; empty where prices are not told.
    pub unit_price: String,
    /// How much the price is for, as decimal text; empty where it is for one.
    pub price_per: String,
    /// Rates of its taxes, as decimal text.
    pub tax_rates: Vec<String>,
    /// What it comes to.
    pub amount: Option<Minor>,
}

/// A sum below the lines.
#[derive(Clone, Debug)]
pub enum Sum {
    /// The lines.
    Lines(Minor),
    /// Taken off the whole; the amount is printed below zero.
    Discount {
        /// How many percent, as decimal text; empty when it is an amount.
        percent: String,
        /// Why; may be empty.
        reason: String,
        /// How much.
        amount: Minor,
    },
    /// Put on the whole.
    Charge {
        /// What for.
        reason: String,
        /// How much.
        amount: Minor,
    },
    /// Without tax.
    Net(Minor),
    /// A tax on what is taxed alike.
    Tax {
        /// Code of the tax; the language has its own word for `VAT`.
        tax: String,
        /// The rate, as decimal text.
        percent: String,
        /// What it is on.
        basis: Minor,
        /// The tax.
        amount: Minor,
        /// The amounts above have it in them already.
        included: bool,
    },
    /// With tax.
    Total(Minor),
    /// Kept back by the buyer; printed below zero.
    Withheld {
        /// Code of what is withheld.
        tax: String,
        /// The share, as decimal text.
        percent: String,
        /// How much.
        amount: Minor,
    },
    /// Paid before; printed below zero.
    Prepaid(Minor),
    /// What rounding adds.
    Rounding(Minor),
    /// What is due in the end.
    Due(Minor),
}

/// How a document is paid.
#[derive(Clone, Debug, Default)]
pub struct Payment {
    /// What is due.
    pub amount: Minor,
    /// Last day.
    pub due: Option<Date>,
    /// Account to pay to, by its IBAN; may be empty.
    pub iban: String,
    /// Its bank, by the BIC; may be empty.
    pub bic: String,
    /// What the payment shall say; may be empty.
    pub reference: String,
}

impl Document {
    /// What it is called, with its number.
    pub fn title(&self) -> String {
        let kind = self.language.word(match self.kind {
            Kind::Invoice => Word::Invoice,
            Kind::CreditNote => Word::CreditNote,
            Kind::Quote => Word::Quote,
            Kind::Order => Word::Order,
            Kind::DeliveryNote => Word::DeliveryNote,
        });
        let mut title = kind.to_owned();
        if !self.number.is_empty() {
            title = format!("{title} {}", self.number);
        }
        match self.mark {
            Some(mark) => format!("{title} ({})", self.language.word(mark.word(self.kind))),
            None => title,
        }
    }

    /// Its number as the name of a file without its ending, in letters that every system takes.
    pub fn file_stem(&self) -> String {
        let is_safe = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        let safe = |letter: char| if is_safe(letter) { letter } else { '-' };
        let name: String = self.number.chars().map(safe).collect();
        let name = name.trim_matches('.');
        if name.is_empty() { "draft".to_owned() } else { name.to_owned() }
    }
}

impl Mark {
    /// How it is said of a document of this kind.
    pub(crate) const fn word(self, kind: Kind) -> Word {
        match (self, kind) {
            (Self::Draft, _) => Word::Draft,
            (Self::Void, Kind::Invoice | Kind::CreditNote) => Word::VoidInvoice,
            (Self::Void, Kind::Quote | Kind::Order | Kind::DeliveryNote) => Word::VoidDelivery,
        }
    }
}
