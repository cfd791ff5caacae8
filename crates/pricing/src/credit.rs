//! Credits take their amounts from what the document has left, never from prices and rates: whoever credits all that is
//! left leaves exactly zero, after whatever went before. What is due of the rest can be paid after each of them: a credit gives
//! back what less is due by it, so that a rounding neither waits for the last credit nor outlives it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trato_types::{Currency, Minor, Result, Violations, error::FieldError};

use crate::{
    Amounts, Converted, GroupTotal, Key, Priced, Prices, PricingError, Quantity, Trace,
    amounts::proportion,
    exact::{minus, negated, sum},
    portion::{Claim, take},
    totals::{group_totals, rounded_to},
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
    /// What rounding adds to what is due of it.
    pub rounding: Minor,
    /// Smallest amount that can be paid, in minor units: what is due of what a credit leaves is a multiple of it. None where
    /// nothing is rounded to what can be paid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub smallest_payment: Option<Minor>,
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
    /// What of the rounding of what was due it takes along.
    pub rounding: Minor,
    /// What is given back: gross less what was withheld plus rounding.
    pub due: Minor,
    /// How it came about.
    pub trace: Trace,
}

impl Balance {
    /// All of a document, which was rounded to the smallest amount that can be paid, or was not.
    pub fn of(priced: &Priced, smallest_payment: Option<Minor>) -> Self {
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
            smallest_payment,
        }
    }

    /// True when no amount is left; a quantity without amounts may be.
    pub fn is_zero(&self) -> bool {
        self.rounding.is_zero() && self.items.iter().all(|item| item.amounts.is_zero())
    }

    /// What is due of it: gross less what is withheld plus rounding.
    pub fn due(&self) -> Result<Minor, PricingError> {
        sum([self.claim()?, self.rounding])
    }

    /// Credits all that is left, and says nothing of what nothing is left of.
    pub fn credit_rest(&self) -> Result<(Credit, Self)> {
        let rest =
            |item: &Creditable| CreditRequest { key: item.amounts.key.clone(), portion: Portion::Rest };
        let left = self.items.iter().filter(|item| !item.is_nothing());
        self.credit(&left.map(rest).collect::<Vec<_>>())
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
        let left = self.less(&credited)?;
        let smallest = self.smallest_payment.unwrap_or(Minor(1));
        let due = rounded_to(left.claim()?, smallest)?;
        let (credit, left) = self.settle(credited, left, due, trace)?;
        Ok((credit.explained(smallest), left))
    }

    /// The same credit in the base currency: `self` is what is left in it, `document` was left in the document's own
    /// before `credit` was taken. What takes the rest there takes the rest here, so that both end at zero together; what is due by
    /// it is to what is due here as it is there, since nobody pays in the base currency.
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
        let left = self.less(&credited)?;
        let due = self.due_alike(&left, credit.due, document.due()?)?;
        Ok(self.settle(credited, left, due, trace)?)
    }

    /// What is due of `left` when `part` of `whole` was due of the same credit in the document's currency. Where lines are on both
    /// sides of zero a credit may be more than was due before it, and says nothing of a share: then the amounts alone count.
    fn due_alike(&self, left: &Self, part: Minor, whole: Minor) -> Result<Minor, PricingError> {
        let is_share = part.0 >= whole.0.min(0) && part.0 <= whole.0.max(0);
        if !is_share {
            return sum([left.claim()?, self.rounding]);
        }
        let due = self.due()?;
        minus(due, proportion(due, part, whole)?)
    }

    /// Gross less what is withheld.
    fn claim(&self) -> Result<Minor, PricingError> {
        let gross = sum(self.items.iter().map(|item| item.amounts.gross))?;
        minus(gross, withheld(&self.items)?)
    }

    /// What is left after parts of it; what of that is due is still to be said.
    fn less(&self, credited: &[(usize, Creditable)]) -> Result<Self, PricingError> {
        let mut left = self.clone();
        for (at, part) in credited {
            let item = &mut left.items[*at];
            item.quantity = item.quantity.plus(part.quantity.negated())?;
            item.amounts = item.amounts.less(&part.amounts)?;
        }
        Ok(left)
    }

    /// The credit that leaves `left`, of which `due` is due.
    fn settle(
        &self,
        credited: Vec<(usize, Creditable)>,
        mut left: Self,
        due: Minor,
        trace: Trace,
    ) -> Result<(Credit, Self), PricingError> {
        left.rounding = minus(due, left.claim()?)?;
        let rounding = minus(self.rounding, left.rounding)?;
        let items: Vec<Creditable> = credited.into_iter().map(|(_, part)| part).collect();
        let total = |of: fn(&Amounts) -> Minor| sum(items.iter().map(|item| of(&item.amounts)));
        let (net, gross) = (total(|amounts| amounts.net)?, total(|amounts| amounts.gross)?);
        let withheld = withheld(&items)?;
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

impl Creditable {
    /// True for neither a quantity nor an amount.
    fn is_nothing(&self) -> bool {
        self.quantity.is_zero() && self.amounts.is_zero()
    }
}

impl Credit {
    /// True when it takes nothing: neither a quantity nor an amount of anything. One that takes back what was free has a quantity.
    pub fn is_nothing(&self) -> bool {
        self.items.iter().all(Creditable::is_nothing)
    }

    /// The same with a word on its rounding, where something was rounded to what can be paid.
    fn explained(mut self, smallest: Minor) -> Self {
        if smallest > Minor(1) {
            let inputs = [("smallest", Datum::Money(smallest))];
            self.trace.step(Rule::CashRounding, Subject::Document, inputs, Datum::Money(self.rounding));
        }
        self
    }
}

fn withheld(items: &[Creditable]) -> Result<Minor, PricingError> {
    sum(items.iter().flat_map(|item| &item.amounts.withheld).map(|one| one.amount))
}

impl Converted {
    /// What can be credited of it, in the base currency.
    pub fn balance(&self, priced: &Priced) -> Balance {
        let own = Balance::of(priced, None);
        let items = own.items.into_iter().zip(&self.items);
        Balance {
            currency: self.currency,
            prices: own.prices,
            items: items
                .map(|(item, amounts)| Creditable { quantity: item.quantity, amounts: amounts.clone() })
                .collect(),
            rounding: self.rounding,
            smallest_payment: None,
        }
    }
}
