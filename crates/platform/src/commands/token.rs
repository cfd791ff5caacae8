//! `token …`: tokens that are refused although they are good, because one leaked, or all that a subject has must go.

use std::{fmt::Write as _, io::Write};

use chrono::{SecondsFormat, Utc};
use clap::{Args, Subcommand};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use trato_types::{Error, Kind, MemberRef, Result, Timestamp};
use uuid::Uuid;

use super::Output;
use crate::{
    auth, config,
    db::Database,
    revocations::{self, New, Revocation},
};

/// Most that is read as a token; more than any that is accepted.
const MOST_INPUT: u64 = 16 * 1024;

/// `token …`.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Refuse one token, or all that were issued to a subject up to now; services that run do within about two seconds.
    Revoke(Revoke),
    /// Accept again what was revoked by mistake.
    Allow {
        /// The key that `revoke` answered and `list` shows.
        key: String,
        #[command(flatten)]
        output: Output,
    },
    /// List what is revoked, and until when that is remembered; never a token.
    List {
        #[command(flatten)]
        output: Output,
    },
}

/// What to revoke.
#[derive(Args, Clone, Debug)]
pub struct Revoke {
    #[command(flatten)]
    what: What,
    /// The issuer that gave the id, as it stands in `auth.issuers`.
    #[arg(long, requires = "id")]
    issuer: Option<String>,
    /// The tenant of the subject.
    #[arg(long, requires = "subject")]
    tenant: Option<Uuid>,
    /// Moment up to which the subject's tokens were issued (RFC 3339); now unless said.
    #[arg(long, requires = "subject")]
    issued_until: Option<Timestamp>,
    #[command(flatten)]
    output: Output,
}

/// One token, or those of somebody.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct What {
    /// The token on standard input, where no list of processes shows it; it is remembered until it ends.
    #[arg(long)]
    stdin: bool,
    /// The token with this `jti` claim.
    #[arg(long, requires = "issuer")]
    id: Option<String>,
    /// All tokens of this `sub` claim.
    #[arg(long, requires = "tenant")]
    subject: Option<String>,
}

impl TokenCommand {
    /// Runs it on a service's database; reads a token from `from`.
    pub async fn run(
        self,
        database: &Database,
        settings: &config::Auth,
        from: impl AsyncRead + Unpin,
        to: &mut (dyn Write + Send),
    ) -> Result<()> {
        let system = &database.system;
        match self {
            Self::Revoke(revoke) => {
                let output = revoke.output;
                let revoked = revocations::revoke(system, revoke.read(settings, from).await?).await?;
                let told = "services that run refuse it within about two seconds\n";
                output.write(to, &revoked, &(text(std::slice::from_ref(&revoked)) + told))
            }
            Self::Allow { key, output } => {
                let allowed = revocations::allow(system, &key).await?;
                let told = if allowed { "accepted again" } else { "was not revoked here" };
                output.write(to, &json!({ "key": key, "allowed": allowed }), &format!("{key}  {told}\n"))
            }
            Self::List { output } => {
                let revoked = revocations::list(system).await?;
                output.write(to, &revoked, &text(&revoked))
            }
        }
    }
}

impl Revoke {
    /// What is to be remembered.
    async fn read(self, settings: &config::Auth, from: impl AsyncRead + Unpin) -> Result<New> {
        if self.what.stdin {
            let mut token = String::new();
            let read = from.take(MOST_INPUT).read_to_string(&mut token).await;
            read.map_err(|error| invalid("standard input cannot be read").caused_by(error))?;
            let token = auth::leaked(token.trim())?;
            check_issuer(&token.issuer, settings)?;
            return New::of_token(&token);
        }
        if let (Some(id), Some(issuer)) = (self.what.id, self.issuer) {
            check_issuer(&issuer, settings)?;
            return Ok(New::of_id(&issuer, &id));
        }
        if let (Some(subject), Some(tenant)) = (self.what.subject, self.tenant) {
            let subject = subject.strip_prefix("members/").unwrap_or(&subject);
            MemberRef::from_subject(subject)
                .map_err(|error| invalid("no token has such a subject").caused_by(error))?;
            return Ok(New::of_subject(tenant, subject, self.issued_until.unwrap_or_else(Utc::now)));
        }
        Err(invalid("it is not said what to revoke"))
    }
}

/// A name that is slightly wrong would let the token in; a token of nobody's is refused anyway.
fn check_issuer(issuer: &str, settings: &config::Auth) -> Result<()> {
    let known: Vec<&str> = settings.issuers.iter().map(|known| known.url.as_str()).collect();
    if known.is_empty() || known.contains(&issuer) {
        return Ok(());
    }
    Err(invalid(format!("tokens of {issuer} are not accepted; those of {} are", known.join(", "))))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, "INVALID_INPUT", message.into())
}

