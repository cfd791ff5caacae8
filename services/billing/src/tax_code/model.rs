//! A tax code, its rates and what makes them valid.

use serde::{Deserialize, Serialize};
use trato_pricing::{Percent, PricingError, TaxCategory};
use trato_types::{Date, DisplayName, Result, Violations, id::Collection};

use crate::fields::Code;

/// How something is taxed.
#[derive(Clone, Debug, PartialEq)]
pub struct TaxCode {
    /// Unique among the living.
    pub code: Code,
    /// What people call it.
    pub display_name: DisplayName,
    /// Country whose tax it is.
    pub country_code: String,
    /// Which tax it is; codes of one tax, category and rate are one group of a document.
    pub tax: Code,
    /// How a line is taxed.
    pub category: Category,
    /// Its rates by day.
    pub rates: Rates,
    /// Prices may include it.
    pub inclusive_allowed: bool,
    /// What a document says about it; may be empty where a tax is due.
    pub legal_note: String,
}

impl Collection for TaxCode {
    const COLLECTION: &'static str = "taxCodes";
}

/// How a line is taxed, by the categories of EN 16931; or that something of it is withheld.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Category {
    /// At the standard rate.
    Standard,
    /// At a reduced rate.
    Reduced,
    /// At a rate of zero.
    Zero,
    /// Exempt, for a reason.
    Exempt,
    /// The buyer owes the tax.
    ReverseCharge,
    /// Supply to a business in another member state.
    IntraCommunity,
    /// Exported.
    Export,
    /// Not subject to the tax.
    NotSubject,
    /// The tax of the Canary Islands.
    CanaryIslands,
    /// The tax of Ceuta and Melilla.
    CeutaAndMelilla,
    /// No tax of the line: a share of the net amount that the buyer keeps back.
    Withholding,
}

/// Rates of a tax code in the order of their days: 1 to 100, none of which overlap.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Rates(Vec<Rate>);

/// A rate and the days on which it is valid.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Rate {
    /// The rate.
    pub percent: Percent,
    /// First day.
    pub valid_from: Date,
    /// Last day; none while no end is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub valid_to: Option<Date>,
}

impl TaxCode {
    /// Notes rates that do not go with the category, and a note that is missing.
    pub fn check(&self, violations: &mut Violations) {
        for (index, rate) in self.rates.iter().enumerate() {
            if !self.category.admits(rate.percent) {
                let error = PricingError::RateUnsuited;
                violations.add(format!("rates[{index}].percent"), error.reason(), error.to_string());
            }
        }
        let needs_note = self.category.of_line().is_some_and(TaxCategory::needs_reason);
        if needs_note && self.legal_note.is_empty() {
            let error = PricingError::ReasonUnsuited;
            violations.add("legal_note", error.reason(), "must say why no tax is due");
        }
    }
}

impl Category {
    /// The category of EN 16931; none of what is withheld.
    pub const fn of_line(self) -> Option<TaxCategory> {
        Some(match self {
            Self::Standard | Self::Reduced => TaxCategory::Standard,
            Self::Zero => TaxCategory::Zero,
            Self::Exempt => TaxCategory::Exempt,
            Self::ReverseCharge => TaxCategory::ReverseCharge,
            Self::IntraCommunity => TaxCategory::IntraCommunity,
            Self::Export => TaxCategory::Export,
            Self::NotSubject => TaxCategory::NotSubject,
            Self::CanaryIslands => TaxCategory::CanaryIslands,
            Self::CeutaAndMelilla => TaxCategory::CeutaAndMelilla,
            Self::Withholding => return None,
        })
    }

    /// True when a rate goes with the category.
    fn admits(self, rate: Percent) -> bool {
        match self.of_line() {
            Some(category) => category.admits(rate),
            None => !rate.is_zero() && rate <= Percent::HUNDRED,
        }
    }
}

impl Rates {
    /// Most rates of a code.
    pub const MAX: usize = 100;

    /// Takes rates that are valid one by one and puts them in order; INVALID_ARGUMENT when there are none, one ends before
    /// it begins, or two are valid on one day.
    pub fn new(mut rates: Vec<Rate>) -> Result<Self> {
        let mut violations = Violations::new();
        if rates.is_empty() {
            violations.add("rates", "REQUIRED", "must have a rate");
        }
        for (index, rate) in rates.iter().enumerate() {
            if rate.valid_to.is_some_and(|valid_to| valid_to < rate.valid_from) {
                let field = format!("rates[{index}].valid_to");
                violations.add(field, "END_BEFORE_START", "must not be before valid_from");
            } else if rates[..index].iter().any(|other| other.overlaps(rate)) {
                violations.add(format!("rates[{index}]"), "RATES_OVERLAP", "another rate is valid then");
            }
        }
        rates.sort_by_key(|rate| rate.valid_from);
        violations.into_result(Some(Self(rates)))
    }

