//! Refuses what is no e-invoice before anything is written, and says all of it at once.

mod parties;
mod profile;
mod sums;
mod taxes;

use std::{collections::BTreeSet, fmt};

use trato_pricing::Quantity;
use trato_types::{Date, Minor, Violations, error::FieldError};

use crate::{
    EInvoiceError,
    model::{Adjustment, Invoice, Kind, Line, Means, Period},
};

/// Most lines of a document.
pub(crate) const MOST_LINES: usize = 10_000;

/// What is wrong so far.
pub(crate) struct Faults(Violations);

impl Faults {
    fn note(&mut self, field: impl fmt::Display, error: EInvoiceError) {
        self.0.add(field.to_string(), FieldError::reason(&error), error.to_string());
    }

    /// Notes `error` unless the rule holds.
    fn unless(&mut self, holds: bool, field: impl fmt::Display, error: EInvoiceError) {
        if !holds {
            self.note(field, error);
        }
    }
}

/// One of several, `lines[3]`; written out only where something is wrong with it.
#[derive(Clone, Copy)]
struct At(&'static str, usize);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.0, self.1)
    }
}

/// Notes everything that is wrong with a document, by the paths of its fields.
pub(crate) fn check(invoice: &Invoice) -> Violations {
    let mut faults = Faults(Violations::new());
    let is_listed = invoice.currency.exists();
    faults.unless(is_listed, "currency", EInvoiceError::UnknownCurrency);
    faults.unless(invoice.currency.exponent() <= 2, "currency", EInvoiceError::CurrencyTooFine);
    check_days(&mut faults, invoice);
    let placeholder = invoice.references.order.as_ref().is_some_and(|order| order.as_str() == NO_ORDER);
    faults.unless(!placeholder, "references.order", EInvoiceError::Placeholder);
    check_lines(&mut faults, invoice);
    let of_document = [("allowances", &invoice.allowances), ("charges", &invoice.charges)];
    for (name, all) in of_document {
        for (at, one) in all.iter().enumerate() {
            check_reason(&mut faults, At(name, at), &one.adjustment);
        }
    }
    parties::check(&mut faults, invoice);
    check_payment(&mut faults, invoice);
    taxes::check(&mut faults, invoice);
    sums::check(&mut faults, invoice);
    profile::check(&mut faults, invoice);
    faults.0
}

/// What UBL has where only the seller's order has a number.
pub(crate) const NO_ORDER: &str = "NA";

fn check_days(faults: &mut Faults, invoice: &Invoice) {
    let days =
        [("issued", Some(invoice.issued)), ("due", invoice.due), ("delivery.date", invoice.delivery.date)];
    for (field, day) in days {
        check_day(faults, field, day);
    }
    for (at, one) in invoice.preceding.iter().enumerate() {
        check_day(faults, format_args!("preceding[{at}].issued"), one.issued);
    }
    check_period(faults, "period", invoice.period);
    for (at, line) in invoice.lines.iter().enumerate() {
        check_period(faults, format_args!("lines[{at}].period"), line.period);
    }
    let is_due_later = invoice.due.is_none_or(|due| due >= invoice.issued);
    faults.unless(is_due_later, "due", EInvoiceError::DueBeforeIssue);
}

/// Both syntaxes write a year with four digits.
fn check_day(faults: &mut Faults, field: impl fmt::Display, day: Option<Date>) {
    let limits = (Date::from_ymd_opt(1, 1, 1), Date::from_ymd_opt(9999, 12, 31));
    let is_within = day.is_none() || (day >= limits.0 && day <= limits.1);
    faults.unless(is_within, field, EInvoiceError::InvalidDate);
}

fn check_period(faults: &mut Faults, field: impl fmt::Display + Copy, period: Period) {
    for day in [period.first, period.last] {
        check_day(faults, field, day);
    }
    let in_order = period.first.zip(period.last).is_none_or(|(first, last)| first <= last);
    faults.unless(in_order, field, EInvoiceError::EndBeforeStart);
}

fn check_lines(faults: &mut Faults, invoice: &Invoice) {
    faults.unless(!invoice.lines.is_empty(), "lines", EInvoiceError::NoLines);
    faults.unless(invoice.lines.len() <= MOST_LINES, "lines", EInvoiceError::TooMany);
    let mut numbers = BTreeSet::new();
    for (at, line) in invoice.lines.iter().enumerate() {
        let path = At("lines", at);
        faults.unless(
            numbers.insert(&line.number),
            format_args!("{path}.number"),
            EInvoiceError::DuplicateLine,
        );
        check_line(faults, path, line);
    }
}

fn check_line(faults: &mut Faults, path: At, line: &Line) {
    faults.unless(
        line.price.per > Quantity::ZERO,
        format_args!("{path}.price.per"),
        EInvoiceError::NotPositive,
    );
    if let Some(discount) = line.price.discount {
        let agrees = sums::is_difference(line.price.net, discount.gross, discount.amount);
        faults.unless(agrees, format_args!("{path}.price.net"), EInvoiceError::PriceDiffers);
    }
    for (name, all) in [("allowances", &line.allowances), ("charges", &line.charges)] {
        for (number, one) in all.iter().enumerate() {
            check_reason(faults, format_args!("{path}.{name}[{number}]"), one);
        }
    }
}

fn check_reason(faults: &mut Faults, path: impl fmt::Display, one: &Adjustment) {
    faults.unless(one.reason.is_some() || one.code.is_some(), path, EInvoiceError::ReasonMissing);
}

fn check_payment(faults: &mut Faults, invoice: &Invoice) {
    let says_when = invoice.due.is_some() || invoice.terms.is_some();
    faults.unless(invoice.totals.due <= Minor(0) || says_when, "due", EInvoiceError::TermsMissing);
    if invoice.kind == Kind::CreditNote && invoice.due.is_some() {
        faults.unless(invoice.means.is_some(), "due", EInvoiceError::DueWithoutMeans);
    }
    if let Some(means) = &invoice.means {
        check_means(faults, means);
    }
}

fn check_means(faults: &mut Faults, means: &Means) {
    let has_account = !means.accounts.is_empty();
    faults.unless(has_account || !means.is_transfer(), "means.accounts", EInvoiceError::AccountMissing);
    faults.unless(!has_account || means.debit.is_open(), "means.debit", EInvoiceError::MeansMixed);
}
