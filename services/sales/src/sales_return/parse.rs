//! A return as clients send it, and what they say of its lines later.

use std::collections::HashSet;

use trato_pricing::Quantity;
use trato_proto::{
    sales::v1 as pb,
    wire::{self, UnknownName},
};
use trato_types::{
    Error, Id, MemberRef, Ref, Result, Violations,
    text::{TextError, line},
};

use super::{
    content::{Applied, Condition, Disposition, Finding, Line, Lines, Part},
    model::{SalesReturn, State},
};
use crate::return_policy;

/// Most serial numbers of a line.
const MAX_SERIALS: usize = 1000;

/// Parses a request to return something, or lists every violation.
pub fn parse(message: &pb::SalesReturn) -> Result<SalesReturn> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let owner = check.keep("owner", MemberRef::parse_optional(&message.owner)).flatten();
    let team = check.keep("team", Ref::parse_optional(&message.team)).flatten();
    let delivery_note = check.keep("delivery_note", Id::parse(&message.delivery_note));
    let reason = check.keep("reason", word(&message.reason, 500));
    let policy_code = check.keep("policy_code", return_policy::code(&message.policy_code));
    let lines = parse_lines(&message.lines, check)?;
    // Only what is stored has one: clients cannot say it.
    let policy = message.policy.as_ref().map(parse_policy).transpose()?;
    let named = delivery_note.zip(reason).zip(policy_code);
    let sales_return = named.map(|((delivery_note, reason), policy_code)| SalesReturn {
        owner,
        team,
        delivery_note,
        reason,
        policy_code,
        lines: Lines(lines),
        order_id: None,
        account: None,
        state: State::Requested,
        policy,
        number_series: None,
        number: None,
        authorise_time: None,
        exception_reason: String::new(),
        receive_time: None,
        inspect_time: None,
        end_time: None,
        reject_reason: String::new(),
    });
    violations.into_result(sales_return)
}

fn parse_policy(message: &pb::sales_return::AppliedPolicy) -> Result<Applied> {
    Ok(Applied {
        return_policy: Id::parse(&message.return_policy).map_err(Error::internal)?,
        version: message.version,
        window_days: message.window_days,
        buyer_pays: message.payer() == pb::return_policy::Payer::Buyer,
        window_end: wire::require_date(message.window_end.as_ref()).map_err(Error::internal)?,
        within_window: message.within_window,
    })
}

fn parse_lines(messages: &[pb::sales_return::Line], violations: &mut Violations) -> Result<Vec<Line>> {
    let given = violations.keep("lines", wire::at_most(messages, Lines::MAX)).unwrap_or_default();
    let (mut lines, mut keys) = (Vec::with_capacity(given.len()), HashSet::new());
    for (at, message) in given.iter().enumerate() {
        let Some(line) = violations.absorb(&format!("lines[{at}]."), parse_line(message, at))? else {
            continue;
        };
        if !keys.insert(line.key.clone()) {
            let why = "a line before it has the same key";
            violations.add(format!("lines[{at}].key"), "DUPLICATE_LINE_KEY", why);
        }
        lines.push(line);
    }
    Ok(lines)
}

fn parse_line(message: &pb::sales_return::Line, at: usize) -> Result<Line> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let key = if message.key.is_empty() { (at + 1).to_string() } else { message.key.clone() };
    let key = check.keep("key", line(&key, 128));
    let delivery_line = check.keep("delivery_line", word(&message.delivery_line, 128));
    let part = parse_part(&message.quantity, &message.serials, check);
    let condition = check.keep("condition", parse_condition(message.condition)).flatten();
    let line = key.zip(delivery_line).zip(part).map(|((key, delivery_line), part)| Line {
        key,
        delivery_line,
        quantity: part.quantity,
        serials: part.serials,
        condition,
        good: None,
        received: None,
        found: None,
    });
    violations.into_result(line)
}

fn parse_part(quantity: &str, serials: &[String], violations: &mut Violations) -> Option<Part> {
    let quantity = violations.keep("quantity", quantity.parse().and_then(Quantity::positive));
    let given = violations.keep("serials", wire::at_most(serials, MAX_SERIALS)).unwrap_or_default();
    let serial =
        |(at, serial): (usize, &String)| violations.keep(&format!("serials[{at}]"), word(serial, 100));
    let serials = given.iter().enumerate().filter_map(serial).collect();
    quantity.map(|quantity| Part { quantity, serials })
}

/// Reads what has come back.
pub fn parse_received(body: &pb::ReceiveReturnRequest) -> Result<Vec<(String, Part)>> {
    each(&body.lines, |message, check| {
        let line = check.keep("line", word(&message.line, 128));
        line.zip(parse_part(&message.quantity, &message.serials, check))
    })
}

/// Reads what was found.
pub fn parse_findings(body: &pb::InspectReturnRequest) -> Result<Vec<(String, Finding)>> {
    each(&body.lines, |message, check| {
        let key = check.keep("line", word(&message.line, 128));
        let condition = check.keep("condition", parse_condition(message.condition)).flatten();
        if message.condition == 0 {
            check.add("condition", "REQUIRED", "is required");
        }
        let disposition = check.keep("disposition", parse_disposition(message.disposition)).flatten();
        if message.disposition == 0 {
            check.add("disposition", "REQUIRED", "is required");
        }
        let note = check.keep("note", line(&message.note, 500)).unwrap_or_default();
        let finding = condition.zip(disposition);
        key.zip(finding.map(|(condition, disposition)| Finding { condition, disposition, note }))
    })
}

/// Reads each of the lines of a request, or lists every violation.
fn each<M, T>(messages: &[M], read: impl Fn(&M, &mut Violations) -> Option<T>) -> Result<Vec<T>> {
    let mut violations = Violations::new();
    let given = violations.keep("lines", wire::at_most(messages, Lines::MAX)).unwrap_or_default();
    let mut lines = Vec::with_capacity(given.len());
    for (at, message) in given.iter().enumerate() {
        let mut own = Violations::new();
        let line = read(message, &mut own);
        lines.extend(violations.absorb(&format!("lines[{at}]."), own.into_result(line))?);
    }
    violations.into_result(Some(lines))
}

fn parse_condition(condition: i32) -> Result<Option<Condition>, UnknownName> {
    use pb::sales_return::Condition as Wire;
    Ok(match Wire::try_from(condition).map_err(|_| UnknownName)? {
        Wire::Unspecified => None,
        Wire::Unopened => Some(Condition::Unopened),
        Wire::Opened => Some(Condition::Opened),
        Wire::Used => Some(Condition::Used),
        Wire::Damaged => Some(Condition::Damaged),
        Wire::Defective => Some(Condition::Defective),
    })
}

fn parse_disposition(disposition: i32) -> Result<Option<Disposition>, UnknownName> {
    use pb::sales_return::Disposition as Wire;
    Ok(match Wire::try_from(disposition).map_err(|_| UnknownName)? {
        Wire::Unspecified => None,
        Wire::Refund => Some(Disposition::Refund),
        Wire::Replace => Some(Disposition::Replace),
        Wire::Repair => Some(Disposition::Repair),
        Wire::Reject => Some(Disposition::Reject),
    })
}

/// A text of one line that must not be empty.
fn word(text: &str, max: usize) -> Result<String, TextError> {
    let text = line(text, max)?;
    if text.is_empty() { Err(TextError::Empty) } else { Ok(text) }
}
