//! Credits take their amounts from what the document has left, never from prices and rates: whoever credits all that is
//! left leaves exactly zero, after whatever went before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trato_types::{Currency, Minor, Result, Violations, error::FieldError};

use crate::{
    Amounts, Converted, GroupTotal, Key, Priced, Prices, PricingError, Quantity, Trace,
    exact::{minus, negated, sum},
    portion::{Claim, take},
    totals::group_totals,
    trace::{Datum, Rule, Subject},
};

/// What of a document has not been credited yet.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Balance {
    /// Currency of every amount.
    pub currency: Currency,
    /// Whether the document was priced with the taxes included: then it is the gross that is divided.
    pub prices: Prices,
    /// Lines and charges with what is left of them.
    pub items: Vec<Creditable>,
    /// What is left of the rounding of what was due.
    pub rounding: Minor,
}

/// A line or a charge with a quantity and amounts.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Creditable {
    /// How much of it; one for a charge.
    pub quantity: Quantity,
    /// What that comes to.
    pub amounts: Amounts,
}

/// A wish to credit a line or a charge.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CreditRequest {
    /// Which one.
    pub key: Key,
    /// How much of it.
    pub portion: Portion,
}

/// How much of a line is credited.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Portion {
    /// All that is left.
    Rest,
    /// So much of what is left, and its share of the amounts.
    Quantity(Quantity),
    /// So much of the net amount, and the tax on it; the quantity stays.
    Net(Minor),
    /// So much of the gross amount, tax included; the quantity stays.
    Gross(Minor),
}

/// A credit: amounts have the sign of what they credit, so that a credit note prints them as they are.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Credit {
    /// What is credited of each line and charge, in the order of the requests.
    pub items: Vec<Creditable>,
    /// Net and tax by group.
    pub groups: Vec<GroupTotal>,
    /// Without tax.
    pub net: Minor,
    /// The taxes.
    pub tax: Minor,
    /// With tax.
    pub gross: Minor,
    /// What the buyer had withheld.
    pub withheld: Minor,
    /// The rounding of what was due; the credit that leaves nothing takes it along.
    pub rounding: Minor,
    /// What is given back: gross less what was withheld plus rounding.
    pub due: Minor,
    /// How it came about.
    pub trace: Trace,
}

impl Balance {
    /// All of a document.
    pub fn of(priced: &Priced) -> Self {
        let lines = priced
            .lines
            .iter()
            .map(|line| Creditable { quantity: line.quantity, amounts: line.amounts.clone() });
        let charges = priced
            .charges
            .iter()
            .map(|charge| Creditable { quantity: Quantity::ONE, amounts: charge.clone() });
        Self {
            currency: priced.currency,
            prices: priced.prices,
            items: lines.chain(charges).collect(),
            rounding: priced.totals.rounding,
        }
    }

    /// True when no amount is left; a quantity without amounts may be.
    pub fn is_zero(&self) -> bool {
        self.rounding.is_zero() && self.items.iter().all(|item| item.amounts.is_zero())
    }

    /// Credits all that is left.
    pub fn credit_rest(&self) -> Result<(Credit, Self)> {
        let rest =
            |item: &Creditable| CreditRequest { key: item.amounts.key.clone(), portion: Portion::Rest };
        self.credit(&self.items.iter().map(rest).collect::<Vec<_>>())
    }

