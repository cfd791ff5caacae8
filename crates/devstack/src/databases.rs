//! A database and four roles per service, none of which may enter another service's database. Only the one that copies
//! the database sees all rows; it may not write, and no service is given it.
//!
//! Repeating it changes nothing. On a server somebody else runs, a database that this stack did not make is left alone.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};

use crate::{
    facts::DatabaseFacts,
    home::{Home, Secrets},
    programs::Program,
};

/// Makes what is missing for `programs` on the server of `superuser`; `mark` tells this stack's databases from others.
pub async fn prepare(
    superuser: &str,
    mark: &str,
    fresh: bool,
    programs: &[&Program],
    secrets: &mut Secrets,
) -> Result<BTreeMap<String, DatabaseFacts>> {
    let options: PgConnectOptions = superuser.parse()?;
    let mut connection = options.connect().await.context("the superuser cannot log in")?;
    let mut facts = BTreeMap::new();
    for program in programs.iter().filter(|program| program.database) {
        let name = program.name;
        let roles = [owner(name), name.to_owned(), system(name), backup(name)];
        let mut urls = Vec::new();
        let exists = check_mark(&mut connection, name, mark).await?;
        if exists && fresh {
            run(&mut connection, format!("drop database {name} with (force)")).await?;
        }
        for role in &roles {
            let password = secrets.get(role)?;
            make_role(&mut connection, role, &password).await?;
            urls.push(url(superuser, &options, role, &password, name));
        }
        run(&mut connection, format!("alter role {} bypassrls", backup(name))).await?;
        run(&mut connection, format!("grant pg_read_all_data to {}", backup(name))).await?;
        if !exists || fresh {
            run(&mut connection, format!("create database {name} owner {}", owner(name))).await?;
            run(&mut connection, format!("comment on database {name} is '{mark}'")).await?;
        }
        run(&mut connection, format!("revoke all on database {name} from public")).await?;
        run(&mut connection, format!("grant connect on database {name} to {}", roles.join(", "))).await?;
        let urls = urls.try_into().ok().context("four roles have four urls")?;
        let [owner_url, url, system_url, backup_url] = urls;
        facts.insert(name.to_owned(), DatabaseFacts { owner_url, url, system_url, backup_url });
    }
    connection.close().await?;
    Ok(facts)
}

/// Drops this stack's databases on the server of `superuser`; those of others stay.
pub async fn drop_all(superuser: &str, mark: &str, programs: &[&Program]) -> Result<()> {
    let options: PgConnectOptions = superuser.parse()?;
    let mut connection = options.connect().await.context("the superuser cannot log in")?;
    for program in programs.iter().filter(|program| program.database) {
        if check_mark(&mut connection, program.name, mark).await? {
            run(&mut connection, format!("drop database {} with (force)", program.name)).await?;
        }
    }
    connection.close().await?;
    Ok(())
}

/// How this stack marks its databases, so that it never touches another's.
pub fn mark(home: &Home) -> String {
    format!("made by the Trato stack {}-{}", home.fingerprint(), home.name())
}

/// The role that owns the database and migrates it.
pub fn owner(service: &str) -> String {
    format!("{service}_owner")
}

/// The role of relay and jobs.
pub fn system(service: &str) -> String {
    format!("{service}_system")
}

/// The role that copies the database.
pub fn backup(service: &str) -> String {
    format!("{service}_backup")
}

/// True when the database exists; refuses one that bears another mark.
async fn check_mark(connection: &mut PgConnection, database: &str, mark: &str) -> Result<bool> {
    let found: Option<Option<String>> = sqlx::query_scalar(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = $1",
    )
    .bind(database)
    .fetch_optional(connection)
    .await?;
    match found {
        None => Ok(false),
        Some(Some(found)) if found == mark => Ok(true),
        Some(_) => bail!(
            "the server has a database {database} that this stack did not make; it is left alone. \
             Use another server, or drop that database yourself"
        ),
    }
}

async fn make_role(connection: &mut PgConnection, role: &str, password: &str) -> Result<()> {
    let exists: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(role)
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        run(connection, format!("create role {role}")).await?;
    }
    let rights = "login nosuperuser nobypassrls nocreatedb nocreaterole noreplication";
    run(connection, format!("alter role {role} {rights} password '{password}'")).await
}

/// Names come from the table of programs and passwords are hex digits, so no text needs quoting.
async fn run(connection: &mut PgConnection, statement: String) -> Result<()> {
    let what = statement.split(" password").next().unwrap_or_default().to_owned();
    sqlx::query(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .with_context(|| format!("cannot {what}"))?;
    Ok(())
}

/// The superuser's URL with another login and database; parameters such as `sslmode` stay.
fn url(superuser: &str, server: &PgConnectOptions, role: &str, password: &str, database: &str) -> String {
    let parameters =
        superuser.split_once('?').map_or_else(String::new, |(_, parameters)| format!("?{parameters}"));
    format!("postgres://{role}:{password}@{}:{}/{database}{parameters}", server.get_host(), server.get_port())
}
