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

/// Which conditions a rule has beside its amount: those on discounts, and on the margin.
type Others = (bool, bool);

/// Those of the rules that are asked by which a quote that comes to this must be approved, in their order.
///
/// An amount says nothing about quotes in another currency, and a quote must not go unapproved for its currency: where no rule by
/// amount with the same other conditions is in the currency of the quote, those in other currencies match whatever it comes to.
pub fn matching(
    rules: Vec<(Id<ApprovalRule>, ApprovalRule)>,
    quote: &Measure,
) -> Vec<(Id<ApprovalRule>, ApprovalRule)> {
    let in_currency = rules.iter().filter(|(_, rule)| rule.currency == Some(quote.currency));
    let judged: Vec<Others> = in_currency.map(|(_, rule)| rule.others()).collect();
    let matches = |rule: &ApprovalRule| rule.matches(quote, &judged);
    rules.into_iter().filter(|(_, rule)| matches(rule)).collect()
}

impl ApprovalRule {
    fn others(&self) -> Others {
        (self.min_discount_percent.is_some(), self.max_margin_percent.is_some())
    }

    /// True when a quote that comes to this must be approved by it. `judged` are the other conditions of the rules whose amounts
    /// are in the currency of the quote.
    fn matches(&self, quote: &Measure, judged: &[Others]) -> bool {
        let is_large = self.min_net.is_none_or(|least| {
            if self.currency == Some(quote.currency) {
                quote.net >= least
            } else {
                !judged.contains(&self.others())
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

    /// DOC-01: a quote does not go unapproved for its currency: a rule in another one matches whatever the quote comes to, unless
    /// one with the same other conditions is in the currency of the quote.
    #[test]
    fn an_amount_in_another_currency_is_no_way_around_a_rule() {
        let euros = || Currency::parse("EUR").expect("a code");
        let large = |currency| ApprovalRule { min_net: Some(Minor(901)), currency: Some(currency), ..rule() };
        let asked = |rules: Vec<ApprovalRule>| -> Vec<u128> {
            let rules = (1..).map(|id| Id::from_uuid(uuid::Uuid::from_u128(id))).zip(rules).collect();
            matching(rules, &quote()).into_iter().map(|(id, _)| id.uuid().as_u128()).collect()
        };
        let cheap = || ApprovalRule { min_discount_percent: percent("10"), ..large(Currency::USD) };

        assert_eq!(asked(vec![large(euros())]), [1_u128]);
        assert_eq!(asked(vec![large(euros()), rule()]), [1_u128, 2], "a rule without amount judges none");
        assert_eq!(asked(vec![large(euros()), large(Currency::USD)]), [0_u128; 0]);
        assert_eq!(
            asked(vec![large(euros()), cheap()]),
            [1_u128],
            "that one judges quotes with a discount only"
        );
        let dear = ApprovalRule { min_discount_percent: percent("11"), ..large(euros()) };
        assert_eq!(asked(vec![dear]), [0_u128; 0], "its other conditions must hold");
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
