//! Words and formats of documents. A language is one file: its words, its days, its marks in numbers, its countries.
//!
//! To add one, write the file and name it in [`Language`]; the compiler asks for every word.

mod en;
mod es;

use std::str::FromStr;

use trato_types::{Currency, Date, Minor};

use crate::PaperError;

/// A language in which documents can be made out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// English with the days of the United States.
    AmericanEnglish,
    /// Spanish.
    Spanish,
}

/// A word or sentence of documents. In a sentence `{}` stands for what is put in, in this order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Word {
    /// An invoice.
    Invoice,
    /// A credit note.
    CreditNote,
    /// A quote.
    Quote,
    /// An order.
    Order,
    /// A delivery note.
    DeliveryNote,
    /// Not issued.
    Draft,
    /// Worth nothing, said of an invoice or a credit note.
    VoidInvoice,
    /// The same, said of a quote, an order or a delivery note.
    VoidDelivery,
    /// Its number.
    Number,
    /// Day of issue.
    Date,
    /// Day of supply.
    SupplyDate,
    /// Day on which it is due.
    DueDate,
    /// Last day on which an offer can be taken.
    ValidUntil,
    /// Which version it is.
    Version,
    /// The order that is delivered.
    OrderNumber,
    /// The recipient's own number of that order.
    RecipientOrder,
    /// Day for which it is promised.
    Promised,
    /// What it refers to.
    Reference,
    /// The invoice that a credit note is for.
    CreditedInvoice,
    /// Day of issue of that invoice.
    CreditedDate,
    /// A number of the issuer for VAT.
    VatNumber,
    /// The recipient's number by which an authority knows it.
    RecipientTaxId,
    /// Place of a line.
    Position,
    /// What a line is.
    Description,
    /// How much.
    Quantity,
    /// Price of one.
    UnitPrice,
    /// Rate of the tax.
    TaxRate,
    /// What a line comes to; with the currency.
    Amount,
    /// What the lines come to.
    Subtotal,
    /// Taken off.
    Discount,
    /// Put on.
    Charge,
    /// Without tax.
    Net,
    /// The tax that EN 16931 calls VAT.
    Vat,
    /// A tax: its name, its rate and what it is on.
    TaxOn,
    /// A tax within the amounts: its name, its rate and what it is on.
    TaxIncluded,
    /// With tax.
    Total,
    /// What is credited.
    TotalCredit,
    /// Kept back by the buyer: its name and its share.
    Withheld,
    /// Paid before.
    Prepaid,
    /// What rounding adds.
    Rounding,
    /// What is due in the end.
    Due,
    /// What is given back in the end.
    DueBack,
    /// Please pay: the amount.
    Pay,
    /// Please pay: the amount and the last day.
    PayBy,
    /// To an account: its number.
    ToAccount,
    /// What the payment shall say.
    Quoting,
    /// Number of a page, and how many there are.
    Page,
    /// Why something is credited: the reason.
    ReasonOfCredit,
    /// Day for which one line is promised.
    PromisedFor,
    /// The lot that something is of.
    Lot,
    /// Serial numbers of something.
    Serials,
    /// Before the parts of a kit.
    Contents,
    /// A kit has parts, and they are not listed.
    PartsOmitted,
    /// How it is to be paid.
    PaymentTerms,
    /// How it is delivered.
    DeliveryTerms,
    /// What is said by signing an offer.
    Acceptance,
    /// What is said by signing a receipt.
    Receipt,
    /// Where and when something is signed.
    PlaceAndDate,
    /// Who signs.
    NameAndSignature,
}

/// Units that have a sign in every language, by their codes. Pieces need none.
const SIGNS: [(&str, &str); 14] = [
    ("C62", ""),
    ("H87", ""),
    ("EA", ""),
    ("HUR", "h"),
    ("MIN", "min"),
    ("KGM", "kg"),
    ("GRM", "g"),
    ("TNE", "t"),
    ("LTR", "l"),
    ("MTR", "m"),
    ("KMT", "km"),
    ("MTK", "m²"),
    ("MTQ", "m³"),
    ("KWH", "kWh"),
];

impl Language {
    const ALL: [Self; 3] = [Self::English, Self::AmericanEnglish, Self::Spanish];

