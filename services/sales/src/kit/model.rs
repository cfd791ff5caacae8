//! What is in one of each kit, and in so many of it. Pure.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
};

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use trato_pricing::Quantity;
use trato_types::Id;
use uuid::Uuid;

use crate::product::{Product, Within};

/// What is in one of each kit that a document names. It is stored as JSON.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Kits(Vec<Kit>);

/// A product with components, and what one of it has of those that have none themselves.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Kit {
    /// The kit.
    pub product: Id<Product>,
    /// What is in it, by description; none where that is too much to be kept.
    pub parts: Option<Vec<Part>>,
}

/// Something in a kit.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Part {
    /// The product.
    pub product: Id<Product>,
    /// Its name.
    pub description: String,
    /// Unit it is counted in.
    pub unit_code: String,
    /// How much of it is in one kit.
    pub factor: Factor,
}

/// How much of a part is in one kit, to 28 digits. Bundles within one another make it finer, or larger, than a quantity may be, and
/// are delivered all the same.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct Factor(Decimal);

/// What a part is called, and in what it is counted.
#[derive(Clone, Debug, Default)]
pub struct Called {
    /// Name people use.
    pub description: String,
    /// Unit it is counted in.
    pub unit_code: String,
}

/// What is in so many of a kit; nothing for what is no kit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents<'a> {
    /// The parts and how much there is of each, as decimal text.
    pub parts: Vec<(&'a Part, String)>,
    /// There are parts, and they are too many to be listed.
    pub omitted: bool,
}

/// How many bytes are left for parts.
struct Room(usize);

impl Kits {
    /// Most bytes that the parts of one order or delivery note take: with them it is within what clients read. No more is kept, since
    /// every list reads all that its orders keep.
    pub const MAX_KEPT: usize = 512 << 10;
    /// Most bytes that the parts take that are found at once, which may be those of many delivery notes.
    pub const MAX_FOUND: usize = 4 << 20;
    /// Most links that are followed for one document.
    pub const MAX_STEPS: usize = 200_000;

    /// What is in these kits by the links within them: in their order, as long as there is room, and as long as following the links is
    /// no more work than others should wait for.
    pub fn of(kits: &[Uuid], within: &Within, called: &HashMap<Uuid, Called>) -> Self {
        let (mut room, mut steps) = (Room(Self::MAX_FOUND), Self::MAX_STEPS);
        let kit = |kit: &Uuid| {
            let count = within.links(*kit, steps);
            // To find out that it is too much is work as well.
            steps = count.map_or(0, |count| steps - count);
            let parts = count.map(|_| parts_of(*kit, within, called)).filter(|parts| room.take(parts));
            Kit { product: Id::from_uuid(*kit), parts }
        };
        Self(kits.iter().map(kit).collect())
    }

    /// These kits without their parts, which are too many.
    pub fn too_large(kits: &[Uuid]) -> Self {
        Self(kits.iter().map(|kit| Kit { product: Id::from_uuid(*kit), parts: None }).collect())
    }

    /// What is kept with an order or a delivery note of the kits among its products, in their order: with their parts as long as there
    /// is room.
    pub fn only(&self, products: impl Iterator<Item = Id<Product>>) -> Self {
        let kits: HashMap<Uuid, &Kit> = self.0.iter().map(|kit| (kit.product.uuid(), kit)).collect();
        let (mut known, mut room) = (HashSet::new(), Room(Self::MAX_KEPT));
        let products = products.map(Id::uuid).filter(|product| known.insert(*product));
        let own = products.filter_map(|product| kits.get(&product).copied()).map(|kit| Kit {
            product: kit.product,
            parts: kit.parts.as_ref().filter(|parts| room.take(parts)).cloned(),
        });
        Self(own.collect())
    }

    /// All of them, each with its parts; none where these are too many to be kept.
    pub fn all(&self) -> impl Iterator<Item = (Id<Product>, Option<&[Part]>)> {
        self.0.iter().map(|kit| (kit.product, kit.parts.as_deref()))
    }

    /// What is in each of these lines, line by line: so much of a product, where that is known. Lines have it in their order, as
    /// long as there is room: many may be of one kit.
    pub fn contents(
        &self,
        lines: impl IntoIterator<Item = (Option<Id<Product>>, Quantity)>,
    ) -> Vec<Contents<'_>> {
        let kits: HashMap<Uuid, &Kit> = self.0.iter().map(|kit| (kit.product.uuid(), kit)).collect();
        let mut room = Room(Self::MAX_KEPT);
        let contents = |(product, quantity): (Option<Id<Product>>, Quantity)| {
            let Some(kit) = product.and_then(|product| kits.get(&product.uuid()).copied()) else {
                return Contents::default();
            };
            match &kit.parts {
                Some(parts) if room.take(parts) => {
                    let parts = parts.iter().map(|part| (part, part.factor.of(quantity).to_string()));
                    Contents { parts: parts.collect(), omitted: false }
                }
                _ => Contents { parts: Vec::new(), omitted: true },
            }
        };
        lines.into_iter().map(contents).collect()
    }
}

impl Part {
    /// Most bytes that it takes in a message, beside its description.
    const REST: usize = 100;

    fn bytes(&self) -> usize {
        self.description.len() + Self::REST
    }
}

impl Factor {
    /// How much of the part so many kits have, to a millionth, as quantities are told; at least one millionth, since there is some.
    fn of(self, kits: Quantity) -> Decimal {
        let exact = self.0.saturating_mul(kits.into());
        let told = exact.round_dp_with_strategy(6, RoundingStrategy::MidpointAwayFromZero);
        told.max(Decimal::new(1, 6)).normalize()
    }
}

impl From<Factor> for String {
    fn from(factor: Factor) -> Self {
        factor.0.normalize().to_string()
    }
}

impl TryFrom<String> for Factor {
    type Error = rust_decimal::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl Room {
    /// Takes what these parts need, unless it is more than there is.
    fn take(&mut self, parts: &[Part]) -> bool {
        let left = self.0.checked_sub(parts.iter().map(Part::bytes).sum());
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// What is in a kit, by description. No factor is refused: what has more than 28 digits is rounded there.
fn parts_of(kit: Uuid, within: &Within, called: &HashMap<Uuid, Called>) -> Vec<Part> {
    let times = |factor: Decimal, more: Quantity| Ok::<_, Infallible>(factor.saturating_mul(more.into()));
    let plus = |sum: Decimal, more: Decimal| Ok(sum.saturating_add(more));
    let Ok(opened) = within.open(kit, Decimal::ONE, times, plus);
    let part = |(product, factor): (Uuid, Decimal)| {
        let Called { description, unit_code } = called.get(&product).cloned().unwrap_or_default();
        Part { product: Id::from_uuid(product), description, unit_code, factor: Factor(factor) }
    };
    let mut parts: Vec<Part> = opened.into_iter().map(part).collect();
    // Byte by byte, as all texts are sorted. They come by product, and stay so where two have one description.
    parts.sort_by(|one, other| one.description.cmp(&other.description));
    parts
}
