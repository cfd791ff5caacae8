//! What a delivery note is made of: lines, refusals, and who took it. They are stored as JSON. Pure.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use trato_pricing::Quantity;
use trato_types::{Id, Result, Violations};

use crate::product::Product;

/// The lines of a delivery note: 1 to 1,000 once it is written, each with a key of its own.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Lines(pub Vec<Line>);

/// Something that is delivered.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Line {
    /// Names the line within the delivery note.
    pub key: String,
    /// Key of the line of the order.
    pub order_line: String,
    /// How much; above zero.
    pub quantity: Quantity,
    /// Lot it is of; may be empty.
    pub lot: String,
    /// Serial numbers: as many as the quantity, or none.
    pub serials: Vec<String>,
    /// What it is; nothing before the order was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub good: Option<Named>,
}

/// What the order says of a line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Named {
    /// The product.
    pub product: Id<Product>,
    /// What stands on the document.
    pub description: String,
    /// Unit it is counted in.
    pub unit_code: String,
}

/// What was refused, at most once for each line.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Refusals(pub Vec<Refusal>);

/// What of a line was refused.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Refusal {
    /// Key of the line.
    pub line: String,
    /// How much; above zero.
    pub quantity: Quantity,
    /// Serial numbers of it, where the line has some.
    pub serials: Vec<String>,
    /// Why; may be empty.
    pub reason: String,
}

/// Who took it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Proof {
    /// Name of who took it.
    pub receiver: String,
    /// Where the signature is kept; may be empty.
    pub signature: String,
}

impl Lines {
    /// Most lines of a delivery note.
    pub const MAX: usize = 1000;

    /// The line of the order that a line of the delivery note delivers.
    pub fn order_line(&self, key: &str) -> Option<&str> {
        self.get(key).map(|line| line.order_line.as_str())
    }

    /// A line by its key.
    pub fn get(&self, key: &str) -> Option<&Line> {
        self.0.iter().find(|line| line.key == key)
    }

    /// Lines of the order and how much of each is delivered.
    pub fn quantities(&self) -> impl Iterator<Item = (&str, Quantity)> {
        self.0.iter().map(|line| (line.order_line.as_str(), line.quantity))
    }

    /// The products of the lines that are known.
    pub fn products(&self) -> impl Iterator<Item = Id<Product>> {
        self.0.iter().filter_map(Line::product)
    }

    /// Every serial number with its product, the lines of which are known.
    pub fn serials(&self) -> impl Iterator<Item = (Id<Product>, &str)> {
        let named = self.0.iter().filter_map(|line| Some((line.good.as_ref()?.product, &line.serials)));
        named.flat_map(|(product, serials)| serials.iter().map(move |serial| (product, serial.as_str())))
    }
}

impl Line {
    /// Most serial numbers of a line.
    pub const MAX_SERIALS: usize = 1000;

    /// The product, once the order was asked.
    pub fn product(&self) -> Option<Id<Product>> {
        self.good.as_ref().map(|good| good.product)
    }

    /// Notes what is wrong with it by itself, under `path`.
    pub fn check(&self, path: &str, violations: &mut Violations) {
        if !self.serials.is_empty() && !is_count(self.quantity, self.serials.len()) {
            violations.add(format!("{path}.serials"), "SERIALS_DIFFER", "must be as many as the quantity");
        }
    }
}

impl Refusals {
    /// The refusals of these lines, or what is wrong with them; `refusals` is their field.
    pub fn of(given: Vec<Refusal>, lines: &Lines) -> Result<Self> {
        let mut violations = Violations::new();
        let mut refused = HashSet::new();
        for (at, refusal) in given.iter().enumerate() {
            let mut add = |field: &str, reason, why: &str| {
                violations.add(format!("refusals[{at}].{field}"), reason, why);
            };
            if !refused.insert(refusal.line.as_str()) {
                add("line", "DUPLICATE", "a refusal before it is of the same line");
            }
            let Some(line) = lines.get(&refusal.line) else {
                add("line", "DELIVERY_LINE_NOT_FOUND", "the delivery note has no such line");
                continue;
            };
            if refusal.quantity > line.quantity {
                add("quantity", "OVER_REFUSED", "is more than was sent");
            }
            if !refusal.fits_serials_of(line) {
                add(
                    "serials",
                    "SERIALS_DIFFER",
                    "must be serial numbers of the line, as many as the quantity",
                );
            }
        }
        violations.into_result(Some(()))?;
        Ok(Self(given))
    }

    /// How much of a line was refused.
    pub fn of_line(&self, key: &str) -> Quantity {
        let found = self.0.iter().find(|refusal| refusal.line == key);
        found.map_or(Quantity::ZERO, |refusal| refusal.quantity)
    }
}

impl Refusal {
    fn fits_serials_of(&self, line: &Line) -> bool {
        if line.serials.is_empty() {
            return self.serials.is_empty();
        }
        let distinct: HashSet<_> = self.serials.iter().collect();
        is_count(self.quantity, distinct.len())
            && distinct.len() == self.serials.len()
            && self.serials.iter().all(|serial| line.serials.contains(serial))
    }
}

/// True when the quantity is this whole number.
pub fn is_count(quantity: Quantity, count: usize) -> bool {
    let count = i64::try_from(count).ok().and_then(|count| Quantity::whole(count).ok());
    count == Some(quantity)
}
