//! Promotions: conditions and an effect, applied in a stated order, each to what the ones before it left.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use trato_types::Minor;

use super::{
    Given, Occasion, Period, Scope,
    list::{self, Asked},
};
use crate::{
    Adjustment, Key, Line, Percent, PricingError, Quantity, Tax, Trace, UnitPrice, Value,
    exact::{by_weight, minus, sum},
    line::{percentage, price_line},
    trace::{Datum, Rule, Subject},
};

/// A price rule, a promotion, or the incentive of a channel.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Promotion {
    /// Names it; the reason of its discounts.
    pub key: Key,
    /// When it is valid.
    pub valid: Period,
    /// For whom.
    pub scope: Scope,
    /// The code that must be handed in, where there is one.
    pub coupon: Option<Key>,
    /// What must be bought.
    pub condition: Condition,
    /// What it gives.
    pub effect: Effect,
    /// Lower ones apply first.
    pub order: i32,
    /// One that does not stack applies to lines without a promotion only, and leaves them to no other.
    pub stacks: bool,
    /// What it may still give, in the currency of the document; without limit where there is none.
    pub budget: Option<Minor>,
}

/// What must be bought. Amounts count as listed, before any promotion.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Condition {
    /// The products that count, and that are made cheaper; all of them when empty.
    pub products: Vec<Key>,
    /// How much of them in all.
    pub min_quantity: Quantity,
    /// For how much in all.
    pub min_amount: Minor,
}

/// What a promotion gives.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// So much of a hundred off each line.
    Percent(Percent),
    /// So much off all lines together; they share it.
    Amount(Minor),
    /// A price for one that is paid instead, where it is lower.
    FixedPrice(UnitPrice),
    /// Something for nothing, as often as `every` was bought; once when it is zero.
    FreeItem {
        /// What is given.
        product: Key,
        /// How much of it, each time.
        quantity: Quantity,
        /// How much must be bought each time.
        every: Quantity,
        /// Taxes of what is given.
        taxes: Vec<Tax>,
    },
}

/// Promotions being applied to the lines of a document.
pub(super) struct Run<'a> {
    occasion: &'a Occasion,
    lists: &'a [Asked<'a>],
    lines: Vec<Promoted>,
    given: Vec<Given>,
    used_coupons: Vec<Key>,
    trace: Trace,
}

struct Promoted {
    line: Line,
    product: Key,
    /// What it costs as listed.
    listed: Minor,
    /// What it costs with the promotions so far.
    rest: Minor,
    promotions: usize,
    closed: bool,
}

/// Promotions in the order in which they apply.
pub(super) fn in_order(promotions: &[Promotion]) -> Vec<&Promotion> {
    let mut order: Vec<&Promotion> = promotions.iter().collect();
    order.sort_by(|a, b| (a.order, &a.key).cmp(&(b.order, &b.key)));
    order
}

