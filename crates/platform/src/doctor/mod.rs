//! What is wrong with a program and what it needs, in words: each finding says what it means and what to do.
//!
//! It looks and changes nothing. A finding has a stable name, so that scripts can tell them apart.

mod broker;
mod collector;
mod database;
mod neighbours;

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;
use serde_json::Value;
use trato_types::error::chain;

use crate::{ServiceSpec, config::Loaded, db::Database};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something does not work, or is not safe.
    Fault,
    /// It works, and somebody should look.
    Warning,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Stable name in kebab-case.
    pub name: &'static str,
    /// What is so.
    pub message: String,
    /// What to do.
    pub remedy: &'static str,
}

/// What was seen of one program.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The program's service.
    pub service: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// What was measured, by name: counts, positions, times. No secrets and nothing of the tenants' data.
    pub facts: BTreeMap<&'static str, Value>,
}

impl Report {
    fn new(service: &'static str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self { service, version, findings: Vec::new(), facts: BTreeMap::new() }
    }

    fn fault(&mut self, name: &'static str, message: impl Into<String>, remedy: &'static str) {
        self.findings.push(Finding { severity: Severity::Fault, name, message: message.into(), remedy });
    }

    fn warn(&mut self, name: &'static str, message: impl Into<String>, remedy: &'static str) {
        self.findings.push(Finding { severity: Severity::Warning, name, message: message.into(), remedy });
    }

    fn note(&mut self, name: &'static str, value: impl Into<Value>) {
        self.facts.insert(name, value.into());
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let severity = match finding.severity {
                Severity::Fault => "FAULT  ",
                Severity::Warning => "warning",
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{severity} {}: {}", finding.name, finding.message);
            let _ = writeln!(text, "        {}", finding.remedy);
        }
        if self.findings.is_empty() {
            text.push_str("nothing is wrong\n");
        }
        text
    }
}

/// Looks at a service: its database, its queue, whom it asks, and where its telemetry goes.
pub async fn examine(spec: &ServiceSpec, loaded: &Loaded) -> Report {
    let mut report = Report::new(spec.name);
    database::look_at_roles(&loaded.settings.database, &mut report).await;
    match Database::new(&loaded.settings.database, spec.name) {
        Ok(database) => database::look_inside(&database, spec.migrations, &mut report).await,
        Err(error) => report.fault(
            "database-address-unusable",
            chain(&error),
            "give database.url and database.system_url",
        ),
    }
    broker::look(spec.name, &loaded.settings.broker, &mut report).await;
    neighbours::look(&loaded.settings, spec.asks, &mut report).await;
    collector::look(&loaded.settings.telemetry, &mut report).await;
    report
}

/// Looks at a program without a database: whom it asks, and where its telemetry goes.
pub async fn examine_edge(name: &'static str, loaded: &Loaded) -> Report {
    let mut report = Report::new(name);
    neighbours::look(&loaded.settings, &[], &mut report).await;
    collector::look(&loaded.settings.telemetry, &mut report).await;
    report
}
