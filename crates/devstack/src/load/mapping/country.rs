//! Countries by what people call them.

use celes::{Country, LookupTable as _};

use super::similar;

/// True for a code of ISO 3166-1 in two capital letters.
pub fn is_code(text: &str) -> bool {
    text.len() == 2 && Country::get_countries().iter().any(|country| country.alpha2 == text)
}

/// The code a name most likely means, and how it was found.
pub fn suggest(name: &str) -> (Option<String>, String) {
    let countries = Country::get_countries();
    let called: Vec<(String, &Country)> = countries
        .iter()
        .flat_map(|country| names(country).into_iter().map(move |name| (name, country)))
        .collect();
    let wanted = letters(name);
    if let Some((_, country)) = called.iter().find(|(known, _)| *known == wanted) {
        return (Some(country.alpha2.to_owned()), "name of the country".to_owned());
    }
    let mut holders: Vec<&Country> =
        countries.iter().filter(|country| holds(country.long_name, name)).collect();
    holders.sort_by_key(|country| country.long_name.len());
    if let [first, others @ ..] = holders.as_slice() {
        let mut how = format!("part of `{}`", first.long_name);
        for other in others.iter().take(3) {
            how.push_str(&format!("; could be {} `{}` as well", other.alpha2, other.long_name));
        }
        return (Some(first.alpha2.to_owned()), how);
    }
    let nearest = similar::nearest(&wanted, called.iter().map(|(name, _)| name.as_str()));
    let found = nearest.and_then(|near| Some((near, called.iter().find(|(name, _)| name == near.name)?.1)));
    found.map_or_else(
        || (None, "no country of this name is known".to_owned()),
        |(near, country)| {
            let shown = similar::Similar { name: country.long_name, distance: near.distance };
            (Some(country.alpha2.to_owned()), similar::how(shown, "the country"))
        },
    )
}

/// Everything a country is called, letters only.
fn names(country: &Country) -> Vec<String> {
    let long = country.long_name;
    let short = long.strip_prefix("The ").unwrap_or(long);
    let mut names: Vec<String> = [long, short, country.alpha2, country.alpha3]
        .into_iter()
        .chain(country.aliases.iter().copied())
        .map(letters)
        .collect();
    names.sort();
    names.dedup();
    names
}

fn letters(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

/// True when all words of `part` stand in `whole`.
fn holds(whole: &str, part: &str) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    let (whole, part) = (words(whole), words(part));
    !part.is_empty() && part.iter().all(|word| whole.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_found_by_name_by_part_and_by_similarity() {
        for (name, code) in [
            ("United States", "US"),
            ("united states of america", "US"),
            ("Japan", "JP"),
            ("Norway", "NO"),
            ("Netherlands", "NL"),
            ("Germany", "DE"),
            ("USA", "US"),
            ("Philipines", "PH"),
            ("Korea", "KR"),
            ("Romania", "RO"),
            ("China", "CN"),
            ("Spain", "ES"),
            ("Belguim", "BE"),
            ("es", "ES"),
        ] {
            assert_eq!(suggest(name).0.as_deref(), Some(code), "{name}: {}", suggest(name).1);
        }
    }

    #[test]
    fn a_name_that_could_mean_two_countries_says_so() {
        let (_, how) = suggest("Korea");

        assert!(how.contains("could be KP"), "{how}");
    }

    #[test]
    fn what_is_no_country_gets_no_suggestion() {
        assert_eq!(suggest("Middle Earth").0, None);
        assert!(is_code("US") && !is_code("us") && !is_code("XX"));
    }
}
