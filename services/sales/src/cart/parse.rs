//! A cart as clients send it. What they leave to the server is filled in when it is priced.

use trato_proto::{
    sales::v1::{self as pb, cart},
    wire::{self, UnknownName},
};
use trato_types::{Address, Context, Error, Id, MemberRef, Minor, Ref, Result, Violations, text::line};

use super::model::{Cart, State, Step};
use crate::document;

/// Longest name of a session, in characters.
const MAX_SESSION_ID: usize = 200;

/// Parses a cart, or lists every violation.
pub fn parse(message: &pb::Cart, cx: &Context) -> Result<Cart> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let owner = check.keep("owner", MemberRef::parse_optional(&message.owner)).flatten();
    let team = check.keep("team", Ref::parse_optional(&message.team)).flatten();
    let account = check.keep("account", Ref::parse_optional(&message.account)).flatten();
    let session_id = check.keep("session_id", line(&message.session_id, MAX_SESSION_ID));
    let session_id = session_id.filter(|session| !session.is_empty());
    if message.account.is_empty() && message.session_id.trim().is_empty() {
        check.add("account", "REQUIRED", "an account or a session_id must say whose the cart is");
    }
    let document = message.document.as_ref().map(|document| document::parse(document, cx));
    let document = document.map(|document| check.absorb("document.", document)).transpose()?.flatten();
    if message.document.is_none() {
        check.add("document", "REQUIRED", "is required");
    }
    let bill_to = Address::checked(message.bill_to.clone().map(Into::into), "bill_to", check);
    let ship_to = Address::checked(message.ship_to.clone().map(Into::into), "ship_to", check);
    let step = check.keep("step", parse_step(message.step)).flatten().unwrap_or(Step::Lines);
    // Only what is stored has these: clients cannot say them.
    let furthest_step = parse_step(message.furthest_step).map_err(Error::internal)?;
    let state = parse_state(message.state).map_err(Error::internal)?;
    let last_activity_time = parse_time(message.last_activity_time.as_ref())?;
    let abandon_step = parse_step(message.abandon_step).map_err(Error::internal)?;
    let abandon_time = parse_time(message.abandon_time.as_ref())?;
    let recover_time = parse_time(message.recover_time.as_ref())?;
    let order_id = Id::parse_optional(&message.order).map_err(Error::internal)?;
    let cart = document.map(|document| Cart {
        owner,
        team,
        account,
        session_id,
        gross: Minor(0),
        currency: document.currency,
        document,
        bill_to,
        ship_to,
        step,
        furthest_step: furthest_step.unwrap_or(step),
        state,
        last_activity_time: last_activity_time.unwrap_or(cx.now),
        abandon_step,
        abandon_time,
        recover_time,
        order_id,
    });
    violations.into_result(cart)
}

fn parse_time(time: Option<&prost_types::Timestamp>) -> Result<Option<trato_types::Timestamp>> {
    time.map(wire::parse_timestamp).transpose().map_err(Error::internal)
}

fn parse_step(step: i32) -> Result<Option<Step>, UnknownName> {
    Ok(match cart::Step::try_from(step).map_err(|_| UnknownName)? {
        cart::Step::Unspecified => None,
        cart::Step::Lines => Some(Step::Lines),
        cart::Step::Address => Some(Step::Address),
        cart::Step::Delivery => Some(Step::Delivery),
        cart::Step::Payment => Some(Step::Payment),
        cart::Step::Review => Some(Step::Review),
    })
}

fn parse_state(state: i32) -> Result<State, UnknownName> {
    Ok(match cart::State::try_from(state).map_err(|_| UnknownName)? {
        cart::State::Unspecified | cart::State::Open => State::Open,
        cart::State::Abandoned => State::Abandoned,
        cart::State::CheckedOut => State::CheckedOut,
    })
}
