//! `access-records export`: a tenant's records of a time, oldest first, as CSV or as lines of JSON.
//!
//! It reads page by page, so that neither memory nor a lock grows with what is exported, and it is itself recorded.

use std::{collections::BTreeSet, io::Write};

use clap::{Args, Subcommand};
use tonic::Code;
use trato_types::{Actor, Error, Result, Timestamp, time::to_microseconds};
use uuid::Uuid;

use super::{
    Record, Visit,
    list::{COLUMNS, Row, source},
    writer::insert,
};
use crate::{
    db::{Database, Pool, from_sqlx, statement::SET_TENANT},
    rpc::status::code_name,
};

/// Rows of one page.
const PAGE: i64 = 500;

/// `access-records …`: who read whose data.
#[derive(Clone, Debug, Subcommand)]
pub enum AccessRecordsCommand {
    /// Write a tenant's records to standard output, oldest first. The export is itself recorded.
    Export(Export),
}

/// What to export, and how.
#[derive(Args, Clone, Debug)]
pub struct Export {
    /// The tenant.
    #[arg(long)]
    tenant: Uuid,
    /// First moment (RFC 3339).
    #[arg(long)]
    from: Timestamp,
    /// The moment behind the last; now unless said.
    #[arg(long)]
    to: Option<Timestamp>,
    /// Only records that name this resource.
    #[arg(long)]
    resource: Option<String>,
    /// What the export is for; it is recorded.
    #[arg(long, default_value = "")]
    purpose: String,
    /// Lines of JSON instead of CSV.
    #[arg(long)]
    json: bool,
}

/// Runs `access-records …`.
pub async fn run(
    command: AccessRecordsCommand,
    database: &Database,
    to: &mut (dyn Write + Send),
) -> Result<()> {
    let AccessRecordsCommand::Export(export) = command;
    record(&export, &database.system).await?;
    let end = export.to.unwrap_or_else(now);
    if !export.json {
        write_line(to, &HEADINGS.map(str::to_owned))?;
    }
    let (mut time, mut id) = (export.from, Uuid::nil());
    loop {
        let rows = page(&database.pool, &export, (time, id), end).await?;
        for row in &rows {
            if export.json {
                serde_json::to_writer(&mut *to, row).map_err(Error::internal)?;
                to.write_all(b"\n").map_err(Error::internal)?;
            } else {
                write_line(to, &cells(row))?;
            }
        }
        match rows.last() {
            Some(last) if i64::try_from(rows.len()) == Ok(PAGE) => (time, id) = (last.create_time, last.id),
            _ => return to.flush().map_err(Error::internal),
        }
    }
}

fn now() -> Timestamp {
    to_microseconds(chrono::Utc::now())
}

/// Records the export before anything of it is written.
async fn record(export: &Export, system: &Pool) -> Result<()> {
    let purpose = http::HeaderValue::from_str(&export.purpose).map_err(|_| {
        Error::invalid("purpose", "INVALID_PURPOSE", "must be one line of printable ASCII characters")
    })?;
    let visit = Visit {
        tenant: export.tenant,
        actor: Actor::System("operator".into()),
        method: "access-records export".into(),
        is_change: false,
        purpose: Some(purpose).filter(|purpose| !purpose.is_empty()),
        request_id: None,
        trace_id: None,
    };
    let resources: BTreeSet<String> = export.resource.clone().into_iter().collect();
    let outcome = code_name(Code::Ok);
    insert(system, &[&Record { id: Uuid::now_v7(), visit, time: now(), outcome, resources }]).await
}

/// The records behind `after`, up to `end`.
async fn page(
    pool: &Pool,
    export: &Export,
    (time, id): (Timestamp, Uuid),
    end: Timestamp,
) -> Result<Vec<Row>> {
    let sql = format!(
        "{SET_TENANT} select found.* from c, lateral (select {COLUMNS} from {source} \
         and (r.create_time, r.id) > ($2, $3) and r.create_time < $4 \
         order by r.create_time, r.id limit $5) found",
        source = source(export.resource.is_some(), 6),
    );
    // The text holds constants and placeholders only.
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(export.tenant.to_string())
        .bind(time)
        .bind(id)
        .bind(end)
        .bind(PAGE)
        .bind(&export.resource)
        .fetch_all(pool)
        .await
        .map_err(from_sqlx)
}

const HEADINGS: [&str; 10] = [
    "create_time",
    "actor",
    "operation",
    "method",
    "purpose",
    "outcome",
    "resources",
    "request_id",
    "trace_id",
    "record_id",
];

fn cells(row: &Row) -> [String; 10] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        row.create_time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        row.actor.clone(),
        row.operation.clone(),
        row.method.clone(),
        text(&row.purpose),
        row.outcome.clone(),
        row.resources.join(" "),
        text(&row.request_id),
        text(&row.trace_id),
        row.id.to_string(),
    ]
}

fn write_line(to: &mut (dyn Write + Send), cells: &[String; 10]) -> Result<()> {
    let line = cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",");
    // RFC 4180 ends lines this way.
    to.write_all(format!("{line}\r\n").as_bytes()).map_err(Error::internal)
}

/// A cell in quotes. What a spreadsheet would run as a formula begins with an apostrophe, which makes it a text.
fn cell(text: &str) -> String {
    let shield = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
    format!("\"{shield}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    /// I8: no cell of an export is run as a formula, and none ends before its end.
    #[test]
    fn a_cell_is_a_text_and_nothing_else() {
        assert_eq!(cell("billing dispute"), "\"billing dispute\"");
        assert_eq!(cell("a, \"b\"\r\nc"), "\"a, \"\"b\"\"\r\nc\"");
        for formula in ["=1+1", "+1", "-1", "@sum(a1)", "\t=1"] {
            assert_eq!(cell(formula), format!("\"'{formula}\""));
        }
    }
}
