//! Addresses on the wire.

use trato_proto::{billing::v1 as pb, wire};
use trato_types::{Violations, text::line};

use super::{Address, model};

/// Parses an address; violations name its parts below `field`. One without content is none.
pub fn parse(message: Option<&pb::Address>, field: &str, violations: &mut Violations) -> Option<Address> {
    let message = message?;
    let address = Address {
        lines: lines(&message.lines, field, violations),
        locality: text(&message.locality, &format!("{field}.locality"), 100, violations),
        region: text(&message.region, &format!("{field}.region"), 100, violations),
        postal_code: text(&message.postal_code, &format!("{field}.postal_code"), 20, violations),
        country_code: violations
            .keep(&format!("{field}.country_code"), model::country_code(&message.country_code))
            .unwrap_or_default(),
    };
    if address.is_empty() { None } else { Some(address) }
}

fn lines(lines: &[String], field: &str, violations: &mut Violations) -> Vec<String> {
    let lines = wire::at_most(lines, model::MAX_LINES);
    let lines = violations.keep(&format!("{field}.lines"), lines).unwrap_or_default().iter().enumerate();
    let lines = lines.map(|(index, line)| text(line, &format!("{field}.lines[{index}]"), 200, violations));
    lines.filter(|line| !line.is_empty()).collect()
}

fn text(text: &str, field: &str, max: usize, violations: &mut Violations) -> String {
    violations.keep(field, line(text, max)).unwrap_or_default()
}

/// The wire form.
pub fn render(address: &Address) -> pb::Address {
    pb::Address {
        lines: address.lines.clone(),
        locality: address.locality.clone(),
        region: address.region.clone(),
        postal_code: address.postal_code.clone(),
        country_code: address.country_code.clone(),
    }
}
