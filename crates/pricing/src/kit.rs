//! Kits and bundles: one line of a customer becomes lines of components, and back, to the cent (SFA-25).

use serde::{Deserialize, Serialize};
use trato_types::{Minor, Result, Violations, error::FieldError};

use crate::{
    Key, PricingError, Quantity,
    exact::{by_weight, sum},
};

/// A component of one kit.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Component {
    /// Names the line it becomes.
    pub key: Key,
    /// How many of it are in one kit.
    pub factor: Quantity,
    /// What the ones in one kit would cost by themselves; the price of the kit is shared in proportion.
    pub weight: Minor,
}

/// A component of so many kits.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Part {
    /// Names the line.
    pub key: Key,
    /// How many there are.
    pub quantity: Quantity,
    /// Its share of the price of the kits.
    pub amount: Minor,
}

/// Takes kits apart: quantities are multiplied, the amount is shared by weight so that the parts add up to it. Weights of
/// zero share equally.
pub fn explode(quantity: Quantity, amount: Minor, components: &[Component]) -> Result<Vec<Part>> {
    let mut faults = Violations::new();
    let mut quantities = Vec::with_capacity(components.len());
    for (at, component) in components.iter().enumerate() {
        let path = format!("components[{at}]");
        if component.weight < Minor(0) {
            let fault = PricingError::Negative;
            faults.add(format!("{path}.weight"), FieldError::reason(&fault), fault.to_string());
        }
        if components[..at].iter().any(|other| other.key == component.key) {
            let fault = PricingError::DuplicateKey;
            faults.add(format!("{path}.key"), FieldError::reason(&fault), fault.to_string());
        }
        quantities.extend(faults.keep(&format!("{path}.factor"), quantity.times(component.factor)));
    }
    if !faults.is_empty() {
        return Err(faults.into_error());
    }
    let weights: Vec<_> = components.iter().map(|component| (component.weight, &*component.key)).collect();
    let amounts = by_weight(amount, &weights)?;
    let parts = components.iter().zip(quantities).zip(amounts);
    Ok(parts
        .map(|((component, quantity), amount)| Part { key: component.key.clone(), quantity, amount })
        .collect())
}

/// What the parts of kits come to together.
pub fn roll_up(parts: &[Part]) -> Result<Minor> {
    Ok(sum(parts.iter().map(|part| part.amount))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(key: &str, factor: &str, weight: i64) -> Component {
        Component { key: key.into(), factor: factor.parse().expect("a quantity"), weight: Minor(weight) }
    }

    #[test]
    fn a_kit_explodes_into_components_of_the_same_total_and_rolls_up_again() {
        let components =
            [component("desk", "1", 20_000), component("leg", "4", 1_000), component("screw", "16", 100)];
        let two: Quantity = "2".parse().expect("a quantity");

        let parts = explode(two, Minor(39_999), &components).expect("it explodes");

        let seen: Vec<_> = parts.iter().map(|part| (part.quantity.to_string(), part.amount.0)).collect();
        assert_eq!(seen, [("2".into(), 37_914), ("8".into(), 1_896), ("32".into(), 189)]);
        assert_eq!(roll_up(&parts).ok(), Some(Minor(39_999)));
    }

    #[test]
    fn a_kit_without_components_or_with_one_twice_is_refused() {
        let twice = [component("a", "1", 1), component("a", "1", -1)];
        let error = explode(Quantity::ONE, Minor(5), &twice).expect_err("it is wrong");
        let reasons: Vec<_> = error.violations().iter().map(|fault| fault.reason).collect();
        assert_eq!(reasons, ["NEGATIVE_AMOUNT", "DUPLICATE_LINE_KEY"]);

        let error = explode(Quantity::ONE, Minor(5), &[]).expect_err("nobody takes it");
        assert_eq!(error.reason(), "NOTHING_TO_SHARE");
    }
}
