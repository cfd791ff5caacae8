//! Tests of the crate as a whole: worked examples with their sources, hostile input, and properties of generated
//! documents.

mod allocations;
mod cash;
mod credits;
mod examples;
mod exchange;
mod generate;
mod hostile;
mod offers;
mod proof;
mod properties;
mod rounding;

use proptest::{prelude::ProptestConfig, test_runner::RngAlgorithm};
use trato_types::{Currency, Minor};

use crate::{Document, Line, Percent, Priced, Quantity, Tax, TaxCategory, UnitPrice};

/// Says on how many documents each property is tried: a million by `cargo dev bench PROPERTIES`.
const DOCUMENTS: &str = "TRATO_TEST_DOCUMENTS";
/// As many in the ordinary run.
const ORDINARILY: u32 = 20_000;

/// A case for one in so many documents, drawn by the fastest generator: in a debug build the usual one takes a tenth of the
/// time.
pub(crate) fn cases(one_in: u32) -> ProptestConfig {
    let said = std::env::var_os(DOCUMENTS).filter(|said| !said.is_empty());
    let documents = said.map_or(ORDINARILY, |said| {
        let number = said.to_str().and_then(|said| said.parse().ok());
        number.unwrap_or_else(|| panic!("{DOCUMENTS} is {said:?}, and no number"))
    });
    ProptestConfig { rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::with_cases(documents / one_in) }
}

pub(crate) fn euro() -> Currency {
    currency("EUR")
}

pub(crate) fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("a code")
}

pub(crate) fn quantity(text: &str) -> Quantity {
    text.parse().expect("a quantity")
}

pub(crate) fn price(text: &str) -> UnitPrice {
    text.parse().expect("a price")
}

pub(crate) fn percent(text: &str) -> Percent {
    text.parse().expect("a percentage")
}

/// Value added tax at a rate.
pub(crate) fn vat(rate: &str) -> Tax {
    Tax::new("VAT", TaxCategory::Standard, percent(rate))
}

/// A line of so much at a price for one.
pub(crate) fn line(key: &str, amount: &str, unit_price: &str, tax: Tax) -> Line {
    Line::new(key, quantity(amount), price(unit_price), tax)
}

/// A document in euro with these lines.
pub(crate) fn document(lines: impl IntoIterator<Item = Line>) -> Document {
    Document { lines: lines.into_iter().collect(), ..Document::new(euro()) }
}

pub(crate) fn priced(document: &Document) -> Priced {
    document.price().unwrap_or_else(|error| panic!("{error}: {document:?}"))
}

/// Net, tax, gross and due.
pub(crate) fn totals(priced: &Priced) -> [i64; 4] {
    let totals = priced.totals;
    [totals.net, totals.tax, totals.gross, totals.due].map(|Minor(amount)| amount)
}
