//! What was read: elements that are taken out one by one. What nobody took is not supported.

use std::{collections::BTreeMap, str::FromStr};

use trato_types::{Currency, Date, Error, Minor, error::FieldError};

use super::number::{decimal, minor};
use crate::EInvoiceError;

/// An element, by the prefix that the syntax's namespace has here.
#[derive(Debug, Default)]
pub(crate) struct Element {
    /// Such as `cbc:ID`.
    pub(super) name: String,
    /// Where it begins, in bytes.
    pub(super) at: usize,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) children: BTreeMap<String, Vec<Self>>,
}

/// What is wrong with which element, and where it begins.
#[derive(Debug)]
pub(crate) struct Fault {
    element: String,
    at: usize,
    reason: &'static str,
    description: String,
}

impl Fault {
    pub(super) fn new(element: impl Into<String>, at: usize, error: &impl FieldError) -> Self {
        Self { element: element.into(), at, reason: error.reason(), description: error.to_string() }
    }

    /// The error that the reader of a document is told.
    pub(crate) fn into_error(self, document: &[u8]) -> Error {
        let before = document.get(..self.at).unwrap_or(document);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let description = format!("{} (line {line})", self.description);
        Error::invalid(self.element, self.reason, description)
    }
}

impl Element {
    /// What is wrong with this element.
    pub(crate) fn fault(&self, error: EInvoiceError) -> Fault {
        Fault::new(self.name.clone(), self.at, &error)
    }

    /// The name, by the prefix that the syntax's namespace has here.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong with this element when something is not in it.
    pub(crate) fn missing(&self, name: &str) -> Fault {
        Fault::new(format!("{}/{name}", self.name), self.at, &EInvoiceError::Missing)
    }

    /// Takes every element of a name, in their order.
    pub(crate) fn all(&mut self, name: &'static str) -> Vec<Self> {
        self.children.remove(name).unwrap_or_default()
    }

    /// Takes the one element of a name, if there is one.
    pub(crate) fn some(&mut self, name: &'static str) -> Result<Option<Self>, Fault> {
        let mut all = self.all(name).into_iter();
        let first = all.next();
        match all.next() {
            Some(second) => Err(second.fault(EInvoiceError::Repeated)),
            None => Ok(first),
        }
    }

    /// Takes the one element of a name.
    pub(crate) fn one(&mut self, name: &'static str) -> Result<Self, Fault> {
        self.some(name)?.ok_or_else(|| self.missing(name))
    }

    /// Nothing is left that was not taken.
    pub(crate) fn end(self) -> Result<(), Fault> {
        match self.children.into_values().flatten().min_by_key(|child| child.at) {
            Some(child) => Err(child.fault(EInvoiceError::NotSupported)),
            None => Ok(()),
        }
    }

    /// Takes an element out, reads it, and makes sure that nothing of it is left.
    pub(crate) fn group<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        self.some(name)?.map(|element| element.whole(read)).transpose()
    }

    /// Takes every element of a name out and reads it as a whole.
    pub(crate) fn groups<T>(
        &mut self,
        name: &'static str,
        read: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut read = read;
        self.all(name).into_iter().map(|element| element.whole(&mut read)).collect()
    }

    /// Reads the element and makes sure that nothing of it is left.
    pub(crate) fn whole<T>(mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let value = read(&mut self)?;
        self.end()?;
        Ok(value)
    }

    /// The text in the element, which holds nothing else.
    pub(crate) fn content(&self) -> Result<&str, Fault> {
        match self.children.values().flatten().next() {
            Some(child) => Err(child.fault(EInvoiceError::NotSupported)),
            None => Ok(self.text.trim()),
        }
    }

    /// The value that the text in the element stands for.
    pub(crate) fn parse<T: FromStr<Err: FieldError>>(&self) -> Result<T, Fault> {
        self.content()?.parse().map_err(|error| Fault::new(self.name.clone(), self.at, &error))
    }

    /// Takes a value out, if there is one.
    pub(crate) fn value<T: FromStr<Err: FieldError>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, Fault> {
        self.some(name)?.map(|element| element.parse()).transpose()
    }

    /// Takes a value out.
    pub(crate) fn need<T: FromStr<Err: FieldError>>(&mut self, name: &'static str) -> Result<T, Fault> {
        self.one(name)?.parse()
    }

    /// Takes a value out of an element that holds nothing else.
    pub(crate) fn within<T: FromStr<Err: FieldError>>(
        &mut self,
        outer: &'static str,
        name: &'static str,
    ) -> Result<Option<T>, Fault> {
        self.group(outer, |element| element.need(name))
    }

    /// An attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// The value of an attribute, if there is one.
    pub(crate) fn attribute_as<T: FromStr<Err: FieldError>>(&self, name: &str) -> Result<Option<T>, Fault> {
        let parsed = self.attribute(name).map(str::parse).transpose();
        parsed.map_err(|error| Fault::new(format!("{}/@{name}", self.name), self.at, &error))
    }

    /// The value of an attribute.
    pub(crate) fn attribute_need<T: FromStr<Err: FieldError>>(&self, name: &str) -> Result<T, Fault> {
        self.attribute_as(name)?.ok_or_else(|| self.missing(&format!("@{name}")))
    }

    /// The number in the element.
    pub(crate) fn number<T: FromStr<Err: FieldError>>(&self) -> Result<T, Fault> {
        let text = decimal(self.content()?).map_err(|error| self.fault(error))?;
        text.parse().map_err(|error| Fault::new(self.name.clone(), self.at, &error))
    }

    /// Takes a number out, if there is one.
    pub(crate) fn number_of<T: FromStr<Err: FieldError>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, Fault> {
        self.some(name)?.map(|element| element.number()).transpose()
    }

    /// Takes an amount out, if there is one; where it says its currency, that is this one.
    pub(crate) fn amount(&mut self, name: &'static str, currency: Currency) -> Result<Option<Minor>, Fault> {
        self.some(name)?.map(|element| element.as_amount(currency)).transpose()
    }

    /// Takes an amount out.
    pub(crate) fn amount_need(&mut self, name: &'static str, currency: Currency) -> Result<Minor, Fault> {
        self.one(name)?.as_amount(currency)
    }

    /// The amount in the element.
    pub(crate) fn as_amount(&self, currency: Currency) -> Result<Minor, Fault> {
        if self.attribute("currencyID").is_some_and(|code| code != currency.code()) {
            return Err(self.fault(EInvoiceError::CurrencyUnsuited));
        }
        minor(self.content()?, currency).map_err(|error| self.fault(error))
    }

    /// The currency in the element.
    pub(crate) fn as_currency(&self) -> Result<Currency, Fault> {
        Currency::parse(self.content()?).map_err(|error| Fault::new(self.name.clone(), self.at, &error))
    }

    /// The truth value in the element.
    pub(crate) fn as_boolean(&self) -> Result<bool, Fault> {
        match self.content()? {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(self.fault(EInvoiceError::NotABoolean)),
        }
    }

    /// The day in the element: digits where `form` has `0`, and the same characters where it has others.
    pub(crate) fn as_day(&self, form: &str, pattern: &str) -> Result<Date, Fault> {
        let text = self.content()?;
        let is_alike = text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            });
        let day = if is_alike { Date::parse_from_str(text, pattern).ok() } else { None };
        day.ok_or_else(|| self.fault(EInvoiceError::InvalidDate))
    }
}
