//! Tenancy as the databases enforce it, whatever a program may forget.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use uuid::Uuid;

use super::checkout::DATA_SERVICES;
use crate::{
    contract::World,
    harness::{database, operator, stack, tenant::Tenant},
};

/// Tables without rows of tenants, each with its reason.
const WITHOUT_TENANTS: [(&str, &str); 5] = [
    ("platform.resource", "the template of resource tables; it holds no rows"),
    ("platform.lease", "who leads; there is one leader for all tenants"),
    ("platform.declared_queue", "that the queue was declared; there is one for all tenants"),
    ("platform.revocation", "tokens that are refused, before anything is done for a tenant"),
    ("public.schema_version", "migrations that ran"),
];

/// PostgreSQL's code of what a check or a guard refuses.
const CHECK_VIOLATION: &str = "23514";

/// Two tenants with one resource of every kind each, so that tables of every service hold rows of both.
async fn neighbours() -> (Tenant, Tenant) {
    let (ours, theirs) = (Tenant::fresh(), Tenant::fresh());
    futures::join!(World::make(&ours), World::make(&theirs));
    (ours, theirs)
}

async fn texts(connection: &mut PgConnection, sql: &'static str) -> Vec<String> {
    sqlx::query_scalar(sql).fetch_all(connection).await.expect("the catalogue can be read")
}

/// CRD-04: row-level security is on and forced on every table that could hold a tenant's rows.
#[tokio::test]
async fn every_table_has_forced_row_level_security_and_policies_by_tenant() {
    for service in DATA_SERVICES {
        let mut connection = database::superuser(stack::shared(), service).await;
        let sql = "select space.nspname || '.' || class.relname
                   from pg_class class join pg_namespace space on space.oid = class.relnamespace
                   where class.relkind in ('r', 'p') and space.nspname in ('public', 'platform')
                     and not (class.relrowsecurity and class.relforcerowsecurity)";
        let open = texts(&mut connection, sql).await;
        let unargued: Vec<_> =
            open.iter().filter(|table| !WITHOUT_TENANTS.iter().any(|(known, _)| known == table)).collect();
        assert!(unargued.is_empty(), "{service}: {unargued:?} are open");
        let sql = "select policy.polname || ' on ' || policy.polrelid::regclass
                   from pg_policy policy
                   where pg_get_expr(policy.polqual, policy.polrelid) !~ 'trato.tenant_id'
                     and not exists (
                       select from unnest(policy.polroles) role
                       where role::regrole::text ~ '_(system|owner)$'
                     )";
        let loose = texts(&mut connection, sql).await;
        assert!(loose.is_empty(), "{service}: {loose:?} admit more than a tenant's rows");
    }
}

/// CRD-04: no role a program logs in with is a superuser, bypasses row-level security or may make roles.
#[tokio::test]
async fn no_login_role_can_bypass_row_level_security() {
    for service in DATA_SERVICES {
        let facts = stack::shared().database(service).expect("it has one");
        for url in [&facts.owner_url, &facts.url, &facts.system_url] {
            let mut connection = database::connect(url).await.expect("the role can log in");
            let sql = "select rolname, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as mighty
                       from pg_roles where rolname = current_user";
            let row = sqlx::query(sql).fetch_one(&mut connection).await.expect("a role finds itself");
            assert!(!row.get::<bool, _>("mighty"), "{} is too mighty", row.get::<String, _>("rolname"));
        }
    }
}

/// CRD-04: the login that copies a database sees every row and writes none, and no service is given it.
#[tokio::test]
async fn the_login_that_copies_a_database_may_only_read() {
    for service in DATA_SERVICES {
        let facts = stack::shared().database(service).expect("it has one");
        let mut connection = database::connect(&facts.backup_url).await.expect("the role can log in");
        let mut superuser = database::superuser(stack::shared(), service).await;
        for table in database::tenant_tables(&mut superuser).await {
            let sql = "select has_table_privilege($1, 'select'), has_table_privilege($1, 'insert, update, delete, truncate')";
            let row = sqlx::query(sql).bind(&table).fetch_one(&mut connection).await.expect("known");
            let (reads, writes): (bool, bool) = (row.get(0), row.get(1));
            assert!(reads && !writes, "{service}: {table}");
        }
        assert_eq!(privileges(&mut connection, "platform.revocation").await, ["select"], "{service}");
        let sql = "select rolsuper or rolcreaterole or rolcreatedb or rolreplication from pg_roles where rolname = current_user";
        let mighty: bool = sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("it finds itself");
        assert!(!mighty, "{service}: the login of backups is too mighty");
        let given = ("TRATO_DATABASE__BACKUP_URL", facts.backup_url.as_str());
        let said = operator::run_with(stack::shared(), service, &["check-config"], &[given]).await;
        assert_eq!(said.code, Some(64), "{service} takes the login of backups: {said:?}");
    }
}

