//! An invoice as clients send it. What they leave to the server is filled in when it is priced.

use trato_pricing::{PricingError, Quantity, Value};
use trato_proto::{
    billing::v1 as pb,
    google::value::Money,
    wire::{self, UnknownName},
};
use trato_types::{Address, Currency, Id, Minor, Ref, Result, Violations, text::line, text::paragraph};

use super::{
    content::{Amounts, Charge, Discount, Discounts, Left, Line, LineTax, Lines, Numbers, Party},
    model::{Invoice, State},
};
use crate::{books::Books, fields::word, foreign::Product, legal_entity::TaxRounding};

/// Parses a draft, or lists every violation.
pub fn parse(message: &pb::Invoice) -> Result<Invoice> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let account = check.keep("account", Ref::parse(&message.account));
    let legal_entity = check.keep("legal_entity", Id::parse(&message.legal_entity));
    let currency = check.keep("currency_code", Currency::parse_existing(&message.currency_code));
    let bill_to = parse_party(message.bill_to.as_ref(), check);
    let payment_term = check.keep("payment_term", Id::parse_optional(&message.payment_term)).flatten();
    let supply_date = message.supply_date.as_ref();
    let supply_date = supply_date.and_then(|date| check.keep("supply_date", wire::parse_date(date)));
    let lines = parse_lines(&message.lines, currency, check)?;
    let discounts = parse_discounts("discounts", &message.discounts, currency, check);
    let note = check.keep("note", paragraph(&message.note, 2000)).unwrap_or_default();
    let source_document =
        check.keep("source_document", line(&message.source_document, 200)).unwrap_or_default();
    let agreed_tax_rounding = check.keep("tax_rounding", parse_tax_rounding(message.tax_rounding)).flatten();
    let smallest_payment = parse_smallest_payment(message.smallest_payment.as_ref(), currency, check);
    let numbers = parse_numbers(message, check);
    let parties = account.zip(legal_entity).zip(currency).zip(bill_to);
    let invoice = parties.map(|(((account, legal_entity), currency_code), bill_to)| Invoice {
        account,
        legal_entity,
        currency_code,
        bill_to,
        seller: None,
        payment_term,
        supply_date,
        tax_inclusive: message.tax_inclusive,
        agreed_tax_rounding,
        tax_rounding: TaxRounding::Group,
        smallest_payment,
        lines: Lines(lines),
        discounts: Discounts(discounts),
        amounts: Amounts(None),
        gross: Minor(0),
        due: Minor(0),
        credited: Minor(0),
        balance: Left(None),
        credited_due: Minor(0),
        paid: Minor(0),
        refunded: Minor(0),
        written_off: Minor(0),
        write_off_reason: String::new(),
        books: Books::default(),
        note,
        source_document,
        numbers,
        state: State::Draft,
        number_series: None,
        period: None,
        ordinal: None,
        number: None,
        issue_date: None,
        due_date: None,
        previous_hash: None,
        hash: None,
        send_time: None,
        void_time: None,
        void_reason: String::new(),
        takeover_date: None,
    });
    violations.into_result(invoice)
}

/// Parses who is invoiced, and notes every violation under `bill_to`.
pub fn parse_party(message: Option<&pb::invoice::Party>, violations: &mut Violations) -> Option<Party> {
    let Some(message) = message else {
        violations.add("bill_to", "REQUIRED", "is required");
        return None;
    };
    let display_name = violations.keep("bill_to.display_name", word(&message.display_name, 200));
    let tax_id = violations.keep("bill_to.tax_id", line(&message.tax_id, 40)).unwrap_or_default();
    let address = Address::checked(message.address.clone().map(Into::into), "bill_to.address", violations);
    display_name.map(|display_name| Party { display_name, tax_id, address })
}

/// None where the legal entity says it.
fn parse_tax_rounding(tax_rounding: i32) -> Result<Option<TaxRounding>, UnknownName> {
    use pb::legal_entity::TaxRounding::{Group, Line, Unspecified};
    match pb::legal_entity::TaxRounding::try_from(tax_rounding) {
        Ok(Unspecified) => Ok(None),
        Ok(Group) => Ok(Some(TaxRounding::Group)),
        Ok(Line) => Ok(Some(TaxRounding::Line)),
        Err(_) => Err(UnknownName),
    }
}

fn parse_smallest_payment(
    message: Option<&Money>,
    currency: Option<Currency>,
    violations: &mut Violations,
) -> Option<Minor> {
    let (amount, own) = violations.keep("smallest_payment", wire::parse_amount(message?))?;
    if currency.is_some_and(|currency| currency != own) {
        violations.add("smallest_payment", "CURRENCY_DIFFERS", "must be in the currency of the invoice");
    }
    Some(amount).filter(|amount| !amount.is_zero())
}

fn parse_numbers(message: &pb::Invoice, violations: &mut Violations) -> Numbers {
    let mut number = |field: &str, text: &str| violations.keep(field, line(text, 100)).unwrap_or_default();
    Numbers {
        buyer_reference: number("buyer_reference", &message.buyer_reference),
        purchase_order: number("purchase_order", &message.purchase_order),
        sales_order: number("sales_order_number", &message.sales_order_number),
        delivery_note: number("delivery_note_number", &message.delivery_note_number),
    }
}

