//! The limit of P11: pgbench, running what one call runs on drafts of its own, in the other series of every desk.

use anyhow::{Context as _, Result, ensure};
use uuid::Uuid;

use super::desk::{self, Desk, LIMIT, PREFIXES, call, id_of};
use crate::bench::{
    capture::{self, Anew},
    pgbench::Script,
    room::Room,
};

/// Where drafts wait for pgbench, with what differs from desk to desk.
const QUEUE: [&str; 7] = [
    "drop schema if exists bench cascade",
    "create schema bench",
    "create table bench.draft (place bigint generated always as identity primary key, draft uuid not null, \
     tenant uuid not null, series uuid not null, legal_entity uuid not null, account uuid not null, tax_code uuid not null)",
    "create sequence bench.draft_number",
    "grant usage on schema bench to billing",
    "grant select on bench.draft to billing",
    "grant usage on sequence bench.draft_number to billing",
];
/// What pgbench begins with: the next draft becomes its variables.
const NEXT: &str = "select draft, tenant, series, legal_entity, account, tax_code from bench.draft \
    where place = (select nextval('bench.draft_number')) \\gset\n";
const ADD: &str = "insert into bench.draft (draft, tenant, series, legal_entity, account, tax_code) \
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[])";
const LEFT: &str = "select count(*) - (select case when is_called then last_value else 0 end from bench.draft_number) \
    from bench.draft";
/// The statement of the number, by which its call is known in the log.
const NUMBER: &str = "into series_counter";

/// pgbench and its drafts.
pub struct Limit {
    /// Issues the next draft.
    pub script: Script,
}

impl Limit {
    /// Makes a script of what two calls run: at the first desk and at the last one, so that what is a desk's own differs.
    pub async fn capture(room: &Room, desks: &[Desk]) -> Result<Self> {
        for statement in QUEUE {
            sqlx::query(statement).execute(&room.billing).await.context(statement)?;
        }
        let (first, last) = (desks.first().context("a desk")?, desks.last().context("a desk")?);
        if desks.len() > 1 {
            // The first number of the one would be that of the other, and be taken for one that never changes.
            let draft = one(last).await?;
            call(&last.target, last.issuing(&draft, LIMIT)).await?;
        }
        let drafts = [one(first).await?, one(last).await?];
        let mut captured = Vec::new();
        for (desk, draft) in [first, last].into_iter().zip(&drafts) {
            let issue = desk.issuing(draft, LIMIT);
            let log = room.stack.home().log("postgres");
            let statements = capture::statements(&room.billing, log, "billing", NUMBER, async || {
                call(&desk.target, issue).await.map(drop)
            });
            captured.push(statements.await?);
        }
        room.progress.say("P11", format!("a call runs {} statement(s)", captured[0].len()));
        let anew = Anew { values: own(first, &drafts[0]), before: NEXT.to_owned(), kept: Some(NUMBER) };
        let url = room.stack.facts().database("billing")?.url.clone();
        let script = capture::script_anew(&captured[0], &captured[1], &anew, room.file("issue.sql"), &url)?;
        Ok(Self { script })
    }

    /// Records drafts until so many are left to be issued.
    pub async fn draft(&self, room: &Room, desks: &[Desk], count: usize) -> Result<()> {
        let left: i64 = sqlx::query_scalar(LEFT).fetch_one(&room.billing).await?;
        let missing = count.saturating_sub(usize::try_from(left)?);
        if missing == 0 {
            return Ok(());
        }
        let mut columns: [Vec<Uuid>; 6] = Default::default();
        for (place, draft) in desk::record(desks, missing).await? {
            for (column, (_, value)) in columns.iter_mut().zip(parts(&desks[place], &draft)) {
                column.push(Uuid::parse_str(&value)?);
            }
        }
        let mut add = sqlx::query(ADD);
        for column in columns {
            add = add.bind(column);
        }
        let added = add.execute(&room.billing).await?.rows_affected();
        ensure!(added >= missing as u64, "{added} drafts wait for pgbench instead of {missing}");
        Ok(())
    }
}

/// One draft.
async fn one(desk: &Desk) -> Result<String> {
    desk.record(1).await?.pop().context("a draft")
}

/// The identifiers that differ from draft to draft, by the variable each becomes; in the order of the columns.
fn parts(desk: &Desk, draft: &str) -> [(&'static str, String); 6] {
    [
        ("draft", id_of(draft).to_owned()),
        ("tenant", desk.tenant.id.to_string()),
        ("series", id_of(&desk.series[LIMIT]).to_owned()),
        ("legal_entity", id_of(&desk.legal_entity).to_owned()),
        ("account", id_of(&desk.account).to_owned()),
        ("tax_code", id_of(&desk.tax_code).to_owned()),
    ]
}

/// What is of this desk's first number and this draft, and the expression that is of the next one.
fn own(desk: &Desk, draft: &str) -> Vec<(String, String)> {
    let prefix = PREFIXES[LIMIT];
    let mut values = vec![
        (draft.to_owned(), "'invoices/' || :draft".to_owned()),
        // The number is what the counter says.
        (format!("{prefix}1"), format!("'{prefix}' || :last_ordinal")),
        ("1".to_owned(), ":last_ordinal".to_owned()),
    ];
    values.extend(parts(desk, draft).into_iter().map(|(variable, value)| (value, format!(":{variable}"))));
    values
}
