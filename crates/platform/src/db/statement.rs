//! The SQL of the generic reads and writes, built once per resource. Identifiers come from constants only.
//!
//! Each is one statement that first sets the tenant (D16). Row-level security reads that setting when a table is first
//! touched, so the tenant must be set before: `c` is materialised, reads are lateral to it behind an `offset 0` that
//! the planner may not flatten, and a change is written as `insert … on conflict do update` fed from `c`, because a
//! plain `update … from c` leaves the join order to the planner (docs/decisions/0002).

use std::fmt::Write as _;

use sqlx::{Arguments as _, postgres::PgArguments};
use trato_types::{Context, Error, Result, Scope};

use super::{
    RequestKey,
    event::{self, EVENT_COLUMNS, NewEvent},
    record::{RECORD_COLUMNS, Record, Resource},
};

/// First CTE of every statement.
pub const SET_TENANT: &str =
    "with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)";

const RECORD_TYPES: &[&str] =
    &["uuid", "bigint", "timestamptz", "timestamptz", "timestamptz", "text", "text", "text"];

/// Number of the scalar parameters before the arrays of a write.
const SCALARS: usize = 8;

/// The statements of one resource.
#[derive(Clone, Copy, Debug)]
pub struct Statements {
    /// Inserts rows, their events and the request id; rows whose external id is taken are left out.
    pub insert: &'static str,
    /// Writes the next revision of a row, its event and the request id; nothing when the revision moved on.
    pub save: &'static str,
    get: [&'static str; 3],
    get_many: [&'static str; 3],
    lock: [&'static str; 3],
    find_external: [&'static str; 3],
}

impl Statements {
    /// Builds the statements of `T`. They live as long as the process.
    pub fn of<T: Resource>() -> Self {
        let scoped = |statement: &dyn Fn(&str) -> String| {
            [Scope::All, Scope::Own, Scope::Team]
                .map(|scope| fixed(statement(&scope_condition::<T>(scope, "r", 3))))
        };
        let (table, columns) = (T::TABLE, column_list::<T>("r"));
        let read = |condition: &str| {
            format!(
                "{SET_TENANT} select found.* from c, lateral (select {columns} from {table} r \
                 where r.tenant_id = c.tenant::uuid and {condition} offset 0) found"
            )
        };
        Self {
            insert: fixed(insert::<T>()),
            save: fixed(save::<T>()),
            get: scoped(&|scope| read(&format!("r.id = $2 and {scope}"))),
            get_many: scoped(&|scope| read(&format!("r.id = any($2::uuid[]) and {scope}"))),
            lock: scoped(&|scope| {
                // No key ever changes, so that whoever refers to the row need not wait.
                format!(
                    "select {columns} from {table} r where r.tenant_id = $1 and r.id = $2 and {scope} \
                     for no key update"
                )
            }),
            find_external: scoped(&|scope| {
                let condition = "r.source = $2 and r.external_id = any($4::text[]) and r.delete_time is null";
                read(&format!("{condition} and {scope}"))
            }),
        }
    }

    /// Reads one row by id: `$1` tenant, `$2` id, `$3` the scope's value.
    pub fn get(&self, scope: Scope) -> &'static str {
        self.get[index(scope)]
    }
    /// Reads rows by ids: `$1` tenant, `$2` ids, `$3` the scope's value.
    pub fn get_many(&self, scope: Scope) -> &'static str {
        self.get_many[index(scope)]
    }
    /// Reads one row for update within a transaction: `$1` tenant, `$2` id, `$3` the scope's value.
    pub fn lock(&self, scope: Scope) -> &'static str {
        self.lock[index(scope)]
    }
    /// Reads living rows by external id: `$1` tenant, `$2` source, `$3` the scope's value, `$4` external ids.
    pub fn find_external(&self, scope: Scope) -> &'static str {
        self.find_external[index(scope)]
    }
}

const fn index(scope: Scope) -> usize {
    match scope {
        Scope::All => 0,
        Scope::Own => 1,
        Scope::Team => 2,
    }
}

/// Keeps a statement for the life of the process; only called at start, once per resource.
fn fixed(sql: String) -> &'static str {
    Box::leak(sql.into_boxed_str())
}

/// The condition by which a scope admits rows; its value is bound by `bind_scope`. The one place where scopes become SQL.
pub fn scope_condition<T: Resource>(scope: Scope, alias: &str, placeholder: usize) -> String {
    match (scope, T::OWNABLE) {
        // The parameter is there in every scope, so that all statements bind alike.
        (Scope::All, _) => format!("${placeholder}::text is null"),
        (Scope::Own, true) => format!("{alias}.owner = ${placeholder}::text"),
        (Scope::Team, true) => format!("{alias}.team = any(${placeholder}::uuid[])"),
        // What nobody owns, no narrower scope reaches.
        (Scope::Own, false) => format!("${placeholder}::text is null and false"),
        (Scope::Team, false) => format!("${placeholder}::uuid[] is null and false"),
    }
}

/// Binds the value of `scope_condition`.
pub fn bind_scope(cx: &Context, arguments: &mut PgArguments) -> Result<()> {
    match cx.scope {
        Scope::All => arguments.add(None::<String>),
        Scope::Own => arguments.add(cx.actor.subject().unwrap_or_default().to_owned()),
        Scope::Team => arguments.add(cx.teams.to_vec()),
    }
    .map_err(Error::internal)
}

