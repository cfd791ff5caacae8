//! A quote as clients send it. What the server has put in of a stored one stays; what it computes is filled in afterwards.

use trato_proto::{
    google::value::Date as WireDate,
    sales::v1 as pb,
    wire::{self, UnknownName},
};
use trato_types::{Context, Date, Id, MemberRef, Minor, Ref, Result, Timestamp, Violations};
use uuid::Uuid;

use super::{
    approvals::Approvals,
    model::{DeclineReason, Quote, State},
};
use crate::document;

/// Parses a draft, or lists every violation. Written again, a rejected quote is one too.
pub fn parse(message: &pb::Quote, cx: &Context) -> Result<Quote> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let owner = check.keep("owner", MemberRef::parse_optional(&message.owner)).flatten();
    let team = check.keep("team", Ref::parse_optional(&message.team)).flatten();
    let account = check.keep("account", Ref::parse(&message.account));
    let contact = check.keep("contact", Ref::parse_optional(&message.contact)).flatten();
    let opportunity = check.keep("opportunity", Id::parse_optional(&message.opportunity)).flatten();
    let document = message.document.as_ref().map(|document| document::parse(document, cx));
    let document = document.map(|document| check.absorb("document.", document)).transpose()?.flatten();
    if message.document.is_none() {
        check.add("document", "REQUIRED", "is required");
    }
    let valid_until = parse_date(message.valid_until.as_ref(), "valid_until", check);
    let legal_entity = check.keep("legal_entity", Ref::parse_optional(&message.legal_entity)).flatten();
    // From here on it is what was stored; a new quote is the root of its versions.
    let root = check.keep("root", Id::parse_optional(&message.root)).flatten();
    let previous_version = check.keep("previous_version", Id::parse_optional(&message.previous_version));
    let number_series = check.keep("number_series", Id::parse_optional(&message.number_series));
    let submitter = check.keep("submitter", MemberRef::parse_optional(&message.submitter)).flatten();
    let submit_time = parse_time(message.submit_time.as_ref(), "submit_time", check);
    let quote = account.zip(document).map(|(account, document)| Quote {
        owner,
        team,
        account,
        contact,
        opportunity,
        currency_code: document.currency,
        net: Minor(0),
        gross: Minor(0),
        document,
        valid_until,
        legal_entity,
        root: root.unwrap_or_else(|| Id::from_uuid(Uuid::now_v7())),
        version: i64::from(message.version.max(1)),
        previous_version: previous_version.flatten(),
        state: State::Draft,
        number_series: number_series.flatten(),
        number: Some(message.number.clone()).filter(|number| !number.is_empty()),
        submitter,
        submit_time,
        approvals: Approvals::default(),
        reject_reason: message.reject_reason.clone(),
        send_time: None,
        view_time: None,
        view_count: 0,
        decision_time: None,
        accepter: String::new(),
        signature: String::new(),
        decline_reason: None,
        decline_note: String::new(),
        cancel_reason: String::new(),
        parties: None,
        valid_before: None,
        send_date: None,
    });
    violations.into_result(quote)
}

/// Reads why a quote was declined; none when it is unspecified.
pub fn parse_decline_reason(reason: i32) -> Result<Option<DeclineReason>, UnknownName> {
    Ok(Some(match pb::quote::DeclineReason::try_from(reason).map_err(|_| UnknownName)? {
        pb::quote::DeclineReason::Unspecified => return Ok(None),
        pb::quote::DeclineReason::Price => DeclineReason::Price,
        pb::quote::DeclineReason::Competitor => DeclineReason::Competitor,
        pb::quote::DeclineReason::NoBudget => DeclineReason::NoBudget,
        pb::quote::DeclineReason::NoDecision => DeclineReason::NoDecision,
        pb::quote::DeclineReason::ProductFit => DeclineReason::ProductFit,
        pb::quote::DeclineReason::Timing => DeclineReason::Timing,
        pb::quote::DeclineReason::Other => DeclineReason::Other,
    }))
}

/// Reads an instant that may be left out.
pub fn parse_time(
    time: Option<&prost_types::Timestamp>,
    field: &str,
    violations: &mut Violations,
) -> Option<Timestamp> {
    time.and_then(|time| violations.keep(field, wire::parse_timestamp(time)))
}

fn parse_date(date: Option<&WireDate>, field: &str, violations: &mut Violations) -> Option<Date> {
    date.and_then(|date| violations.keep(field, wire::parse_date(date)))
}
