//! Refuses what has no meaning before anything is computed, and says all of it at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use trato_types::{Minor, Violations, error::FieldError};

use crate::{
    AdjustmentKind, Document, Percent, PricingError, Quantity, Tax, TaxCategory, Value, Withholding,
};

/// Longest key of a line, in bytes; that of what is given for nothing is made of two others.
const LONGEST_KEY: usize = 128;

/// One of several, `lines[3]`; written out only where something is wrong with it.
#[derive(Clone, Copy)]
struct Path(&'static str, usize);

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.0, self.1)
    }
}

/// Notes everything that is wrong with a document, by the paths of its fields.
pub(crate) fn check(document: &Document) -> Violations {
    let mut faults = Violations::new();
    if !document.currency.exists() {
        note(&mut faults, "currency", PricingError::UnknownCurrency);
    }
    if document.smallest_payment < Minor(0) {
        note(&mut faults, "smallest_payment", PricingError::Negative);
    }
    if document.lines.is_empty() {
        note(&mut faults, "lines", PricingError::NoLines);
    }
    let mut keys = BTreeSet::new();
    for (at, line) in document.lines.iter().enumerate() {
        let path = Path("lines", at);
        check_key(&mut faults, path, &line.key, &mut keys);
        if line.per <= Quantity::ZERO {
            note(&mut faults, format!("{path}.per"), PricingError::NotPositive);
        }
        for (number, adjustment) in line.adjustments.iter().enumerate() {
            // A charge may well be more than the line: a rush order of a screw.
            if adjustment.kind == AdjustmentKind::Discount && is_too_much(adjustment.value) {
                let field = format!("{path}.adjustments[{number}].value");
                note(&mut faults, field, PricingError::PercentOutOfRange);
            }
        }
        check_taxes(&mut faults, path, &line.taxes, &line.withheld);
    }
    let lines = keys.clone();
    for (at, charge) in document.charges.iter().enumerate() {
        let path = Path("charges", at);
        check_key(&mut faults, path, &charge.key, &mut keys);
        check_taxes(&mut faults, path, &charge.taxes, &charge.withheld);
    }
    for (at, discount) in document.discounts.iter().enumerate() {
        let path = Path("discounts", at);
        if is_too_much(discount.value) {
            note(&mut faults, format!("{path}.value"), PricingError::PercentOutOfRange);
        }
        for (at, key) in discount.lines.iter().enumerate() {
            if !lines.contains(&**key) {
                note(&mut faults, format!("{path}.lines[{at}]"), PricingError::UnknownKey);
            } else if discount.lines[..at].contains(key) {
                note(&mut faults, format!("{path}.lines[{at}]"), PricingError::DuplicateKey);
            }
        }
    }
    check_not_subject(&mut faults, document);
    faults
}

fn note(faults: &mut Violations, field: impl Into<String>, error: PricingError) {
    faults.add(field, FieldError::reason(&error), error.to_string());
}

fn check_key<'a>(faults: &mut Violations, path: Path, key: &'a str, keys: &mut BTreeSet<&'a str>) {
    if key.is_empty() || key.len() > LONGEST_KEY {
        note(faults, format!("{path}.key"), PricingError::InvalidKey);
    } else if !keys.insert(key) {
        note(faults, format!("{path}.key"), PricingError::DuplicateKey);
    }
}

fn is_too_much(value: Value) -> bool {
    matches!(value, Value::Percent(percent) if percent > Percent::HUNDRED)
}

fn check_taxes(faults: &mut Violations, path: Path, taxes: &[Tax], withheld: &[Withholding]) {
    if taxes.is_empty() {
        note(faults, format!("{path}.taxes"), PricingError::TaxMissing);
    }
    for (at, tax) in taxes.iter().enumerate() {
        let fault = match tax.check() {
            Err(error) => error,
            Ok(()) if taxes[..at].iter().any(|other| other.key == tax.key) => PricingError::DuplicateTax,
            Ok(()) => continue,
        };
        note(faults, format!("{path}.taxes[{at}]"), fault);
    }
    for (at, one) in withheld.iter().enumerate() {
        let fault = if one.rate > Percent::HUNDRED {
            PricingError::PercentOutOfRange
        } else if withheld[..at].contains(one) {
            PricingError::DuplicateTax
        } else {
            continue;
        };
        note(faults, format!("{path}.withheld[{at}]"), fault);
    }
}

/// BR-O-11 to BR-O-14: what is not subject to a tax does not stand beside what is.
fn check_not_subject(faults: &mut Violations, document: &Document) {
    let lines = document.lines.iter().enumerate().map(|(at, line)| (Path("lines", at), &line.taxes));
    let charges =
        document.charges.iter().enumerate().map(|(at, charge)| (Path("charges", at), &charge.taxes));
    let mut seen: BTreeMap<&str, bool> = BTreeMap::new();
    for (path, taxes) in lines.chain(charges) {
        for tax in taxes {
            let outside = tax.key.category == TaxCategory::NotSubject;
            if *seen.entry(&tax.key.code).or_insert(outside) != outside {
                note(faults, format!("{path}.taxes"), PricingError::NotSubjectMixed);
            }
        }
    }
}