/// `r.id, r.revision, …`: what `Record::read` reads.
pub fn column_list<T: Resource>(alias: &str) -> String {
    let columns = T::columns();
    let names = RECORD_COLUMNS.iter().copied().chain(columns.iter().map(|(name, _)| *name));
    names.map(|name| format!("{alias}.{name}")).collect::<Vec<_>>().join(", ")
}

fn insert<T: Resource>() -> String {
    let (given, columns) = (given::<T>(), row_columns::<T>());
    format!(
        "{given}, stored as (insert into {table} (tenant_id, {columns}) select tenant_id, {columns} from given \
         on conflict (tenant_id, source, external_id) where source is not null and delete_time is null do nothing \
         returning id) {tail}",
        table = T::TABLE,
        tail = TAIL
    )
}

fn save<T: Resource>() -> String {
    let (given, columns, table) = (given::<T>(), row_columns::<T>(), T::TABLE);
    let assignments = RECORD_COLUMNS
        .iter()
        .copied()
        .filter(|name| !matches!(*name, "id" | "create_time" | "creator"))
        .chain(T::columns().into_iter().map(|(name, _)| name))
        .map(|name| format!("{name} = excluded.{name}"))
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "{given}, present as materialized (select given.id from given, lateral (select 1 from {table} r \
         where r.tenant_id = given.tenant_id and r.id = given.id and r.revision = given.revision - 1 offset 0) found), \
         stored as (insert into {table} as r (tenant_id, {columns}) \
         select given.tenant_id, {given_columns} from given join present using (id) \
         on conflict (tenant_id, id) do update set {assignments} where r.revision = excluded.revision - 1 \
         returning id) {TAIL}",
        given_columns =
            columns.split(", ").map(|name| format!("given.{name}")).collect::<Vec<_>>().join(", "),
    )
}

fn row_columns<T: Resource>() -> String {
    let columns = T::columns();
    RECORD_COLUMNS.iter().copied().chain(columns.iter().map(|(name, _)| *name)).collect::<Vec<_>>().join(", ")
}

fn given<T: Resource>() -> String {
    let columns = T::columns();
    let record = RECORD_COLUMNS.iter().copied().zip(RECORD_TYPES.iter().copied());
    let all: Vec<_> = record.chain(EVENT_COLUMNS.iter().copied()).chain(columns).collect();
    let mut arrays = String::new();
    for (position, (_, kind)) in all.iter().enumerate() {
        let separator = if position == 0 { "" } else { ", " };
        let _ = write!(arrays, "{separator}${}::{kind}[]", position + SCALARS + 1);
    }
    let names = all.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    format!(
        "{SET_TENANT}, given as materialized (select c.tenant::uuid as tenant_id, g.* \
         from c, unnest({arrays}) as g ({names}))"
    )
}

/// Request id and events of the rows that were stored; the events' identifiers are the result.
const TAIL: &str = ", request as (insert into platform.request \
    (tenant_id, actor, method, request_id, body_hash, event_id, create_time) \
    select given.tenant_id, $3, $6, $7::uuid, $8, given.event_id, $2 from given join stored using (id) \
    where $7::uuid is not null) \
    insert into platform.event (id, tenant_id, type, subject, revision, event_time, create_time, actor, cause, \
    traceparent, owner, team, payload) \
    select event_id, tenant_id, event_type, event_subject, event_revision, event_time, $2, $3, $4::uuid, $5, \
    event_owner, event_team, event_payload from given join stored using (id) \
    returning id";

/// Binds everything an `insert` or `save` needs. `records` and `events` belong together one by one.
pub fn bind_write<T: Resource>(
    cx: &Context,
    request: Option<&RequestKey>,
    records: &[&Record<T>],
    events: &[NewEvent],
) -> Result<PgArguments> {
    let mut arguments = PgArguments::default();
    let scalars = |arguments: &mut PgArguments| -> Result<(), sqlx::error::BoxDynError> {
        arguments.add(cx.tenant.to_string())?;
        arguments.add(cx.now)?;
        arguments.add(cx.actor.to_string())?;
        arguments.add(cx.cause)?;
        arguments.add(cx.traceparent.clone())?;
        arguments.add(cx.method.to_string())?;
        arguments.add(request.map(|request| request.id))?;
        arguments.add(request.map(|request| request.body_hash.clone()))?;
        let external = |part: fn(&super::External) -> &String| -> Vec<Option<String>> {
            records
                .iter()
                .map(|record| record.external.as_ref().map(|external| part(external).clone()))
                .collect()
        };
        arguments.add(records.iter().map(|record| record.id).collect::<Vec<_>>())?;
        arguments.add(records.iter().map(|record| record.revision).collect::<Vec<_>>())?;
        arguments.add(records.iter().map(|record| record.create_time).collect::<Vec<_>>())?;
        arguments.add(records.iter().map(|record| record.update_time).collect::<Vec<_>>())?;
        arguments.add(records.iter().map(|record| record.delete_time).collect::<Vec<_>>())?;
        arguments.add(records.iter().map(|record| record.creator.clone()).collect::<Vec<_>>())?;
        arguments.add(external(|external| &external.source))?;
        arguments.add(external(|external| &external.id))
    };
    scalars(&mut arguments).map_err(Error::internal)?;
    event::bind(events, &mut arguments)?;
    let values: Vec<&T> = records.iter().map(|record| &record.value).collect();
    T::bind(&values, &mut arguments)?;
    Ok(arguments)
}
