//! A credit reservation on the wire.

use trato_platform::db::Record;
use trato_proto::{billing::v1 as pb, wire};
use trato_types::{Minor, Ref, Result, Violations, text::line};

use super::model::{CreditReservation, State};
use crate::fields::{self, word};

/// Parses what is asked for, or lists every violation.
pub fn parse(message: &pb::ReserveCreditRequest) -> Result<CreditReservation> {
    let mut violations = Violations::new();
    let order_name = violations.keep("order", word(&message.order, 200));
    let account = violations.keep("account", Ref::parse(&message.account));
    let amount = violations.keep("amount", fields::amount(message.amount.as_ref()));
    if amount.is_some_and(|(amount, _)| amount <= Minor(0)) {
        violations.add("amount", "NOT_POSITIVE", "must be more than zero");
    }
    let expire_time = message.expire_time.as_ref();
    let expire_time =
        expire_time.and_then(|time| violations.keep("expire_time", wire::parse_timestamp(time)));
    let quote = violations.keep("quote", line(&message.quote, 200)).unwrap_or_default();
    let given = order_name.zip(account).zip(amount);
    let reservation = given.map(|((order_name, account), (amount, currency_code))| CreditReservation {
        order_name,
        account,
        amount,
        currency_code,
        state: State::Open,
        expire_time,
        quote,
        order_revision: 0,
        ended_with_order: false,
        delivered: Some(Minor(0)),
    });
    violations.into_result(reservation)
}

/// The public form of a record.
pub fn render(record: &Record<CreditReservation>) -> pb::CreditReservation {
    let reservation = &record.value;
    let (source, external_id) = record.external_fields();
    let state = match reservation.state {
        State::Open => pb::credit_reservation::State::Open,
        State::Released => pb::credit_reservation::State::Released,
    };
    let money = |amount| wire::money(amount, reservation.currency_code);
    pb::CreditReservation {
        name: record.name(),
        create_time: Some(wire::timestamp(record.create_time)),
        update_time: Some(wire::timestamp(record.update_time)),
        delete_time: record.delete_time.map(wire::timestamp),
        creator: record.creator.clone(),
        etag: record.etag(),
        source,
        external_id,
        order: reservation.order_name.clone(),
        account: reservation.account.name(),
        amount: Some(money(reservation.amount)),
        state: state.into(),
        expire_time: reservation.expire_time.map(wire::timestamp),
        quote: reservation.quote.clone(),
        delivered: reservation.delivered.map(money),
    }
}
