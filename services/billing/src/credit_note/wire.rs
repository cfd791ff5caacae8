//! A credit note on the wire.

use trato_platform::db::Record;
use trato_pricing::{Credit, CreditRequest, Creditable, Portion, Quantity};
use trato_proto::{billing::v1 as pb, wire};
use trato_types::{Currency, Id, Minor, Ref, Result, Violations};

use super::model::{CreditNote, Credited, Reasons, State, Wishes};
use crate::{
    fields::word,
    invoice::{Lines, render_party},
    legal_entity::render_seller,
};

/// Parses a draft, or lists every violation. What it takes over from the invoice is put in when it is computed.
pub fn parse(message: &pb::CreditNote) -> Result<CreditNote> {
    let mut violations = Violations::new();
    let invoice = violations.keep("invoice", Id::parse(&message.invoice));
    let reason = violations.keep("reason", word(&message.reason, 500));
    let given = violations.keep("lines", wire::at_most(&message.lines, Lines::MAX)).unwrap_or_default();
    let mut wishes = Wishes::default();
    for (index, line) in given.iter().enumerate() {
        let field = format!("lines[{index}]");
        let Some((wish, currency)) = violations.absorb(&format!("{field}."), parse_line(line))? else {
            continue;
        };
        if currency.is_some() && wishes.currency.is_some_and(|known| Some(known) != currency) {
            violations.add(field, "CURRENCY_DIFFERS", "must be in the currency of the invoice");
        }
        wishes.currency = wishes.currency.or(currency);
        wishes.lines.push(wish);
    }
    let credit_note = invoice.zip(reason).map(|(invoice, reason)| CreditNote {
        invoice,
        reason,
        wishes,
        account: None,
        legal_entity: None,
        currency_code: None,
        bill_to: None,
        seller: None,
        credit: Credited(None),
        reasons: Reasons::default(),
        gross: Minor(0),
        due: Minor(0),
        state: State::Draft,
        number_series: None,
        period: None,
        ordinal: None,
        number: None,
        issue_date: None,
        // Of a new one the caller's was discarded; a draft keeps its own.
        sales_return: message.sales_return.clone(),
        previous_hash: None,
        hash: None,
    });
    violations.into_result(credit_note)
}

/// How much of a line, and in which currency where it is an amount.
fn parse_line(message: &pb::credit_note::Line) -> Result<(CreditRequest, Option<Currency>)> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let key = check.keep("key", word(&message.key, 64));
    let portion = match (message.quantity.as_str(), &message.net, &message.gross) {
        ("", None, None) => Some((Portion::Rest, None)),
        ("", Some(net), None) => {
            let amount = check.keep("net", wire::parse_amount(net));
            amount.map(|(amount, currency)| (Portion::Net(amount), Some(currency)))
        }
        ("", None, Some(gross)) => {
            let amount = check.keep("gross", wire::parse_amount(gross));
            amount.map(|(amount, currency)| (Portion::Gross(amount), Some(currency)))
        }
        (text, None, None) => {
            let quantity = check.keep("quantity", text.parse().and_then(Quantity::positive));
            quantity.map(|quantity| (Portion::Quantity(quantity), None))
        }
        _ => {
            check.add("quantity", "BOTH_GIVEN", "must be one of quantity, net and gross");
            None
        }
    };
    let wish = key.zip(portion);
    let wish = wish
        .map(|(key, (portion, currency))| (CreditRequest { key: key.as_str().into(), portion }, currency));
    violations.into_result(wish)
}

