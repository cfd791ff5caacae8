//! Approval rules, and which of them match what a quote comes to.

use rust_decimal::Decimal;
use trato_pricing::Percent;
use trato_types::{Currency, DisplayName, Id, MemberRef, Minor, Ref, id::Collection};

use crate::{decimal::Exact, foreign::Team};

/// Says which quotes must be approved, and by whom. All conditions that are set must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalRule {
    /// Name people use.
    pub display_name: DisplayName,
    /// Anything else.
    pub description: String,
    /// It is not asked.
    pub disabled: bool,
    /// Total without tax at least, zero or more, in the minor unit of `currency`; both or neither.
    pub min_net: Option<Minor>,
    /// Currency of `min_net`.
    pub currency: Option<Currency>,
    /// What discounts by hand and agreed prices take of what is listed, at least; at most 100.
    pub min_discount_percent: Option<Exact<Percent>>,
    /// What is left after the cost, less than; at most 100.
    pub max_margin_percent: Option<Exact<Percent>>,
    /// Who approves.
    pub approver: Option<MemberRef>,
    /// Whose members approve.
    pub approver_team: Option<Ref<Team>>,
    /// Lower ones stand first; -1,000 to 1,000.
    pub sequence: i32,
}

/// What of a quote is measured.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Its currency.
    pub currency: Currency,
    /// Total without tax, with its charges.
    pub net: Minor,
    /// What is listed: the lines before any discount, at the prices of the lists where lower ones were agreed on.
    pub listed: Minor,
    /// What discounts by hand and agreed prices take of it; unknown where a price was agreed on for what no list has.
    pub discounts: Option<Minor>,
    /// What the goods come to without tax, after all discounts and without charges.
    pub goods: Minor,
    /// What the goods cost; unknown where that of a line is.
    pub cost: Option<Minor>,
}

impl Collection for ApprovalRule {
    const COLLECTION: &'static str = "approvalRules";
}

/// Those of the rules that are asked by which a quote that comes to this must be approved, in their order.
///
/// An amount says nothing about quotes in another currency, and a quote must not go unapproved for its currency: a rule by amount in
/// another one matches whatever the quote comes to, unless a rule in the currency of the quote stands in for it.
pub fn matching(
    rules: Vec<(Id<ApprovalRule>, ApprovalRule)>,
    quote: &Measure,
) -> Vec<(Id<ApprovalRule>, ApprovalRule)> {
    let in_currency = rules.iter().map(|(_, rule)| rule).filter(|rule| rule.currency == Some(quote.currency));
    let in_currency: Vec<ApprovalRule> = in_currency.cloned().collect();
    rules.into_iter().filter(|(_, rule)| rule.matches(quote, &in_currency)).collect()
}

impl ApprovalRule {
    /// True when a rule by amount makes another one, in another currency, needless for quotes in its own: it asks the same people,
    /// and sets the same other conditions, none of them stricter. So each quote that is large enough for it and that the other one
    /// is about is approved as the other one asks.
    fn stands_in_for(&self, other: &Self) -> bool {
        let (discount, margin) = (self.min_discount_percent, self.max_margin_percent);
        discount.is_some() == other.min_discount_percent.is_some()
            && discount <= other.min_discount_percent
            && margin.is_some() == other.max_margin_percent.is_some()
            && margin >= other.max_margin_percent
            && self.approver == other.approver
            && self.approver_team == other.approver_team
    }

    /// True when a quote that comes to this must be approved by it. `in_currency` are the rules whose amounts are in the currency of
    /// the quote.
    fn matches(&self, quote: &Measure, in_currency: &[Self]) -> bool {
        let is_large = self.min_net.is_none_or(|least| {
            if self.currency == Some(quote.currency) {
                quote.net >= least
            } else {
                !in_currency.iter().any(|rule| rule.stands_in_for(self))
            }
        });
        let is_cheap = self.min_discount_percent.is_none_or(|least| {
            quote.discounts.is_none_or(|discounts| is_part(discounts, least.0, quote.listed))
        });
        let is_thin = self.max_margin_percent.is_none_or(|most| match quote.cost {
            Some(cost) => !is_part(Minor(quote.goods.0.saturating_sub(cost.0)), most.0, quote.goods),
            None => true,
        });
        is_large && is_cheap && is_thin
    }
}

