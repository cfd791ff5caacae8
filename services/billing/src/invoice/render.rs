//! An invoice as clients get it.

use trato_platform::db::Record;
use trato_pricing::{Priced, PricedLine, Trace, Value};
use trato_proto::{billing::v1 as pb, google::value::Money, wire};
use trato_types::{Currency, Id, Minor, Ref};

use super::{
    content::{Charge, Discount, Line, LineTax, Party},
    model::{Invoice, State},
    settlement::PaymentState,
};
use crate::{
    foreign::Product,
    legal_entity::{TaxRounding, render_seller},
    tax_code,
};

/// The public form of a record.
pub fn render(record: &Record<Invoice>) -> pb::Invoice {
    let invoice = &record.value;
    let (source, external_id) = record.external_fields();
    pb::Invoice {
        name: record.name(),
        create_time: Some(wire::timestamp(record.create_time)),
        update_time: Some(wire::timestamp(record.update_time)),
        delete_time: record.delete_time.map(wire::timestamp),
        creator: record.creator.clone(),
        etag: record.etag(),
        source,
        external_id,
        account: invoice.account.name(),
        legal_entity: invoice.legal_entity.name(),
        currency_code: invoice.currency_code.to_string(),
        bill_to: Some(render_party(&invoice.bill_to)),
        payment_term: invoice.payment_term.map(Id::name).unwrap_or_default(),
        supply_date: invoice.supply_date.map(wire::date),
        tax_inclusive: invoice.tax_inclusive,
        lines: render_lines(invoice),
        discounts: render_discounts(&invoice.discounts.0, invoice.currency_code),
        note: invoice.note.clone(),
        source_document: invoice.source_document.clone(),
        state: render_state(invoice.state).into(),
        tax_groups: invoice.amounts.0.as_ref().map(render_groups).unwrap_or_default(),
        totals: invoice.amounts.0.as_ref().map(render_totals),
        number_series: invoice.number_series.map(Id::name).unwrap_or_default(),
        number: invoice.number.clone().unwrap_or_default(),
        issue_date: invoice.issue_date.map(wire::date),
        due_date: invoice.due_date.map(wire::date),
        hash: invoice.hash.map(|hash| hash.to_string()).unwrap_or_default(),
        send_time: invoice.send_time.map(wire::timestamp),
        void_time: invoice.void_time.map(wire::timestamp),
        void_reason: invoice.void_reason.clone(),
        credited: Some(wire::money(invoice.credited, invoice.currency_code)),
        seller: invoice.seller.as_ref().map(render_seller),
        payment_state: render_payment_state(invoice.payment_state()).into(),
        paid: Some(wire::money(invoice.paid, invoice.currency_code)),
        refunded: Some(wire::money(invoice.refunded, invoice.currency_code)),
        written_off: Some(wire::money(invoice.written_off, invoice.currency_code)),
        open: Some(wire::money(invoice.open(), invoice.currency_code)),
        write_off_reason: invoice.write_off_reason.clone(),
        tax_rounding: render_tax_rounding(invoice.agreed_tax_rounding).into(),
        smallest_payment: invoice.smallest_payment.map(|amount| wire::money(amount, invoice.currency_code)),
        buyer_reference: invoice.numbers.buyer_reference.clone(),
        purchase_order: invoice.numbers.purchase_order.clone(),
        sales_order_number: invoice.numbers.sales_order.clone(),
        delivery_note_number: invoice.numbers.delivery_note.clone(),
        takeover_date: invoice.takeover_date.map(wire::date),
    }
}

/// What an invoice would come to, and how.
pub fn preview(invoice: &Invoice, trace: &Trace) -> pb::PreviewInvoiceResponse {
    pb::PreviewInvoiceResponse {
        lines: render_lines(invoice),
        tax_groups: invoice.amounts.0.as_ref().map(render_groups).unwrap_or_default(),
        totals: invoice.amounts.0.as_ref().map(render_totals),
        supply_date: invoice.supply_date.map(wire::date),
        trace: trace.sentences(),
    }
}

/// True when both have the same taxes and amounts, as far as clients see.
pub fn same_price(one: &Invoice, other: &Invoice) -> bool {
    let bare =
        |invoice: &Invoice| preview(invoice, &Trace { currency: invoice.currency_code, steps: Vec::new() });
    bare(one) == bare(other)
}

/// Who is invoiced, on the wire.
pub fn render_party(party: &Party) -> pb::invoice::Party {
    pb::invoice::Party {
        display_name: party.display_name.clone(),
        tax_id: party.tax_id.clone(),
        address: party.address.clone().map(Into::into),
    }
}

fn render_lines(invoice: &Invoice) -> Vec<pb::invoice::Line> {
    let priced = invoice.amounts.0.as_ref().map(|priced| priced.lines.as_slice()).unwrap_or_default();
    let line = |(at, line)| render_line(line, priced.get(at), invoice.currency_code);
    invoice.lines.0.iter().enumerate().map(line).collect()
}