fn parse_lines(
    messages: &[pb::invoice::Line],
    currency: Option<Currency>,
    violations: &mut Violations,
) -> Result<Vec<Line>> {
    let given = violations.keep("lines", wire::at_most(messages, Lines::MAX)).unwrap_or_default();
    let mut lines = Vec::with_capacity(given.len());
    for (index, message) in given.iter().enumerate() {
        lines.extend(violations.absorb(&format!("lines[{index}]."), parse_line(message, currency))?);
    }
    Ok(lines)
}

fn parse_line(message: &pb::invoice::Line, currency: Option<Currency>) -> Result<Line> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let key = check.keep("key", word(&message.key, 64));
    let product = check.keep("product", Ref::<Product>::parse_optional(&message.product)).flatten();
    let description = check.keep("description", word(&message.description, 1000));
    let quantity = check.keep("quantity", message.quantity.parse().and_then(Quantity::positive));
    let unit = check.keep("unit", line(&message.unit, 20)).unwrap_or_default();
    let unit_price = check.keep("unit_price", message.unit_price.parse());
    let charges = parse_charges(&message.charges, currency, check);
    let discounts = parse_discounts("discounts", &message.discounts, currency, check);
    let source_line = check.keep("source_line", line(&message.source_line, 200)).unwrap_or_default();
    let taxes = parse_taxes(&message.tax_codes, check);
    let texts = key.zip(description).zip(quantity).zip(unit_price);
    let line = texts.map(|(((key, description), quantity), unit_price)| Line {
        key,
        product: product.map(Ref::uuid),
        description,
        quantity,
        unit,
        unit_price,
        discounts,
        source_line,
        taxes,
        charges,
    });
    violations.into_result(line)
}

fn parse_taxes(names: &[String], violations: &mut Violations) -> Vec<LineTax> {
    let given = violations.keep("tax_codes", wire::at_most(names, Lines::MAX_TAXES)).unwrap_or_default();
    if names.is_empty() {
        let error = PricingError::TaxMissing;
        violations.add("tax_codes", error.reason(), error.to_string());
    }
    let mut taxes: Vec<LineTax> = Vec::with_capacity(given.len());
    for (index, name) in given.iter().enumerate() {
        let field = format!("tax_codes[{index}]");
        let Some(code) = violations.keep(&field, Id::parse(name)) else { continue };
        let tax = LineTax::of(code);
        if taxes.contains(&tax) {
            let error = PricingError::DuplicateTax;
            violations.add(field, error.reason(), error.to_string());
        }
        taxes.push(tax);
    }
    taxes
}

fn parse_charges(
    messages: &[pb::invoice::Charge],
    currency: Option<Currency>,
    violations: &mut Violations,
) -> Vec<Charge> {
    let given = violations.keep("charges", wire::at_most(messages, Charge::MAX)).unwrap_or_default();
    let parsed = given.iter().enumerate().map(|(index, message)| {
        let field = format!("charges[{index}]");
        let reason = violations.keep(&format!("{field}.reason"), line(&message.reason, 200));
        let value =
            parse_value(&field, (message.percent.as_str(), message.amount.as_ref()), currency, violations);
        reason.zip(value).map(|(reason, value)| Charge { value, reason })
    });
    parsed.flatten().collect()
}

fn parse_discounts(
    field: &str,
    messages: &[pb::invoice::Discount],
    currency: Option<Currency>,
    violations: &mut Violations,
) -> Vec<Discount> {
    let given = violations.keep(field, wire::at_most(messages, Discounts::MAX)).unwrap_or_default();
    let parsed = given.iter().enumerate().map(|(index, message)| {
        let field = format!("{field}[{index}]");
        let reason = violations.keep(&format!("{field}.reason"), line(&message.reason, 200));
        let value =
            parse_value(&field, (message.percent.as_str(), message.amount.as_ref()), currency, violations);
        reason.zip(value).map(|(reason, value)| Discount { value, reason })
    });
    parsed.flatten().collect()
}

fn parse_value(
    field: &str,
    (percent, amount): (&str, Option<&Money>),
    currency: Option<Currency>,
    violations: &mut Violations,
) -> Option<Value> {
    match (percent, amount) {
        ("", None) => {
            violations.add(field, "REQUIRED", "must say a percentage or an amount");
            None
        }
        ("", Some(money)) => {
            let field = format!("{field}.amount");
            let (amount, own) = violations.keep(&field, wire::parse_amount(money))?;
            if currency.is_some_and(|currency| currency != own) {
                violations.add(field, "CURRENCY_DIFFERS", "must be in the currency of the invoice");
                return None;
            }
            Some(Value::Amount(amount))
        }
        (text, None) => violations.keep(&format!("{field}.percent"), text.parse()).map(Value::Percent),
        (_, Some(_)) => {
            violations.add(field, "BOTH_GIVEN", "must say a percentage or an amount, not both");
            None
        }
    }
}
