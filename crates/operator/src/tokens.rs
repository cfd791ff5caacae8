//! `trato token …`: tokens that are refused although they are good, in every service.
//!
//! A token itself is only ever passed on by standard input: what stands on a command line is seen by others, and kept. Each
//! command can be repeated, also after it failed half-way.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
};

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    each,
    installation::Installation,
    output::{Outcome, Output, complain},
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
    Allow {
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
    /// Moment up to which the subject's tokens were issued (RFC 3339), such as that of a command that failed half-way
    /// [default: now]
    #[arg(long, requires = "subject")]
    issued_until: Option<DateTime<Utc>>,
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
        Command::Revoke(new) => revoke(new, &services, output).await,
        Command::Allow { key } => allow(&key, &services, output).await,
        Command::List => list(&services, output).await,
    }
}

async fn revoke(new: Revoke, services: &[&Service], output: &Output) -> Result<Outcome> {
    let token = if new.what.stdin { Some(read(io::stdin().lock())?) } else { None };
    let moment = new.moment();
    let arguments = new.arguments(moment.as_deref());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = each::give_structured(services, &arguments, token.as_deref(), output).await?;
    if let Some(moment) = moment
        && outcome != Outcome::Fine
    {
        complain(&format!(
            "give it again with --issued-until={moment}, so that all services have one moment"
        ));
    }
    Ok(outcome)
}

/// The token, read once for all services.
fn read(from: impl io::Read) -> Result<String> {
    let mut token = String::new();
    from.take(MOST_INPUT).read_to_string(&mut token).context("standard input holds no token")?;
    Ok(token)
}

