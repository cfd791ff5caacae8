//! The proof of a result: every rule that was applied, to what, with which input and which output.
//!
//! A trace is stored as JSON beside the amounts and read by people years later, so it holds values, not references.

use std::{borrow::Cow, fmt};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use trato_types::{Currency, Minor};

use crate::{ExchangeRate, Key, Percent, Quantity, TaxKey, UnitPrice};

/// The steps to a result, in the order in which they were taken.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Trace {
    /// Currency of the amounts in it.
    pub currency: Currency,
    /// Every rule that was applied.
    pub steps: Vec<Step>,
}

/// One rule, applied once.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Step {
    /// What was done.
    pub rule: Rule,
    /// To what.
    pub subject: Subject,
    /// From what.
    pub inputs: Vec<Input>,
    /// What came of it.
    pub output: Datum,
}

/// A named value that went into a step.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Input {
    /// What it is.
    pub name: Cow<'static, str>,
    /// How much.
    pub value: Datum,
}

/// What a step is about.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The whole document.
    Document,
    /// A line or a charge.
    Line(Key),
    /// All lines of a tax.
    Group(TaxKey),
    /// A tax of a line.
    LineTax(Key, TaxKey),
}

/// A value of a step.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Datum {
    /// Minor units of the trace's currency.
    Money(Minor),
    /// Minor units of another currency.
    Foreign(Minor, Currency),
    /// How much of something.
    Quantity(Quantity),
    /// A price of a unit.
    Price(UnitPrice),
    /// A percentage.
    Percent(Percent),
    /// An exchange rate.
    Rate(ExchangeRate),
    /// A reason, or the name of a rule of the tenant.
    Text(Cow<'static, str>),
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident: $sentence:literal,)*) => {
        /// A rule of pricing. Its name in JSON is kept for ever, since stored traces bear it.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum Rule {
            $($(#[$doc])* $rule,)*
        }

        impl Rule {
            /// What the rule does, for people.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$rule => $sentence,)*
                }
            }
        }
    };
}

rules! {
    /// Picks the price of a product from the lists.
    ListPrice: "price taken from the list",
    /// Takes the price that was agreed on.
    AgreedPrice: "price that was agreed on",
    /// Passes over a list or a promotion.
    Skipped: "passed over",
    /// Changes a price by a promotion.
    Promotion: "promotion applied",
    /// Caps what a promotion gives.
    BudgetCap: "cut to what is left of the promotion's budget",
    /// Adds something for nothing.
    FreeItem: "item added for nothing",
    /// Multiplies quantity and price.
    LineAmount: "quantity times price, rounded once",
    /// Takes a discount off a line.
    LineDiscount: "discount of the line",
    /// Puts a charge on a line.
    LineCharge: "charge of the line",
    /// Takes a discount off the document.
    DocumentDiscount: "discount of the document, shared by its lines",
    /// Gives a line its share of a discount.
    DiscountShare: "share of the discount, by the largest remainder",
    /// Puts a charge on the document.
    DocumentCharge: "charge of the document",
    /// Computes a tax from a net amount.
    TaxOnNet: "tax on the net amount, rounded once (EN 16931, BR-CO-17)",
    /// Takes the net out of prices that include taxes.
    NetOfGross: "net within the inclusive price, rounded once; the tax is the difference",
    /// Parts a tax within the price into several.
    TaxWithinGross: "tax within the inclusive price",
    /// Gives a line its share of a tax.
    TaxShare: "share of the tax, by the largest remainder",
    /// Takes the net out of a discount that includes taxes.
    NetOfDiscount: "net within the inclusive discount",
    /// Computes what is withheld.
    Withheld: "withheld of the net amount, rounded once",
    /// Adds up the lines.
    SumOfLines: "sum of the lines' net amounts (BR-CO-10)",
    /// Adds up the discounts of the document.
    SumOfDiscounts: "sum of the document's discounts (BR-CO-11)",
    /// Adds up the charges of the document.
    SumOfCharges: "sum of the document's charges (BR-CO-12)",
    /// Computes the total without tax.
    NetTotal: "lines less discounts plus charges (BR-CO-13)",
    /// Adds up the taxes.
    TaxTotal: "sum of the taxes of all groups (BR-CO-14)",
    /// Computes the total with tax.
    GrossTotal: "net plus tax (BR-CO-15)",
    /// Computes what is due.
    AmountDue: "gross less what is withheld and prepaid, plus rounding (BR-CO-16)",
    /// Rounds what is due.
    CashRounding: "what is due, rounded to the smallest amount that can be paid",
    /// Credits by a quantity.
    CreditQuantity: "share of what is left, by quantity",
    /// Credits an amount.
    CreditAmount: "share of what is left, by amount",
    /// Credits all that is left.
    CreditRest: "all that is left",
    /// Converts an amount.
    Exchange: "converted, rounded once",
    /// Gives a part its share of a converted total.
    ExchangeShare: "share of the converted total, by the largest remainder",
    /// Allots a payment.
    Allocation: "paid by it",
}

