//! One subcommand for each service, and the answers beside each other.

use std::fmt::Write as _;

use anyhow::Result;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{
    installation::Installation,
    output::{Outcome, Output},
    service::{BAD_CONFIGURATION, Said, Service, given},
};

/// Runs a subcommand that answers in text.
pub async fn run(
    installation: &Installation,
    names: &[String],
    arguments: &[&str],
    output: &Output,
) -> Result<Outcome> {
    let mut answers = Answers::default();
    for service in installation.select(names)? {
        let stage = output.stage(format!("{}: {}", service.name, arguments.join(" ")));
        let said = service.run(arguments).await;
        drop(stage);
        answers.add(service, said, |text| json!(text.trim_end()));
    }
    answers.write(output)
}

/// Runs a subcommand that answers in JSON when asked to.
pub async fn run_structured(services: &[&Service], arguments: &[&str], output: &Output) -> Result<Outcome> {
    give_structured(services, arguments, None, output).await
}

/// The same of one that may have to be given a line on standard input.
pub async fn give_structured(
    services: &[&Service],
    arguments: &[&str],
    input: Option<&str>,
    output: &Output,
) -> Result<Outcome> {
    let mut answers = Answers::default();
    let mut arguments = arguments.to_vec();
    if output.json {
        arguments.push("--json");
    }
    for service in services {
        let said = match input {
            Some(input) => service.give(&arguments, given(&[input.to_owned()])).await,
            None => service.run(&arguments).await,
        };
        answers.add(service, said, structured);
    }
    answers.write(output)
}

/// What each service answers in JSON, by its name, or why it does not.
pub async fn ask<T: DeserializeOwned>(services: &[&Service], arguments: &[&str]) -> Vec<(String, Result<T>)> {
    let mut answers = Vec::new();
    for service in services {
        answers.push((service.name.clone(), service.ask(arguments).await));
    }
    answers
}

/// Answers what one service said, in JSON when asked to, as `run_structured` does.
pub fn answer(service: &Service, said: Result<Said>, output: &Output) -> Result<Outcome> {
    let mut answers = Answers::default();
    answers.add(service, said, structured);
    answers.write(output)
}

/// An answer in JSON as it is, one for people as a text.
fn structured(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// Prints configurations, which are TOML for people.
pub async fn print_config(installation: &Installation, names: &[String], output: &Output) -> Result<Outcome> {
    let mut answers = Answers::default();
    for service in installation.select(names)? {
        let said = service.run(&["print-config"]).await;
        answers.add(service, said, |text| toml::from_str(text).unwrap_or_else(|_| json!(text)));
    }
    answers.write(output)
}

/// What the services said.
#[derive(Default)]
struct Answers {
    json: Map<String, Value>,
    text: String,
    outcome: Option<Outcome>,
}

impl Answers {
    fn add(&mut self, service: &Service, said: Result<Said>, read: impl Fn(&str) -> Value) {
        let name = service.name.clone();
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{name}:");
        let (outcome, value, text) = match said {
            Ok(said) if said.status.success() => {
                (Outcome::Fine, json!({ "answer": read(&said.output) }), said.output)
            }
            Ok(said) => {
                let bad = said.status.code() == Some(BAD_CONFIGURATION);
                let outcome = if bad { Outcome::BadConfiguration } else { Outcome::Failed };
                (outcome, json!({ "error": said.errors.trim_end() }), said.errors)
            }
            Err(error) => {
                let text = format!("{error:#}");
                (Outcome::Failed, json!({ "error": text }), text)
            }
        };
        for line in text.lines() {
            let _ = writeln!(self.text, "  {line}");
        }
        self.json.insert(name, value);
        // The worst is told: a failure before a fault of the configuration before success.
        let worse = |known: Outcome| known == Outcome::Failed || outcome == Outcome::Fine;
        self.outcome = Some(self.outcome.filter(|known| worse(*known)).unwrap_or(outcome));
    }

    fn write(self, output: &Output) -> Result<Outcome> {
        output.answer(&self.json, &self.text)?;
        Ok(self.outcome.unwrap_or(Outcome::Fine))
    }
}
