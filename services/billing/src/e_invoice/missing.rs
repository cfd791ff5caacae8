//! What EN 16931 wants and a document does not say.

use trato_einvoice::{EInvoice, EInvoiceError, Invoice as Terms, Paragraph, Text};
use trato_types::{Error, Kind, Result};

/// All that is missing, by the terms of the standard and the fields that would say it.
#[derive(Debug, Default)]
pub struct Missing(Vec<String>);

impl Missing {
    /// Notes that something is missing.
    pub fn add(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.0.contains(&what) {
            self.0.push(what);
        }
    }

    /// Notes what is not there.
    pub fn keep<T>(&mut self, what: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(what);
        }
        value
    }

    /// A text that must be there.
    pub fn require(&mut self, what: &str, text: Option<&str>) -> Option<Text> {
        let text = text.and_then(|text| text.parse().ok());
        self.keep(what, text)
    }

    /// A text that may be empty, but not too long.
    pub fn optional(&mut self, what: &str, text: &str) -> Option<Text> {
        if text.is_empty() { None } else { self.require(what, Some(text)) }
    }

    /// The same of several lines.
    pub fn paragraph(&mut self, what: &str, text: &str) -> Option<Paragraph> {
        if text.trim().is_empty() { None } else { self.keep(what, text.parse().ok()) }
    }

    /// Notes what the rules of the standard refuse.
    fn refused(&mut self, error: &Error) {
        for violation in error.violations() {
            let rule = EInvoiceError::rule(violation.reason);
            let space = if rule.is_empty() { "" } else { " " };
            self.add(format!("{rule}{space}{} {}", violation.field, violation.reason));
        }
    }

    /// The e-invoice of these terms; FAILED_PRECONDITION `E_INVOICE_INCOMPLETE` when anything is missing, or refused by the rules of
    /// the standard.
    pub fn into_e_invoice(self, terms: Option<Terms>) -> Result<EInvoice> {
        let terms = self.into_result(terms)?;
        EInvoice::new(terms).or_else(|error| {
            let mut missing = Self::default();
            missing.refused(&error);
            missing.into_result(None)
        })
    }

    /// FAILED_PRECONDITION `E_INVOICE_INCOMPLETE` when anything is missing.
    fn into_result<T>(self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => {
                let missing = self.0.join("; ");
                let message = format!("EN 16931 wants what the document does not say: {missing}");
                Err(Error::new(Kind::Precondition, "E_INVOICE_INCOMPLETE", message).with("missing", missing))
            }
        }
    }
}
