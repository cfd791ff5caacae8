//! Bundles taken apart and put together again.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use trato_pricing::{Component, Part, PricingError, Quantity, explode, roll_up};
use trato_types::{Currency, Error, Id, Kind, Minor, Result};
use uuid::Uuid;

use super::catalogue::Good;
use crate::product::{self, Link, Product};

/// The parts of so many bundles, each product once, and their shares of what the bundles cost.
pub fn apart(
    bundle: Id<Product>,
    quantity: Quantity,
    cost: Option<(Minor, Currency)>,
    links: &[Link],
    goods: &HashMap<Uuid, Good>,
) -> Result<Vec<(Id<Product>, Part)>> {
    let opened = open(bundle, links)?;
    let component = |part: &product::Component| {
        let weight = cost.map(|(_, currency)| worth(goods.get(&part.product), part.factor, currency));
        let weight = weight.transpose()?.unwrap_or(Minor(0));
        Ok(Component { key: part.product.to_string().into(), factor: part.factor, weight })
    };
    let components: Vec<Component> = opened.iter().map(component).collect::<Result<_>>()?;
    let amount = cost.map_or(Minor(0), |(amount, _)| amount);
    let parts = explode(quantity, amount, &components).map_err(|error| {
        // Only the number of bundles can be at fault: it makes a part too small or too many.
        let reason = error.violations().first().map_or(error.reason(), |fault| fault.reason);
        Error::invalid("quantity", reason, "makes a part that is too fine or too large")
    })?;
    Ok(opened.iter().map(|part| Id::from_uuid(part.product)).zip(parts).collect())
}

/// What the ones of a product in a bundle cost by themselves; nothing where the product has no price in the currency.
fn worth(good: Option<&Good>, factor: Quantity, currency: Currency) -> Result<Minor, PricingError> {
    let price = good.and_then(|good| good.list_price).filter(|(_, known)| *known == currency);
    price.map_or(Ok(Minor(0)), |(price, _)| factor.of(price))
}

/// What one bundle has of each part. FAILED_PRECONDITION `BUNDLE_TOO_FINE` where that is no quantity: it has more than 6
/// decimals, or more than 18 digits.
fn open(bundle: Id<Product>, links: &[Link]) -> Result<Vec<product::Component>> {
    product::open(bundle.uuid(), links).map_err(|error| {
        let message = format!("what is in {} of one of its parts {error}", bundle.name());
        Error::new(Kind::Precondition, "BUNDLE_TOO_FINE", message).about(bundle.name())
    })
}

/// How many bundles the parts are, and what they come to. FAILED_PRECONDITION `PARTS_DO_NOT_FIT` for parts that are not
/// those of so many bundles.
pub fn together(
    bundle: Id<Product>,
    parts: &[(Id<Product>, Part)],
    links: &[Link],
) -> Result<(Quantity, Minor)> {
    let mut given: BTreeMap<Uuid, Quantity> = BTreeMap::new();
    for (product, part) in parts {
        let sum = given.entry(product.uuid()).or_insert(Quantity::ZERO);
        *sum = sum.plus(part.quantity)?;
    }
    let amounts: Vec<Part> = parts.iter().map(|(_, part)| part.clone()).collect();
    let amount = roll_up(&amounts)?;
    let opened = open(bundle, links)?;
    let quantity = opened.first().and_then(|first| how_many(*given.get(&first.product)?, first.factor));
    let fits = |quantity: &Quantity| {
        opened.len() == given.len()
            && opened.iter().all(|part| {
                let wanted: Result<Quantity, PricingError> = quantity.times(part.factor);
                wanted.is_ok_and(|wanted| given.get(&part.product) == Some(&wanted))
            })
    };
    let quantity = quantity.filter(fits).ok_or_else(|| {
        let message = format!("the parts are not those of a number of {}", bundle.name());
        Error::new(Kind::Precondition, "PARTS_DO_NOT_FIT", message).about(bundle.name())
    })?;
    Ok((quantity, amount))
}