fn text(revoked: &[Revocation]) -> String {
    let mut text = String::new();
    for one in revoked {
        let Revocation { key, description, issued_until, expire_time, .. } = one;
        let issued =
            issued_until.map(|until| format!(", issued up to {}", written(until))).unwrap_or_default();
        let end = expire_time.map_or_else(|| "it is allowed".to_owned(), written);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key}  {description}{issued}  (remembered until {end})");
    }
    text
}

/// A moment as `--issued-until` takes it.
fn written(moment: Timestamp) -> String {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::{Environment, Loader};

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: TokenCommand,
    }

    /// What the command line revokes, or why nothing, with this on standard input.
    async fn revoked(arguments: &[&str], input: &str) -> Result<String, String> {
        let line = Line::try_parse_from(["token", "revoke"].iter().chain(arguments));
        let line = line.map_err(|error| error.to_string())?;
        let TokenCommand::Revoke(revoke) = line.command else { panic!("it is to revoke") };
        let loaded = Loader::new("").load(&Environment::default()).expect("the defaults are right");
        let mut settings = loaded.settings.auth;
        let issuer = config::Issuer { url: "https://id.example.com".to_owned(), ..config::Issuer::default() };
        settings.issuers = vec![issuer];
        let new = revoke.read(&settings, input.as_bytes()).await;
        new.map(|new| format!("{new:?}")).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;

        Line::command().debug_assert();
    }

    #[tokio::test]
    async fn one_thing_at_a_time_is_revoked_by_all_that_names_it() {
        let tenant = "01920000-0000-7000-8000-000000000001";
        let by_id = ["--id", "7", "--issuer", "https://id.example.com"];
        let by_subject = ["--subject", "ana", "--tenant", tenant];
        let by_name =
            ["--subject", "members/ana", "--tenant", tenant, "--issued-until", "2026-01-01T00:00:00Z"];

        for fine in [&by_id[..], &by_subject, &by_name] {
            let told = revoked(fine, "").await;
            assert!(told.is_ok(), "{fine:?}: {told:?}");
        }
        assert!(revoked(&by_name, "").await.is_ok_and(|new| new.contains("tokens of ana of tenant")));
        let wrong_issuer = ["--id", "7", "--issuer", "https://id.example.com/"];
        let no_subject = ["--subject", "teams/1", "--tenant", tenant];
        let two = ["--stdin", "--id", "7", "--issuer", "https://id.example.com"];
        for wrong in [
            &[][..],
            &["--id", "7"],
            &["--subject", "ana"],
            &["--tenant", tenant],
            &["--stdin", "--issued-until", "2026-01-01T00:00:00Z"],
            &wrong_issuer,
            &no_subject,
            &two,
            &["--stdin"],
        ] {
            assert!(revoked(wrong, "no token").await.is_err(), "{wrong:?}");
        }
    }

    /// I4: what is remembered of a token is no part of it, and lasts until it has ended.
    #[tokio::test]
    async fn a_token_on_standard_input_is_revoked_whatever_its_signature() {
        let claims = r#"{"iss":"https://id.example.com","sub":"ana","exp":4000000000}"#;
        let token = auth::testing::unsigned(r#"{"alg":"ES256"}"#, claims) + ".c2lnbmF0dXJl";

        let new = revoked(&["--stdin"], &format!("{token}\n")).await.expect("it is a token");

        assert!(new.contains("a token of ana by https://id.example.com"), "{new}");
        assert!(new.contains("2096-10-02T08:06:40Z"), "{new}");
        assert!(token.split('.').all(|part| !new.contains(part)), "{new}");
    }

    /// What would be refused anyway is a mistake, and said.
    #[tokio::test]
    async fn a_token_that_nobody_accepts_is_not_revoked() {
        let told = async |claims| {
            let token = auth::testing::unsigned(r#"{"alg":"ES256"}"#, claims) + ".c2lnbmF0dXJl";
            revoked(&["--stdin"], &token).await.expect_err("nobody accepts it")
        };

        let ended = told(r#"{"iss":"https://id.example.com","sub":"ana","exp":1000000000}"#).await;
        let foreign = told(r#"{"iss":"https://example.com","sub":"ana","exp":4000000000}"#).await;

        assert_eq!(ended, "the token has ended already");
        assert!(foreign.contains("tokens of https://example.com are not accepted"), "{foreign}");
    }
}
