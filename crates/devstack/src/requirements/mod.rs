//! Which requirement is proved by which tests, and whether they passed.
//!
//! A test names the requirements it proves in the first words of its doc comment; `docs/requirements.toml` says which are
//! claimed. Neither can drift from the other unseen.

mod results;
mod scan;

use std::{collections::BTreeMap, fmt, fs};

use anyhow::{Context as _, Result};
use serde::Deserialize;

pub use results::{Outcome, Recorder, Results};
pub use scan::{Proof, scan};

use crate::checkout::Checkout;

/// One requirement with its tests.
#[derive(Debug)]
pub struct Line {
    /// `SFA-05`.
    pub id: String,
    /// True when `docs/requirements.toml` claims it.
    pub claimed: bool,
    /// What its tests say together.
    pub verdict: Verdict,
    /// Names of its tests.
    pub tests: Vec<String>,
}

/// What the tests of a requirement say together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// All passed, and there is one.
    Passed,
    /// One failed.
    Failed,
    /// There are tests, but the last run did not run one of them.
    NotRun,
    /// No test names it.
    Missing,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Passed => "ok",
            Self::Failed => "FAILED",
            Self::NotRun => "not-run",
            Self::Missing => "missing",
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    /// Identifier and a few words for readers.
    claimed: BTreeMap<String, String>,
}

/// Joins what is claimed, what tests say they prove, and how they ended. One line an identifier, in order.
pub fn report(checkout: &Checkout, results: &Results) -> Result<Vec<Line>> {
    let path = checkout.root.join("docs/requirements.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let claims: Claims = toml::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
    let proofs = scan(&checkout.root)?;
    let mut ids: Vec<&String> =
        claims.claimed.keys().chain(proofs.iter().flat_map(|proof| &proof.ids)).collect();
    ids.sort();
    ids.dedup();
    Ok(ids.into_iter().map(|id| line(id, claims.claimed.contains_key(id), &proofs, results)).collect())
}

fn line(id: &str, claimed: bool, proofs: &[Proof], results: &Results) -> Line {
    let mut tests = Vec::new();
    let mut verdict = Verdict::Missing;
    for proof in proofs.iter().filter(|proof| proof.ids.iter().any(|named| named == id)) {
        let found = results.of(proof);
        if found.is_empty() {
            tests.push(proof.to_string());
        }
        let outcome = if found.is_empty() {
            Verdict::NotRun
        } else if found.iter().all(|(_, outcome)| *outcome == Outcome::Passed) {
            Verdict::Passed
        } else {
            Verdict::Failed
        };
        tests.extend(found.into_iter().map(|(name, _)| name.to_owned()));
        verdict = match (verdict, outcome) {
            (Verdict::Failed, _) | (_, Verdict::Failed) => Verdict::Failed,
            (Verdict::NotRun, _) | (_, Verdict::NotRun) => Verdict::NotRun,
            _ => Verdict::Passed,
        };
    }
    Line { id: id.to_owned(), claimed, verdict, tests }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(function: &str) -> Proof {
        Proof {
            ids: vec!["SFA-05".into()],
            package: "trato-sales".into(),
            module: Some("funnel".into()),
            function: function.into(),
        }
    }

    #[test]
    fn one_failed_test_spoils_the_requirement_and_one_not_run_leaves_it_open() {
        let results = Results::parse(
            "trato-sales::it::funnel::it_counts ok\n\
             trato-sales::it::funnel::it_averages FAILED\n\
             trato-sales::it::pipeline::it_counts FAILED\n",
        );
        let verdict = |functions: &[&str]| {
            let proofs: Vec<_> = functions.iter().map(|function| proof(function)).collect();
            line("SFA-05", true, &proofs, &results).verdict
        };

        assert_eq!(verdict(&["it_counts"]), Verdict::Passed);
        assert_eq!(verdict(&["it_counts", "it_averages"]), Verdict::Failed);
        assert_eq!(verdict(&["it_counts", "it_sorts"]), Verdict::NotRun);
        assert_eq!(verdict(&[]), Verdict::Missing);
    }
}
