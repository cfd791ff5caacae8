//! Attributes, components and options of a product on the wire.

use prost_types::{Struct, Value, value::Kind as ValueKind};
use trato_pricing::Quantity;
use trato_proto::{sales::v1 as pb, wire};
use trato_types::{Currency, DisplayName, Error, Id, Minor, Result, Violations, text::line};

use super::{
    attributes::{AttributeValue, Attributes},
    bundle::{Component, Components},
    model::Product,
    options::{Choosable, OptionError, OptionGroup, OptionGroups, option_key},
};
use crate::forms::parse_existing;

/// Most surcharges of an option.
const MAX_SURCHARGES: usize = 20;

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
        let factor = message.factor.parse().and_then(Quantity::positive);
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

/// Reads what can be chosen of a product.
pub fn parse_option_groups(messages: &[pb::product::OptionGroup]) -> Result<OptionGroups> {
    let mut violations = Violations::new();
    let given = wire::at_most(messages, OptionGroups::MAX_GROUPS);
    let given = violations.keep("option_groups", given).unwrap_or_default();
    let mut groups = Vec::with_capacity(given.len());
    for (at, message) in given.iter().enumerate() {
        let path = format!("option_groups[{at}]");
        let key = violations.keep(&format!("{path}.key"), option_key(&message.key));
        let display_name = parse_name(&path, &message.display_name, &mut violations);
        let (min_count, max_count) = (message.min_count, message.max_count);
        if !(0..=OptionGroups::MAX_COUNT).contains(&min_count) {
            violations.keep(&format!("{path}.min_count"), Err::<(), _>(OptionError::Count));
        }
        if !(0..=OptionGroups::MAX_COUNT).contains(&max_count) || (max_count > 0 && max_count < min_count) {
            violations.keep(&format!("{path}.max_count"), Err::<(), _>(OptionError::Count));
        }
        let given = wire::at_most(&message.options, OptionGroups::MAX_OPTIONS);
        let given = violations.keep(&format!("{path}.options"), given).unwrap_or_default();
        let options = given.iter().enumerate().filter_map(|(at, option)| {
            parse_option(&format!("{path}.options[{at}]"), option, &mut violations)
        });
        let options = options.collect();
        groups.extend(key.zip(display_name).map(|(key, display_name)| OptionGroup {
            key,
            display_name,
            min_count,
            max_count,
            options,
        }));
    }
    // What holds for all of them together can only be said when each is valid.
    violations.into_result(Some(()))?;
    OptionGroups::new(groups)
}

fn parse_option(path: &str, message: &pb::product::Option, violations: &mut Violations) -> Option<Choosable> {
    let key = violations.keep(&format!("{path}.key"), option_key(&message.key));
    let display_name = parse_name(path, &message.display_name, violations);
    let max_count = if message.max_count == 0 { 1 } else { message.max_count };
    if !(1..=OptionGroups::MAX_COUNT).contains(&max_count) {
        violations.keep(&format!("{path}.max_count"), Err::<(), _>(OptionError::Count));
    }
    for (field, named) in [("requires", &message.requires), ("excludes", &message.excludes)] {
        violations.keep(&format!("{path}.{field}"), wire::at_most(named, OptionGroups::MAX_OPTIONS));
    }
    let given = wire::at_most(&message.surcharges, MAX_SURCHARGES);
    let given = violations.keep(&format!("{path}.surcharges"), given).unwrap_or_default();
    let mut surcharges: Vec<(Minor, Currency)> = Vec::with_capacity(given.len());
    for (at, amount) in given.iter().enumerate() {
        let field = format!("{path}.surcharges[{at}]");
        let Some((amount, currency)) = parse_existing(&field, amount, violations) else { continue };
        if surcharges.iter().any(|(_, known)| *known == currency) {
            violations.keep(&field, Err::<(), _>(OptionError::CurrencyTwice));
        }
        surcharges.push((amount, currency));
    }
    let (requires, excludes) = (message.requires.clone(), message.excludes.clone());
    let (key, display_name) = key.zip(display_name)?;
    Some(Choosable { key, display_name, max_count, requires, excludes, surcharges })
}

fn parse_name(path: &str, name: &str, violations: &mut Violations) -> Option<String> {
    // A name has the rules of every name people use, but is shorter.
    let name = line(name, 100).and_then(|name| name.parse::<DisplayName>());
    violations.keep(&format!("{path}.display_name"), name).map(|name| name.to_string())
}

/// Writes a group of options.
pub fn render_option_group(group: &OptionGroup) -> pb::product::OptionGroup {
    let option = |option: &Choosable| pb::product::Option {
        key: option.key.clone(),
        display_name: option.display_name.clone(),
        max_count: option.max_count,
        requires: option.requires.clone(),
        excludes: option.excludes.clone(),
        surcharges: option
            .surcharges
            .iter()
            .map(|(amount, currency)| wire::money(*amount, *currency))
            .collect(),
    };
    pb::product::OptionGroup {
        key: group.key.clone(),
        display_name: group.display_name.clone(),
        min_count: group.min_count,
        max_count: group.max_count,
        options: group.options.iter().map(option).collect(),
    }
}
