//! `trato doctor`: what is wrong with the installation, in words. Each service examines itself; what shows only between
//! services is looked at here.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    backup::postgres,
    installation::Installation,
    output::{Outcome, Output},
    service::{BAD_CONFIGURATION, Service},
};

/// Events looked at in each log, the last ones.
const RECENT: &str = "200";

/// Something that is not as it should be.
#[derive(Debug, Deserialize, Serialize)]
pub struct Finding {
    severity: String,
    name: String,
    message: String,
    remedy: String,
}

impl Finding {
    fn new(severity: &str, name: &str, message: String, remedy: &str) -> Self {
        let [severity, name, remedy] = [severity, name, remedy].map(str::to_owned);
        Self { severity, name, message, remedy }
    }

    fn is_fault(&self) -> bool {
        self.severity == "fault"
    }
}

/// What was seen of one program.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Report {
    version: String,
    findings: Vec<Finding>,
    facts: BTreeMap<String, Value>,
}

/// What was seen of the installation.
#[derive(Debug, Serialize)]
pub struct Examination {
    version: &'static str,
    services: BTreeMap<String, Report>,
}

/// Examines everything and says what was found.
pub async fn run(installation: &Installation, output: &Output) -> Result<Outcome> {
    let examination = examine(installation, output).await;
    output.answer(&examination, &examination.text())?;
    let faulty = examination.services.values().flat_map(|report| &report.findings).any(Finding::is_fault);
    Ok(if faulty { Outcome::Found } else { Outcome::Fine })
}

/// Examines every service.
pub async fn examine(installation: &Installation, output: &Output) -> Examination {
    let mut examination = Examination { version: env!("CARGO_PKG_VERSION"), services: BTreeMap::new() };
    for service in &installation.services {
        let _stage = output.stage(format!("examining {}", service.name));
        let mut report = match report(service).await {
            Ok(report) => report,
            Err(finding) => Report { findings: vec![finding], ..Report::default() },
        };
        let found = beside(service, &report).await;
        report.findings.extend(found);
        examination.services.insert(service.name.clone(), report);
    }
    if !examination.services.values().flat_map(|report| &report.findings).any(Finding::is_fault) {
        for service in installation.with_database() {
            let _stage = output.stage(format!("looking for events that passed {} by", service.name));
            let found = passed_by(installation, service, &examination).await;
            if let Some(report) = examination.services.get_mut(&service.name) {
                report.findings.extend(found);
            }
        }
    }
    examination
}

/// What a program says of itself.
async fn report(service: &Service) -> Result<Report, Finding> {
    let broken = |error: anyhow::Error| {
        Finding::new(
            "fault",
            "program-broken",
            format!("{error:#}"),
            "see that the programs are of one version",
        )
    };
    // `doctor` needs nothing to be set; `check-config` says what serving needs.
    let checked = service.run(&["check-config"]).await.map_err(broken)?;
    if checked.status.code() == Some(BAD_CONFIGURATION) {
        let remedy = "mend the settings; `trato print-config` shows where each comes from";
        return Err(Finding::new("fault", "configuration-faulty", checked.errors.trim().to_owned(), remedy));
    }
    let said = service.run(&["doctor", "--json"]).await.map_err(broken)?.ok().map_err(broken)?;
    serde_json::from_str(&said).map_err(|error| broken(error.into()))
}

/// What the program cannot know of itself.
async fn beside(service: &Service, report: &Report) -> Vec<Finding> {
    let mut found = Vec::new();
    let ours = env!("CARGO_PKG_VERSION");
    if !report.version.is_empty() && report.version != ours {
        let message = format!("trato-{} is of version {}, trato of {ours}", service.name, report.version);
        found.push(Finding::new("warning", "versions-differ", message, "take all programs from one release"));
    }
    if service.has_database() {
        if service.backup_url.is_none() {
            let message = "TRATO_DATABASE__BACKUP_URL is not given, so that no backup can be made".to_owned();
            found.push(Finding::new(
                "warning",
                "backup-not-set",
                message,
                "make the role by service.sql and give its address",
            ));
        }
        if let Err(error) = backup_programs(service).await {
            let remedy = "install PostgreSQL's client programs of the server's version beside `trato`";
            found.push(Finding::new("warning", "backup-programs-unfit", format!("{error:#}"), remedy));
        }
    }
    found
}

/// Whether there are client programs that can dump and restore the service's database.
async fn backup_programs(service: &Service) -> Result<()> {
    // A database that is away is a finding of the service's own.
    let Ok(mut reader) = postgres::connect(service.variable("TRATO_DATABASE__OWNER_URL")?).await else {
        return Ok(());
    };
    let server = postgres::server_version(&mut reader).await?;
    for program in ["pg_dump", "pg_restore"] {
        postgres::check_program(program, server).await?;
    }
    Ok(())
}

/// Recent events that a service should have heard of, though its queue is empty: its bindings are missing, or its queue
/// was lost. AMQP itself does not show bindings.
async fn passed_by(installation: &Installation, service: &Service, seen: &Examination) -> Vec<Finding> {
    let waiting = seen.services.get(&service.name).and_then(|report| report.facts.get("queue_messages"));
    if waiting.and_then(Value::as_i64) != Some(0) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for source in installation.with_database() {
        let lacking = async {
            let recent = source.lines(&["events", "tail", "--json", "--last", RECENT])?;
            service.feed(&["events", "lacking", "--older-than-seconds", "60"], recent).await
        };
        let remedy = "run `trato migrate`, which binds the queue, then `trato reconcile`";
        match lacking.await {
            Ok(lacking) if lacking.is_empty() => {}
            Ok(lacking) => {
                let message = format!(
                    "{} recent events of {} never came to {}",
                    lacking.len(),
                    source.name,
                    service.name
                );
                found.push(Finding::new("fault", "events-passed-by", message, remedy));
            }
            Err(error) => {
                found.push(Finding::new("fault", "logs-not-compared", format!("{error:#}"), remedy));
            }
        }
    }
    found
}

impl Examination {
    /// What was found, for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let (mut faults, mut warnings) = (0, 0);
        for (service, report) in &self.services {
            for finding in &report.findings {
                let word = if finding.is_fault() { "FAULT" } else { "warning" };
                *(if finding.is_fault() { &mut faults } else { &mut warnings }) += 1;
                text += &format!("{word} in {service}: {}\n", finding.name);
                for line in finding.message.lines() {
                    text += &format!("    {line}\n");
                }
                text += &format!("    -> {}\n", finding.remedy);
            }
        }
        if faults + warnings == 0 {
            return format!("nothing is wrong with {} services\n", self.services.len());
        }
        text + &format!("{faults} faults, {warnings} warnings\n")
    }
}
