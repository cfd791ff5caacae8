//! A price list and what makes one valid.

use serde::{Deserialize, Serialize};
use trato_pricing::Prices;
use trato_types::{Currency, Date, DisplayName, error::FieldError, id::Collection};

use super::audience::Audience;

/// Prices of products for somebody, in one currency, for a time.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceList {
    /// Unique among the living.
    pub display_name: DisplayName,
    /// Currency of the prices; one that exists.
    pub currency: Currency,
    /// Whether the prices include taxes.
    pub prices: Inclusion,
    /// First day on which it is valid.
    pub start_date: Option<Date>,
    /// Last day on which it is valid, not before the first.
    pub end_date: Option<Date>,
    /// For whom it is.
    pub audience: Audience,
    /// Of two lists that are equally narrow the one with the higher priority is asked first; -1,000 to 1,000.
    pub priority: i32,
    /// Documents of the currency that do not say it take from here whether prices include taxes. One list of a currency
    /// among the living, and for everybody.
    pub is_default: bool,
}

/// Whether prices include taxes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Inclusion {
    /// Taxes come on top.
    Net,
    /// Taxes are within.
    TaxInclusive,
}

/// Why a price list is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PriceListError {
    /// The default of a currency is for some only.
    #[error("must be false for a list that is not for everybody")]
    DefaultNotForAll,
}

impl Collection for PriceList {
    const COLLECTION: &'static str = "priceLists";
}

impl From<Inclusion> for Prices {
    fn from(inclusion: Inclusion) -> Self {
        match inclusion {
            Inclusion::Net => Self::Net,
            Inclusion::TaxInclusive => Self::TaxInclusive,
        }
    }
}

impl FieldError for PriceListError {
    fn reason(&self) -> &'static str {
        match self {
            Self::DefaultNotForAll => "DEFAULT_NOT_FOR_ALL",
        }
    }
}

/// Takes whether a list is the default of its currency.
pub fn default_for_all(is_default: bool, audience: &Audience) -> Result<bool, PriceListError> {
    if is_default && !audience.is_everybody() {
        return Err(PriceListError::DefaultNotForAll);
    }
    Ok(is_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_of_a_currency_is_for_everybody() {
        let portal = Audience { channels: vec!["portal".to_owned()], ..Audience::default() };

        assert_eq!(default_for_all(true, &Audience::default()), Ok(true));
        assert_eq!(default_for_all(false, &portal), Ok(false));
        assert_eq!(default_for_all(true, &portal), Err(PriceListError::DefaultNotForAll));
    }
}