impl Revoke {
    /// The moment that all services are told, so that no token of a subject is good for one of them and not for another.
    fn moment(&self) -> Option<String> {
        self.what.subject.as_ref()?;
        let moment = self.issued_until.unwrap_or_else(Utc::now);
        Some(moment.to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    /// What the services are told.
    fn arguments(self, moment: Option<&str>) -> Vec<String> {
        let mut arguments = vec!["token".to_owned(), "revoke".to_owned()];
        if self.what.stdin {
            arguments.push("--stdin".to_owned());
        }
        let values = [
            ("id", self.what.id),
            ("issuer", self.issuer),
            ("subject", self.what.subject),
            ("tenant", self.tenant.map(|tenant| tenant.to_string())),
            ("issued-until", moment.map(str::to_owned)),
        ];
        let values = values.into_iter().filter_map(|(name, value)| Some(format!("--{name}={}", value?)));
        arguments.extend(values);
        arguments
    }
}

async fn allow(key: &str, services: &[&Service], output: &Output) -> Result<Outcome> {
    if Listed::by(services).await.is_known_by_none(key) {
        // A mistake: what was meant is refused still.
        bail!("no service has revoked {key}");
    }
    each::run_structured(services, &["token", "allow", key], output).await
}

/// What one service has revoked.
#[derive(Deserialize)]
struct Known {
    key: String,
    description: String,
    #[serde(flatten)]
    terms: Terms,
}

/// Which tokens are meant, and for how long; services differ where a command failed half-way.
#[derive(Deserialize, Serialize)]
struct Terms {
    issued_until: Option<String>,
    expire_time: Option<String>,
}

/// What any service has revoked.
#[derive(Serialize)]
struct Revocation {
    description: String,
    /// By the services that refuse it.
    services: BTreeMap<String, Terms>,
}

/// What all of them have revoked, by its key, and who does not answer.
#[derive(Default, Serialize)]
struct Listed {
    revoked: BTreeMap<String, Revocation>,
    failed: BTreeMap<String, String>,
}

async fn list(services: &[&Service], output: &Output) -> Result<Outcome> {
    let listed = Listed::by(services).await;
    output.answer(&listed, &listed.text())?;
    Ok(if listed.failed.is_empty() { Outcome::Fine } else { Outcome::Failed })
}

impl Listed {
    async fn by(services: &[&Service]) -> Self {
        Self::of(each::ask(services, &["token", "list", "--json"]).await)
    }

    fn of(answers: Vec<(String, Result<Vec<Known>>)>) -> Self {
        let mut all = Self::default();
        for (service, answer) in answers {
            match answer {
                Ok(known) => {
                    for Known { key, description, terms } in known {
                        let new = Revocation { description, services: BTreeMap::new() };
                        all.revoked.entry(key).or_insert(new).services.insert(service.clone(), terms);
                    }
                }
                Err(error) => {
                    all.failed.insert(service, format!("{error:#}"));
                }
            }
        }
        all
    }

    /// True where all services answer, and none has revoked it.
    fn is_known_by_none(&self, key: &str) -> bool {
        self.failed.is_empty() && !self.revoked.contains_key(key)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (key, one) in &self.revoked {
            text += &format!("{key}  {}\n", one.description);
            for (service, terms) in &one.services {
                let issued = terms.issued_until.as_ref().map(|until| format!("issued up to {until}, "));
                let end = terms.expire_time.as_deref().unwrap_or("it is allowed");
                text += &format!("  {service}: {}remembered until {end}\n", issued.unwrap_or_default());
            }
        }
        for (service, why) in &self.failed {
            text += &format!("{service} does not answer: {why}\n");
        }
        text + &format!("{} revoked\n", self.revoked.len())
    }
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
        let moment = revoke.moment();
        Some(revoke.arguments(moment.as_deref()))
    }

    #[test]
    fn services_are_told_one_thing_and_all_the_same_moment() {
        let tenant = "--tenant=01920000-0000-7000-8000-000000000001";

        assert_eq!(told(&["--stdin"]).expect("right"), ["token", "revoke", "--stdin"]);
        let by_id = told(&["--id", "-7", "--issuer", "https://id"]);
        assert_eq!(by_id, None, "what begins like an option is written with =");
        let by_id = told(&["--id=-7", "--issuer", "https://id"]).expect("right");
        assert_eq!(by_id, ["token", "revoke", "--id=-7", "--issuer=https://id"]);
        let by_subject = told(&["--subject", "ana", tenant]).expect("right");
        assert_eq!(by_subject[2..4], ["--subject=ana", tenant]);
        assert!(by_subject[4].starts_with("--issued-until=2"), "{by_subject:?}");
        let again = told(&["--subject", "ana", tenant, "--issued-until", "2026-01-01T00:00:00.123456Z"]);
        assert_eq!(again.expect("right")[4], "--issued-until=2026-01-01T00:00:00.123456Z");
        let of_none = ["--stdin", "--issued-until=2026-01-01T00:00:00Z"];
        for wrong in
            [&[][..], &["--id=7"], &["--subject=ana"], &["--stdin", "--subject=ana", tenant], &of_none]
        {
            assert_eq!(told(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn no_more_is_read_than_a_token_can_have() {
        assert_eq!(read("a.b.c\n".as_bytes()).expect("read"), "a.b.c\n");
        assert_eq!(read(io::repeat(b'x')).expect("read").len(), 16 * 1024);
    }

    fn away<T>() -> Result<T> {
        Err(anyhow::anyhow!("the database is not available"))
    }

    /// I4: after a command that failed half-way it shows who refuses what, and who is not heard of.
    #[test]
    fn what_services_have_revoked_is_shown_for_each_and_who_does_not_answer_is_named() {
        let known = |moment: &str| Known {
            key: "07".to_owned(),
            description: "tokens of ana".to_owned(),
            terms: Terms { issued_until: Some(moment.to_owned()), expire_time: None },
        };
        let answers = vec![
            ("customers".to_owned(), Ok(vec![known("2026-01-01T00:00:00Z")])),
            ("sales".to_owned(), away()),
            ("billing".to_owned(), Ok(vec![known("2026-01-02T00:00:00Z")])),
        ];

        let listed = Listed::of(answers);

        let until = |service: &str| listed.revoked["07"].services[service].issued_until.as_deref();
        assert_eq!(until("customers"), Some("2026-01-01T00:00:00Z"));
        assert_eq!(until("billing"), Some("2026-01-02T00:00:00Z"));
        assert_eq!(listed.failed["sales"], "the database is not available");
        let text = listed.text();
        for line in [
            "  billing: issued up to 2026-01-02T00:00:00Z, remembered until it is allowed\n",
            "sales does not answer: the database is not available\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    /// What a service that does not answer has revoked is not known: it is asked to allow it, and says why it cannot.
    #[test]
    fn what_no_service_knows_is_told_from_what_one_may_know() {
        let known = || Known {
            key: "07".to_owned(),
            description: "tokens of ana".to_owned(),
            terms: Terms { issued_until: None, expire_time: None },
        };
        let one =
            Listed::of(vec![("customers".to_owned(), Ok(vec![known()])), ("sales".to_owned(), Ok(vec![]))]);
        let silent = Listed::of(vec![("customers".to_owned(), Ok(vec![])), ("sales".to_owned(), away())]);

        assert!(!one.is_known_by_none("07") && one.is_known_by_none("08"));
        assert!(!silent.is_known_by_none("07"));
    }
}
