//! Groups and totals by the arithmetic of EN 16931: every total is the sum of what it stands over.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use trato_types::Minor;

use crate::{
    Amounts, Document, GroupTotal, PricedLine, PricingError, Tax, TaxGroup, TaxKey, Totals, WithheldGroup,
    Withholding,
    exact::{divide, minor, minus, sum, wide},
    trace::{Datum, Rule, Subject, Trace},
};

/// What has been seen of a group so far.
#[derive(Default)]
struct Gathered {
    reasons: BTreeSet<Arc<str>>,
    lines: i128,
    discounts: i128,
    charges: i128,
    tax: i128,
}

/// The taxes of a document by code, category and rate.
pub(crate) fn tax_groups(
    document: &Document,
    lines: &[PricedLine],
    charges: &[Amounts],
) -> Result<Vec<TaxGroup>, PricingError> {
    let mut groups: BTreeMap<&TaxKey, Gathered> = BTreeMap::new();
    for (input, line) in document.lines.iter().zip(lines) {
        for tax in &input.taxes {
            let group = gather(&mut groups, tax, &line.amounts);
            group.lines += wide(line.line_net);
            group.discounts += wide(line.discount_net);
        }
    }
    for (input, charge) in document.charges.iter().zip(charges) {
        for tax in &input.taxes {
            gather(&mut groups, tax, charge).charges += wide(charge.net);
        }
    }
    groups.into_iter().map(|(key, group)| group.finish(key)).collect()
}

fn gather<'a, 'b>(
    groups: &'b mut BTreeMap<&'a TaxKey, Gathered>,
    tax: &'a Tax,
    amounts: &Amounts,
) -> &'b mut Gathered {
    let group = groups.entry(&tax.key).or_default();
    let known = amounts.taxes.iter().find(|known| known.key == tax.key);
    group.tax += known.map_or(0, |known| wide(known.amount));
    group.reasons.extend(tax.reason.clone());
    group
}

impl Gathered {
    fn finish(self, key: &TaxKey) -> Result<TaxGroup, PricingError> {
        Ok(TaxGroup {
            key: key.clone(),
            reasons: self.reasons.into_iter().collect(),
            lines: minor(self.lines)?,
            discounts: minor(self.discounts)?,
            charges: minor(self.charges)?,
            basis: minor(self.lines - self.discounts + self.charges)?,
            tax: minor(self.tax)?,
        })
    }
}

/// What is withheld by code and rate.
pub(crate) fn withheld_groups<'a>(
    items: impl Iterator<Item = &'a Amounts>,
) -> Result<Vec<WithheldGroup>, PricingError> {
    let parts = items.flat_map(|item| item.withheld.iter().map(|one| (&one.key, item.net, one.amount)));
    by_key(parts, |key: &Withholding, basis, amount| WithheldGroup { key: key.clone(), basis, amount })
}

/// Net and tax by group, of any lines.
pub(crate) fn group_totals<'a>(
    items: impl Iterator<Item = &'a Amounts>,
) -> Result<Vec<GroupTotal>, PricingError> {
    let parts = items.flat_map(|item| item.taxes.iter().map(|one| (&one.key, item.net, one.amount)));
    by_key(parts, |key: &TaxKey, basis, tax| GroupTotal { key: key.clone(), basis, tax })
}

/// Adds up basis and amount by key, in the order of keys.
fn by_key<'a, K: Ord + 'a, T>(
    parts: impl Iterator<Item = (&'a K, Minor, Minor)>,
    group: impl Fn(&K, Minor, Minor) -> T,
) -> Result<Vec<T>, PricingError> {
    let mut sums: BTreeMap<&K, (i128, i128)> = BTreeMap::new();
    for (key, basis, amount) in parts {
        let sum = sums.entry(key).or_default();
        sum.0 += wide(basis);
        sum.1 += wide(amount);
    }
    sums.into_iter().map(|(key, (basis, amount))| Ok(group(key, minor(basis)?, minor(amount)?))).collect()
}

/// The totals of a document (BR-CO-10 to BR-CO-16).
pub(crate) fn totals(
    document: &Document,
    lines: &[PricedLine],
    charges: &[Amounts],
    groups: &[TaxGroup],
    withheld: &[WithheldGroup],
    trace: &mut Trace,
) -> Result<Totals, PricingError> {
    let mut totals = Totals {
        lines: sum(lines.iter().map(|line| line.line_net))?,
        discounts: sum(lines.iter().map(|line| line.discount_net))?,
        charges: sum(charges.iter().map(|charge| charge.net))?,
        tax: sum(groups.iter().map(|group| group.tax))?,
        withheld: sum(withheld.iter().map(|group| group.amount))?,
        prepaid: document.prepaid,
        ..Totals::default()
    };
    totals.net = minor(wide(totals.lines) - wide(totals.discounts) + wide(totals.charges))?;
    totals.gross = sum([totals.net, totals.tax])?;
    let open = minor(wide(totals.gross) - wide(totals.withheld) - wide(totals.prepaid))?;
    totals.due = rounded_to(open, document.smallest_payment)?;
    totals.rounding = minus(totals.due, open)?;
    explain(&totals, document.smallest_payment, trace);
    Ok(totals)
}

/// The nearest multiple of the smallest amount that can be paid.
pub(crate) fn rounded_to(open: Minor, smallest: Minor) -> Result<Minor, PricingError> {
    match wide(smallest) {
        ..=1 => Ok(open),
        smallest => minor(divide(wide(open), smallest) * smallest),
    }
}

fn explain(totals: &Totals, smallest: Minor, trace: &mut Trace) {
    let mut step = |rule, inputs: &[(&'static str, Minor)], output| {
        let inputs = inputs.iter().map(|(name, amount)| (*name, Datum::Money(*amount)));
        trace.step(rule, Subject::Document, inputs, Datum::Money(output));
    };
    step(Rule::SumOfLines, &[], totals.lines);
    step(Rule::SumOfDiscounts, &[], totals.discounts);
    step(Rule::SumOfCharges, &[], totals.charges);
    let parts = [("lines", totals.lines), ("discounts", totals.discounts), ("charges", totals.charges)];
    step(Rule::NetTotal, &parts, totals.net);
    step(Rule::TaxTotal, &[], totals.tax);
    step(Rule::GrossTotal, &[("net", totals.net), ("tax", totals.tax)], totals.gross);
    if smallest > Minor(1) {
        step(Rule::CashRounding, &[("smallest", smallest)], totals.rounding);
    }
    let parts = [
        ("gross", totals.gross),
        ("withheld", totals.withheld),
        ("prepaid", totals.prepaid),
        ("rounding", totals.rounding),
    ];
    step(Rule::AmountDue, &parts, totals.due);
}
