//! Discounts of the whole document, shared by the lines they are for so that the shares add up to the cent.

use trato_types::Minor;

use crate::{
    Document, DocumentDiscount, PricingError, Value,
    exact::{Share, apportion, by_weight, minus, rounded_sum, sum, wide},
    line::{LineAmount, WHOLE, discount, shown},
    trace::{Datum, Rule, Subject, Trace},
};

/// The discounts of a document and who bears them.
#[derive(Debug)]
pub(crate) struct Discounts {
    /// What each discount takes in all.
    pub(crate) totals: Vec<Minor>,
    /// By line: its share of each discount.
    pub(crate) shares: Vec<Vec<Minor>>,
    /// By line: what is left.
    pub(crate) rest: Vec<Minor>,
}

/// Takes the discounts one after the other, each of what the ones before it left. An error tells which one it is about.
pub(crate) fn take_discounts(
    document: &Document,
    lines: &[LineAmount],
    trace: &mut Trace,
) -> Result<Discounts, (usize, PricingError)> {
    let mut rest: Vec<Minor> = lines.iter().map(|line| line.priced).collect();
    let mut shares: Vec<Vec<Minor>> = vec![vec![Minor(0); document.discounts.len()]; lines.len()];
    let mut totals = Vec::with_capacity(document.discounts.len());
    for (number, one) in document.discounts.iter().enumerate() {
        let (total, parts) = take(document, one, &rest, trace).map_err(|error| (number, error))?;
        for (at, part) in parts {
            rest[at] = minus(rest[at], part).map_err(|error| (number, error))?;
            shares[at][number] = part;
        }
        totals.push(total);
    }
    Ok(Discounts { totals, shares, rest })
}

/// What one discount takes, in all and of which line.
fn take(
    document: &Document,
    one: &DocumentDiscount,
    rest: &[Minor],
    trace: &mut Trace,
) -> Result<(Minor, Vec<(usize, Minor)>), PricingError> {
    let key = |at: usize| &document.lines[at].key;
    let meant: Vec<usize> =
        (0..rest.len()).filter(|at| one.lines.is_empty() || one.lines.contains(key(*at))).collect();
    let amounts: Vec<(Minor, &str)> = meant.iter().map(|at| (rest[*at], &**key(*at))).collect();
    let of = sum(amounts.iter().map(|(amount, _)| *amount))?;
    let (total, parts) = share(one, of, &amounts)?;
    let inputs =
        [("of", Datum::Money(of)), ("value", shown(one.value)), ("reason", Datum::text(&one.reason))];
    trace.step(Rule::DocumentDiscount, Subject::Document, inputs, Datum::Money(total));
    for (at, part) in meant.iter().zip(&parts) {
        let inputs = [("discount", Datum::Money(total)), ("of", Datum::Money(rest[*at]))];
        trace.step(Rule::DiscountShare, Subject::Line(key(*at).clone()), inputs, Datum::Money(*part));
    }
    Ok((total, meant.into_iter().zip(parts).collect()))
}

fn share(
    one: &DocumentDiscount,
    of: Minor,
    amounts: &[(Minor, &str)],
) -> Result<(Minor, Vec<Minor>), PricingError> {
    match one.value {
        Value::Percent(percent) => {
            let shares: Vec<_> = amounts
                .iter()
                .map(|(amount, key)| (Share::of(wide(*amount) * percent.millionths(), WHOLE), *key))
                .collect();
            let total = rounded_sum(&shares)?;
            Ok((total, apportion(total, &shares)?))
        }
        Value::Amount(_) => {
            let total = discount(one.value, of)?;
            // What is taken back by the document bears none of it: its lines add up to less than the others alone, so
            // that no line ends on the other side of zero.
            let bears = |amount: Minor| amount.0.signum() == total.0.signum();
            let weights: Vec<_> = amounts
                .iter()
                .map(|(amount, key)| (if bears(*amount) { *amount } else { Minor(0) }, *key))
                .collect();
            let parts =
                if total.is_zero() { vec![Minor(0); amounts.len()] } else { by_weight(total, &weights)? };
            Ok((total, parts))
        }
    }
}
