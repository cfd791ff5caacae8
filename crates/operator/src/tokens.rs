//! `trato token …`: tokens that are refused although they are good, in every service.
//!
//! A token itself is only ever passed on by standard input: what stands on a command line is seen by others, and kept. Each
//! command can be repeated, also after it failed half-way.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
};

use anyhow::{Context as _, Result};
use chrono::{SecondsFormat, Utc};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    each,
    installation::Installation,
    output::{Outcome, Output},
    service::Service,
};

/// Most that is read as a token; more than any that is accepted.
const MOST_INPUT: u64 = 16 * 1024;

/// `trato token …`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Refuse one token, or all that were issued to a subject up to now; services do within about two seconds
    Revoke(Revoke),
    /// Accept again what was revoked by mistake
    Restore {
        /// The key that `revoke` answered and `list` shows
        key: String,
    },
    /// List what is revoked, and until when that is remembered; never a token
    List,
}

/// What to revoke.
#[derive(Args, Debug)]
pub struct Revoke {
    #[command(flatten)]
    what: What,
    /// The issuer that gave the id, as it stands in `auth.issuers`
    #[arg(long, requires = "id")]
    issuer: Option<String>,
    /// The tenant of the subject
    #[arg(long, requires = "subject")]
    tenant: Option<Uuid>,
    /// Days for which it is remembered, as long as such a token may be good for [default: 31]
    #[arg(long, conflicts_with = "stdin")]
    days: Option<u32>,
}

/// One token, or those of somebody.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct What {
    /// The token on standard input, where no list of processes shows it; it is remembered until it ends
    #[arg(long)]
    stdin: bool,
    /// The token with this `jti` claim
    #[arg(long, requires = "issuer")]
    id: Option<String>,
    /// All tokens of this `sub` claim
    #[arg(long, requires = "tenant")]
    subject: Option<String>,
}

/// Runs the command.
pub async fn run(command: Command, installation: &Installation, output: &Output) -> Result<Outcome> {
    let services: Vec<&Service> = installation.with_database().collect();
    match command {
        Command::Revoke(revoke) => {
            let token = if revoke.what.stdin { Some(read(io::stdin().lock())?) } else { None };
            let arguments = revoke.arguments();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            each::give_structured(&services, &arguments, token.as_deref(), output).await
        }
        Command::Restore { key } => {
            each::run_structured(&services, &["token", "restore", &key], output).await
        }
        Command::List => list(&services, output).await,
    }
}

/// The token, read once for all services.
fn read(from: impl io::Read) -> Result<String> {
    let mut token = String::new();
    from.take(MOST_INPUT).read_to_string(&mut token).context("standard input holds no token")?;
    Ok(token)
}

impl Revoke {
    /// What the services are told: the same moment to all, so that no token is good for one and not for another.
    fn arguments(self) -> Vec<String> {
        let mut arguments = vec!["token".to_owned(), "revoke".to_owned()];
        if self.what.stdin {
            arguments.push("--stdin".to_owned());
        }
        if self.what.subject.is_some() {
            let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
            arguments.push(format!("--issued-until={now}"));
        }
        let values = [
            ("id", self.what.id),
            ("issuer", self.issuer),
            ("subject", self.what.subject),
            ("tenant", self.tenant.map(|tenant| tenant.to_string())),
            ("days", self.days.map(|days| days.to_string())),
        ];
        let values = values.into_iter().filter_map(|(name, value)| Some(format!("--{name}={}", value?)));
        arguments.extend(values);
        arguments
    }
}

/// What one service has revoked.
#[derive(Deserialize)]
struct Known {
    key: String,
    description: String,
    issued_until: Option<String>,
    expire_time: String,
}

/// What any service has revoked.
#[derive(Serialize)]
struct Revocation {
    description: String,
    issued_until: Option<String>,
    expire_time: String,
    /// Those that refuse it; not all where a command failed half-way.
    services: Vec<String>,
}

async fn list(services: &[&Service], output: &Output) -> Result<Outcome> {
    let mut all: BTreeMap<String, Revocation> = BTreeMap::new();
    for service in services {
        let known: Vec<Known> = service.ask(&["token", "list", "--json"]).await?;
        for Known { key, description, issued_until, expire_time } in known {
            let new = Revocation { description, issued_until, expire_time, services: Vec::new() };
            all.entry(key).or_insert(new).services.push(service.name.clone());
        }
    }
    let mut text = String::new();
    for (key, one) in &all {
        let issued = one.issued_until.as_ref().map(|until| format!(", issued up to {until}"));
        text += &format!(
            "{key}  {}{}  (remembered until {}; {})\n",
            one.description,
            issued.unwrap_or_default(),
            one.expire_time,
            one.services.join(", ")
        );
    }
    text += &format!("{} revoked\n", all.len());
    output.answer(&all, &text)?;
    Ok(Outcome::Fine)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: Command,
    }

    /// What services are told by a command line; none where it is wrong.
    fn told(arguments: &[&str]) -> Option<Vec<String>> {
        let line = Line::try_parse_from(["token", "revoke"].iter().chain(arguments)).ok()?;
        let Command::Revoke(revoke) = line.command else { panic!("it is to revoke") };
        Some(revoke.arguments())
    }

    #[test]
    fn services_are_told_one_thing_and_all_the_same_moment() {
        let tenant = "--tenant=01920000-0000-7000-8000-000000000001";

        assert_eq!(told(&["--stdin"]).expect("right"), ["token", "revoke", "--stdin"]);
        let by_id = told(&["--id", "-7", "--issuer", "https://id", "--days", "3"]);
        assert_eq!(by_id, None, "what begins like an option is written with =");
        let by_id = told(&["--id=-7", "--issuer", "https://id", "--days", "3"]).expect("right");
        assert_eq!(by_id, ["token", "revoke", "--id=-7", "--issuer=https://id", "--days=3"]);
        let by_subject = told(&["--subject", "ana", tenant]).expect("right");
        assert!(by_subject[2].starts_with("--issued-until=2"), "{by_subject:?}");
        assert_eq!(by_subject[3..], ["--subject=ana", tenant]);
        for wrong in [&[][..], &["--id=7"], &["--subject=ana"], &["--stdin", "--subject=ana", tenant]] {
            assert_eq!(told(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn no_more_is_read_than_a_token_can_have() {
        assert_eq!(read("a.b.c\n".as_bytes()).expect("read"), "a.b.c\n");
        assert_eq!(read(io::repeat(b'x')).expect("read").len(), 16 * 1024);
    }
}