    /// The rate of a day, if there is one.
    pub fn on(&self, day: Date) -> Option<Percent> {
        let is_valid = |rate: &&Rate| rate.valid_from <= day && rate.valid_to.is_none_or(|end| day <= end);
        self.0.iter().find(is_valid).map(|rate| rate.percent)
    }

    /// All of them, by day.
    pub fn iter(&self) -> impl Iterator<Item = &Rate> {
        self.0.iter()
    }
}

impl Rate {
    fn overlaps(&self, other: &Self) -> bool {
        let begins_within = |one: &Self, other: &Self| {
            other.valid_from >= one.valid_from && one.valid_to.is_none_or(|end| other.valid_from <= end)
        };
        begins_within(self, other) || begins_within(other, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn rate(percent: &str, from: &str, to: &str) -> Rate {
        Rate {
            percent: percent.parse().expect("a percentage"),
            valid_from: day(from),
            valid_to: if to.is_empty() { None } else { Some(day(to)) },
        }
    }

    fn faults(rates: Vec<Rate>) -> Vec<(String, &'static str)> {
        let error = Rates::new(rates).expect_err("they are refused");
        error.violations().iter().map(|one| (one.field.clone(), one.reason)).collect()
    }

    /// XTR-05: a day has one rate at most, at the edges too.
    #[test]
    fn two_rates_of_one_day_are_refused() {
        let first = rate("18", "2010-07-01", "2012-08-31");
        for (second, right) in [
            (rate("21", "2012-09-01", ""), true),
            (rate("21", "2012-08-31", ""), false),
            (rate("21", "2011-01-01", "2011-12-31"), false),
            (rate("21", "2000-01-01", ""), false),
            (rate("16", "2000-01-01", "2010-06-30"), true),
            (rate("16", "2000-01-01", "2010-07-01"), false),
        ] {
            let outcome = Rates::new(vec![first.clone(), second.clone()]);
            assert_eq!(outcome.is_ok(), right, "{second:?}");
        }
        let open = rate("21", "2012-09-01", "");
        assert_eq!(faults(vec![open.clone(), open]), [("rates[1]".to_owned(), "RATES_OVERLAP")]);
    }

    #[test]
    fn a_rate_does_not_end_before_it_begins() {
        let wrong = rate("21", "2012-09-01", "2012-08-31");

        assert_eq!(faults(vec![wrong]), [("rates[0].valid_to".to_owned(), "END_BEFORE_START")]);
        assert_eq!(faults(vec![]), [("rates".to_owned(), "REQUIRED")]);
    }

    #[test]
    fn rates_stand_in_the_order_of_their_days() {
        let rates = Rates::new(vec![rate("21", "2012-09-01", ""), rate("18", "2010-07-01", "2012-08-31")]);

        let percents: Vec<_> =
            rates.expect("two rates").iter().map(|rate| rate.percent.to_string()).collect();
        assert_eq!(percents, ["18", "21"]);
    }

    /// XTR-05: a day has the rate that is valid on it, on its first and its last day too.
    #[test]
    fn a_day_has_the_rate_that_is_valid_on_it() {
        let rates = Rates::new(vec![rate("18", "2010-07-01", "2012-08-31"), rate("21", "2012-09-01", "")]);
        let rates = rates.expect("two rates");
        for (date, percent) in [
            ("2010-06-30", None),
            ("2010-07-01", Some("18")),
            ("2012-08-31", Some("18")),
            ("2012-09-01", Some("21")),
            ("2099-01-01", Some("21")),
        ] {
            let found = rates.on(day(date)).map(|percent| percent.to_string());
            assert_eq!(found.as_deref(), percent, "{date}");
        }
    }

    /// XTR-05: a category has the rates that EN 16931 gives it, and what is withheld is at most the whole.
    #[test]
    fn a_rate_goes_with_its_category() {
        let percent = |text: &str| text.parse::<Percent>().expect("a percentage");
        for (category, text, right) in [
            (Category::Standard, "21", true),
            (Category::Standard, "0", false),
            (Category::Reduced, "0.000001", true),
            (Category::Zero, "0", true),
            (Category::Zero, "1", false),
            (Category::Exempt, "4", false),
            (Category::CanaryIslands, "0", true),
            (Category::Withholding, "15", true),
            (Category::Withholding, "100", true),
            (Category::Withholding, "100.000001", false),
            (Category::Withholding, "0", false),
        ] {
            assert_eq!(category.admits(percent(text)), right, "{category:?} {text}");
        }
    }
}
