//! Bundles and kits: what a product consists of, and what that is when bundles within it are opened too.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use trato_pricing::{PricingError, Quantity};
use trato_types::{Result, Violations};
use uuid::Uuid;

/// What one of a product consists of: at most 100 products, each once.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Components(Vec<Component>);

/// A product within another one.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Component {
    /// Which product.
    pub product: Uuid,
    /// How much of it is in one, above zero.
    pub factor: Quantity,
}

/// A component and what it is within.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// The bundle.
    pub bundle: Uuid,
    /// What is in it.
    pub component: Component,
}

impl Components {
    /// Most components of a product.
    pub const MAX: usize = 100;

    /// Takes components that are valid one by one; INVALID_ARGUMENT when one product stands twice.
    pub fn new(components: Vec<Component>) -> Result<Self> {
        let mut violations = Violations::new();
        for (index, component) in components.iter().enumerate() {
            if components[..index].iter().any(|other| other.product == component.product) {
                let field = format!("components[{index}].product");
                violations.add(field, "DUPLICATE_COMPONENT", "is a component already");
            }
        }
        violations.into_result(Some(Self(components)))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Component> {
        self.0.iter()
    }
}

/// What is directly within each bundle.
pub struct Within(HashMap<Uuid, Vec<Component>>);

impl Within {
    /// By these links.
    pub fn of(links: &[Link]) -> Self {
        let mut within: HashMap<Uuid, Vec<Component>> = HashMap::new();
        for link in links {
            within.entry(link.bundle).or_default().push(link.component);
        }
        Self(within)
    }

    /// How much one bundle has of each product that has no components itself, by product. `times` says how much there is of what
    /// is within so much, and `plus` how much two ways come to. Nothing is within itself.
    pub fn open<T: Copy, E>(
        &self,
        bundle: Uuid,
        one: T,
        times: impl Fn(T, Quantity) -> Result<T, E>,
        plus: impl Fn(T, T) -> Result<T, E>,
    ) -> Result<Vec<(Uuid, T)>, E> {
        // A product is opened once all that contain it were, so that each link is followed once.
        let mut awaited = self.ways(bundle);
        let mut found: HashMap<Uuid, T> = HashMap::new();
        let mut ready = vec![(bundle, one)];
        let mut parts = Vec::new();
        while let Some((product, factor)) = ready.pop() {
            let Some(components) = self.0.get(&product) else {
                parts.push((product, factor));
                continue;
            };
            for component in components {
                let more = times(factor, component.factor)?;
                let sum = match found.get(&component.product) {
                    Some(so_far) => plus(*so_far, more)?,
                    None => more,
                };
                found.insert(component.product, sum);
                if let Some(missing) = awaited.get_mut(&component.product) {
                    *missing -= 1;
                    if *missing == 0 {
                        ready.push((component.product, sum));
                    }
                }
            }
        }
        parts.sort_by_key(|(product, _)| *product);
        Ok(parts)
    }

    /// How many links there are within a bundle, at any depth, each once; none where there are more than so many.
    pub fn links(&self, bundle: Uuid, most: usize) -> Option<usize> {
        let (mut seen, mut reached, mut count) = (HashSet::from([bundle]), vec![bundle], 0_usize);
        while let Some(product) = reached.pop() {
            let Some(components) = self.0.get(&product) else { continue };
            count += components.len();
            if count > most {
                return None;
            }
            reached.extend(components.iter().map(|one| one.product).filter(|product| seen.insert(*product)));
        }
        Some(count)
    }

    /// Products within the bundles that have no components themselves, each once.
    pub fn parts(&self) -> HashSet<Uuid> {
        let components = self.0.values().flatten().map(|component| component.product);
        components.filter(|product| !self.0.contains_key(product)).collect()
    }

