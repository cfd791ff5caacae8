//! Subjects for people an export knows by name only: the member's name in the suite, and the `sub` of their tokens.

use std::collections::{BTreeMap, BTreeSet};

use deunicode::deunicode;

/// Longest subject the contract allows.
const LONGEST: usize = 128;

/// A subject for each name, in plain ASCII: `anna.snelling`. Names that would share one get a number, in their order.
pub fn subjects<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, String> {
    let mut taken = BTreeSet::new();
    let mut subjects = BTreeMap::new();
    for name in names {
        if subjects.contains_key(name) {
            continue;
        }
        let plain = subject(name);
        let numbered = (2..).map(|number| format!("{plain}.{number}"));
        let free = std::iter::once(plain.clone()).chain(numbered).find(|subject| !taken.contains(subject));
        let free = free.unwrap_or(plain);
        taken.insert(free.clone());
        subjects.insert(name.to_owned(), free);
    }
    subjects
}

fn subject(name: &str) -> String {
    let plain = deunicode(name).to_lowercase();
    let kept = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let words = plain.split(|letter: char| letter.is_whitespace() || letter == '.');
    let words = words.map(|word| word.chars().filter(|letter| kept(*letter)).collect::<String>());
    let mut subject = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(".");
    // Room for a number.
    subject.truncate(LONGEST - 8);
    if subject.is_empty() { "member".to_owned() } else { subject }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_subject_of_plain_letters() {
        for (name, expected) in [
            ("Anna Snelling", "anna.snelling"),
            ("Mei-Mei Johns", "mei-mei.johns"),
            ("José Núñez Díaz", "jose.nunez.diaz"),
            ("  J. R.  O'Neill ", "j.r.oneill"),
            ("李 明", "li.ming"),
            ("***", "member"),
        ] {
            assert_eq!(subject(name), expected);
        }
    }

    #[test]
    fn two_people_never_share_a_subject() {
        let subjects = subjects(["Jose Diaz", "José Díaz", "Jose Diaz"]);

        assert_eq!(subjects["Jose Diaz"], "jose.diaz");
        assert_eq!(subjects["José Díaz"], "jose.diaz.2");
    }
}
