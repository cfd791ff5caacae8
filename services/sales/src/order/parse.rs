//! An order as clients send it: a draft. What they leave to the server is filled in when it is priced.

use trato_proto::{
    google::value::Date as WireDate,
    sales::v1 as pb,
    wire::{self, UnknownName},
};
use trato_types::{
    Address, Context, Date, Error, Id, MemberRef, Ref, Result, Violations, error::FieldError as _, text::line,
};

use super::{
    ledger::InvoicingPolicy,
    model::{HoldReason, Keys, Order},
};
use crate::document;

/// Most lines that nobody delivers.
const MAX_UNDELIVERED: usize = 1000;

/// Parses a draft, or lists every violation.
pub fn parse(message: &pb::Order, cx: &Context) -> Result<Order> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let owner = check.keep("owner", MemberRef::parse_optional(&message.owner)).flatten();
    let team = check.keep("team", Ref::parse_optional(&message.team)).flatten();
    let account = check.keep("account", Ref::parse(&message.account));
    let document = message.document.as_ref();
    // That there is one is said by the field itself.
    let document = document.map(|document| check.absorb("document.", document::parse(document, cx)));
    let document = document.transpose()?.flatten();
    let customer_po = check.keep("customer_po", line(&message.customer_po, 100)).unwrap_or_default();
    let bill_to = Address::checked(message.bill_to.clone().map(Into::into), "bill_to", check);
    let ship_to = Address::checked(message.ship_to.clone().map(Into::into), "ship_to", check);
    let requested_date = parse_date(message.requested_date.as_ref(), "requested_date", check);
    let promised_date = parse_date(message.promised_date.as_ref(), "promised_date", check);
    let policy = check.keep("invoicing_policy", parse_policy(message.invoicing_policy));
    let undelivered_lines = parse_undelivered(message, check);
    // Only what is stored has these: clients cannot say them.
    let quote = Id::parse_optional(&message.quote).map_err(Error::internal)?;
    let hold_reason = Some(message.hold_reason).filter(|reason| *reason != 0);
    let hold_reason = hold_reason.map(parse_hold_reason).transpose().map_err(Error::internal)?;
    let hold_time = message.hold_time.as_ref().map(wire::parse_timestamp);
    let hold_time = hold_time.transpose().map_err(Error::internal)?;
    let order = account.zip(document).map(|(account, document)| Order {
        owner,
        team,
        customer_po,
        bill_to,
        ship_to,
        requested_date,
        promised_date,
        invoicing_policy: policy.unwrap_or(InvoicingPolicy::Ordered),
        undelivered_lines: Keys(undelivered_lines),
        quote,
        hold_reason,
        hold_note: message.hold_note.clone(),
        hold_time,
        ..Order::draft(account, document)
    });
    violations.into_result(order)
}

fn parse_undelivered(message: &pb::Order, violations: &mut Violations) -> Vec<String> {
    let given = wire::at_most(&message.undelivered_lines, MAX_UNDELIVERED);
    let given = violations.keep("undelivered_lines", given).unwrap_or_default();
    let key =
        |(at, key): (usize, &String)| violations.keep(&format!("undelivered_lines[{at}]"), line(key, 200));
    given.iter().enumerate().filter_map(key).collect()
}

/// Reads a reason to hold an order; INVALID_ARGUMENT `REQUIRED` when there is none.
pub fn parse_hold_reason(reason: i32) -> Result<HoldReason> {
    let unknown = |error: UnknownName| Error::invalid("reason", error.reason(), error.to_string());
    match pb::order::HoldReason::try_from(reason).map_err(|_| unknown(UnknownName))? {
        pb::order::HoldReason::Unspecified => Err(Error::invalid("reason", "REQUIRED", "is required")),
        pb::order::HoldReason::Credit => Ok(HoldReason::Credit),
        pb::order::HoldReason::Fraud => Ok(HoldReason::Fraud),
        pb::order::HoldReason::Manual => Ok(HoldReason::Manual),
    }
}

fn parse_policy(policy: i32) -> Result<InvoicingPolicy, UnknownName> {
    use pb::order::InvoicingPolicy as Wire;
    match Wire::try_from(policy) {
        Ok(Wire::Unspecified | Wire::Ordered) => Ok(InvoicingPolicy::Ordered),
        Ok(Wire::Delivered) => Ok(InvoicingPolicy::Delivered),
        Ok(Wire::Milestone) => Ok(InvoicingPolicy::Milestone),
        Ok(Wire::Prepaid) => Ok(InvoicingPolicy::Prepaid),
        Err(_) => Err(UnknownName),
    }
}

fn parse_date(date: Option<&WireDate>, field: &str, violations: &mut Violations) -> Option<Date> {
    date.and_then(|date| violations.keep(field, wire::parse_date(date)))
}