    /// By how many links each product is reached from a bundle.
    fn ways(&self, bundle: Uuid) -> HashMap<Uuid, usize> {
        let mut ways: HashMap<Uuid, usize> = HashMap::new();
        let mut reached = vec![bundle];
        while let Some(product) = reached.pop() {
            for component in self.0.get(&product).into_iter().flatten() {
                let count = ways.entry(component.product).or_default();
                *count += 1;
                if *count == 1 {
                    reached.push(component.product);
                }
            }
        }
        ways
    }
}

/// How much one bundle has of each product that has no components itself, in no order but the same for the same links.
/// `links` hold all that are within the bundle, without a circle; a factor finer than a millionth is refused.
pub fn open(bundle: Uuid, links: &[Link]) -> Result<Vec<Component>, PricingError> {
    let parts = Within::of(links).open(bundle, Quantity::ONE, Quantity::times, Quantity::plus)?;
    Ok(parts.into_iter().map(|(product, factor)| Component { product, factor }).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn link(bundle: u128, product: u128, factor: i64) -> Link {
        let factor = Quantity::whole(factor).expect("a quantity");
        Link { bundle: id(bundle), component: Component { product: id(product), factor } }
    }

    fn opened(links: &[Link]) -> Vec<(u128, String)> {
        let parts = open(id(0), links).expect("it can be opened");
        parts.iter().map(|part| (part.product.as_u128(), part.factor.to_string())).collect()
    }

    /// SFA-25: a bundle of bundles is opened down to what is in the stock.
    #[test]
    fn bundles_within_bundles_are_opened_and_what_comes_by_two_ways_is_added_up() {
        // A desk of one frame and 16 screws; a frame of 4 legs and 8 screws; a leg of 2 screws.
        let links =
            [link(0, 1, 1), link(0, 9, 16), link(1, 2, 4), link(1, 9, 8), link(2, 9, 2), link(2, 3, 1)];

        assert_eq!(opened(&links), [(3, "4".to_owned()), (9, "32".to_owned())]);
    }

    #[test]
    fn what_has_no_components_is_its_own_only_part() {
        assert_eq!(opened(&[]), [(0, "1".to_owned())]);
    }

    #[test]
    fn what_is_within_other_bundles_only_does_not_count() {
        // A shelf has legs, too, and so has the frame of the desk.
        let links = [link(0, 1, 2), link(1, 2, 4), link(7, 2, 3), link(7, 1, 1), link(8, 7, 1)];

        assert_eq!(opened(&links), [(2, "8".to_owned())]);
    }

    #[test]
    fn links_within_a_bundle_are_counted_once_and_only_so_far() {
        // Two ways lead to the leg.
        let links = [link(0, 1, 1), link(0, 2, 1), link(1, 3, 4), link(2, 3, 2), link(7, 0, 1)];
        let within = Within::of(&links);
        let count = |bundle, most| within.links(id(bundle), most);
        assert_eq!([count(0, 4), count(0, 3), count(7, 9), count(3, 0)], [Some(4), None, Some(5), Some(0)]);
        assert_eq!(within.parts(), HashSet::from([id(3)]));
    }

    #[test]
    fn a_factor_finer_than_a_millionth_is_refused() {
        let mut links = [link(0, 1, 1), link(1, 2, 1)];
        links[0].component.factor = "0.001".parse().expect("a quantity");
        links[1].component.factor = "0.0001".parse().expect("a quantity");
        assert_eq!(open(id(0), &links), Err(PricingError::TooManyDecimals));
    }

    #[test]
    fn a_product_is_a_component_once() {
        let component = link(0, 1, 1).component;
        let error = Components::new(vec![component, component]).expect_err("it stands twice");
        assert_eq!(error.violations()[0].field, "components[1].product");
    }

    proptest! {
        /// SFA-25: opened at once or walked path by path, a bundle has the same in it.
        #[test]
        fn opening_counts_every_way_from_the_bundle_to_a_part(
            edges in prop::collection::btree_map((0..6_u128, 1..7_u128), 1..4_i64, 0..15),
        ) {
            let links: Vec<Link> = edges
                .iter()
                .filter(|((bundle, product), _)| bundle < product)
                .map(|((bundle, product), factor)| link(*bundle, *product, *factor))
                .collect();
            // Only what is reached from the bundle is handed in, as the statement does that reads it.
            let mut reached = vec![id(0)];
            let mut at = 0;
            while at < reached.len() {
                let bundle = reached[at];
                for link in links.iter().filter(|link| link.bundle == bundle) {
                    if !reached.contains(&link.component.product) {
                        reached.push(link.component.product);
                    }
                }
                at += 1;
            }
            let links: Vec<Link> = links.into_iter().filter(|link| reached.contains(&link.bundle)).collect();

            let mut counted = std::collections::BTreeMap::new();
            walk(id(0), 1, &links, &mut counted);
            let expected: Vec<_> =
                counted.into_iter().map(|(product, count)| (product.as_u128(), count.to_string())).collect();
            prop_assert_eq!(opened(&links), expected);
        }
    }

    fn walk(from: Uuid, count: i64, links: &[Link], counted: &mut std::collections::BTreeMap<Uuid, i64>) {
        let mut is_part = true;
        for link in links.iter().filter(|link| link.bundle == from) {
            is_part = false;
            let factor: i64 = link.component.factor.to_string().parse().expect("a whole number");
            walk(link.component.product, count * factor, links, counted);
        }
        if is_part {
            *counted.entry(from).or_default() += count;
        }
    }
}
