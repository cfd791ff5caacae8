//! What is in kits, as clients get it.

use trato_proto::sales::v1 as pb;
use trato_types::Id;

use super::model::{Contents, Kits, Part};
use crate::product::Product;

/// What is in one of each.
pub fn render_kits(kits: &Kits) -> Vec<pb::Kit> {
    let kit = |(product, parts): (Id<Product>, Option<&[Part]>)| pb::Kit {
        product: product.name(),
        parts: parts.into_iter().flatten().map(|part| render_part(part, part.factor.into())).collect(),
        parts_omitted: parts.is_none(),
    };
    kits.all().map(kit).collect()
}

/// The parts of a line.
pub fn render_contents(contents: &Contents<'_>) -> Vec<pb::KitPart> {
    contents.parts.iter().map(|(part, quantity)| render_part(part, quantity.clone())).collect()
}

fn render_part(part: &Part, quantity: String) -> pb::KitPart {
    pb::KitPart {
        product: part.product.name(),
        description: part.description.clone(),
        quantity,
        unit_code: part.unit_code.clone(),
    }
}
