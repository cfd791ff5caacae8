//! Who is refused although the token is good, carried over a restore: the database that comes back is of a time before somebody
//! was shut out, and must not let them in again.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;

use crate::{
    each,
    installation::Installation,
    service::{Service, given},
};

/// Suspended tenants and revoked tokens, as the services of the installation know them.
#[derive(Serialize)]
pub struct Barred {
    /// What they said. Operators tell all services alike, so that each may stand in for another: for one whose database cannot
    /// be read, or was replaced before a restore broke off.
    #[serde(skip)]
    known: Vec<Value>,
    /// Whose databases could not be read, and why.
    unreadable: BTreeMap<String, String>,
}

impl Barred {
    /// Reads it, before any database is replaced.
    pub async fn read(installation: &Installation) -> Self {
        let services: Vec<&Service> = installation.with_database().collect();
        Self::of(each::ask(&services, &["barred", "show", "--json"]).await)
    }

    fn of(answers: Vec<(String, Result<Value>)>) -> Self {
        let mut all = Self { known: Vec::new(), unreadable: BTreeMap::new() };
        for (service, answer) in answers {
            match answer {
                Ok(known) => all.known.push(known),
                Err(error) => {
                    all.unreadable.insert(service, format!("{error:#}"));
                }
            }
        }
        all
    }

    /// Shuts out of a restored database whoever was shut out of any.
    pub async fn put_back(&self, service: &Service) -> Result<()> {
        let known: Vec<String> = self.known.iter().map(Value::to_string).collect();
        let put_back = service.feed(&["barred", "add", "--json"], given(&known)).await;
        put_back.context("who was suspended or revoked cannot be put back")?;
        Ok(())
    }

    /// What the operator must know of it: nothing where all could be read.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (service, why) in &self.unreadable {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "It is not known who was shut out of {service} since the backup: {why}");
        }
        if self.unreadable.is_empty() {
            return text;
        }
        text += if self.known.is_empty() {
            "Suspended tenants and revoked tokens are as in the backup: suspend and revoke again who was shut out since.\n"
        } else {
            "What other services know of it is put back everywhere; see `trato tenant list` and `trato token list`.\n"
        };
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// I4: what a restore cannot carry over is named.
    #[test]
    fn it_is_said_whose_list_could_not_be_read() {
        let known = || ("sales".to_owned(), Ok(json!({ "suspended": [], "revoked": [] })));
        let away = || ("customers".to_owned(), Err(anyhow::anyhow!("no such table")));

        let (all, some, none) =
            (Barred::of(vec![known()]), Barred::of(vec![away(), known()]), Barred::of(vec![away()]));

        assert_eq!(all.text(), "");
        for (barred, consequence) in [(some, "is put back everywhere"), (none, "suspend and revoke again")] {
            let text = barred.text();
            assert!(text.contains("shut out of customers since the backup: no such table"), "{text}");
            assert!(text.contains(consequence), "{text}");
        }
    }
}
