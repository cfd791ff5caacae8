//! A product and what makes one valid.

use std::{fmt, str::FromStr};

use trato_types::{Currency, Date, DisplayName, Minor, error::FieldError, id::Collection};

use super::{attributes::Attributes, bundle::Components, options::OptionGroups};

/// A good or service that is sold or bought.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Unique among the living.
    pub display_name: DisplayName,
    /// Stock-keeping unit; unique among the living when there is one.
    pub sku: Option<String>,
    /// Family of products; may be empty.
    pub series: String,
    /// What it is.
    pub kind: Kind,
    /// Suggested price of one unit without tax, zero or more, in the minor unit of `currency`; both or neither.
    pub list_price: Option<Minor>,
    /// Currency of `list_price`.
    pub currency: Option<Currency>,
    /// Can be sold.
    pub sellable: bool,
    /// Can be bought.
    pub purchasable: bool,
    /// Anything else.
    pub description: String,
    /// Unit it is counted in.
    pub unit_code: UnitCode,
    /// Code of the tax it is sold with; may be empty.
    pub tax_class: String,
    /// What one unit costs us, zero or more, in the minor unit of `cost_currency`; both or neither.
    pub cost: Option<Minor>,
    /// Currency of `cost`.
    pub cost_currency: Option<Currency>,
    /// Where it stands in the catalogue; may be empty.
    pub category: String,
    /// It is kept in stock.
    pub stocked: bool,
    /// Technical attributes.
    pub attributes: Attributes,
    /// First day on which it can be sold.
    pub start_date: Option<Date>,
    /// Last day on which it can be sold, not before the first.
    pub end_date: Option<Date>,
    /// What it consists of, when it is a bundle or a kit.
    pub components: Components,
    /// What can be chosen when it is sold.
    pub option_groups: OptionGroups,
}

/// A code of UN/ECE Recommendation 20: two or three capital letters or digits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnitCode(String);

impl UnitCode {
    /// The piece, `C62`.
    pub const PIECE: &'static str = "C62";
}

impl FromStr for UnitCode {
    type Err = UnitCodeError;

    fn from_str(text: &str) -> Result<Self, UnitCodeError> {
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if (2..=3).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UnitCodeError)
        }
    }
}

impl fmt::Display for UnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no code of a unit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be a code of UN/ECE Recommendation 20, two or three capital letters or digits")]
pub struct UnitCodeError;

impl FieldError for UnitCodeError {
    fn reason(&self) -> &'static str {
        "INVALID_UNIT_CODE"
    }
}

/// What a product is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A thing.
    Good,
    /// Work done.
    Service,
}

impl Collection for Product {
    const COLLECTION: &'static str = "products";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MDM-05: a product is counted in a unit.
    #[test]
    fn a_unit_is_a_code_of_two_or_three_capital_letters_or_digits() {
        for right in ["C62", "HUR", "KGM", "LM", "5B"] {
            assert!(right.parse::<UnitCode>().is_ok(), "{right:?}");
        }
        for wrong in ["", "C", "piece", "c62", "C6 ", "C622", "Ü1"] {
            assert_eq!(wrong.parse::<UnitCode>(), Err(UnitCodeError), "{wrong:?}");
        }
    }
}
