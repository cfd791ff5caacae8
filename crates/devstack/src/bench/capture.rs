//! The SQL a call runs, read from the server's own log, as a script for pgbench.
//!
//! Two calls that differ only in their request id show which parameters are made anew each time; the script makes those
//! anew as well, and keeps all others as they were.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use sqlx::PgPool;
use uuid::Uuid;

use super::pgbench::Script;
use crate::{logs::Follower, wait::eventually};

/// A UUIDv7 of now, as our ids are: random ones would spread over the index and cost the limit more than us.
const FRESH: &str = "(lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' \
    || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid";

/// A statement with its parameters as the server logged them; none is null.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    backend: String,
    sql: String,
    parameters: Vec<Option<String>>,
}

/// What one call makes a role run.
pub async fn statements<F>(
    superuser: &PgPool,
    log: PathBuf,
    role: &str,
    mark: &str,
    call: impl FnOnce() -> F,
) -> Result<Vec<Statement>>
where
    F: Future<Output = Result<()>>,
{
    let set = async |statement: &'static str| -> Result<()> {
        sqlx::query(statement).execute(superuser).await?;
        sqlx::query("select pg_reload_conf()").execute(superuser).await?;
        // Each backend takes the change up before its next command; the one that asks sees it when it has arrived.
        Ok(())
    };
    set("alter system set log_statement = 'all'").await?;
    eventually(Duration::from_secs(5), "statements to be logged", async || {
        let shown: String = sqlx::query_scalar("show log_statement").fetch_one(superuser).await.ok()?;
        (shown == "all").then_some(())
    })
    .await?;
    let mut follower = Follower::at_end(log);
    let called = call().await;
    let mut text = String::new();
    let login = format!("{role}@");
    let found = eventually(Duration::from_secs(5), "the statement in the server's log", || {
        text.push_str(&follower.added());
        let all = parse(&text, &login);
        let backend = all.iter().find(|found| found.sql.contains(mark)).map(|found| found.backend.clone());
        let found = backend.map(|own| all.into_iter().filter(|found| found.backend == own).collect());
        async move { found }
    })
    .await;
    set("alter system reset log_statement").await?;
    called?;
    found
}

/// What a script makes anew beside ids.
#[derive(Debug, Default)]
pub struct Anew {
    /// Values that differ between two calls, and the expressions that take their place.
    pub values: Vec<(String, String)>,
    /// What stands before the captured statements.
    pub before: String,
    /// A part of the statement whose answer is kept in variables named like its columns.
    pub kept: Option<&'static str>,
}

/// A script that runs what the first of two calls ran, with ids that differ in the second made anew each time.
pub fn script(first: &[Statement], second: &[Statement], file: PathBuf, url: &str) -> Result<Script> {
    script_anew(first, second, &Anew::default(), file, url)
}

/// The same, with more made anew.
pub fn script_anew(
    first: &[Statement],
    second: &[Statement],
    more: &Anew,
    file: PathBuf,
    url: &str,
) -> Result<Script> {
    if first.len() != second.len() {
        bail!("two calls alike ran {} and {} statements", first.len(), second.len());
    }
    let (mut text, mut variables) = (more.before.clone(), Vec::new());
    for (number, (one, other)) in first.iter().zip(second).enumerate() {
        let mut values = Vec::new();
        for (index, value) in one.parameters.iter().enumerate() {
            let differs = other.parameters.get(index) != Some(value);
            values.push(match value {
                None => "null".to_owned(),
                // No variable of pgbench is empty.
                Some(value) if value.is_empty() => "''".to_owned(),
                Some(value) => match more.expression(value).filter(|_| differs) {
                    Some(expression) => expression,
                    None => {
                        let name = format!("s{number}p{}", index + 1);
                        variables.push((name.clone(), value.clone()));
                        format!(":{name}")
                    }
                },
            });
        }
        text.push_str(&substituted(&one.sql, &values)?);
        let is_kept = more.kept.is_some_and(|part| one.sql.contains(part));
        text.push_str(if is_kept { " \\gset\n" } else { ";\n" });
    }
    Script::write(file, url, &text, variables)
}

impl Anew {
    /// An expression for a value that differs; none where sameness does no harm.
    fn expression(&self, value: &str) -> Option<String> {
        self.item(value).or_else(|| self.list(value))
    }

    fn item(&self, value: &str) -> Option<String> {
        if let Some((_, expression)) = self.values.iter().find(|(known, _)| known == value) {
            return Some(format!("({expression})"));
        }
        let is_id = |text: &str| text.len() == 36 && Uuid::parse_str(text).is_ok();
        if is_id(value) {
            return Some(FRESH.to_owned());
        }
        let (collection, id) = value.split_once('/')?;
        is_id(id).then(|| format!("('{collection}/' || {FRESH})"))
    }

    /// A list all of whose items are made anew, but for those that are null.
    fn list(&self, value: &str) -> Option<String> {
        let items = value.strip_prefix('{')?.strip_suffix('}')?.split(',');
        let items = items.map(|item| if item == "NULL" { Some("null".to_owned()) } else { self.item(item) });
        let items: Vec<String> = items.collect::<Option<_>>()?;
        Some(format!("array[{}]", items.join(", ")))
    }
}