impl<'a> Run<'a> {
    pub(super) fn new(
        occasion: &'a Occasion,
        lists: &'a [Asked<'a>],
        lines: Vec<Line>,
        products: Vec<Key>,
        trace: Trace,
    ) -> Result<Self, PricingError> {
        let mut promoted = Vec::with_capacity(lines.len());
        for (line, product) in lines.into_iter().zip(products) {
            let listed = price_line(&line, occasion.currency, &mut Trace::new(occasion.currency))?.priced;
            promoted.push(Promoted { line, product, listed, rest: listed, promotions: 0, closed: false });
        }
        Ok(Self { occasion, lists, lines: promoted, given: Vec::new(), used_coupons: Vec::new(), trace })
    }

    pub(super) fn finish(self) -> (Vec<Line>, Vec<Given>, Vec<Key>, Trace) {
        let unused = self
            .occasion
            .coupons
            .iter()
            .filter(|coupon| !self.used_coupons.contains(coupon))
            .cloned()
            .collect();
        (self.lines.into_iter().map(|one| one.line).collect(), self.given, unused, self.trace)
    }

    /// Applies one promotion, or notes why it does not apply.
    pub(super) fn apply(&mut self, promotion: &Promotion) -> Result<(), PricingError> {
        let Some(meant) = self.meant(promotion)? else { return Ok(()) };
        let amount = match &promotion.effect {
            Effect::FreeItem { product, quantity, every, taxes } => {
                self.add_free_item(promotion, &meant, (product, *quantity, *every), taxes)?
            }
            effect => self.discount(promotion, effect, &meant)?,
        };
        let Some(amount) = amount else { return Ok(()) };
        self.given.push(Given { promotion: promotion.key.clone(), amount });
        self.used_coupons.extend(promotion.coupon.clone());
        for at in meant {
            self.lines[at].promotions += 1;
            self.lines[at].closed |= !promotion.stacks;
        }
        Ok(())
    }

    /// The lines it is for; none when it does not apply.
    fn meant(&mut self, promotion: &Promotion) -> Result<Option<Vec<usize>>, PricingError> {
        let condition = &promotion.condition;
        if !promotion.valid.holds(self.occasion.date) {
            return Ok(self.skip(promotion, "it is not valid on the day"));
        }
        if !promotion.scope.holds(self.occasion) {
            return Ok(self.skip(promotion, "it is not for this customer, segment or channel"));
        }
        if promotion.coupon.as_ref().is_some_and(|coupon| !self.occasion.coupons.contains(coupon)) {
            return Ok(self.skip(promotion, "its coupon was not handed in"));
        }
        // What is taken back or given away earns nothing.
        let products: HashSet<&Key> = condition.products.iter().collect();
        let counts = |one: &Promoted| {
            one.listed > Minor(0) && (products.is_empty() || products.contains(&one.product))
        };
        let counted: Vec<usize> = (0..self.lines.len()).filter(|at| counts(&self.lines[*at])).collect();
        let amount = sum(counted.iter().map(|at| self.lines[*at].listed))?;
        if counted.is_empty()
            || self.quantity(&counted)? < condition.min_quantity
            || amount < condition.min_amount
        {
            return Ok(self.skip(promotion, "too little is bought"));
        }
        let free = |one: &Promoted| !one.closed && (promotion.stacks || one.promotions == 0);
        let meant: Vec<usize> = counted.into_iter().filter(|at| free(&self.lines[*at])).collect();
        if meant.is_empty() {
            return Ok(self.skip(promotion, "it does not stack with what applies"));
        }
        if promotion.budget.is_some_and(|budget| budget <= Minor(0)) {
            return Ok(self.skip(promotion, "its budget is spent"));
        }
        Ok(Some(meant))
    }

    fn quantity(&self, lines: &[usize]) -> Result<Quantity, PricingError> {
        lines.iter().map(|at| self.lines[*at].line.quantity).try_fold(Quantity::ZERO, Quantity::plus)
    }

    fn skip<T>(&mut self, promotion: &Promotion, reason: &'static str) -> Option<T> {
        let inputs = [("promotion", Datum::text(&promotion.key))];
        self.trace.step(Rule::Skipped, Subject::Document, inputs, Datum::Text(reason.into()));
        None
    }

    fn discount(
        &mut self,
        promotion: &Promotion,
        effect: &Effect,
        meant: &[usize],
    ) -> Result<Option<Minor>, PricingError> {
        let rests: Vec<Minor> = meant.iter().map(|at| self.lines[*at].rest).collect();
        let keys: Vec<Key> = meant.iter().map(|at| self.lines[*at].line.key.clone()).collect();
        let weighed = |weights: &[Minor], total| {
            let weights: Vec<_> = weights.iter().zip(&keys).map(|(weight, key)| (*weight, &**key)).collect();
            by_weight(total, &weights)
        };
        let in_all = sum(rests.iter().copied())?;
        if in_all.is_zero() {
            return Ok(self.skip(promotion, "nothing is left to be made cheaper"));
        }
        let mut parts: Vec<Minor> = match effect {
            Effect::Percent(percent) => {
                let percent = (*percent).min(Percent::HUNDRED);
                rests.iter().map(|rest| percentage(percent, *rest)).collect::<Result<_, _>>()?
            }
            Effect::Amount(amount) => weighed(&rests, (*amount).clamp(Minor(0), in_all))?,
            Effect::FixedPrice(price) => {
                let saved = |(at, rest): (&usize, &Minor)| self.saved(*at, *rest, *price);
                meant.iter().zip(&rests).map(saved).collect::<Result<_, _>>()?
            }
            Effect::FreeItem { .. } => Vec::new(),
        };
        let mut total = sum(parts.iter().copied())?;
        if total.is_zero() {
            return Ok(self.skip(promotion, "it makes nothing cheaper"));
        }
        if let Some(budget) = promotion.budget.filter(|budget| *budget < total) {
            let inputs = [("promotion", Datum::text(&promotion.key)), ("asked", Datum::Money(total))];
            self.trace.step(Rule::BudgetCap, Subject::Document, inputs, Datum::Money(budget));
            (parts, total) = (weighed(&parts, budget)?, budget);
        }
        for ((at, rest), part) in meant.iter().zip(rests).zip(parts).filter(|(_, part)| !part.is_zero()) {
            let Promoted { line, rest: left, .. } = &mut self.lines[*at];
            *left = minus(rest, part)?;
            line.adjustments.push(Adjustment::discount(Value::Amount(part), &promotion.key));
            let inputs = [("promotion", Datum::text(&promotion.key)), ("of", Datum::Money(rest))];
            let taken = minus(Minor(0), part)?;
            self.trace.step(Rule::Promotion, Subject::Line(line.key.clone()), inputs, Datum::Money(taken));
        }
        Ok(Some(total))
    }

    /// What a line costs less at another price.
    fn saved(&self, at: usize, rest: Minor, price: UnitPrice) -> Result<Minor, PricingError> {
        let line = &self.lines[at].line;
        let cheaper = Line { unit_price: price, per: Quantity::ONE, adjustments: Vec::new(), ..line.clone() };
        let mut unseen = Trace::new(self.occasion.currency);
        let fixed = price_line(&cheaper, self.occasion.currency, &mut unseen)?.base;
        Ok(minus(rest, fixed)?.max(Minor(0)))
    }

    fn add_free_item(
        &mut self,
        promotion: &Promotion,
        meant: &[usize],
        (product, quantity, every): (&Key, Quantity, Quantity),
        taxes: &[Tax],
    ) -> Result<Option<Minor>, PricingError> {
        let quantity = quantity.times(self.quantity(meant)?.how_often(every)?)?;
        if quantity <= Quantity::ZERO {
            return Ok(self.skip(promotion, "too little is bought"));
        }
        let key: Key = format!("{}:{product}", promotion.key).into();
        let Ok(price) = list::find(product, quantity, &key, self.lists, &mut self.trace) else {
            return Ok(self.skip(promotion, "what it gives has no price"));
        };
        let mut line = Line {
            key: key.clone(),
            quantity,
            unit_price: price.unit_price,
            per: price.per,
            adjustments: Vec::new(),
            taxes: taxes.to_vec(),
            withheld: Vec::new(),
        };
        let mut unseen = Trace::new(self.occasion.currency);
        let worth = price_line(&line, self.occasion.currency, &mut unseen)?.base;
        if promotion.budget.is_some_and(|budget| budget < worth) {
            return Ok(self.skip(promotion, "its budget does not pay for what it gives"));
        }
        line.adjustments.push(Adjustment::discount(Value::Percent(Percent::HUNDRED), &promotion.key));
        let inputs = [("promotion", Datum::text(&promotion.key)), ("worth", Datum::Money(worth))];
        self.trace.step(Rule::FreeItem, Subject::Line(key), inputs, Datum::Quantity(quantity));
        let product = product.clone();
        let (listed, rest) = (Minor(0), Minor(0));
        self.lines.push(Promoted { line, product, listed, rest, promotions: 0, closed: true });
        Ok(Some(worth))
    }
}
