//! What a return is made of: lines with what was received and found of them, and the policy that judges it. They are
//! stored as JSON. Pure.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use trato_pricing::Quantity;
use trato_types::{Date, Error, Id, Result, Violations};

use crate::{
    delivery_note::{DeliveryNote, is_count},
    order::LedgerError,
    product::Product,
    return_policy::ReturnPolicy,
};

/// The lines of a return: 1 to 1,000, each with a key of its own.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Lines(pub Vec<Line>);

/// Something that comes back.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Line {
    /// Names the line within the return.
    pub key: String,
    /// Key of the line of the delivery note.
    pub delivery_line: String,
    /// How much; above zero.
    pub quantity: Quantity,
    /// Serial numbers of it, where the line of the delivery note has some.
    pub serials: Vec<String>,
    /// In what condition it is, by who sends it back.
    pub condition: Option<Condition>,
    /// What it is; nothing before the delivery note was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub good: Option<Named>,
    /// What has come back of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub received: Option<Part>,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub found: Option<Finding>,
}

/// What the delivery note says of a line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Named {
    /// Key of the line of the order.
    pub order_line: String,
    /// The product.
    pub product: Id<Product>,
    /// What stands on the document.
    pub description: String,
}

/// So much of a line, and which of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Part {
    /// How much; above zero.
    pub quantity: Quantity,
    /// Serial numbers of it, where the line has some.
    pub serials: Vec<String>,
}

/// What was found of a line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Finding {
    /// In what condition it is.
    pub condition: Condition,
    /// What becomes of it.
    pub disposition: Disposition,
    /// What there is to say about it; may be empty.
    pub note: String,
}

/// In what condition something is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Condition {
    /// As it was delivered.
    Unopened,
    /// Taken out of its package.
    Opened,
    /// Used.
    Used,
    /// Damaged on its way.
    Damaged,
    /// Does not do what it should.
    Defective,
}

/// What becomes of something that came back.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Disposition {
    /// Its price is given back.
    Refund,
    /// Another one is delivered.
    Replace,
    /// It is repaired and goes back to the customer.
    Repair,
    /// It goes back to the customer as it is.
    Reject,
}

/// The version of a policy that judges a return.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Applied {
    /// Which one.
    pub return_policy: Id<ReturnPolicy>,
    /// Its place among the versions of its code.
    pub version: i32,
    /// Days from the delivery on, within which something may come back.
    pub window_days: i32,
    /// The buyer pays for the way back, else the seller.
    pub buyer_pays: bool,
    /// The last day of the window.
    pub window_end: Date,
    /// It was requested within the window.
    pub within_window: bool,
}

impl Disposition {
    /// It goes to the customer again.
    pub fn goes_back(self) -> bool {
        matches!(self, Self::Repair | Self::Reject)
    }
}

impl Lines {
    /// Most lines of a return.
    pub const MAX: usize = 1000;