fn substituted(sql: &str, values: &[String]) -> Result<String> {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        let number: usize = part[..digits].parse().context("a parameter has a number")?;
        text.push_str(values.get(number.wrapping_sub(1)).context("each parameter has a value")?);
        text.push_str(&part[digits..]);
    }
    Ok(text)
}

/// Statements of a login (`customers@`) in a log whose lines begin `time [pid] user@database`.
fn parse(text: &str, login: &str) -> Vec<Statement> {
    let mut entries: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix('\t'), entries.last_mut()) {
            (Some(more), Some(entry)) => {
                entry.push('\n');
                entry.push_str(more);
            }
            _ => entries.push(line.to_owned()),
        }
    }
    let mut found: Vec<Statement> = Vec::new();
    for entry in entries {
        let Some((head, rest)) = entry.split_once(&format!(" {login}")) else { continue };
        let backend = head.rsplit_once('[').map_or("", |(_, pid)| pid).to_owned();
        let Some((_, message)) = rest.split_once(' ') else { continue };
        if let Some(logged) = message.strip_prefix("LOG:  ") {
            let sql = logged
                .strip_prefix("statement: ")
                .or_else(|| Some(logged.strip_prefix("execute ")?.split_once(": ")?.1));
            if let Some(sql) = sql {
                found.push(Statement { backend, sql: sql.to_owned(), parameters: Vec::new() });
            }
        } else if let Some(list) = message.strip_prefix("DETAIL:  parameters: ")
            && let Some(last) = found.iter_mut().rev().find(|found| found.backend == backend)
        {
            last.parameters = values(list);
        }
    }
    found
}

/// `$1 = 'it''s', $2 = NULL` as values.
fn values(mut list: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    while let Some((_, rest)) = list.split_once(" = ") {
        let Some(mut rest) = rest.strip_prefix('\'') else {
            values.push(None);
            list = rest;
            continue;
        };
        let mut value = String::new();
        while let Some((before, after)) = rest.split_once('\'') {
            value.push_str(before);
            rest = after;
            match after.strip_prefix('\'') {
                Some(after) => {
                    value.push('\'');
                    rest = after;
                }
                None => break,
            }
        }
        values.push(Some(value));
        list = rest;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "2026-11-22 04:00:00.000 UTC [7] customers@customers LOG:  execute sqlx_s_1: insert into t\n\
        \tselect $1::uuid, $2, $3::text\n\
        2026-11-22 04:00:00.001 UTC [7] customers@customers DETAIL:  parameters: \
        $1 = '019d2f00-0000-7000-8000-000000000001', $2 = NULL, $3 = 'it''s = so'\n\
        2026-11-22 04:00:00.002 UTC [8] customers_system@customers LOG:  statement: select 1\n";

    #[test]
    fn statements_are_read_with_their_parameters() {
        let found = parse(LOG, "customers@");

        assert_eq!(found.len(), 1);
        assert_eq!(found[0].sql, "insert into t\nselect $1::uuid, $2, $3::text");
        let id = "019d2f00-0000-7000-8000-000000000001";
        assert_eq!(found[0].parameters, [Some(id.into()), None, Some("it's = so".into())]);
    }

    #[test]
    fn parameters_are_put_in_by_their_whole_number() {
        let values: Vec<String> = (1..=10).map(|number| format!(":p{number}")).collect();
        assert_eq!(substituted("f($10, $1)", &values).expect("all are there"), "f(:p10, :p1)");
    }

    #[test]
    fn only_identifiers_are_made_anew() {
        let id = "019d2f00-0000-7000-8000-000000000001";
        let anew = |value: &str| Anew::default().expression(value);

        assert_eq!(anew(id), Some(FRESH.to_owned()));
        assert_eq!(anew(&format!("{{{id}}}")), Some(format!("array[{FRESH}]")));
        assert_eq!(anew(&format!("{{accounts/{id}}}")), Some(format!("array[('accounts/' || {FRESH})]")));
        for other in ["2026-11-22 04:00:00+00", "{}", "{\"a\",\"b\"}", "{\"[{\\\"key\\\": \\\"1\\\"}]\"}"] {
            assert_eq!(anew(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_known_becomes_its_expression_also_among_nulls() {
        let id = "019d2f00-0000-7000-8000-000000000001";
        let values =
            vec![(id.to_owned(), ":draft".to_owned()), ("G1".to_owned(), "'G' || :last_ordinal".to_owned())];
        let anew = Anew { values, ..Anew::default() };

        assert_eq!(
            anew.expression(&format!("{{{id},NULL,NULL}}")).as_deref(),
            Some("array[(:draft), null, null]")
        );
        assert_eq!(anew.expression("G1").as_deref(), Some("('G' || :last_ordinal)"));
        assert_eq!(anew.expression("G11"), None);
    }
}
