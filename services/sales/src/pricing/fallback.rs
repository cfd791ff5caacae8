//! The price that a product itself suggests, as a list that is asked after all others.

use std::collections::HashMap;

use rust_decimal::Decimal;
use trato_pricing::{ListPrice, Period, PriceList, Prices, Quantity, Scope, UnitPrice};
use trato_types::{Currency, Id, Minor};
use uuid::Uuid;

use super::catalogue::Good;
use crate::product::Product;

/// The key of the list in a trace.
pub const KEY: &str = "products";

/// The list of the products' own prices in a currency.
pub fn list(currency: Currency, goods: &HashMap<Uuid, Good>) -> PriceList {
    let priced = goods.iter().filter_map(|(id, good)| {
        let (amount, _) = good.list_price.filter(|(_, known)| *known == currency)?;
        Some(ListPrice {
            product: Id::<Product>::from_uuid(*id).name().into(),
            min_quantity: Quantity::ZERO,
            unit_price: unit_price(amount, currency)?,
            per: Quantity::ONE,
        })
    });
    PriceList {
        key: KEY.into(),
        currency,
        prices: Prices::Net,
        valid: Period::default(),
        scope: Scope::default(),
        priority: i32::MIN,
        items: priced.collect(),
    }
}

/// An amount as the price of a unit; none for one that has more digits than a price.
fn unit_price(amount: Minor, currency: Currency) -> Option<UnitPrice> {
    UnitPrice::try_from(Decimal::new(amount.0, currency.exponent())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_price_in_units_of_its_currency() {
        let price = |minor, code| {
            let currency = Currency::parse(code).expect("a code");
            unit_price(Minor(minor), currency).map(|price| price.to_string())
        };
        assert_eq!(price(1_999, "EUR"), Some("19.99".to_owned()));
        assert_eq!(price(1_999, "JPY"), Some("1999".to_owned()));
        assert_eq!(price(1_999, "KWD"), Some("1.999".to_owned()));
        assert_eq!(price(i64::MAX, "JPY"), None);
    }
}