fn render_line(line: &Line, priced: Option<&PricedLine>, currency: Currency) -> pb::invoice::Line {
    let amounts = priced.map(|priced| &priced.amounts);
    pb::invoice::Line {
        key: line.key.clone(),
        product: line.product.map(|id| Ref::<Product>::from_uuid(id).name()).unwrap_or_default(),
        description: line.description.clone(),
        quantity: line.quantity.to_string(),
        unit: line.unit.clone(),
        unit_price: line.unit_price.to_string(),
        charges: render_charges(&line.charges, currency),
        discounts: render_discounts(&line.discounts, currency),
        tax_codes: line.taxes.iter().map(|tax| tax.id().name()).collect(),
        source_line: line.source_line.clone(),
        taxes: line.taxes.iter().filter_map(|tax| render_tax(tax, priced, currency)).collect(),
        net: amounts.map(|amounts| wire::money(amounts.net, currency)),
        gross: amounts.map(|amounts| wire::money(amounts.gross, currency)),
    }
}

fn render_tax(
    tax: &LineTax,
    priced: Option<&PricedLine>,
    currency: Currency,
) -> Option<pb::invoice::LineTax> {
    let applied = tax.applied.as_ref()?;
    Some(pb::invoice::LineTax {
        tax_code: tax.id().name(),
        code: applied.code.to_string(),
        tax: applied.tax.to_string(),
        category: tax_code::render_category(applied.category).into(),
        percent: applied.percent.to_string(),
        legal_note: applied.legal_note.clone(),
        amount: priced.and_then(|priced| share_of(tax, priced)).map(|amount| wire::money(amount, currency)),
    })
}

fn share_of(tax: &LineTax, priced: &PricedLine) -> Option<Minor> {
    let amounts = &priced.amounts;
    match (tax.of_line(), tax.withheld()) {
        (Some(own), _) => Some(amounts.taxes.iter().find(|share| share.key == own.key)?.amount),
        (None, Some(own)) => Some(amounts.withheld.iter().find(|share| share.key == own)?.amount),
        (None, None) => None,
    }
}

fn render_charges(charges: &[Charge], currency: Currency) -> Vec<pb::invoice::Charge> {
    let render = |charge: &Charge| {
        let (percent, amount) = render_value(charge.value, currency);
        pb::invoice::Charge { percent, amount, reason: charge.reason.clone() }
    };
    charges.iter().map(render).collect()
}

fn render_discounts(discounts: &[Discount], currency: Currency) -> Vec<pb::invoice::Discount> {
    let render = |discount: &Discount| {
        let (percent, amount) = render_value(discount.value, currency);
        pb::invoice::Discount { percent, amount, reason: discount.reason.clone() }
    };
    discounts.iter().map(render).collect()
}

/// A percentage, or an amount.
fn render_value(value: Value, currency: Currency) -> (String, Option<Money>) {
    match value {
        Value::Percent(percent) => (percent.to_string(), None),
        Value::Amount(amount) => (String::new(), Some(wire::money(amount, currency))),
    }
}

fn render_groups(priced: &Priced) -> Vec<pb::invoice::TaxGroup> {
    let money = |amount| Some(wire::money(amount, priced.currency));
    let groups = priced.groups.iter().map(|group| pb::invoice::TaxGroup {
        tax: group.key.code.to_string(),
        category_code: group.key.category.code().to_owned(),
        percent: group.key.rate.to_string(),
        basis: money(group.basis),
        tax_amount: money(group.tax),
        reasons: group.reasons.iter().map(ToString::to_string).collect(),
    });
    groups.collect()
}

fn render_totals(priced: &Priced) -> pb::invoice::Totals {
    let money = |amount| -> Option<Money> { Some(wire::money(amount, priced.currency)) };
    let totals = &priced.totals;
    pb::invoice::Totals {
        lines: money(totals.lines),
        discounts: money(totals.discounts),
        net: money(totals.net),
        tax: money(totals.tax),
        gross: money(totals.gross),
        withheld: money(totals.withheld),
        due: money(totals.due),
        rounding: money(totals.rounding),
    }
}

fn render_tax_rounding(agreed: Option<TaxRounding>) -> pb::legal_entity::TaxRounding {
    match agreed {
        None => pb::legal_entity::TaxRounding::Unspecified,
        Some(TaxRounding::Group) => pb::legal_entity::TaxRounding::Group,
        Some(TaxRounding::Line) => pb::legal_entity::TaxRounding::Line,
    }
}

fn render_state(state: State) -> pb::invoice::State {
    match state {
        State::Draft => pb::invoice::State::Draft,
        State::Issued => pb::invoice::State::Issued,
        State::Sent => pb::invoice::State::Sent,
        State::Void => pb::invoice::State::Void,
    }
}

fn render_payment_state(state: Option<PaymentState>) -> pb::invoice::PaymentState {
    match state {
        None => pb::invoice::PaymentState::Unspecified,
        Some(PaymentState::Unpaid) => pb::invoice::PaymentState::Unpaid,
        Some(PaymentState::PartlyPaid) => pb::invoice::PaymentState::PartlyPaid,
        Some(PaymentState::Paid) => pb::invoice::PaymentState::Paid,
        Some(PaymentState::WrittenOff) => pb::invoice::PaymentState::WrittenOff,
        Some(PaymentState::Refunded) => pb::invoice::PaymentState::Refunded,
    }
}