impl Trace {
    pub(crate) fn new(currency: Currency) -> Self {
        Self { currency, steps: Vec::new() }
    }

    pub(crate) fn step(
        &mut self,
        rule: Rule,
        subject: Subject,
        inputs: impl IntoIterator<Item = (&'static str, Datum)>,
        output: Datum,
    ) {
        let inputs = inputs.into_iter().map(|(name, value)| Input { name: name.into(), value }).collect();
        self.steps.push(Step { rule, subject, inputs, output });
    }

    /// One sentence for each step.
    pub fn sentences(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.sentence(self.currency)).collect()
    }
}

impl Step {
    fn sentence(&self, currency: Currency) -> String {
        let inputs: Vec<_> = self
            .inputs
            .iter()
            .map(|input| format!("{} {}", input.name, input.value.show(currency)))
            .collect();
        let output = self.output.show(currency);
        match inputs.as_slice() {
            [] => format!("{}: {} = {output}", self.subject, self.rule.sentence()),
            _ => format!("{}: {}: {} = {output}", self.subject, self.rule.sentence(), inputs.join(", ")),
        }
    }
}

impl Datum {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(Cow::Owned(text.to_owned()))
    }

    fn show(&self, currency: Currency) -> String {
        match self {
            Self::Money(amount) => money(*amount, currency),
            Self::Foreign(amount, currency) => money(*amount, *currency),
            Self::Quantity(quantity) => quantity.to_string(),
            Self::Price(price) => price.to_string(),
            Self::Percent(percent) => format!("{percent} %"),
            Self::Rate(rate) => rate.to_string(),
            Self::Text(text) => format!("\"{text}\""),
        }
    }
}

/// `12.50 EUR`.
fn money(amount: Minor, currency: Currency) -> String {
    format!("{} {currency}", Decimal::new(amount.0, currency.exponent()))
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => f.write_str("document"),
            Self::Line(key) => write!(f, "line {key}"),
            Self::Group(tax) => write!(f, "{tax}"),
            Self::LineTax(key, tax) => write!(f, "line {key}, {tax}"),
        }
    }
}

impl fmt::Display for TaxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} %", self.code, self.category.code(), self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reads_like_a_sentence_in_every_currency() {
        let mut trace = Trace::new(Currency::USD);
        let inputs = [
            ("quantity", Datum::Quantity(Quantity::ONE)),
            ("discount", Datum::Money(Minor(-5))),
            ("before", Datum::Foreign(Minor(7), Currency::parse("JPY").expect("a code"))),
        ];
        trace.step(Rule::LineAmount, Subject::Line("10".into()), inputs, Datum::Money(Minor(1_050)));

        assert_eq!(
            trace.sentences(),
            [
                "line 10: quantity times price, rounded once: quantity 1, discount -0.05 USD, before 7 JPY = 10.50 USD"
            ]
        );
    }
}
