//! Bundles and kits: what a product consists of.

use serde::{Deserialize, Serialize};
use trato_pricing::Quantity;
use trato_types::{Result, Violations};
use uuid::Uuid;

/// What one of a product consists of: at most 100 products, each once.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Components(Vec<Component>);

/// A product within another one.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Component {
    /// Which product.
    pub product: Uuid,
    /// How much of it is in one, above zero.
    pub factor: Quantity,
}

impl Components {
    /// Most components of a product.
    pub const MAX: usize = 100;

    /// Takes components that are valid one by one; INVALID_ARGUMENT when one product stands twice.
    pub fn new(components: Vec<Component>) -> Result<Self> {
        let mut violations = Violations::new();
        for (index, component) in components.iter().enumerate() {
            if components[..index].iter().any(|other| other.product == component.product) {
                let field = format!("components[{index}].product");
                violations.add(field, "DUPLICATE_COMPONENT", "is a component already");
            }
        }
        violations.into_result(Some(Self(components)))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Component> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_a_component_once() {
        let component = Component { product: Uuid::nil(), factor: Quantity::ONE };
        let error = Components::new(vec![component, component]).expect_err("it stands twice");
        assert_eq!(error.violations()[0].field, "components[1].product");
    }
}
