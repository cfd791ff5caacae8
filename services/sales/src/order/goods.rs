//! What of an order can be delivered: its lines, and those that promotions give, as they stand on delivery notes. Pure.

use trato_pricing::Quantity;
use trato_types::{Date, Id};

use crate::{document::Document, product::Product};

/// A line as it is delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Good {
    /// Key of the line.
    pub line: String,
    /// The product.
    pub product: Id<Product>,
    /// What it is, and what was chosen of it, as it stands on delivery notes.
    pub description: String,
    /// Unit it is counted in.
    pub unit_code: String,
    /// How much was ordered.
    pub quantity: Quantity,
    /// Day by which the line says that it is promised.
    pub promised_date: Option<Date>,
}

impl Good {
    /// Everything that a priced document names, in its order; nothing of one that is not priced.
    pub fn all(document: &Document) -> Vec<Self> {
        let Some(frozen) = &document.priced else { return Vec::new() };
        let lines = frozen.lines.iter().zip(&frozen.priced.lines).enumerate();
        let good = lines.map(|(at, (line, priced))| {
            let wanted = document.lines.get(at);
            let own = wanted.map(|wanted| wanted.description.as_str()).unwrap_or_default();
            Self {
                line: priced.amounts.key.to_string(),
                product: line.product,
                description: line.told(own),
                unit_code: line.unit_code.clone(),
                quantity: priced.quantity,
                promised_date: wanted.and_then(|wanted| wanted.promised_date),
            }
        });
        good.collect()
    }
}