    /// Credits what is asked for: the credit, and what it leaves. More than there is left is refused.
    pub fn credit(&self, requests: &[CreditRequest]) -> Result<(Credit, Self)> {
        let mut faults = Violations::new();
        let places: BTreeMap<&str, usize> =
            self.items.iter().enumerate().map(|(at, item)| (&*item.amounts.key, at)).collect();
        let mut claims: Vec<Claim<'_>> = Vec::with_capacity(requests.len());
        for (number, request) in requests.iter().enumerate() {
            let claim = match places.get(&*request.key) {
                None => Err(PricingError::UnknownKey),
                Some(at) if claims.iter().any(|claim| claim.at == *at) => Err(PricingError::DuplicateKey),
                Some(at) => Claim::new(*at, &self.items[*at], request.portion, self.prices),
            };
            match claim {
                Ok(claim) => claims.push(claim),
                Err(error) => {
                    faults.add(format!("lines[{number}]"), FieldError::reason(&error), error.to_string());
                }
            }
        }
        if !faults.is_empty() {
            return Err(faults.into_error());
        }
        let mut trace = Trace::new(self.currency);
        let items = take(&claims, &mut trace)?;
        let credited: Vec<(usize, Creditable)> = claims.iter().map(|claim| claim.at).zip(items).collect();
        Ok(self.settle(credited, trace)?)
    }

    /// The same credit in the base currency: `self` is what is left in it, `document` was left in the document's own
    /// before `credit` was taken. What takes the rest there takes the rest here, so that both end at zero together.
    pub fn credit_alike(&self, document: &Self, credit: &Credit) -> Result<(Credit, Self)> {
        let mut credited = Vec::with_capacity(credit.items.len());
        let mut trace = Trace::new(self.currency);
        for part in &credit.items {
            let key = &part.amounts.key;
            let find = |items: &[Creditable]| items.iter().position(|item| item.amounts.key == *key);
            let (Some(at), Some(there)) = (find(&self.items), find(&document.items)) else {
                return Err(PricingError::UnknownKey.into());
            };
            let amounts = self.items[at].amounts.part_like(&part.amounts, &document.items[there].amounts)?;
            let inputs = [
                ("left", Datum::Money(self.items[at].amounts.gross)),
                ("credited", Datum::Foreign(part.amounts.gross, document.currency)),
                ("of", Datum::Foreign(document.items[there].amounts.gross, document.currency)),
            ];
            trace.step(Rule::ExchangeShare, Subject::Line(key.clone()), inputs, Datum::Money(amounts.gross));
            credited.push((at, Creditable { quantity: part.quantity, amounts }));
        }
        Ok(self.settle(credited, trace)?)
    }

    fn settle(
        &self,
        credited: Vec<(usize, Creditable)>,
        trace: Trace,
    ) -> Result<(Credit, Self), PricingError> {
        let mut left = self.clone();
        for (at, part) in &credited {
            let item = &mut left.items[*at];
            item.quantity = item.quantity.plus(part.quantity.negated())?;
            item.amounts = item.amounts.less(&part.amounts)?;
        }
        let mut rounding = Minor(0);
        if left.items.iter().all(|item| item.amounts.is_zero()) {
            rounding = left.rounding;
            left.rounding = Minor(0);
        }
        let items: Vec<Creditable> = credited.into_iter().map(|(_, part)| part).collect();
        let total = |of: fn(&Amounts) -> Minor| sum(items.iter().map(|item| of(&item.amounts)));
        let (net, gross) = (total(|amounts| amounts.net)?, total(|amounts| amounts.gross)?);
        let withheld = sum(items.iter().flat_map(|item| &item.amounts.withheld).map(|one| one.amount))?;
        let credit = Credit {
            groups: group_totals(items.iter().map(|item| &item.amounts))?,
            net,
            tax: minus(gross, net)?,
            gross,
            withheld,
            rounding,
            due: sum([gross, negated(withheld)?, rounding])?,
            items,
            trace,
        };
        Ok((credit, left))
    }
}

impl Converted {
    /// What can be credited of it, in the base currency.
    pub fn balance(&self, priced: &Priced) -> Balance {
        let own = Balance::of(priced);
        let items = own.items.into_iter().zip(&self.items);
        Balance {
            currency: self.currency,
            prices: own.prices,
            items: items
                .map(|(item, amounts)| Creditable { quantity: item.quantity, amounts: amounts.clone() })
                .collect(),
            rounding: self.rounding,
        }
    }
}
