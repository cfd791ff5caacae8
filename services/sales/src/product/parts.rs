//! Attributes and components of a product on the wire.

use prost_types::{Struct, Value, value::Kind as ValueKind};
use trato_proto::{sales::v1 as pb, wire};
use trato_types::{Error, Id, Result, Violations};

use super::{
    attributes::{AttributeValue, Attributes},
    bundle::{Component, Components},
    model::Product,
};
use crate::forms::positive;

/// Reads technical attributes; none without a message.
pub fn parse_attributes(attributes: Option<&Struct>) -> Result<Attributes> {
    let Some(attributes) = attributes else { return Ok(Attributes::default()) };
    if attributes.fields.len() > Attributes::MAX {
        let message = format!("must have at most {} attributes", Attributes::MAX);
        return Err(Error::invalid("attributes", "TOO_MANY", message));
    }
    Attributes::new(attributes.fields.iter().map(|(key, value)| {
        let value = match &value.kind {
            Some(ValueKind::StringValue(text)) => Some(AttributeValue::Text(text.clone())),
            Some(ValueKind::NumberValue(number)) => Some(AttributeValue::Number(*number)),
            Some(ValueKind::BoolValue(truth)) => Some(AttributeValue::Truth(*truth)),
            _ => None,
        };
        (key.clone(), value)
    }))
}

/// Writes technical attributes; unset when there are none.
pub fn render_attributes(attributes: &Attributes) -> Option<Struct> {
    if attributes.is_empty() {
        return None;
    }
    let value = |value: &AttributeValue| Value {
        kind: Some(match value {
            AttributeValue::Text(text) => ValueKind::StringValue(text.clone()),
            AttributeValue::Number(number) => ValueKind::NumberValue(*number),
            AttributeValue::Truth(truth) => ValueKind::BoolValue(*truth),
        }),
    };
    Some(Struct { fields: attributes.iter().map(|(key, said)| (key.clone(), value(said))).collect() })
}

/// Reads what a bundle or kit consists of.
pub fn parse_components(messages: &[pb::product::Component]) -> Result<Components> {
    let mut violations = Violations::new();
    let given = violations.keep("components", wire::at_most(messages, Components::MAX)).unwrap_or_default();
    let mut components = Vec::with_capacity(given.len());
    for (index, message) in given.iter().enumerate() {
        let product = violations.keep(&format!("components[{index}].product"), Id::parse(&message.product));
        let factor = message.factor.parse().and_then(positive);
        let factor = violations.keep(&format!("components[{index}].factor"), factor);
        components.extend(product.zip(factor).map(|(product, factor)| {
            let product: Id<Product> = product;
            Component { product: product.uuid(), factor }
        }));
    }
    violations.into_result(Some(()))?;
    Components::new(components)
}

/// Writes what is in a bundle or kit.
pub fn render_component(component: &Component) -> pb::product::Component {
    pb::product::Component {
        product: Id::<Product>::from_uuid(component.product).name(),
        factor: component.factor.to_string(),
    }
}