/// True when `part` is so much of a hundred of `whole` at least. Nothing is any share of nothing, but for a part below zero.
fn is_part(part: Minor, percent: Percent, whole: Minor) -> bool {
    // Twenty digits times nine are within the 28 that are exact.
    Decimal::from(part.0) * Decimal::ONE_HUNDRED >= Decimal::from(percent) * Decimal::from(whole.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> ApprovalRule {
        ApprovalRule {
            display_name: "Head of sales".parse().expect("a name"),
            description: String::new(),
            disabled: false,
            min_net: None,
            currency: None,
            min_discount_percent: None,
            max_margin_percent: None,
            approver: None,
            approver_team: None,
            sequence: 0,
        }
    }

    /// A quote of 1,000 listed, of which 100 are taken off by hand, and which costs 600.
    fn quote() -> Measure {
        Measure {
            currency: Currency::USD,
            net: Minor(900),
            listed: Minor(1_000),
            discounts: Some(Minor(100)),
            goods: Minor(900),
            cost: Some(Minor(600)),
        }
    }

    fn percent(text: &str) -> Option<Exact<Percent>> {
        Some(Exact(text.parse().expect("a percentage")))
    }

    /// DOC-01: rules match by total, discount and margin, at their bounds.
    #[test]
    fn a_rule_matches_from_its_bound_on() {
        let large = |minor, currency| ApprovalRule {
            min_net: Some(Minor(minor)),
            currency: Some(currency),
            ..rule()
        };
        assert!(rule().matches(&quote(), &[]));
        assert!(large(900, Currency::USD).matches(&quote(), &[]));
        assert!(!large(901, Currency::USD).matches(&quote(), &[]));
        let cheap = |text| ApprovalRule { min_discount_percent: percent(text), ..rule() };
        assert!(cheap("10").matches(&quote(), &[]));
        assert!(!cheap("10.000001").matches(&quote(), &[]));
        assert!(cheap("100").matches(&Measure { discounts: None, ..quote() }, &[]));
        // A third is left.
        let thin = |text| ApprovalRule { max_margin_percent: percent(text), ..rule() };
        assert!(thin("33.333334").matches(&quote(), &[]));
        assert!(!thin("33.333333").matches(&quote(), &[]));
        assert!(!thin("0").matches(&quote(), &[]));
        assert!(thin("0").matches(&Measure { cost: Some(Minor(901)), ..quote() }, &[]));
        assert!(thin("0").matches(&Measure { cost: None, ..quote() }, &[]));
    }

    /// Two thousand of the quote's currency, or of another one, at least: too much for the quote.
    fn large(currency: &str) -> ApprovalRule {
        let currency = Currency::parse(currency).expect("a code");
        ApprovalRule { min_net: Some(Minor(2_000)), currency: Some(currency), ..rule() }
    }

    /// Which of the rules match the quote; the first one is 1.
    fn asked(rules: Vec<ApprovalRule>) -> Vec<u128> {
        let rules = (1..).map(|id| Id::from_uuid(uuid::Uuid::from_u128(id))).zip(rules).collect();
        matching(rules, &quote()).into_iter().map(|(id, _)| id.uuid().as_u128()).collect()
    }

    /// DOC-01: a quote does not go unapproved for its currency: a rule in another one matches whatever the quote comes to, unless
    /// one with the same other conditions is in the currency of the quote.
    #[test]
    fn an_amount_in_another_currency_is_no_way_around_a_rule() {
        let cheap = || ApprovalRule { min_discount_percent: percent("10"), ..large("USD") };

        assert_eq!(asked(vec![large("EUR")]), [1_u128]);
        assert_eq!(asked(vec![large("EUR"), rule()]), [1_u128, 2], "a rule without amount judges none");
        assert_eq!(asked(vec![large("EUR"), large("USD")]), [0_u128; 0]);
        assert_eq!(
            asked(vec![large("EUR"), cheap()]),
            [1_u128],
            "that one judges quotes with a discount only"
        );
        let dear = ApprovalRule { min_discount_percent: percent("11"), ..large("EUR") };
        assert_eq!(asked(vec![dear]), [0_u128; 0], "its other conditions must hold");
    }

    /// DOC-01: a rule in the currency of the quote stands in for one in another currency only where its other conditions are no
    /// stricter, so that it is asked of each quote that the other one is about.
    #[test]
    fn a_stricter_rule_stands_in_for_none() {
        let cheap = |currency, text| ApprovalRule { min_discount_percent: percent(text), ..large(currency) };
        for (own, is_asked) in [("50", true), ("10.000001", true), ("10", false), ("9", false)] {
            let asked = asked(vec![cheap("EUR", "10"), cheap("USD", own)]);
            assert_eq!(asked == [1_u128], is_asked, "a discount of {own} %: {asked:?}");
        }
        // A third is left: less than so much of a hundred is weaker the more it is.
        let thin = |currency, text| ApprovalRule { max_margin_percent: percent(text), ..large(currency) };
        for (own, is_asked) in [("20", true), ("39.999999", true), ("40", false), ("50", false)] {
            let asked = asked(vec![thin("EUR", "40"), thin("USD", own)]);
            assert_eq!(asked == [1_u128], is_asked, "a margin of {own} %: {asked:?}");
        }
        assert_eq!(asked(vec![cheap("EUR", "10"), thin("USD", "40")]), [1_u128], "a margin is no discount");
        assert_eq!(asked(vec![cheap("EUR", "10"), cheap("USD", "50"), cheap("USD", "5")]), [0_u128; 0]);
    }

    /// DOC-01: nor does one that asks somebody else.
    #[test]
    fn a_rule_stands_in_for_none_of_another_approver() {
        let by = |currency, subject: &str| {
            let subject = MemberRef::from_subject(subject).expect("a subject");
            ApprovalRule { approver: Some(subject), ..large(currency) }
        };
        let by_team = |currency, team| {
            let team = Ref::from_uuid(uuid::Uuid::from_u128(team));
            ApprovalRule { approver_team: Some(team), ..large(currency) }
        };

        assert_eq!(asked(vec![by("EUR", "ana"), by("USD", "ana")]), [0_u128; 0]);
        assert_eq!(asked(vec![by("EUR", "ana"), by("USD", "ben")]), [1_u128]);
        assert_eq!(asked(vec![by("EUR", "ana"), large("USD")]), [1_u128]);
        assert_eq!(asked(vec![by_team("EUR", 1), by_team("USD", 1)]), [0_u128; 0]);
        assert_eq!(asked(vec![by_team("EUR", 1), by_team("USD", 2)]), [1_u128]);
    }

    #[test]
    fn all_conditions_must_hold() {
        let both =
            ApprovalRule { max_margin_percent: percent("10"), min_discount_percent: percent("5"), ..rule() };
        assert!(!both.matches(&quote(), &[]));
        assert!(both.matches(&Measure { cost: Some(Minor(850)), ..quote() }, &[]));
    }

    #[test]
    fn amounts_as_large_as_can_be_are_compared_exactly() {
        let most =
            Measure { goods: Minor(i64::MAX), cost: Some(Minor(i64::MIN)), net: Minor(i64::MAX), ..quote() };
        assert!(!ApprovalRule { max_margin_percent: percent("99.999999"), ..rule() }.matches(&most, &[]));
    }
}
