//! A document in the base currency: its totals are converted once, and its parts share them, so that they add up there
//! as they do in its own currency.

use serde::{Deserialize, Serialize};
use trato_types::{Currency, Minor};

use crate::{
    Amounts, ExchangeRate, GroupTotal, Priced, PricingError, TaxKey, Trace,
    exact::{Share, amount, apportion, minor, minus, sum, wide},
    totals::group_totals,
    trace::{Datum, Rule, Subject},
};

/// A document in another currency.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Converted {
    /// The currency it was converted into.
    pub currency: Currency,
    /// Units of it for a unit of the document's currency.
    pub rate: ExchangeRate,
    /// Lines, then charges.
    pub items: Vec<Amounts>,
    /// Net and tax by group.
    pub groups: Vec<GroupTotal>,
    /// Total without tax: gross less tax.
    pub net: Minor,
    /// Total of the taxes, converted (BT-111).
    pub tax: Minor,
    /// Total with tax, converted.
    pub gross: Minor,
    /// What the buyer withholds, converted.
    pub withheld: Minor,
    /// What was paid before, converted.
    pub prepaid: Minor,
    /// The rounding of what is due, converted.
    pub rounding: Minor,
    /// What is due: gross less what is withheld and prepaid, plus rounding.
    pub due: Minor,
    /// How it came about.
    pub trace: Trace,
}

/// From one currency into another at a rate, as `digits / divisor`.
#[derive(Clone, Copy)]
pub(crate) struct Conversion {
    from: Currency,
    into: Currency,
    rate: ExchangeRate,
    factor: i128,
    divisor: i128,
}

impl Priced {
    /// Converts the document.
    pub fn convert(&self, into: Currency, rate: ExchangeRate) -> Result<Converted, PricingError> {
        let conversion = Conversion::new(self.currency, into, rate)?;
        let mut trace = Trace::new(into);
        let gross = conversion.total("gross", self.totals.gross, &mut trace)?;
        let tax = conversion.total("tax", self.totals.tax, &mut trace)?;
        let withheld = conversion.total("withheld", self.totals.withheld, &mut trace)?;
        let prepaid = conversion.total("prepaid", self.totals.prepaid, &mut trace)?;
        let rounding = conversion.total("rounding", self.totals.rounding, &mut trace)?;
        let net = minus(gross, tax)?;

        let mut items: Vec<Amounts> = self.items().cloned().collect();
        conversion.share_taxes(tax, self, &mut items, &mut trace)?;
        let nets: Vec<_> = self
            .items()
            .map(|item| Ok((conversion.share(item.net)?, &*item.key)))
            .collect::<Result<_, PricingError>>()?;
        for (item, part) in items.iter_mut().zip(apportion(net, &nets)?) {
            item.net = part;
            let inputs = [("net", Datum::Money(net))];
            trace.step(Rule::ExchangeShare, Subject::Line(item.key.clone()), inputs, Datum::Money(part));
        }
        conversion.share_withheld(withheld, &mut items)?;
        for item in &mut items {
            item.gross = sum(item.taxes.iter().map(|tax| tax.amount).chain([item.net]))?;
        }
        let due = minor(wide(gross) - wide(withheld) - wide(prepaid) + wide(rounding))?;
        let groups = group_totals(items.iter())?;
        Ok(Converted {
            currency: into,
            rate,
            items,
            groups,
            net,
            tax,
            gross,
            withheld,
            prepaid,
            rounding,
            due,
            trace,
        })
    }
}

impl Conversion {
    pub(crate) fn new(from: Currency, into: Currency, rate: ExchangeRate) -> Result<Self, PricingError> {
        if !from.exists() || !into.exists() {
            return Err(PricingError::UnknownCurrency);
        }
        if from == into && rate != ExchangeRate::ONE {
            return Err(PricingError::RateWithinCurrency);
        }
        let divisor = from.exponent() + rate.scale();
        let common = divisor.min(into.exponent());
        let factor = rate.digits().checked_mul(10_i128.pow(into.exponent() - common));
        Ok(Self {
            from,
            into,
            rate,
            factor: factor.ok_or(PricingError::TooLarge)?,
            divisor: 10_i128.pow(divisor - common),
        })
    }

    pub(crate) fn amount(&self, of: Minor) -> Result<Minor, PricingError> {
        amount(wide(of).checked_mul(self.factor).ok_or(PricingError::TooLarge)?, self.divisor)
    }

    fn share(&self, of: Minor) -> Result<Share, PricingError> {
        let dividend = wide(of).checked_mul(self.factor).ok_or(PricingError::TooLarge)?;
        Ok(Share::of(dividend, self.divisor))
    }

    fn total(&self, name: &'static str, of: Minor, trace: &mut Trace) -> Result<Minor, PricingError> {
        let converted = self.amount(of)?;
        let inputs = [(name, Datum::Foreign(of, self.from)), ("rate", Datum::Rate(self.rate))];
        trace.step(Rule::Exchange, Subject::Document, inputs, Datum::Foreign(converted, self.into));
        Ok(converted)
    }

    fn share_taxes(
        &self,
        tax: Minor,
        priced: &Priced,
        items: &mut [Amounts],
        trace: &mut Trace,
    ) -> Result<(), PricingError> {
        let names: Vec<String> = priced.groups.iter().map(|group| group.key.to_string()).collect();
        let by_group: Vec<_> = priced
            .groups
            .iter()
            .zip(&names)
            .map(|(group, name)| Ok((self.share(group.tax)?, name.as_str())))
            .collect::<Result<_, PricingError>>()?;
        for (group, total) in priced.groups.iter().zip(apportion(tax, &by_group)?) {
            let inputs = [("tax", Datum::Money(tax)), ("of", Datum::Foreign(group.tax, self.from))];
            trace.step(Rule::ExchangeShare, Subject::Group(group.key.clone()), inputs, Datum::Money(total));
            let shares: Vec<_> = priced
                .items()
                .filter_map(|item| Some((item, tax_of(item, &group.key)?)))
                .map(|(item, tax)| Ok((self.share(tax)?, &*item.key)))
                .collect::<Result<_, PricingError>>()?;
            let mut parts = apportion(total, &shares)?.into_iter();
            let taxes = items.iter_mut().flat_map(|item| &mut item.taxes);
            for (tax, part) in taxes.filter(|tax| tax.key == group.key).zip(&mut parts) {
                tax.amount = part;
            }
        }
        Ok(())
    }

    fn share_withheld(&self, total: Minor, items: &mut [Amounts]) -> Result<(), PricingError> {
        let mut named: Vec<(Share, String)> = Vec::new();
        for item in items.iter() {
            for one in &item.withheld {
                let name = format!("{} {} {}", item.key, one.key.code, one.key.rate);
                named.push((self.share(one.amount)?, name));
            }
        }
        let shares: Vec<_> = named.iter().map(|(share, name)| (*share, name.as_str())).collect();
        let parts = apportion(total, &shares)?;
        for (one, part) in items.iter_mut().flat_map(|item| &mut item.withheld).zip(parts) {
            one.amount = part;
        }
        Ok(())
    }
}

fn tax_of(item: &Amounts, key: &TaxKey) -> Option<Minor> {
    item.taxes.iter().find(|tax| tax.key == *key).map(|tax| tax.amount)
}

/// Converts an amount by itself, rounded once: a payment, a limit, an opportunity.
pub fn convert(
    amount: Minor,
    from: Currency,
    into: Currency,
    rate: ExchangeRate,
) -> Result<Minor, PricingError> {
    Conversion::new(from, into, rate)?.amount(amount)
}
