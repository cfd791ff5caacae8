//! Taxes by group of the document, shared by the lines so that lines plus tax are the gross, to the cent.

use std::collections::BTreeMap;

use trato_types::Minor;

use crate::{
    Amounts, Percent, Prices, PricingError, Tax, TaxAmount, TaxKey, TaxRounding, WithheldAmount, Withholding,
    exact::{Share, amount, apportion, minus, sum, wide},
    line::{WHOLE, percentage},
    trace::{Datum, Rule, Subject, Trace},
};

/// A line or a charge with the amount it is priced at.
pub(crate) struct Item<'a> {
    pub(crate) key: &'a crate::Key,
    pub(crate) amount: Minor,
    pub(crate) taxes: &'a [Tax],
    pub(crate) withheld: &'a [Withholding],
}

/// Computes net, taxes, gross and what is withheld of every item.
pub(crate) fn tax(
    items: &[Item<'_>],
    prices: Prices,
    rounding: TaxRounding,
    trace: &mut Trace,
) -> Result<Vec<Amounts>, PricingError> {
    let mut amounts: Vec<Amounts> = items.iter().map(untaxed).collect();
    match prices {
        Prices::Net => {
            for (tax, members) in by_tax(items) {
                on_net(tax, &members, rounding, &mut amounts, trace)?;
            }
            for one in &mut amounts {
                one.gross = sum(one.taxes.iter().map(|tax| tax.amount).chain([one.net]))?;
            }
        }
        Prices::TaxInclusive => {
            for ((taxes, _), members) in by_profile(items, rounding) {
                within_gross(&taxes, &members, &mut amounts, trace)?;
            }
            for one in &mut amounts {
                one.net = minus(one.gross, sum(one.taxes.iter().map(|tax| tax.amount))?)?;
            }
        }
    }
    withhold(items, rounding, &mut amounts, trace)?;
    Ok(amounts)
}

/// The net within amounts that include taxes, shared by the items as in `tax`.
pub(crate) fn net_within(items: &[Item<'_>], rounding: TaxRounding) -> Result<Vec<Minor>, PricingError> {
    let mut nets = vec![Minor(0); items.len()];
    for ((taxes, _), members) in by_profile(items, rounding) {
        let divisor = WHOLE + rates(&taxes);
        let gross = sum(members.iter().map(|at| items[*at].amount))?;
        let net = amount(wide(gross) * WHOLE, divisor)?;
        let shares: Vec<_> = members
            .iter()
            .map(|at| (Share::of(wide(items[*at].amount) * WHOLE, divisor), &**items[*at].key))
            .collect();
        for (at, part) in members.iter().zip(apportion(net, &shares)?) {
            nets[*at] = part;
        }
    }
    Ok(nets)
}

fn untaxed(item: &Item<'_>) -> Amounts {
    let mut keys: Vec<&TaxKey> = item.taxes.iter().map(|tax| &tax.key).collect();
    keys.sort();
    Amounts {
        key: item.key.clone(),
        net: item.amount,
        taxes: keys.into_iter().map(|key| TaxAmount { key: key.clone(), amount: Minor(0) }).collect(),
        gross: item.amount,
        withheld: Vec::new(),
    }
}

fn by_tax<'a>(items: &'a [Item<'_>]) -> BTreeMap<&'a TaxKey, Vec<usize>> {
    let mut groups: BTreeMap<&TaxKey, Vec<usize>> = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        for tax in item.taxes {
            groups.entry(&tax.key).or_default().push(at);
        }
    }
    groups
}

/// Items that are taxed alike, and by themselves when each line is rounded.
type Profiles<'a> = BTreeMap<(Vec<&'a TaxKey>, Option<usize>), Vec<usize>>;

fn by_profile<'a>(items: &'a [Item<'_>], rounding: TaxRounding) -> Profiles<'a> {
    let mut profiles = Profiles::new();
    for (at, item) in items.iter().enumerate() {
        let mut taxes: Vec<&TaxKey> = item.taxes.iter().map(|tax| &tax.key).collect();
        taxes.sort();
        let alone = (rounding == TaxRounding::Line).then_some(at);
        profiles.entry((taxes, alone)).or_default().push(at);
    }
    profiles
}

fn rates(taxes: &[&TaxKey]) -> i128 {
    taxes.iter().map(|tax| tax.rate.millionths()).sum()
}

/// A rate on net amounts: in all, and by item.
fn rate_on(
    rate: Percent,
    nets: &[(Minor, &str)],
    rounding: TaxRounding,
) -> Result<(Minor, Minor, Vec<Minor>), PricingError> {
    let net = sum(nets.iter().map(|(net, _)| *net))?;
    match rounding {
        TaxRounding::Group => {
            let total = percentage(rate, net)?;
            let share = |net: Minor| Share::of(wide(net) * rate.millionths(), WHOLE);
            let shares: Vec<_> = nets.iter().map(|(net, key)| (share(*net), *key)).collect();
            Ok((net, total, apportion(total, &shares)?))
        }
        TaxRounding::Line => {
            let parts: Vec<Minor> =
                nets.iter().map(|(net, _)| percentage(rate, *net)).collect::<Result<_, _>>()?;
            Ok((net, sum(parts.iter().copied())?, parts))
        }
    }
}

fn on_net(
    tax: &TaxKey,
    members: &[usize],
    rounding: TaxRounding,
    amounts: &mut [Amounts],
    trace: &mut Trace,
) -> Result<(), PricingError> {
    let nets: Vec<_> = members.iter().map(|at| (amounts[*at].net, &*amounts[*at].key)).collect();
    let (net, total, parts) = rate_on(tax.rate, &nets, rounding)?;
    let inputs = [("net", Datum::Money(net)), ("rate", Datum::Percent(tax.rate))];
    trace.step(Rule::TaxOnNet, Subject::Group(tax.clone()), inputs, Datum::Money(total));
    give(tax, total, members, parts, amounts, trace);
    Ok(())
}

fn within_gross(
    taxes: &[&TaxKey],
    members: &[usize],
    amounts: &mut [Amounts],
    trace: &mut Trace,
) -> Result<(), PricingError> {
    let rates = rates(taxes);
    let gross = sum(members.iter().map(|at| amounts[*at].gross))?;
    let net = amount(wide(gross) * WHOLE, WHOLE + rates)?;
    let within = minus(gross, net)?;
    let subject = match taxes {
        [only] => Subject::Group((*only).clone()),
        _ => Subject::Document,
    };
    let combined = Percent::from_sum(rates)?;
    let inputs = [("gross", Datum::Money(gross)), ("rate", Datum::Percent(combined))];
    trace.step(Rule::NetOfGross, subject, inputs, Datum::Money(net));

    let names: Vec<String> = taxes.iter().map(|tax| tax.to_string()).collect();
    let by_rate: Vec<_> = taxes
        .iter()
        .zip(&names)
        .map(|(tax, name)| (Share::of(wide(within) * tax.rate.millionths(), rates.max(1)), name.as_str()))
        .collect();
    for (tax, total) in taxes.iter().zip(apportion(within, &by_rate)?) {
        let inputs = [("within", Datum::Money(within)), ("rate", Datum::Percent(tax.rate))];
        trace.step(Rule::TaxWithinGross, Subject::Group((*tax).clone()), inputs, Datum::Money(total));
        let share = |gross: Minor| Share::of(wide(gross) * tax.rate.millionths(), WHOLE + rates);
        let shares: Vec<_> =
            members.iter().map(|at| (share(amounts[*at].gross), &*amounts[*at].key)).collect();
        let parts = apportion(total, &shares)?;
        give(tax, total, members, parts, amounts, trace);
    }
    Ok(())
}

fn give(
    tax: &TaxKey,
    total: Minor,
    members: &[usize],
    parts: Vec<Minor>,
    amounts: &mut [Amounts],
    trace: &mut Trace,
) {
    for (at, part) in members.iter().zip(parts) {
        let one = &mut amounts[*at];
        if let Some(known) = one.taxes.iter_mut().find(|known| known.key == *tax) {
            known.amount = part;
        }
        let subject = Subject::LineTax(one.key.clone(), tax.clone());
        trace.step(Rule::TaxShare, subject, [("tax", Datum::Money(total))], Datum::Money(part));
    }
}

fn withhold(
    items: &[Item<'_>],
    rounding: TaxRounding,
    amounts: &mut [Amounts],
    trace: &mut Trace,
) -> Result<(), PricingError> {
    let mut groups: BTreeMap<&Withholding, Vec<usize>> = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        for one in item.withheld {
            groups.entry(one).or_default().push(at);
        }
    }
    for (one, members) in groups {
        let nets: Vec<_> = members.iter().map(|at| (amounts[*at].net, &*amounts[*at].key)).collect();
        let (net, total, parts) = rate_on(one.rate, &nets, rounding)?;
        let inputs = [
            ("net", Datum::Money(net)),
            ("rate", Datum::Percent(one.rate)),
            ("code", Datum::text(&one.code)),
        ];
        trace.step(Rule::Withheld, Subject::Document, inputs, Datum::Money(total));
        for (at, part) in members.into_iter().zip(parts) {
            amounts[at].withheld.push(WithheldAmount { key: one.clone(), amount: part });
        }
    }
    Ok(())
}
