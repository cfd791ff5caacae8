//! Reads test results from cargo's output, and keeps those of the last run in a file.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::Proof;
use crate::cargo::TestPrograms;

/// How a test ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
}

/// Results by full name, `package::target::module::function`.
#[derive(Clone, Debug, Default)]
pub struct Results(BTreeMap<String, Outcome>);

impl Results {
    /// Reads the file of the last run.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {}; run `cargo dev test` first", path.display()))?;
        Ok(Self::parse(&text))
    }

    /// Writes the file, a line a test.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = String::new();
        for (name, outcome) in &self.0 {
            let outcome = match outcome {
                Outcome::Passed => "ok",
                Outcome::Failed => "FAILED",
            };
            writeln!(text, "{name} {outcome}")?;
        }
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads lines `name ok` and `name FAILED`.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| {
            let (name, outcome) = line.rsplit_once(' ')?;
            Some((name.to_owned(), outcome_of(outcome)?))
        });
        Self(lines.collect())
    }

    /// The results of one test function; more than one where its name occurs in several modules of its package.
    pub fn of(&self, proof: &Proof) -> Vec<(&str, Outcome)> {
        let all = self.0.iter().map(|(name, outcome)| (name.as_str(), *outcome));
        all.filter(|(name, _)| proof.is(name)).collect()
    }

    /// Adds those of other tests.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Names of tests that failed.
    pub fn failed(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, outcome)| **outcome == Outcome::Failed).map(|(name, _)| name.as_str())
    }

    /// Number of tests that ran.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when no test ran.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Follows cargo's output line by line.
#[derive(Debug)]
pub struct Recorder {
    root: PathBuf,
    programs: TestPrograms,
    /// `package::target` of the test program that runs.
    running: String,
    /// A test whose name is printed and whose end is not, because its own output came between.
    begun: Option<String>,
    results: Results,
}

impl Recorder {
    /// Knows which test program belongs to which package. `root` is where cargo runs.
    pub fn new(root: &Path, programs: TestPrograms) -> Self {
        Self {
            root: root.to_owned(),
            programs,
            running: String::new(),
            begun: None,
            results: Results::default(),
        }
    }

    /// What follows is said by this test program, which cargo does not announce.
    pub fn runs(&mut self, program: &Path) {
        self.running = self.target_of(&program.to_string_lossy());
    }

    /// Takes one line of output.
    pub fn line(&mut self, line: &str) {
        let plain = without_colours(line);
        let text = plain.trim();
        if let Some(program) = text.strip_prefix("Running ").and_then(|rest| rest.rsplit_once('(')) {
            self.running = self.target_of(program.1.trim_end_matches(')'));
        } else if let Some(crate_name) = text.strip_prefix("Doc-tests ") {
            self.running = format!("{}::doc", crate_name.replace('_', "-"));
        } else if let Some((name, rest)) =
            text.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "))
        {
            let name = name.trim_end_matches(" - should panic").to_owned();
            match outcome_of(rest.split_whitespace().next().unwrap_or_default()) {
                Some(outcome) => self.note(&name, outcome),
                None => self.begun = Some(name),
            }
        } else if let (Some(outcome), true) = (outcome_of(text), self.begun.is_some()) {
            let name = self.begun.take().unwrap_or_default();
            self.note(&name, outcome);
        }
    }

    /// What was read.
    pub fn into_results(self) -> Results {
        self.results
    }

    fn note(&mut self, test: &str, outcome: Outcome) {
        self.results.0.insert(format!("{}::{test}", self.running), outcome);
    }

    fn target_of(&self, program: &str) -> String {
        let path = self.root.join(program);
        match self.programs.get(&path) {
            Some((package, target)) => format!("{package}::{target}"),
            None => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }
}

fn outcome_of(word: &str) -> Option<Outcome> {
    match word {
        "ok" => Some(Outcome::Passed),
        "FAILED" => Some(Outcome::Failed),
        _ => None,
    }
}

/// Cuts terminal colours, `ESC [ … m`.
fn without_colours(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_named_by_package_target_and_test() {
        let programs = TestPrograms::from([(
            PathBuf::from("/w/target/debug/deps/it-0f"),
            ("trato-sales".to_owned(), "it".to_owned()),
        )]);
        let mut recorder = Recorder::new(Path::new("/w"), programs);
        for line in [
            "\u{1b}[1m\u{1b}[92m     Running\u{1b}[0m tests/it/main.rs (target/debug/deps/it-0f)",
            "test funnel::it_counts ... ok",
            "test funnel::it_fails ... FAILED",
            "test funnel::it_panics - should panic ... ok",
            "test funnel::it_talks ... something said",
            "ok",
            "test slow ... ignored",
            "   Doc-tests trato_types",
            "test crates/types/src/id.rs - id::Id (line 3) ... ok",
        ] {
            recorder.line(line);
        }
        let results = recorder.into_results();

        assert_eq!(results.len(), 5);
        assert_eq!(results.failed().collect::<Vec<_>>(), ["trato-sales::it::funnel::it_fails"]);
        assert_eq!(results.0.get("trato-sales::it::funnel::it_talks"), Some(&Outcome::Passed));
        assert!(results.0.contains_key("trato-types::doc::crates/types/src/id.rs - id::Id (line 3)"));
    }
}
