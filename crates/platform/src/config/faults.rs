//! What is wrong with a configuration: every fault at once, so that it is mended in one round.

use std::{fmt, ops::RangeInclusive};

use config::Value;

use super::path;

/// One thing that is wrong, where it was read, and why.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Fault {
    /// Dotted path of the setting, `server.listen`, or the name of a variable that is no setting.
    pub key: String,
    /// Where the value stands: `variable TRATO_SERVER__LISTEN`, `file /etc/trato.toml`, `not set`.
    pub origin: String,
    /// Sentence for people; never contains the value of a secret.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.key, self.origin, self.problem)
    }
}

/// Every fault of a configuration, ordered by key. A program that meets it ends with exit code 64.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigFaults(pub Vec<Fault>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.0.len() == 1 { "fault" } else { "faults" };
        write!(f, "the configuration has {} {noun}", self.0.len())?;
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigFaults {}

/// Collects what is wrong with the values of one section; handed to [`Section::check`](super::Section::check).
pub struct Checker<'a> {
    pub(super) section: &'a str,
    pub(super) values: &'a Value,
    pub(super) faults: &'a mut Vec<Fault>,
}

impl Checker<'_> {
    /// Notes that the value at `key` (relative to the section) cannot be used.
    pub fn refuse(&mut self, key: &str, problem: impl Into<String>) {
        let origin = path::find(self.values, key).and_then(Value::origin).unwrap_or(NOT_SET);
        let dot = if key.is_empty() { "" } else { "." };
        let key = format!("{}{dot}{key}", self.section);
        // What was already refused, or a part of it, stands at its default by now and would be judged unjustly.
        let covered = |fault: &Fault| {
            fault.key.strip_prefix(&key).is_some_and(|rest| matches!(rest.as_bytes(), [] | [b'.' | b'[', ..]))
        };
        if self.faults.iter().any(covered) {
            return;
        }
        self.faults.push(Fault { key, origin: origin.to_owned(), problem: problem.into() });
    }

    /// Notes a number outside of its bounds.
    pub fn range<T: PartialOrd + fmt::Display>(&mut self, key: &str, value: T, bounds: RangeInclusive<T>) {
        if !bounds.contains(&value) {
            self.refuse(key, format!("must be from {} to {}, not {value}", bounds.start(), bounds.end()));
        }
    }
}

/// The origin of what no layer sets.
pub(super) const NOT_SET: &str = "not set";

/// `; did you mean …?` when one of `known` is close to `word`, else nothing.
pub(super) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let allowed = (word.len() / 3).max(1);
    let nearest = known.into_iter().map(|name| (distance(word, name), name)).min();
    match nearest {
        Some((distance, name)) if distance <= allowed => format!("; did you mean {name}?"),
        _ => String::new(),
    }
}

/// Edits (insert, remove, replace, swap of neighbours) that turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_answered_with_the_nearest_name() {
        let known = ["listen", "admin_listen", "drain_seconds"];

        assert_eq!(suggestion("lisetn", known), "; did you mean listen?");
        assert_eq!(suggestion("drain_second", known), "; did you mean drain_seconds?");
        assert_eq!(suggestion("colour", known), "");
    }
}
