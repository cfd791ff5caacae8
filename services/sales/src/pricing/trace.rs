//! The trace of a price on the wire: rules by their names, subjects and values as they are.

use std::fmt;

use serde::Serialize as _;
use trato_pricing::{Datum, Rule, Step, Subject, TaxKey, Trace};
use trato_proto::{
    sales::v1::price_document_response::{self as response, step},
    wire,
};
use trato_types::Currency;

/// Writes every step.
pub fn render(trace: &Trace) -> Vec<response::Step> {
    trace.steps.iter().map(|step| render_step(step, trace.currency)).collect()
}

/// Writes a tax at a rate.
pub fn render_tax(tax: &TaxKey) -> response::Tax {
    response::Tax {
        code: tax.code.to_string(),
        category: tax.category.code().to_owned(),
        percent: tax.rate.to_string(),
    }
}

fn render_step(step: &Step, currency: Currency) -> response::Step {
    let (line, tax) = match &step.subject {
        Subject::Document => (String::new(), None),
        Subject::Line(key) => (key.to_string(), None),
        Subject::Group(tax) => (String::new(), Some(tax)),
        Subject::LineTax(key, tax) => (key.to_string(), Some(tax)),
    };
    response::Step {
        rule: Name(step.rule).to_string(),
        line,
        tax: tax.map(render_tax),
        inputs: step.inputs.iter().map(|input| render_datum(&input.name, &input.value, currency)).collect(),
        output: Some(render_datum("", &step.output, currency)),
    }
}

fn render_datum(name: &str, datum: &Datum, currency: Currency) -> step::Datum {
    let value = match datum {
        Datum::Money(amount) => step::datum::Value::Amount(wire::money(*amount, currency)),
        Datum::Foreign(amount, currency) => step::datum::Value::Amount(wire::money(*amount, *currency)),
        Datum::Quantity(quantity) => step::datum::Value::Decimal(quantity.to_string()),
        Datum::Price(price) => step::datum::Value::Decimal(price.to_string()),
        Datum::Rate(rate) => step::datum::Value::Decimal(rate.to_string()),
        Datum::Percent(percent) => step::datum::Value::Percent(percent.to_string()),
        Datum::Text(text) => step::datum::Value::Text(text.to_string()),
    };
    step::Datum { name: name.to_owned(), value: Some(value) }
}

/// The name that a rule has in stored traces.
struct Name(Rule);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_the_name_that_stored_traces_have() {
        assert_eq!(Name(Rule::ListPrice).to_string(), "LIST_PRICE");
        assert_eq!(Name(Rule::TaxOnNet).to_string(), "TAX_ON_NET");
    }
}
