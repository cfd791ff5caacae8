//! A document as clients send it. What they leave to the server is filled in when it is priced.

use trato_pricing::{PricingError, Quantity};
use trato_proto::{
    sales::v1::{self as pb, price_document_request as request},
    wire,
};
use trato_types::{
    Context, Date, Ref, Result, Violations,
    text::{line, paragraph},
};

use super::model::{Document, Line, Terms};
use crate::pricing;

/// Longest key of a line or charge, in characters; the arithmetic counts bytes.
const MAX_KEY: usize = 128;
/// Charges whose keys are looked at; more are refused anyway.
const MAX_CHARGES: usize = 20;

/// Parses a document, or lists every violation by its field within it.
pub fn parse(message: &pb::SalesDocument, cx: &Context) -> Result<Document> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let question = check.absorb("", pricing::question(&asked(message), cx))?;
    let terms = Terms {
        payment_term: check.keep("payment_term", Ref::parse_optional(&message.payment_term)).flatten(),
        payment: check.keep("payment_terms", paragraph(&message.payment_terms, 1_000)).unwrap_or_default(),
        delivery: check.keep("delivery_terms", paragraph(&message.delivery_terms, 1_000)).unwrap_or_default(),
        note: check.keep("note", paragraph(&message.note, 2_000)).unwrap_or_default(),
    };
    // A question holds as many lines as it was asked for, or is none.
    let wanted = question.as_ref().map(|question| question.lines.as_slice()).unwrap_or_default();
    let mut lines = Vec::with_capacity(wanted.len());
    for (at, (wanted, given)) in wanted.iter().zip(&message.lines).enumerate() {
        let path = format!("lines[{at}]");
        check.keep(&format!("{path}.key"), line(&given.key, MAX_KEY));
        if wanted.quantity <= Quantity::ZERO {
            check.keep(&format!("{path}.quantity"), Err::<(), _>(PricingError::NotPositive));
        }
        let description = check.keep(&format!("{path}.description"), line(&given.description, 1_000));
        let promised_date = parse_date(&format!("{path}.promised_date"), given, check);
        let description = description.unwrap_or_default();
        lines.push(Line { wanted: wanted.clone(), description, promised_date });
    }
    for (at, charge) in message.charges.iter().take(MAX_CHARGES).enumerate() {
        check.keep(&format!("charges[{at}].key"), line(&charge.key, MAX_KEY));
    }
    let document = question.map(|question| Document {
        currency: question.currency,
        date: message.date.as_ref().map(|_| question.date),
        segment: question.segment,
        channel: question.channel,
        prices: question.prices,
        price_list: question.price_list,
        coupons: question.coupons,
        lines,
        discounts: question.discounts,
        charges: question.charges,
        tax_rounding: question.tax_rounding,
        smallest_payment: question.smallest_payment,
        terms,
        priced: None,
    });
    violations.into_result(document)
}

/// What of it is a question of what it costs; who buys is said elsewhere.
fn asked(message: &pb::SalesDocument) -> pb::PriceDocumentRequest {
    let line = |line: &pb::sales_document::Line| request::Line {
        key: line.key.clone(),
        product: line.product.clone(),
        quantity: line.quantity.clone(),
        unit_price: line.unit_price.clone(),
        adjustments: line.adjustments.clone(),
        tax_class: line.tax_class.clone(),
        choices: line.choices.clone(),
        withheld_tax_classes: line.withheld_tax_classes.clone(),
    };
    pb::PriceDocumentRequest {
        account: String::new(),
        segment: message.segment.clone(),
        channel: message.channel.clone(),
        currency_code: message.currency_code.clone(),
        date: message.date,
        prices: message.prices,
        price_list: message.price_list.clone(),
        coupon_codes: message.coupon_codes.clone(),
        lines: message.lines.iter().map(line).collect(),
        discounts: message.discounts.clone(),
        charges: message.charges.clone(),
        tax_rounding: message.tax_rounding,
        prepaid: None,
        smallest_payment: message.smallest_payment.clone(),
        legal_entity: String::new(),
    }
}

fn parse_date(field: &str, line: &pb::sales_document::Line, violations: &mut Violations) -> Option<Date> {
    line.promised_date.as_ref().and_then(|date| violations.keep(field, wire::parse_date(date)))
}
