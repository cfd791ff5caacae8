//! A tax code, and how it taxes something on a day.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use trato_pricing::{Percent, Prices, Tax, TaxCategory, TaxKey, Withholding};
use trato_types::Date;

/// How something is taxed: a category of a tax, with its rate of each day.
#[derive(Clone, Debug, PartialEq)]
pub struct TaxCode {
    /// Code people use, such as `ES-S`.
    pub code: String,
    /// Which tax it is, such as `VAT`.
    pub tax: String,
    /// Category of EN 16931; none for what is withheld.
    pub category: Option<TaxCategory>,
    /// Its rates, of which one at most is valid on a day.
    pub rates: Vec<Rate>,
    /// Prices may include it.
    pub inclusive_allowed: bool,
    /// Why no tax is due, where none is.
    pub legal_note: String,
}

/// A rate and the days on which it is valid.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Rate {
    /// How much of a hundred.
    pub percent: Percent,
    /// First day.
    pub from: Date,
    /// Last day; none while no end is known.
    pub until: Option<Date>,
}

/// Why a tax code cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TaxError {
    /// Nobody says how it is taxed.
    #[error("has no tax code")]
    ClassMissing,
    /// The code is not known.
    #[error("is no tax code that is known")]
    NotFound,
    /// The code is withheld, or must not be within a price.
    #[error("is withheld, or cannot be included in prices")]
    Unsuited,
    /// The code is a tax of lines.
    #[error("is a tax that is not withheld")]
    NotWithheld,
    /// The code has no rate on the day.
    #[error("has no rate on the day of the document")]
    RateMissing,
}

impl trato_types::error::FieldError for TaxError {
    fn reason(&self) -> &'static str {
        match self {
            Self::ClassMissing => "TAX_CLASS_MISSING",
            Self::NotFound => "TAX_CODE_NOT_FOUND",
            Self::Unsuited | Self::NotWithheld => "TAX_CODE_UNSUITED",
            Self::RateMissing => "TAX_RATE_MISSING",
        }
    }
}

impl TaxCode {
    /// The tax on a day, in a document whose prices are of this kind.
    pub fn on(&self, date: Date, prices: Prices) -> Result<Tax, TaxError> {
        let category = self.category.ok_or(TaxError::Unsuited)?;
        if prices == Prices::TaxInclusive && !self.inclusive_allowed {
            return Err(TaxError::Unsuited);
        }
        let key = TaxKey { code: self.tax.as_str().into(), category, rate: self.rate_on(date)? };
        let reason = category.needs_reason().then(|| Arc::from(self.legal_note.as_str()));
        Ok(Tax { key, reason })
    }

    /// What is withheld on a day. It is a share of the net amount, whether prices include taxes or not.
    pub fn withheld_on(&self, date: Date) -> Result<Withholding, TaxError> {
        match self.category {
            Some(_) => Err(TaxError::NotWithheld),
            None => Ok(Withholding { code: self.tax.as_str().into(), rate: self.rate_on(date)? }),
        }
    }

    fn rate_on(&self, date: Date) -> Result<Percent, TaxError> {
        let holds = |rate: &&Rate| rate.from <= date && rate.until.is_none_or(|until| date <= until);
        self.rates.iter().find(holds).map(|rate| rate.percent).ok_or(TaxError::RateMissing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn standard() -> TaxCode {
        let rate = |percent: &str, from: &str, until: Option<&str>| Rate {
            percent: percent.parse().expect("a percentage"),
            from: day(from),
            until: until.map(day),
        };
        TaxCode {
            code: "ES-S".to_owned(),
            tax: "VAT".to_owned(),
            category: Some(TaxCategory::Standard),
            rates: vec![rate("18", "2010-07-01", Some("2012-08-31")), rate("21", "2012-09-01", None)],
            inclusive_allowed: false,
            legal_note: String::new(),
        }
    }

    /// DOC-10: a document is taxed at the rate of its day.
    #[test]
    fn a_rate_is_taken_by_the_day_and_a_day_without_one_is_told() {
        let percent = |date: &str| standard().on(day(date), Prices::Net).map(|tax| tax.key.rate.to_string());

        assert_eq!(percent("2012-08-31"), Ok("18".to_owned()));
        assert_eq!(percent("2012-09-01"), Ok("21".to_owned()));
        assert_eq!(percent("2010-06-30"), Err(TaxError::RateMissing));
    }

    #[test]
    fn what_is_withheld_or_cannot_be_within_a_price_is_no_tax_of_a_line() {
        let date = day("2026-01-01");
        assert_eq!(standard().on(date, Prices::TaxInclusive), Err(TaxError::Unsuited));
        assert!(TaxCode { inclusive_allowed: true, ..standard() }.on(date, Prices::TaxInclusive).is_ok());
        let withheld = TaxCode { category: None, ..standard() };
        assert_eq!(withheld.on(date, Prices::Net), Err(TaxError::Unsuited));
    }

    /// DOC-10: what is withheld is so at the rate of the day, and a tax of lines never is.
    #[test]
    fn only_what_is_withheld_can_be_and_at_the_rate_of_the_day() {
        let irpf = TaxCode { category: None, tax: "IRPF".to_owned(), ..standard() };
        let told =
            |date: &str| irpf.withheld_on(day(date)).map(|one| (one.code.to_string(), one.rate.to_string()));

        assert_eq!(told("2012-08-31"), Ok(("IRPF".to_owned(), "18".to_owned())));
        assert_eq!(told("2012-09-01"), Ok(("IRPF".to_owned(), "21".to_owned())));
        assert_eq!(told("2010-06-30"), Err(TaxError::RateMissing));
        assert_eq!(standard().withheld_on(day("2026-01-01")), Err(TaxError::NotWithheld));
    }

    #[test]
    fn only_where_no_tax_is_due_a_reason_is_given() {
        let noted = TaxCode { legal_note: "Article 20".to_owned(), ..standard() };
        let date = day("2026-01-01");
        assert_eq!(noted.on(date, Prices::Net).map(|tax| tax.reason), Ok(None));
        let mut exempt = TaxCode { category: Some(TaxCategory::Exempt), ..noted };
        exempt.rates[1].percent = Percent::ZERO;
        let reason = exempt.on(date, Prices::Net).map(|tax| tax.reason);
        assert_eq!(reason, Ok(Some("Article 20".into())));
    }
}