/// How many bundles have so much of a part; none when that is no quantity.
fn how_many(part: Quantity, factor: Quantity) -> Option<Quantity> {
    let number = Decimal::from(part).checked_div(Decimal::from(factor))?;
    Quantity::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::product::Component as Inner;

    fn id(number: u128) -> Id<Product> {
        Id::from_uuid(Uuid::from_u128(number))
    }

    fn link(bundle: u128, product: u128, factor: &str) -> Link {
        let factor = factor.parse().expect("a quantity");
        Link { bundle: id(bundle).uuid(), component: Inner { product: id(product).uuid(), factor } }
    }

    /// A desk of a top, a frame of four legs, and screws.
    fn desk() -> Vec<Link> {
        vec![link(0, 1, "1"), link(0, 2, "1"), link(2, 3, "4"), link(2, 4, "8"), link(0, 4, "8.5")]
    }

    fn goods() -> HashMap<Uuid, Good> {
        let good = |minor| Good { list_price: Some((Minor(minor), Currency::USD)), ..Good::default() };
        HashMap::from([(id(1).uuid(), good(20_000)), (id(3).uuid(), good(1_000)), (id(4).uuid(), good(100))])
    }

    proptest! {
        /// SFA-25: whatever bundles cost and however many they are, their parts come to the same again.
        #[test]
        fn what_is_taken_apart_goes_together_again_to_the_cent(
            quantity in -50_000_i64..50_000,
            amount in -1_000_000_000_i64..1_000_000_000,
        ) {
            prop_assume!(quantity != 0);
            let quantity = Quantity::try_from(Decimal::new(quantity, 2)).expect("a quantity");
            let parts = apart(id(0), quantity, Some((Minor(amount), Currency::USD)), &desk(), &goods())
                .expect("they can be taken apart");
            prop_assert_eq!(parts.len(), 3);
            prop_assert_eq!(together(id(0), &parts, &desk()).ok(), Some((quantity, Minor(amount))));
        }
    }

    #[test]
    fn parts_of_another_number_are_refused() {
        let parts = apart(id(0), Quantity::ONE, None, &desk(), &goods()).expect("they can be taken apart");
        let refusal = |parts: &[(Id<Product>, Part)]| {
            together(id(0), parts, &desk()).map_err(|error| error.reason()).expect_err("they do not fit")
        };
        assert_eq!(refusal(&parts[1..]), "PARTS_DO_NOT_FIT");
        let mut more = parts.clone();
        more[1].1.quantity = "5".parse().expect("a quantity");
        assert_eq!(refusal(&more), "PARTS_DO_NOT_FIT");
        let mut other = parts.clone();
        other[0].0 = id(9);
        assert_eq!(refusal(&other), "PARTS_DO_NOT_FIT");
        let mut odd = parts;
        odd[0].1.quantity = "0.333333".parse().expect("a quantity");
        assert_eq!(refusal(&odd), "PARTS_DO_NOT_FIT");
    }

    #[test]
    fn a_bundle_whose_parts_are_no_quantities_is_refused_whatever_its_number() {
        let links = [link(0, 1, "0.001"), link(1, 2, "0.0001")];
        let error = apart(id(0), Quantity::ONE, None, &links, &goods()).expect_err("a part is too fine");
        assert_eq!((error.kind(), error.reason()), (Kind::Precondition, "BUNDLE_TOO_FINE"));
        let part = Part { key: "0".into(), quantity: Quantity::ONE, amount: Minor(0) };
        let error = together(id(0), &[(id(2), part)], &links).expect_err("a part is too fine");
        assert_eq!(error.reason(), "BUNDLE_TOO_FINE");
    }

    #[test]
    fn a_bundle_too_fine_is_refused_at_its_quantity() {
        let tiny = "0.000001".parse().expect("a quantity");
        let error = apart(id(0), tiny, None, &desk(), &goods()).expect_err("a part would be too fine");
        let fault = &error.violations()[0];
        assert_eq!((fault.field.as_str(), fault.reason), ("quantity", "TOO_MANY_DECIMALS"));
    }
}
