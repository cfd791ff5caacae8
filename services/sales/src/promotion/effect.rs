//! What must be bought, and what a promotion gives for it.

use serde::{Deserialize, Serialize};
use trato_pricing::{Key, Percent, PricingError, Quantity, Tax, UnitPrice};
use trato_types::{Id, Minor, error::FieldError};
use uuid::Uuid;

use crate::product::Product;

/// What must be bought. Amounts count as listed, before any promotion.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Condition {
    /// The products that count, each once; all of them when empty.
    pub products: Vec<Uuid>,
    /// How much of them in all, zero or more.
    pub min_quantity: Quantity,
    /// For how much in all, zero or more, in the promotion's currency.
    pub min_amount: Minor,
}

/// What a promotion gives.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// So much of a hundred off each line: above 0, at most 100.
    Percent(Percent),
    /// So much off all lines together, above zero, in the promotion's currency.
    Amount(Minor),
    /// A price for one that is paid instead, where it is lower, in the promotion's currency.
    FixedPrice(UnitPrice),
    /// Something for nothing.
    FreeItem(FreeItem),
}

/// Something that is given for nothing.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct FreeItem {
    /// What is given.
    pub product: Uuid,
    /// How much of it, each time, above zero.
    pub quantity: Quantity,
    /// How much must be bought each time, above zero; once without it.
    pub every: Option<Quantity>,
}

/// Why an effect is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be exactly one of percent, amount, fixed_price and free_item")]
pub struct EffectUnclear;

impl FieldError for EffectUnclear {
    fn reason(&self) -> &'static str {
        "EFFECT_UNCLEAR"
    }
}

impl Default for Condition {
    fn default() -> Self {
        Self { products: Vec::new(), min_quantity: Quantity::ZERO, min_amount: Minor(0) }
    }
}

impl Condition {
    /// Most products that count.
    pub const MAX_PRODUCTS: usize = 1_000;

    /// The same for the arithmetic of prices, where products go by their names.
    pub fn offered(&self) -> trato_pricing::Condition {
        trato_pricing::Condition {
            products: self.products.iter().map(|id| product_key(*id)).collect(),
            min_quantity: self.min_quantity,
            min_amount: self.min_amount,
        }
    }
}

impl Effect {
    /// The product that is given for nothing.
    pub fn gift(&self) -> Option<Uuid> {
        match self {
            Self::FreeItem(item) => Some(item.product),
            _ => None,
        }
    }

    /// The same for the arithmetic of prices; `taxes` are those of the gift.
    pub fn offered(&self, taxes: Vec<Tax>) -> trato_pricing::Effect {
        match self {
            Self::Percent(percent) => trato_pricing::Effect::Percent(*percent),
            Self::Amount(amount) => trato_pricing::Effect::Amount(*amount),
            Self::FixedPrice(price) => trato_pricing::Effect::FixedPrice(*price),
            Self::FreeItem(item) => trato_pricing::Effect::FreeItem {
                product: product_key(item.product),
                quantity: item.quantity,
                every: item.every.unwrap_or(Quantity::ZERO),
                taxes,
            },
        }
    }
}

/// The key of a product in documents that are priced.
fn product_key(id: Uuid) -> Key {
    Id::<Product>::from_uuid(id).name().into()
}

/// Takes a share of a discount: above 0, at most 100.
pub fn share(percent: Percent) -> Result<Percent, PricingError> {
    match percent {
        Percent::ZERO => Err(PricingError::NotPositive),
        percent if percent > Percent::HUNDRED => Err(PricingError::PercentOutOfRange),
        percent => Ok(percent),
    }
}

/// Takes an amount above zero.
pub fn above_zero(amount: Minor) -> Result<Minor, PricingError> {
    if amount > Minor(0) { Ok(amount) } else { Err(PricingError::NotPositive) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_above_zero_and_at_most_the_whole() {
        let share = |text: &str| share(text.parse().expect("a percentage"));
        assert!(share("0.000001").is_ok() && share("100").is_ok());
        assert_eq!(share("0"), Err(PricingError::NotPositive));
        assert_eq!(share("100.000001"), Err(PricingError::PercentOutOfRange));
    }

    #[test]
    fn only_a_free_item_needs_a_product() {
        let product = Uuid::nil();
        let gift = Effect::FreeItem(FreeItem { product, quantity: Quantity::ONE, every: None });
        assert_eq!(gift.gift(), Some(product));
        let amount = Effect::Amount(Minor(5));
        assert_eq!(amount.gift(), None);
        assert_eq!(amount.offered(Vec::new()), trato_pricing::Effect::Amount(Minor(5)));
    }
}
