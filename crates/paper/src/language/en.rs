//! English.

use chrono::Datelike as _;
use trato_types::Date;

use super::Word;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The words.
pub const fn word(word: Word) -> &'static str {
    match word {
        Word::Invoice => "Invoice",
        Word::CreditNote => "Credit note",
        Word::Quote => "Quote",
        Word::Order => "Order",
        Word::DeliveryNote => "Delivery note",
        Word::Draft => "Draft",
        Word::VoidInvoice => "Void",
        Word::VoidDelivery => "Void",
        Word::Number => "Number",
        Word::Date => "Date",
        Word::SupplyDate => "Date of supply",
        Word::DueDate => "Due date",
        Word::ValidUntil => "Valid until",
        Word::Version => "Version",
        Word::OrderNumber => "Order",
        Word::RecipientOrder => "Your order",
        Word::Promised => "Promised for",
        Word::Reference => "Reference",
        Word::CreditedInvoice => "Invoice credited",
        Word::CreditedDate => "Date of that invoice",
        Word::VatNumber => "VAT number",
        Word::RecipientTaxId => "Your tax number",
        Word::Position => "No.",
        Word::Description => "Description",
        Word::Quantity => "Quantity",
        Word::UnitPrice => "Unit price",
        Word::TaxRate => "Tax",
        Word::Amount => "Amount ({})",
        Word::Subtotal => "Subtotal",
        Word::Discount => "Discount",
        Word::Charge => "Charge",
        Word::Net => "Net total",
        Word::Vat => "VAT",
        Word::TaxOn => "{} {} on {}",
        Word::TaxIncluded => "{} {} on {}, included",
        Word::Total => "Total",
        Word::TotalCredit => "Total credit",
        Word::Withheld => "Withheld {} {}",
        Word::Prepaid => "Paid in advance",
        Word::Rounding => "Rounding",
        Word::Due => "Amount due",
        Word::DueBack => "Amount given back",
        Word::Pay => "Please pay {}",
        Word::PayBy => "Please pay {} by {}",
        Word::ToAccount => " to account {}",
        Word::Quoting => ", quoting {}",
        Word::Page => "Page {} of {}",
        Word::ReasonOfCredit => "Reason: {}",
        Word::PromisedFor => "Promised for {}",
        Word::Lot => "Lot {}",
        Word::Serials => "Serial numbers: {}",
        Word::Contents => "Contains:",
        Word::PartsOmitted => "Contains parts that are not listed here.",
        Word::PaymentTerms => "Payment: {}",
        Word::DeliveryTerms => "Delivery: {}",
        Word::Acceptance => "We accept this offer on the terms above.",
        Word::Receipt => "Received complete and in good condition, unless noted above.",
        Word::PlaceAndDate => "Place and date",
        Word::NameAndSignature => "Name and signature",
    }
}

/// `30 November 2026`.
pub fn date(date: Date) -> String {
    format!("{} {} {}", date.day(), month(date), date.year())
}

/// `November 30, 2026`.
pub fn american_date(date: Date) -> String {
    format!("{} {}, {}", month(date), date.day(), date.year())
}

fn month(date: Date) -> &'static str {
    MONTHS.get(date.month0() as usize).copied().unwrap_or_default()
}

/// Units by their codes: of one, and of any other quantity.
pub static UNITS: &[(&str, &str, &str)] = &[
    ("DAY", "day", "days"),
    ("WEE", "week", "weeks"),
    ("MON", "month", "months"),
    ("ANN", "year", "years"),
    ("SET", "set", "sets"),
    ("PR", "pair", "pairs"),
    ("XBX", "box", "boxes"),
];

/// Countries by their codes.
pub static COUNTRIES: &[(&str, &str)] = &[
    ("AD", "Andorra"),
    ("AR", "Argentina"),
    ("AT", "Austria"),
    ("AU", "Australia"),
    ("BE", "Belgium"),
    ("BG", "Bulgaria"),
    ("BR", "Brazil"),
    ("CA", "Canada"),
    ("CH", "Switzerland"),
    ("CL", "Chile"),
    ("CN", "China"),
    ("CO", "Colombia"),
    ("CY", "Cyprus"),
    ("CZ", "Czechia"),
    ("DE", "Germany"),
    ("DK", "Denmark"),
    ("EC", "Ecuador"),
    ("EE", "Estonia"),
    ("ES", "Spain"),
    ("FI", "Finland"),
    ("FR", "France"),
    ("GB", "United Kingdom"),
    ("GR", "Greece"),
    ("HR", "Croatia"),
    ("HU", "Hungary"),
    ("IE", "Ireland"),
    ("IN", "India"),
    ("IT", "Italy"),
    ("JP", "Japan"),
    ("LI", "Liechtenstein"),
    ("LT", "Lithuania"),
    ("LU", "Luxembourg"),
    ("LV", "Latvia"),
    ("MA", "Morocco"),
    ("MT", "Malta"),
    ("MX", "Mexico"),
    ("NL", "Netherlands"),
    ("NO", "Norway"),
    ("PE", "Peru"),
    ("PL", "Poland"),
    ("PT", "Portugal"),
    ("RO", "Romania"),
    ("SE", "Sweden"),
    ("SI", "Slovenia"),
    ("SK", "Slovakia"),
    ("TR", "Türkiye"),
    ("US", "United States"),
    ("UY", "Uruguay"),
    ("VE", "Venezuela"),
];
