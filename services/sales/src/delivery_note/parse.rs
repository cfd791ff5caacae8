//! A delivery note as clients send it: a draft.

use std::collections::HashSet;

use trato_pricing::Quantity;
use trato_proto::{sales::v1 as pb, wire};
use trato_types::{
    Address, Id, MemberRef, Ref, Result, Violations,
    text::{TextError, line, paragraph},
};

use super::{
    content::{Line, Lines, Proof, Refusal, Refusals},
    model::{DeliveryNote, State},
};
use crate::kit::Kits;

/// Parses a draft, or lists every violation.
pub fn parse(message: &pb::DeliveryNote) -> Result<DeliveryNote> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let owner = check.keep("owner", MemberRef::parse_optional(&message.owner)).flatten();
    let team = check.keep("team", Ref::parse_optional(&message.team)).flatten();
    let order_id = check.keep("order", Id::parse(&message.order));
    let lines = parse_lines(&message.lines, check)?;
    let ship_to = Address::checked(message.ship_to.clone().map(Into::into), "ship_to", check);
    let note = check.keep("note", paragraph(&message.note, 2_000)).unwrap_or_default();
    let legal_entity = check.keep("legal_entity", Ref::parse_optional(&message.legal_entity)).flatten();
    let delivery_note = order_id.map(|order_id| DeliveryNote {
        owner,
        team,
        order_id,
        account: None,
        lines: Lines(lines),
        kits: Kits::default(),
        ship_to,
        note,
        legal_entity,
        state: State::Draft,
        number_series: None,
        number: None,
        issue_date: None,
        issue_time: None,
        carrier: String::new(),
        tracking: String::new(),
        dispatch_time: None,
        delivery_time: None,
        proof: None,
        refusals: Refusals::default(),
        void_time: None,
        void_reason: String::new(),
        parties: None,
    });
    violations.into_result(delivery_note)
}

fn parse_lines(messages: &[pb::delivery_note::Line], violations: &mut Violations) -> Result<Vec<Line>> {
    let given = violations.keep("lines", wire::at_most(messages, Lines::MAX)).unwrap_or_default();
    let (mut lines, mut keys) = (Vec::with_capacity(given.len()), HashSet::new());
    for (at, message) in given.iter().enumerate() {
        let Some(line) = violations.absorb(&format!("lines[{at}]."), parse_line(message, at))? else {
            continue;
        };
        if !keys.insert(line.key.clone()) {
            violations.add(
                format!("lines[{at}].key"),
                "DUPLICATE_LINE_KEY",
                "a line before it has the same key",
            );
        }
        lines.push(line);
    }
    Ok(lines)
}

fn parse_line(message: &pb::delivery_note::Line, at: usize) -> Result<Line> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let key = if message.key.is_empty() { (at + 1).to_string() } else { message.key.clone() };
    let key = check.keep("key", line(&key, 128));
    let order_line = check.keep("order_line", word(&message.order_line));
    let quantity = check.keep("quantity", message.quantity.parse().and_then(Quantity::positive));
    let lot = check.keep("lot", line(&message.lot, 100)).unwrap_or_default();
    let serials = parse_serials(&message.serials, check);
    let line = key.zip(order_line).zip(quantity).map(|((key, order_line), quantity)| Line {
        key,
        order_line,
        quantity,
        lot,
        serials,
        good: None,
    });
    violations.into_result(line)
}

fn parse_serials(given: &[String], violations: &mut Violations) -> Vec<String> {
    let given = violations.keep("serials", wire::at_most(given, Line::MAX_SERIALS)).unwrap_or_default();
    let mut serials = Vec::with_capacity(given.len());
    for (at, serial) in given.iter().enumerate() {
        serials.extend(
            violations.keep(&format!("serials[{at}]"), word(serial).and_then(|text| line(&text, 100))),
        );
    }
    serials
}

/// Reads what was refused of these lines.
pub fn parse_refusals(messages: &[pb::delivery_note::Refusal], lines: &Lines) -> Result<Refusals> {
    let mut violations = Violations::new();
    let given = violations.keep("refusals", wire::at_most(messages, Lines::MAX)).unwrap_or_default();
    let mut refusals = Vec::with_capacity(given.len());
    for (at, message) in given.iter().enumerate() {
        refusals.extend(violations.absorb(&format!("refusals[{at}]."), parse_refusal(message))?);
    }
    Refusals::of(violations.into_result(Some(refusals))?, lines)
}

fn parse_refusal(message: &pb::delivery_note::Refusal) -> Result<Refusal> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let key = check.keep("line", word(&message.line));
    let quantity = check.keep("quantity", message.quantity.parse().and_then(Quantity::positive));
    let serials = parse_serials(&message.serials, check);
    let reason = check.keep("reason", line(&message.reason, 500)).unwrap_or_default();
    let refusal = key.zip(quantity).map(|(line, quantity)| Refusal { line, quantity, serials, reason });
    violations.into_result(refusal)
}

/// Reads who took it.
pub fn parse_proof(message: Option<&pb::delivery_note::Proof>) -> Result<Proof> {
    let message = message.cloned().unwrap_or_default();
    let mut violations = Violations::new();
    if message.receiver.trim().is_empty() {
        violations.add("proof.receiver", "REQUIRED", "is required");
    }
    let receiver = violations.keep("proof.receiver", line(&message.receiver, 200));
    let signature = violations.keep("proof.signature", line(&message.signature, 500)).unwrap_or_default();
    violations.into_result(receiver.map(|receiver| Proof { receiver, signature }))
}

/// A text of one line that must not be empty: at most 200 characters.
fn word(text: &str) -> Result<String, TextError> {
    let text = line(text, 200)?;
    if text.is_empty() { Err(TextError::Empty) } else { Ok(text) }
}