    /// A line by its key.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Line> {
        self.0.iter_mut().find(|line| line.key == key)
    }

    /// Lines of the order and how much of each has come back, of those lines that `which` takes.
    pub fn received(&self, which: impl Fn(&Line) -> bool) -> Vec<(&str, Quantity)> {
        let lines = self.0.iter().filter(|line| which(line));
        lines
            .filter_map(|line| {
                Some((line.good.as_ref()?.order_line.as_str(), line.received.as_ref()?.quantity))
            })
            .collect()
    }

    /// Serial numbers that have come back, with their products, of those lines that `which` takes.
    pub fn serials(&self, which: impl Fn(&Line) -> bool) -> Vec<(Id<Product>, &str)> {
        let lines = self.0.iter().filter(|line| which(line));
        let parts = lines.filter_map(|line| Some((line.good.as_ref()?.product, line.received.as_ref()?)));
        parts
            .flat_map(|(product, part)| part.serials.iter().map(move |serial| (product, serial.as_str())))
            .collect()
    }

    /// Takes over what the delivery note says of each line, or notes what does not suit it under `path`.
    pub fn take_over(&mut self, delivered: &DeliveryNote, path: &str, violations: &mut Violations) {
        let mut in_all: HashMap<String, Quantity> = HashMap::new();
        for (at, line) in self.0.iter_mut().enumerate() {
            let path = format!("{path}.lines[{at}]");
            let Some((sent, good)) =
                delivered.lines.get(&line.delivery_line).and_then(|sent| Some((sent, sent.good.as_ref()?)))
            else {
                let why = "the delivery note has no such line";
                violations.add(format!("{path}.delivery_line"), "DELIVERY_LINE_NOT_FOUND", why);
                continue;
            };
            let sum = in_all.entry(sent.key.clone()).or_insert(Quantity::ZERO);
            // A sum that is too large to be a quantity is more than was taken.
            let is_too_much = sum.plus(line.quantity).map(|more| *sum = more).is_err();
            if is_too_much || *sum > delivered.taken(sent) {
                violations.add(format!("{path}.quantity"), "OVER_RETURNED", "is more than was taken");
            }
            if !fits(line.quantity, &line.serials, &sent.serials) {
                let why = "must be serial numbers of the line, as many as the quantity";
                violations.add(format!("{path}.serials"), "SERIALS_DIFFER", why);
            }
            line.good = Some(Named {
                order_line: sent.order_line.clone(),
                product: good.product,
                description: good.description.clone(),
            });
        }
    }

    /// Notes what has come back: these parts, or all of it where none is named; or says what is wrong.
    pub fn receive(&mut self, parts: Vec<(String, Part)>) -> Result<()> {
        if parts.is_empty() {
            for line in &mut self.0 {
                line.received = Some(Part { quantity: line.quantity, serials: line.serials.clone() });
            }
            return Ok(());
        }
        let mut violations = Violations::new();
        let mut named = HashSet::new();
        for (at, (key, part)) in parts.into_iter().enumerate() {
            let mut add = |field: &str, reason, why: &str| {
                violations.add(format!("lines[{at}].{field}"), reason, why);
            };
            if !named.insert(key.clone()) {
                add("line", "DUPLICATE", "a line before it is the same");
            }
            let Some(line) = self.get_mut(&key) else {
                add("line", "RETURN_LINE_NOT_FOUND", "the return has no such line");
                continue;
            };
            if part.quantity > line.quantity {
                add("quantity", "OVER_RETURNED", "is more than was authorised");
            }
            if !fits(part.quantity, &part.serials, &line.serials) {
                add(
                    "serials",
                    "SERIALS_DIFFER",
                    "must be serial numbers of the line, as many as the quantity",
                );
            }
            line.received = Some(part);
        }
        violations.into_result(Some(()))
    }

    /// FAILED_PRECONDITION `OVER_RETURNED` when what was received is, together with what other returns brought back of each
    /// line of the delivery note, more than was taken of the line.
    pub fn require_taken(&self, delivered: &DeliveryNote, others: &HashMap<String, Quantity>) -> Result<()> {
        let mut in_all = others.clone();
        for line in &self.0 {
            let Some(part) = &line.received else { continue };
            let taken = delivered.lines.get(&line.delivery_line).map(|sent| delivered.taken(sent));
            let sum = in_all.entry(line.delivery_line.clone()).or_insert(Quantity::ZERO);
            let more = sum.plus(part.quantity).ok().filter(|more| Some(*more) <= taken);
            *sum = more.ok_or_else(|| {
                Error::from(LedgerError::OverReturned).with("delivery_line", &line.delivery_line)
            })?;
        }
        Ok(())
    }

    /// Notes what was found of each line of which something was received, in place of what was found before; or says what is
    /// wrong.
    pub fn inspect(&mut self, findings: Vec<(String, Finding)>) -> Result<()> {
        self.0.iter_mut().for_each(|line| line.found = None);
        let mut violations = Violations::new();
        for (at, (key, finding)) in findings.into_iter().enumerate() {
            let field = format!("lines[{at}].line");
            match self.get_mut(&key).filter(|line| line.received.is_some()) {
                None => {
                    violations.add(field, "RETURN_LINE_NOT_FOUND", "nothing of such a line was received");
                }
                Some(line) if line.found.is_some() => {
                    violations.add(field, "DUPLICATE", "a line before it is the same");
                }
                Some(line) => line.found = Some(finding),
            }
        }
        let missing = self.0.iter().find(|line| line.received.is_some() && line.found.is_none());
        if let Some(line) = missing {
            violations.add("lines", "REQUIRED", format!("line {} was received and is not named", line.key));
        }
        violations.into_result(Some(()))
    }
}

/// True when `serials` are some of `known`, as many as the quantity; or when there are none on both sides.
fn fits(quantity: Quantity, serials: &[String], known: &[String]) -> bool {
    if known.is_empty() {
        return serials.is_empty();
    }
    let distinct: HashSet<_> = serials.iter().collect();
    is_count(quantity, distinct.len())
        && distinct.len() == serials.len()
        && serials.iter().all(|serial| known.contains(serial))
}