/// The public form of a record.
pub fn render(record: &Record<CreditNote>) -> pb::CreditNote {
    let credit_note = &record.value;
    let (source, external_id) = record.external_fields();
    // What was computed has a currency.
    let credit = credit_note.credit.0.as_ref().zip(credit_note.currency_code);
    let items = |(credit, currency): (&Credit, Currency)| -> Vec<pb::credit_note::Item> {
        credit.items.iter().map(|item| render_item(item, currency)).collect()
    };
    pb::CreditNote {
        name: record.name(),
        create_time: Some(wire::timestamp(record.create_time)),
        update_time: Some(wire::timestamp(record.update_time)),
        delete_time: record.delete_time.map(wire::timestamp),
        creator: record.creator.clone(),
        etag: record.etag(),
        source,
        external_id,
        invoice: credit_note.invoice.name(),
        reason: credit_note.reason.clone(),
        lines: credit_note.wishes.lines.iter().map(|wish| render_wish(wish, credit_note)).collect(),
        account: credit_note.account.map(Ref::name).unwrap_or_default(),
        legal_entity: credit_note.legal_entity.map(Id::name).unwrap_or_default(),
        currency_code: credit_note.currency_code.map(|currency| currency.to_string()).unwrap_or_default(),
        items: credit.map(items).unwrap_or_default(),
        tax_groups: credit
            .map(|(credit, currency)| render_groups(credit, &credit_note.reasons, currency))
            .unwrap_or_default(),
        totals: credit.map(|(credit, currency)| render_totals(credit, currency)),
        state: render_state(credit_note.state).into(),
        number_series: credit_note.number_series.map(Id::name).unwrap_or_default(),
        number: credit_note.number.clone().unwrap_or_default(),
        issue_date: credit_note.issue_date.map(wire::date),
        hash: credit_note.hash.map(|hash| hash.to_string()).unwrap_or_default(),
        seller: credit_note.seller.as_ref().map(render_seller),
        bill_to: credit_note.bill_to.as_ref().map(render_party),
        sales_return: credit_note.sales_return.clone(),
    }
}

fn render_wish(wish: &CreditRequest, credit_note: &CreditNote) -> pb::credit_note::Line {
    let money = |amount| Some(wire::money(amount, credit_note.wishes.currency?));
    let line = pb::credit_note::Line { key: wish.key.to_string(), ..Default::default() };
    match wish.portion {
        Portion::Rest => line,
        Portion::Quantity(quantity) => pb::credit_note::Line { quantity: quantity.to_string(), ..line },
        Portion::Net(amount) => pb::credit_note::Line { net: money(amount), ..line },
        Portion::Gross(amount) => pb::credit_note::Line { gross: money(amount), ..line },
    }
}

fn render_item(item: &Creditable, currency: Currency) -> pb::credit_note::Item {
    pb::credit_note::Item {
        key: item.amounts.key.to_string(),
        quantity: item.quantity.to_string(),
        net: Some(wire::money(item.amounts.net, currency)),
        gross: Some(wire::money(item.amounts.gross, currency)),
    }
}

fn render_groups(credit: &Credit, reasons: &Reasons, currency: Currency) -> Vec<pb::invoice::TaxGroup> {
    let groups = credit.groups.iter().zip(&reasons.0).map(|(group, reasons)| pb::invoice::TaxGroup {
        tax: group.key.code.to_string(),
        category_code: group.key.category.code().to_owned(),
        percent: group.key.rate.to_string(),
        basis: Some(wire::money(group.basis, currency)),
        tax_amount: Some(wire::money(group.tax, currency)),
        reasons: reasons.iter().map(ToString::to_string).collect(),
    });
    groups.collect()
}

fn render_totals(credit: &Credit, currency: Currency) -> pb::credit_note::Totals {
    let money = |amount| Some(wire::money(amount, currency));
    pb::credit_note::Totals {
        net: money(credit.net),
        tax: money(credit.tax),
        gross: money(credit.gross),
        withheld: money(credit.withheld),
        rounding: money(credit.rounding),
        due: money(credit.due),
    }
}

fn render_state(state: State) -> pb::credit_note::State {
    match state {
        State::Draft => pb::credit_note::State::Draft,
        State::Issued => pb::credit_note::State::Issued,
    }
}