/// CRD-04: the serving role sees no row without a tenant, and with one only that tenant's, in every table.
#[tokio::test]
async fn the_serving_role_sees_one_tenant_and_without_one_nothing() {
    let (ours, _theirs) = neighbours().await;
    for service in DATA_SERVICES {
        let mut seen = 0;
        let mut superuser = database::superuser(ours.facts(), service).await;
        let tables = database::tenant_tables(&mut superuser).await;
        let url = &ours.facts().database(service).expect("it has one").url;
        let mut connection = database::connect(url).await.expect("the role can log in");
        for table in tables {
            let readable = "select has_table_privilege($1, 'select')";
            let readable: bool =
                sqlx::query_scalar(readable).bind(&table).fetch_one(&mut connection).await.expect("known");
            if !readable {
                continue;
            }
            assert_eq!(
                count(&mut connection, &table, None).await,
                (0, 0),
                "{service}: {table} shows rows without tenant"
            );
            let (own, foreign) = count(&mut connection, &table, Some(ours.id)).await;
            assert_eq!(foreign, 0, "{service}: {table} shows rows of others");
            seen += own;
        }
        assert!(seen > 0, "{service}: the walk saw no row of its own");
    }
}

/// I5: with every predicate of the application removed, row-level security alone keeps a tenant from changing another's rows
/// and from giving its own away.
#[tokio::test]
async fn the_serving_role_changes_and_gives_away_no_row_of_another_tenant() {
    let (ours, theirs) = neighbours().await;
    for service in DATA_SERVICES {
        let (mut tried, mut kept) = (0, 0);
        let mut superuser = database::superuser(ours.facts(), service).await;
        let url = &ours.facts().database(service).expect("it has one").url;
        let mut connection = database::connect(url).await.expect("the role can log in");
        for table in database::tenant_tables(&mut superuser).await {
            for (privilege, sql) in [
                ("update", format!("update {table} set tenant_id = tenant_id where tenant_id = $1")),
                ("delete", format!("delete from {table} where tenant_id = $1")),
            ] {
                if !may(&mut connection, &table, privilege).await {
                    continue;
                }
                let mut transaction = of_tenant(&mut connection, ours.id).await;
                let done = sqlx::query(AssertSqlSafe(sql)).bind(theirs.id).execute(&mut *transaction).await;
                let done = done.unwrap_or_else(|error| panic!("{service}: {privilege} of {table}: {error}"));
                assert_eq!(
                    done.rows_affected(),
                    0,
                    "{service}: {privilege} of {table} reaches another tenant"
                );
                // Where they have nothing, nothing could be reached.
                tried += database::rows(&mut superuser, &table, theirs.id).await.len();
            }
            if may(&mut connection, &table, "update").await {
                let mut transaction = of_tenant(&mut connection, ours.id).await;
                let sql = format!("update {table} set tenant_id = $1");
                match sqlx::query(AssertSqlSafe(sql)).bind(theirs.id).execute(&mut *transaction).await {
                    Ok(done) => {
                        assert_eq!(done.rows_affected(), 0, "{service}: rows of {table} were given away")
                    }
                    Err(error) if error.to_string().contains("row-level security") => kept += 1,
                    // A guard of what never changes is asked before the policies are.
                    Err(error) => {
                        let code = error.as_database_error().and_then(|refusal| refusal.code());
                        assert_eq!(code.as_deref(), Some(CHECK_VIOLATION), "{service}: {table}: {error}");
                    }
                }
            }
        }
        assert!(tried > 0, "{service}: no row of the other tenant could have been reached");
        assert!(kept > 0, "{service}: no row of its own could have been given away");
    }
    for service in DATA_SERVICES {
        let url = &ours.facts().database(service).expect("it has one").url;
        let mut connection = database::connect(url).await.expect("the role can log in");
        for privilege in ["update", "delete", "truncate"] {
            assert!(!may(&mut connection, "platform.event", privilege).await, "{service} may change its log");
        }
    }
}

