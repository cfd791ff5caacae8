//! A payment on the wire.

use trato_platform::db::Record;
use trato_proto::{
    billing::v1 as pb,
    wire::{self, UnknownName},
};
use trato_types::{Id, Minor, Ref, Result, Violations, text::line};

use super::{
    allocations::Allocations,
    model::{Direction, Method, Outcome, Payment, State},
};
use crate::{books::Books, fields};

/// Parses one that is meant to be made, or lists every violation.
pub fn parse(message: &pb::Payment) -> Result<Payment> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let account = check.keep("account", Ref::parse(&message.account));
    let legal_entity = check.keep("legal_entity", Id::parse(&message.legal_entity));
    let amount = check.keep("amount", fields::amount(message.amount.as_ref()));
    if amount.is_some_and(|(amount, _)| amount <= Minor(0)) {
        check.add("amount", "NOT_POSITIVE", "must be more than zero");
    }
    let method = check.keep("method", parse_method(message.method));
    let direction = check.keep("direction", parse_direction(message.direction));
    let external_key = check.keep("external_key", line(&message.external_key, 200));
    let reference = check.keep("reference", line(&message.reference, 500)).unwrap_or_default();
    let date = message.date.as_ref().and_then(|date| check.keep("date", wire::parse_date(date)));
    let given = account.zip(legal_entity).zip(amount).zip(method).zip(direction).zip(external_key);
    let payment = given.map(
        |(((((account, legal_entity), (amount, currency_code)), method), direction), external_key)| Payment {
            account,
            legal_entity,
            currency_code,
            amount,
            method,
            direction,
            external_key,
            reference,
            date,
            state: State::Initiated,
            state_reason: String::new(),
            allocated: Minor(0),
            refunded: Minor(0),
            allocations: Allocations::default(),
            books: Books::default(),
            takeover_date: None,
        },
    );
    violations.into_result(payment)
}

/// The public form of a record.
pub fn render(record: &Record<Payment>) -> pb::Payment {
    let payment = &record.value;
    let (source, external_id) = record.external_fields();
    let money = |amount| Some(wire::money(amount, payment.currency_code));
    let allocations = payment.allocations.0.iter().map(|allocated| pb::payment::Allocation {
        invoice: format!("invoices/{}", allocated.invoice),
        amount: money(allocated.amount),
    });
    pb::Payment {
        name: record.name(),
        create_time: Some(wire::timestamp(record.create_time)),
        update_time: Some(wire::timestamp(record.update_time)),
        delete_time: record.delete_time.map(wire::timestamp),
        creator: record.creator.clone(),
        etag: record.etag(),
        source,
        external_id,
        account: payment.account.name(),
        legal_entity: payment.legal_entity.name(),
        amount: money(payment.amount),
        method: render_method(payment.method).into(),
        direction: render_direction(payment.direction).into(),
        external_key: payment.external_key.clone(),
        reference: payment.reference.clone(),
        date: payment.date.map(wire::date),
        state: render_state(payment.state).into(),
        state_reason: payment.state_reason.clone(),
        allocated: money(payment.allocated),
        refunded: money(payment.refunded),
        unallocated: money(payment.left()),
        allocations: allocations.collect(),
        takeover_date: payment.takeover_date.map(wire::date),
    }
}

/// Reads what became of a payment. INVALID_ARGUMENT `REQUIRED` when nothing is said.
pub fn parse_outcome(outcome: i32) -> Result<Outcome> {
    let refused = |reason, message| Err(trato_types::Error::invalid("outcome", reason, message));
    match pb::payment::State::try_from(outcome) {
        Ok(pb::payment::State::Succeeded) => Ok(Outcome::Succeeded),
        Ok(pb::payment::State::Failed) => Ok(Outcome::Failed),
        Ok(pb::payment::State::Unknown) => Ok(Outcome::Unknown),
        Ok(pb::payment::State::Unspecified) => refused("REQUIRED", "is required"),
        Ok(_) | Err(_) => refused("UNKNOWN_VALUE", "must be SUCCEEDED, FAILED or UNKNOWN"),
    }
}

fn parse_method(method: i32) -> Result<Method, UnknownName> {
    match pb::payment::Method::try_from(method) {
        Ok(pb::payment::Method::BankTransfer) => Ok(Method::BankTransfer),
        Ok(pb::payment::Method::Card) => Ok(Method::Card),
        Ok(pb::payment::Method::DirectDebit) => Ok(Method::DirectDebit),
        Ok(pb::payment::Method::Cash) => Ok(Method::Cash),
        Ok(pb::payment::Method::Cheque) => Ok(Method::Cheque),
        Ok(pb::payment::Method::Other) => Ok(Method::Other),
        Ok(pb::payment::Method::Unspecified) | Err(_) => Err(UnknownName),
    }
}

fn render_method(method: Method) -> pb::payment::Method {
    match method {
        Method::BankTransfer => pb::payment::Method::BankTransfer,
        Method::Card => pb::payment::Method::Card,
        Method::DirectDebit => pb::payment::Method::DirectDebit,
        Method::Cash => pb::payment::Method::Cash,
        Method::Cheque => pb::payment::Method::Cheque,
        Method::Other => pb::payment::Method::Other,
    }
}

fn parse_direction(direction: i32) -> Result<Direction, UnknownName> {
    match pb::payment::Direction::try_from(direction) {
        Ok(pb::payment::Direction::Unspecified | pb::payment::Direction::In) => Ok(Direction::In),
        Ok(pb::payment::Direction::Out) => Ok(Direction::Out),
        Err(_) => Err(UnknownName),
    }
}

fn render_direction(direction: Direction) -> pb::payment::Direction {
    match direction {
        Direction::In => pb::payment::Direction::In,
        Direction::Out => pb::payment::Direction::Out,
    }
}

fn render_state(state: State) -> pb::payment::State {
    match state {
        State::Initiated => pb::payment::State::Initiated,
        State::Pending => pb::payment::State::Pending,
        State::Unknown => pb::payment::State::Unknown,
        State::Succeeded => pb::payment::State::Succeeded,
        State::Failed => pb::payment::State::Failed,
        State::PartlyRefunded => pb::payment::State::PartlyRefunded,
        State::Refunded => pb::payment::State::Refunded,
        State::ChargedBack => pb::payment::State::ChargedBack,
    }
}
