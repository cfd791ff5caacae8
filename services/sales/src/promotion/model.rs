//! A promotion and what makes one valid.

use trato_pricing::{Key, Period, Tax};
use trato_types::{Currency, Date, DisplayName, DomainError, Minor, Violations, id::Collection};

use super::effect::{Condition, Effect};
use crate::price_list::Audience;

/// A price rule: who buys enough of something gets it cheaper, or something for nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Promotion {
    /// Unique among the living.
    pub display_name: DisplayName,
    /// Anything else.
    pub description: String,
    /// First day on which it is valid.
    pub start_date: Option<Date>,
    /// Last day on which it is valid, not before the first.
    pub end_date: Option<Date>,
    /// For whom it is.
    pub audience: Audience,
    /// Code that must be handed in; unique among the living.
    pub coupon_code: Option<String>,
    /// What must be bought.
    pub condition: Condition,
    /// What it gives.
    pub effect: Effect,
    /// Lower ones apply first; -1,000 to 1,000.
    pub sequence: i32,
    /// It applies to lines without a promotion only, and leaves them to no other.
    pub exclusive: bool,
    /// Currency of its amounts; with it, it is for documents of the currency only.
    pub currency: Option<Currency>,
    /// Most that it may give in all, above zero.
    pub budget: Option<Minor>,
    /// What of the budget is used up.
    pub budget_used: Minor,
    /// How many documents may take it, one at least.
    pub max_uses: Option<i32>,
    /// How many documents have taken it.
    pub uses: i32,
}

/// Why a document cannot take what it was promised.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UsedUp {
    /// The budget has less left.
    #[error("the promotion has not so much of its budget left")]
    Budget,
    /// It was used as often as it may be.
    #[error("the promotion was used as often as it may be")]
    Uses,
}

impl DomainError for UsedUp {
    fn reason(&self) -> &'static str {
        "PROMOTION_USED_UP"
    }
}

impl Collection for Promotion {
    const COLLECTION: &'static str = "promotions";
}

impl Promotion {
    /// What may still be given; without limit where there is no budget.
    pub fn budget_left(&self) -> Option<Minor> {
        self.budget.map(|budget| Minor(budget.0.saturating_sub(self.budget_used.0).max(0)))
    }

    /// Notes that a document takes so much of it; answers how much of that its budget gave, which is nothing where there is none.
    pub fn take(&mut self, amount: Minor) -> Result<Minor, UsedUp> {
        let uses = self.uses.checked_add(1).ok_or(UsedUp::Uses)?;
        if self.max_uses.is_some_and(|most| uses > most) {
            return Err(UsedUp::Uses);
        }
        let mut taken = Minor(0);
        if let Some(budget) = self.budget {
            let used = self.budget_used.0.checked_add(amount.0).map(Minor).filter(|used| *used <= budget);
            self.budget_used = used.ok_or(UsedUp::Budget)?;
            taken = amount;
        }
        self.uses = uses;
        Ok(taken)
    }

    /// Notes that a document does not take it after all, and gives back what it took of the budget.
    pub fn give_back(&mut self, taken: Minor) {
        self.budget_used = Minor(self.budget_used.0.saturating_sub(taken.0).max(0));
        self.uses = self.uses.saturating_sub(1).max(0);
    }

    /// The same for the arithmetic of prices, under the name by which documents know it; `taxes` are those of the gift.
    pub fn offered(&self, key: Key, taxes: Vec<Tax>) -> trato_pricing::Promotion {
        trato_pricing::Promotion {
            key,
            valid: Period { from: self.start_date, until: self.end_date },
            scope: self.audience.scope(),
            coupon: self.coupon_code.as_deref().map(Key::from),
            condition: self.condition.offered(),
            effect: self.effect.offered(taxes),
            order: self.sequence,
            stacks: !self.exclusive,
            budget: self.budget_left(),
        }
    }
}

/// The one currency of amounts in several fields; notes CURRENCY_DIFFERS for each that has another one than the first.
pub fn one_currency<'a>(
    given: impl IntoIterator<Item = (&'a str, Option<Currency>)>,
    violations: &mut Violations,
) -> Option<Currency> {
    let mut one = None;
    for (field, currency) in given {
        let Some(currency) = currency else { continue };
        if *one.get_or_insert(currency) != currency {
            violations.add(field, "CURRENCY_DIFFERS", "must be of the currency of the other amounts");
        }
    }
    one
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn promotion(budget: Option<i64>, used: i64) -> Promotion {
        Promotion {
            display_name: "Spring".parse().expect("a name"),
            description: String::new(),
            start_date: None,
            end_date: None,
            audience: Audience::default(),
            coupon_code: None,
            condition: Condition::default(),
            effect: Effect::Amount(Minor(500)),
            sequence: 0,
            exclusive: true,
            currency: Some(Currency::USD),
            budget: budget.map(Minor),
            budget_used: Minor(used),
            max_uses: None,
            uses: 0,
        }
    }

    proptest! {
        /// DOC-11: a promotion hands no more of its budget to a document than is left.
        #[test]
        fn what_is_left_of_a_budget_is_what_is_not_used_up_and_never_below_zero(
            budget in prop::option::of(1..=i64::MAX),
            used in 0..=i64::MAX,
        ) {
            let offered = promotion(budget, used).offered("spring".into(), Vec::new());
            prop_assert!(!offered.stacks);
            let left = budget.map(|budget| Minor(if budget > used { budget - used } else { 0 }));
            prop_assert_eq!(offered.budget, left);
        }
    }

    /// DOC-11: neither a budget nor a coupon is used up twice.
    #[test]
    fn a_promotion_is_taken_until_its_budget_or_its_uses_are_used_up() {
        let mut budget = promotion(Some(500), 100);
        assert_eq!(budget.take(Minor(401)), Err(UsedUp::Budget));
        assert_eq!(budget.take(Minor(400)), Ok(Minor(400)));
        assert_eq!((budget.budget_used, budget.uses), (Minor(500), 1));
        let mut coupon = Promotion { max_uses: Some(1), ..promotion(None, 0) };
        assert_eq!(coupon.take(Minor(7)), Ok(Minor(0)), "there is no budget to take it of");
        assert_eq!(coupon.take(Minor(7)), Err(UsedUp::Uses));
        assert_eq!((coupon.budget_used, coupon.uses), (Minor(0), 1));
        budget.give_back(Minor(400));
        coupon.give_back(Minor(0));
        assert_eq!((budget.budget_used, budget.uses), (Minor(100), 0));
        assert_eq!((coupon.budget_used, coupon.uses), (Minor(0), 0));
        coupon.give_back(Minor(0));
        assert_eq!(coupon.uses, 0, "no less than nothing is taken");
    }

    #[test]
    fn amounts_of_two_currencies_are_refused_where_the_second_stands() {
        let euro = Currency::parse("EUR").expect("a code");
        let mut violations = Violations::new();

        let one = one_currency(
            [("a", None), ("b", Some(euro)), ("c", Some(Currency::USD)), ("d", Some(euro))],
            &mut violations,
        );

        assert_eq!(one, Some(euro));
        let error = violations.into_error();
        let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["c"]);
    }
}