    /// Its tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::AmericanEnglish => "en-US",
            Self::Spanish => "es",
        }
    }

    /// A word of it.
    pub const fn word(self, word: Word) -> &'static str {
        match self {
            Self::English | Self::AmericanEnglish => en::word(word),
            Self::Spanish => es::word(word),
        }
    }

    /// A sentence with these parts.
    pub fn sentence(self, word: Word, parts: &[&str]) -> String {
        let mut pieces = self.word(word).split("{}");
        let mut sentence = pieces.next().unwrap_or_default().to_owned();
        for (at, piece) in pieces.enumerate() {
            sentence.push_str(parts.get(at).copied().unwrap_or_default());
            sentence.push_str(piece);
        }
        sentence
    }

    /// A tax by its code. What is no word of the language stays as it is.
    pub fn tax(self, code: &str) -> String {
        if code == "VAT" { self.word(Word::Vat).to_owned() } else { code.to_owned() }
    }

    /// A number by which an authority knows somebody, after what kind of number it is, such as `NIF B12345674`.
    pub fn identifier(self, scheme: &str, number: &str) -> String {
        let scheme = if scheme == "VAT" { self.word(Word::VatNumber) } else { scheme };
        format!("{scheme} {number}")
    }

    /// What is taken off a line or put on it: `Discount 10% · loyal customer: −20.00`. Percentage, as decimal text, and reason
    /// may be empty.
    pub fn adjustment(self, percent: &str, reason: &str, amount: Minor, currency: Currency) -> String {
        let word = if amount > Minor(0) { Word::Charge } else { Word::Discount };
        let mut remark = self.word(word).to_owned();
        if !percent.is_empty() {
            remark = format!("{remark} {}", self.percent(percent));
        }
        if !reason.is_empty() {
            remark = format!("{remark} · {reason}");
        }
        format!("{remark}: {}", self.amount(amount, currency))
    }

    /// A unit of measure by its code of UN/ECE recommendation 20, as it stands behind a quantity; empty for pieces. What is no
    /// code that is known stays as it is.
    pub fn unit(self, code: &str, quantity: &str) -> String {
        let units: &[(&str, &str, &str)] = match self {
            Self::English | Self::AmericanEnglish => en::UNITS,
            Self::Spanish => es::UNITS,
        };
        let signs = SIGNS.iter().find(|(known, _)| *known == code).map(|(_, sign)| *sign);
        let words = units.iter().find(|(known, ..)| *known == code);
        let words = words.map(|(_, one, many)| if quantity == "1" { *one } else { *many });
        signs.or(words).unwrap_or(code).to_owned()
    }

    /// A day.
    pub fn date(self, date: Date) -> String {
        match self {
            Self::English => en::date(date),
            Self::AmericanEnglish => en::american_date(date),
            Self::Spanish => es::date(date),
        }
    }

    /// A country by its code; the code where the language has no name for it.
    pub fn country(self, code: &str) -> String {
        let countries: &[(&str, &str)] = match self {
            Self::English | Self::AmericanEnglish => en::COUNTRIES,
            Self::Spanish => es::COUNTRIES,
        };
        let known = countries.iter().find(|(known, _)| *known == code);
        known.map_or(code, |(_, name)| name).to_owned()
    }

    /// Decimal text such as `-1234.5` with the marks of the language. What is no such text stays as it is.
    pub fn decimal(self, text: &str) -> String {
        let (group, point) = self.marks();
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("\u{2212}", digits),
            None => ("", text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
            return text.to_owned();
        }
        let mut written = sign.to_owned();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                written.push(group);
            }
            written.push(digit);
        }
        if !fraction.is_empty() {
            written.push(point);
            written.push_str(fraction);
        }
        written
    }

    /// An amount with all decimals of its currency, and without the currency.
    pub fn amount(self, amount: Minor, currency: Currency) -> String {
        let exponent = currency.exponent() as usize;
        let digits = format!("{:0width$}", amount.0.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        let sign = if amount.0 < 0 { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        self.decimal(&format!("{sign}{whole}{point}{fraction}"))
    }

    /// A price with at least the decimals of its currency.
    pub fn price(self, price: &str, currency: Currency) -> String {
        let exponent = currency.exponent() as usize;
        let (whole, fraction) = price.split_once('.').unwrap_or((price, ""));
        let point = if exponent == 0 && fraction.is_empty() { "" } else { "." };
        self.decimal(&format!("{whole}{point}{fraction:0<exponent$}"))
    }

    /// An amount with its currency.
    pub fn money(self, amount: Minor, currency: Currency) -> String {
        let sign = match currency.code() {
            "EUR" => "€",
            "GBP" => "£",
            "USD" => "$",
            code => code,
        };
        let written = self.amount(Minor(amount.0.saturating_abs()), currency);
        let minus = if amount.0 < 0 { "\u{2212}" } else { "" };
        match self {
            Self::Spanish => format!("{minus}{written}\u{A0}{sign}"),
            _ if sign.len() == 3 && sign.is_ascii() => format!("{minus}{sign}\u{A0}{written}"),
            _ => format!("{minus}{sign}{written}"),
        }
    }

    /// A share in percent.
    pub fn percent(self, percent: &str) -> String {
        match self {
            Self::Spanish => format!("{}\u{A0}%", self.decimal(percent)),
            _ => format!("{}%", self.decimal(percent)),
        }
    }

    /// What divides thousands, and what the decimals.
    const fn marks(self) -> (char, char) {
        match self {
            Self::English | Self::AmericanEnglish => (',', '.'),
            Self::Spanish => ('.', ','),
        }
    }
}

impl FromStr for Language {
    type Err = PaperError;

    fn from_str(tag: &str) -> Result<Self, PaperError> {
        Self::ALL.into_iter().find(|language| language.tag() == tag).ok_or(PaperError::UnknownLanguage)
    }
}
