//! What is in kits, as clients get it.

use trato_proto::sales::v1 as pb;

use super::model::{Contents, Kits, Part};

/// What is in one of each.
pub fn render_kits(kits: &Kits) -> Vec<pb::Kit> {
    let kit = kits.iter().map(|kit| {
        let parts = kit.parts.iter().flatten();
        pb::Kit {
            product: kit.product.name(),
            parts: parts.map(|part| render_part(part, part.factor.into())).collect(),
            parts_omitted: kit.parts.is_none(),
        }
    });
    kit.collect()
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
