//! A document as clients get it.

use trato_pricing::{Adjustment, AdjustmentKind, DocumentDiscount, TaxRounding, Value};
use trato_proto::{
    google::value::Money,
    sales::v1::{self as pb, price_document_request as request, price_document_response as response},
    wire,
};
use trato_types::{Currency, Id, Minor};

use super::model::{Document, Line};
use crate::{
    price_list::render_prices,
    pricing::{FrozenLine, WantedCharge, Writer},
    product::Choice,
};

/// The public form of a document.
pub fn render(document: &Document) -> pb::SalesDocument {
    let currency = document.currency;
    let mut message = pb::SalesDocument {
        currency_code: currency.code().to_owned(),
        date: document.date.map(wire::date),
        segment: document.segment.clone().unwrap_or_default(),
        channel: document.channel.clone().unwrap_or_default(),
        prices: document.prices.map_or(0, |prices| render_prices(prices).into()),
        price_list: document.price_list.map(Id::name).unwrap_or_default(),
        coupon_codes: document.coupons.iter().map(ToString::to_string).collect(),
        lines: document.lines.iter().map(|line| render_line(line, currency)).collect(),
        discounts: document.discounts.iter().map(|one| render_discount(one, currency)).collect(),
        charges: document.charges.iter().map(|one| render_charge(one, currency)).collect(),
        tax_rounding: render_tax_rounding(document.tax_rounding).into(),
        // One minor unit is the smallest amount there is.
        smallest_payment: Some(document.smallest_payment)
            .filter(|amount| *amount != Minor(1))
            .map(|amount| wire::money(amount, currency)),
        payment_term: document.terms.payment_term.map(Id::name).unwrap_or_default(),
        payment_terms: document.terms.payment.clone(),
        delivery_terms: document.terms.delivery.clone(),
        note: document.terms.note.clone(),
        ..Default::default()
    };
    let Some(frozen) = &document.priced else { return message };
    let writer = Writer::of(frozen);
    message.priced_date = Some(wire::date(frozen.date));
    message.applied_prices = render_prices(frozen.prices).into();
    message.discount_amounts = writer.discounts();
    message.charge_amounts = writer.charges();
    message.tax_groups = writer.groups();
    message.withheld_groups = writer.withheld_groups();
    message.totals = Some(writer.totals());
    message.given = writer.given();
    message.unused_coupon_codes = writer.unused_coupons();
    for (at, (amounts, frozen)) in writer.lines().into_iter().zip(&frozen.lines).enumerate() {
        match message.lines.get_mut(at) {
            Some(line) => put_amounts(line, amounts, frozen, &writer),
            None => message.given_lines.push(given_line(amounts, frozen, &writer)),
        }
    }
    message
}

/// A line without what it comes to.
fn render_line(line: &Line, currency: Currency) -> pb::sales_document::Line {
    let wanted = &line.wanted;
    pb::sales_document::Line {
        key: wanted.key.to_string(),
        product: wanted.product.name(),
        quantity: wanted.quantity.to_string(),
        unit_price: wire::text(wanted.agreed.as_ref()),
        adjustments: wanted.adjustments.iter().map(|one| render_adjustment(one, currency)).collect(),
        tax_class: wanted.tax_class.clone(),
        choices: wanted.choices.iter().map(render_choice).collect(),
        description: line.description.clone(),
        promised_date: line.promised_date.map(wire::date),
        withheld_tax_classes: wanted.withheld_tax_classes.clone(),
        ..Default::default()
    }
}

fn put_amounts(
    line: &mut pb::sales_document::Line,
    amounts: response::Line,
    frozen: &FrozenLine,
    writer: &Writer<'_>,
) {
    line.product_display_name.clone_from(&frozen.display_name);
    line.amounts = Some(amounts);
    line.cost = frozen.cost.map(|cost| writer.money(cost));
    line.applied_tax_class.clone_from(&frozen.tax_class);
    if !frozen.chosen.is_empty() {
        line.applied_description = frozen.told(&line.description);
    }
}

fn given_line(amounts: response::Line, frozen: &FrozenLine, writer: &Writer<'_>) -> pb::sales_document::Line {
    let mut line = pb::sales_document::Line {
        key: amounts.key.clone(),
        product: amounts.product.clone(),
        quantity: amounts.quantity.clone(),
        ..Default::default()
    };
    put_amounts(&mut line, amounts, frozen, writer);
    line
}

fn render_choice(choice: &Choice) -> pb::Choice {
    pb::Choice { option: choice.option.clone(), count: choice.count }
}

fn render_adjustment(adjustment: &Adjustment, currency: Currency) -> pb::Adjustment {
    let kind = match adjustment.kind {
        AdjustmentKind::Discount => pb::adjustment::Kind::Discount,
        AdjustmentKind::Charge => pb::adjustment::Kind::Charge,
    };
    let value = match adjustment.value {
        Value::Percent(percent) => pb::adjustment::Value::Percent(percent.to_string()),
        Value::Amount(amount) => pb::adjustment::Value::Amount(money(amount, currency)),
    };
    pb::Adjustment { kind: kind.into(), value: Some(value), reason: adjustment.reason.to_string() }
}

fn render_discount(discount: &DocumentDiscount, currency: Currency) -> request::Discount {
    let value = match discount.value {
        Value::Percent(percent) => request::discount::Value::Percent(percent.to_string()),
        Value::Amount(amount) => request::discount::Value::Amount(money(amount, currency)),
    };
    request::Discount {
        value: Some(value),
        reason: discount.reason.to_string(),
        lines: discount.lines.iter().map(ToString::to_string).collect(),
    }
}

fn render_charge(charge: &WantedCharge, currency: Currency) -> request::Charge {
    let value = match charge.value {
        Value::Percent(percent) => request::charge::Value::Percent(percent.to_string()),
        Value::Amount(amount) => request::charge::Value::Amount(money(amount, currency)),
    };
    request::Charge {
        key: charge.key.to_string(),
        value: Some(value),
        reason: charge.reason.clone(),
        tax_class: charge.tax_class.clone(),
        withheld_tax_classes: charge.withheld_tax_classes.clone(),
    }
}

fn money(amount: Minor, currency: Currency) -> Money {
    wire::money(amount, currency)
}

fn render_tax_rounding(rounding: TaxRounding) -> request::TaxRounding {
    match rounding {
        TaxRounding::Group => request::TaxRounding::Group,
        TaxRounding::Line => request::TaxRounding::Line,
    }
}
