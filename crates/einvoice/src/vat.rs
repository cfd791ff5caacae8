//! Tax categories and rates, as both syntaxes have them.

use trato_pricing::{Percent, TaxCategory};

use crate::{
    EInvoiceError,
    model::Vat,
    xml::{Element, Fault},
};

/// The category that an element names (BR-CL-17, BR-CL-18).
pub(crate) fn category(element: &Element) -> Result<TaxCategory, Fault> {
    let known = TaxCategory::of_code(element.content()?);
    known.ok_or_else(|| element.fault(EInvoiceError::UnknownCode))
}

/// The rate as it is written; none where nothing is subject to the tax (BR-O-05 to BR-O-07, BR-48).
pub(crate) fn rate_of(vat: Vat) -> Option<String> {
    (vat.category != TaxCategory::NotSubject).then(|| vat.rate.to_string())
}

/// Category and rate as they were read in an element.
pub(crate) fn vat_of(element: &Element, category: TaxCategory, rate: Option<Percent>) -> Result<Vat, Fault> {
    match (category, rate) {
        (TaxCategory::NotSubject, Some(_)) => Err(element.fault(EInvoiceError::TaxRateUnsuited)),
        (TaxCategory::NotSubject, None) => Ok(Vat { category, rate: Percent::ZERO }),
        (_, Some(rate)) => Ok(Vat { category, rate }),
        (_, None) => Err(element.fault(EInvoiceError::Missing)),
    }
}
