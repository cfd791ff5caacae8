//! A ledger on the wire.

use trato_platform::db::Record;
use trato_proto::{billing::v1 as pb, wire};
use trato_types::{Id, Result, Violations};

use super::model::{Accounts, Ledger, TaxAccount};
use crate::fields::Code;

/// Parses a ledger, or lists every violation.
pub fn parse(message: &pb::Ledger) -> Result<Ledger> {
    let mut violations = Violations::new();
    let legal_entity = violations.keep("legal_entity", Id::parse(&message.legal_entity));
    let given = message.accounts.clone().unwrap_or_default();
    let accounts = violations.absorb("accounts.", parse_accounts(&given))?.unwrap_or_default();
    let rate_origin =
        violations.keep("rate_origin", wire::parse_optional(&message.rate_origin)).unwrap_or_default();
    accounts.check(&mut violations);
    let ledger = legal_entity.map(|legal_entity| Ledger {
        legal_entity,
        accounts,
        rate_origin,
        closed_through: None,
        reopen_reason: String::new(),
    });
    let ledger = violations.into_result(ledger)?;
    // What the server says of it is stored already when a ledger is changed.
    let closed_through = message.closed_through.as_ref().map(wire::parse_date).transpose();
    let closed_through = closed_through.map_err(trato_types::Error::internal)?;
    Ok(Ledger { closed_through, reopen_reason: message.reopen_reason.clone(), ..ledger })
}

fn parse_accounts(given: &pb::ledger::Accounts) -> Result<Accounts> {
    let mut violations = Violations::new();
    let mut code = |field: &str, text: &str| -> Option<Code> {
        violations.keep(field, wire::parse_optional(text)).flatten()
    };
    let accounts = Accounts {
        bank: code("bank", &given.bank),
        receivable: code("receivable", &given.receivable),
        withheld: code("withheld", &given.withheld),
        unallocated: code("unallocated", &given.unallocated),
        tax: code("tax", &given.tax),
        revenue: code("revenue", &given.revenue),
        fees: code("fees", &given.fees),
        write_off: code("write_off", &given.write_off),
        exchange_difference: code("exchange_difference", &given.exchange_difference),
        opening: code("opening", &given.opening),
        taxes: Vec::new(),
    };
    let own = violations.keep("taxes", wire::at_most(&given.taxes, Accounts::MAX_TAXES)).unwrap_or_default();
    let mut taxes = Vec::with_capacity(own.len());
    for (index, own) in own.iter().enumerate() {
        let tax = violations.keep(&format!("taxes[{index}].tax"), own.tax.parse());
        let account = violations.keep(&format!("taxes[{index}].account"), own.account.parse());
        taxes.extend(tax.zip(account).map(|(tax, account)| TaxAccount { tax, account }));
    }
    violations.into_result(Some(Accounts { taxes, ..accounts }))
}

/// The public form of a record.
pub fn render(record: &Record<Ledger>) -> pb::Ledger {
    let ledger = &record.value;
    let (source, external_id) = record.external_fields();
    pb::Ledger {
        name: record.name(),
        create_time: Some(wire::timestamp(record.create_time)),
        update_time: Some(wire::timestamp(record.update_time)),
        delete_time: record.delete_time.map(wire::timestamp),
        creator: record.creator.clone(),
        etag: record.etag(),
        source,
        external_id,
        legal_entity: ledger.legal_entity.name(),
        accounts: Some(render_accounts(&ledger.accounts)),
        rate_origin: wire::text(ledger.rate_origin.as_ref()),
        closed_through: ledger.closed_through.map(wire::date),
        reopen_reason: ledger.reopen_reason.clone(),
    }
}

fn render_accounts(accounts: &Accounts) -> pb::ledger::Accounts {
    let code = |code: &Option<Code>| wire::text(code.as_ref());
    let tax = |own: &TaxAccount| pb::ledger::TaxAccount {
        tax: own.tax.to_string(),
        account: own.account.to_string(),
    };
    pb::ledger::Accounts {
        bank: code(&accounts.bank),
        receivable: code(&accounts.receivable),
        withheld: code(&accounts.withheld),
        unallocated: code(&accounts.unallocated),
        tax: code(&accounts.tax),
        revenue: code(&accounts.revenue),
        fees: code(&accounts.fees),
        write_off: code(&accounts.write_off),
        exchange_difference: code(&accounts.exchange_difference),
        opening: code(&accounts.opening),
        taxes: accounts.taxes.iter().map(tax).collect(),
    }
}
