//! Finds the one known name that a misspelled one most likely means.

/// A known name and how far it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Similar<'a> {
    /// The known name.
    pub name: &'a str,
    /// Letters to insert, delete, replace or swap; 0 when only the case differs.
    pub distance: usize,
}

/// The nearest of `known`; none when nothing is near, or when two are equally near.
pub fn nearest<'a>(value: &str, known: impl IntoIterator<Item = &'a str>) -> Option<Similar<'a>> {
    let value = value.to_lowercase();
    let limit = (value.chars().count() / 4).clamp(1, 3);
    let distance = |name: &str| strsim::damerau_levenshtein(&value, &name.to_lowercase());
    let mut near: Vec<Similar<'a>> =
        known.into_iter().map(|name| Similar { name, distance: distance(name) }).collect();
    near.retain(|similar| similar.distance <= limit);
    near.sort_by_key(|similar| similar.distance);
    match near[..] {
        [first, second, ..] if first.distance == second.distance => None,
        [first, ..] => Some(first),
        [] => None,
    }
}

/// How such a name was found, for people.
pub fn how(similar: Similar<'_>, what: &str) -> String {
    match similar.distance {
        0 => format!("{what} in another case"),
        1 => format!("one letter from {what} `{}`", similar.name),
        distance => format!("{distance} letters from {what} `{}`", similar.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_name_is_found_and_a_strange_one_is_not() {
        let known = ["GTX Pro", "GTX Plus Pro", "MG Special", "technology"];

        assert_eq!(nearest("GTXPro", known), Some(Similar { name: "GTX Pro", distance: 1 }));
        assert_eq!(nearest("technolgy", known), Some(Similar { name: "technology", distance: 1 }));
        assert_eq!(nearest("mg special", known), Some(Similar { name: "MG Special", distance: 0 }));
        assert_eq!(nearest("Hammer", known), None);
    }

    #[test]
    fn between_two_equally_near_names_nothing_is_guessed() {
        assert_eq!(nearest("Nova X", ["Nova A", "Nova B"]), None);
    }
}