/// Passwords change while the product serves: another login that is a member of the role has its rights and its policies.
#[tokio::test]
async fn a_second_login_of_a_role_serves_as_the_first_does() {
    let tenant = Tenant::fresh();
    tenant.director().post("/v1/accounts", serde_json::json!({ "displayName": "Acme" })).await.ok();
    let mut superuser = database::superuser(tenant.facts(), "customers").await;
    let login = format!("customers_{}", Uuid::new_v4().simple());
    let sql = format!("create role {login} login password 'next' in role customers");
    sqlx::query(AssertSqlSafe(sql)).execute(&mut superuser).await.expect("a superuser may");

    let url = &tenant.facts().database("customers").expect("it has one").url;
    let (_, server) = url.split_once('@').expect("a login stands before the server");
    let mut connection =
        database::connect(&format!("postgres://{login}:next@{server}")).await.expect("it may log in");
    assert_eq!(count(&mut connection, "public.account", None).await, (0, 0));
    assert_eq!(count(&mut connection, "public.account", Some(tenant.id)).await, (1, 0));

    drop(connection);
    sqlx::query(AssertSqlSafe(format!("drop role {login}")))
        .execute(&mut superuser)
        .await
        .expect("it owns nothing");
}

/// CRD-04, I4: whoever serves calls can neither see what is revoked nor let anybody in again.
#[tokio::test]
async fn the_serving_role_has_nothing_to_do_with_what_is_revoked() {
    for service in DATA_SERVICES {
        let facts = stack::shared().database(service).expect("it has one");
        let mut serving = database::connect(&facts.url).await.expect("the role can log in");
        let mut system = database::connect(&facts.system_url).await.expect("the role can log in");

        assert_eq!(privileges(&mut serving, "platform.revocation").await, [""; 0], "{service}");
        let every = ["select", "insert", "update", "delete"];
        assert_eq!(privileges(&mut system, "platform.revocation").await, every, "{service}");
    }
}

/// What the login may do with a table.
async fn privileges(connection: &mut PgConnection, table: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    for privilege in ["select", "insert", "update", "delete", "truncate"] {
        if may(connection, table, privilege).await {
            found.push(privilege);
        }
    }
    found
}

async fn may(connection: &mut PgConnection, table: &str, privilege: &str) -> bool {
    let sql = "select has_table_privilege($1, $2)";
    sqlx::query_scalar(sql).bind(table).bind(privilege).fetch_one(connection).await.expect("known")
}

/// A transaction as the program opens it for a tenant; it is rolled back when it is dropped.
async fn of_tenant(connection: &mut PgConnection, tenant: Uuid) -> sqlx::Transaction<'_, sqlx::Postgres> {
    let mut transaction = connection.begin().await.expect("a transaction can begin");
    let set = sqlx::query("select set_config('trato.tenant_id', $1, true)").bind(tenant.to_string());
    set.execute(&mut *transaction).await.expect("a setting can be set");
    transaction
}

/// Rows of the tenant, and rows of others, that a table shows when asked for all it has.
async fn count(connection: &mut PgConnection, table: &str, tenant: Option<Uuid>) -> (i64, i64) {
    let mut transaction = connection.begin().await.expect("a transaction can begin");
    let value = tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
    let set = sqlx::query("select set_config('trato.tenant_id', $1, true)").bind(value);
    set.execute(&mut *transaction).await.expect("a setting can be set");
    let sql = format!(
        "select count(*) filter (where tenant_id = $1), count(*) filter (where tenant_id is distinct from $1) from {table}"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(tenant).fetch_one(&mut *transaction).await;
    let row = row.unwrap_or_else(|error| panic!("{table}: {error}"));
    (row.get(0), row.get(1))
}

/// CRD-04: each role of each service is refused by every other service's database.
#[tokio::test]
async fn every_role_is_refused_by_every_other_services_database() {
    let facts = stack::shared();
    for service in DATA_SERVICES {
        let own = facts.database(service).expect("it has one");
        for other in DATA_SERVICES.iter().filter(|other| **other != service) {
            for url in [&own.owner_url, &own.url, &own.system_url, &own.backup_url] {
                assert!(database::connect(url).await.is_ok(), "{service} cannot enter its own database");
                let (server, _) = url.rsplit_once('/').expect("the database stands last");
                let foreign = format!("{server}/{other}");
                let Err(refused) = database::connect(&foreign).await else {
                    panic!("{service} enters {other}")
                };
                assert!(refused.to_string().contains("permission denied"), "{refused}");
            }
        }
    }
}
