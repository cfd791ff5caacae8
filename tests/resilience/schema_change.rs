//! A schema that is migrated while programs of the version before serve, and go on with it.

use std::time::Duration;

use sqlx::Connection as _;
use trato_platform::db::migrate::{Migration, migrate_on};

use super::{
    audit::audit,
    rollouts::{roll, writers_through_all},
};
use crate::harness::{
    breakable::{PATIENCE, on_a_stack_of_twins},
    database,
    eventually::lasts,
    report::say,
    writers::Subjects,
};

/// What a later version may bring, by `docs/how-to/change-the-schema.md`: it expands, and takes nothing away.
const LATER: &[Migration] = &[
    Migration {
        name: "9001_forecast",
        sql: r#"alter table opportunity add column forecast text collate "C";
                alter table opportunity add column weight bigint not null default 1;
                alter table opportunity
                  add constraint opportunity_forecast_check check (forecast <> '') not valid;
                create index opportunity_forecast_index on opportunity (tenant_id, forecast, id);
                create table forecast (
                  like platform.resource including defaults including constraints,
                  note text collate "C"
                );
                select platform.adopt_resource('forecast');"#,
    },
    Migration {
        name: "9002_forecast_valid",
        sql: "alter table opportunity validate constraint opportunity_forecast_check;",
    },
];

/// CRD-06, F16: while programs serve, their schema is migrated although somebody reads the table for long; then they are
/// replaced by themselves, which is a downgrade. No write fails.
#[test]
fn a_migration_under_load_fails_no_write_and_leaves_the_old_programs_at_work() {
    on_a_stack_of_twins(async |stack| {
        let subjects = Subjects::make(stack.tenant().await).await;
        let facts = stack.facts().await;
        let writers = writers_through_all(&stack, &subjects).await;
        lasts(Duration::from_secs(2)).await;
        // A report, or a backup: it holds the table for as long as its transaction lasts.
        let mut reader = database::superuser(&facts, "sales").await;
        let mut long = reader.begin().await.expect("a transaction");
        sqlx::query("select count(*) from opportunity").execute(&mut *long).await.expect("it can be read");
        let owner = facts.database("sales").expect("it has one").owner_url.clone();
        let migrating = tokio::spawn(async move {
            let mut connection = database::connect(&owner).await.expect("the owner can log in");
            migrate_on(&mut connection, LATER).await
        });
        let before = writers.ledger.acknowledged();
        lasts(Duration::from_secs(5)).await;
        let meanwhile = writers.ledger.acknowledged() - before;
        let waits = !migrating.is_finished();
        long.rollback().await.expect("the reader is done");
        let done = tokio::time::timeout(PATIENCE, migrating).await.expect("it ends").expect("no panic");
        assert_eq!(done.expect("it is migrated").len(), LATER.len());
        lasts(Duration::from_secs(1)).await;
        roll(&stack, &writers.ways, "sales").await;
        let (ledger, rate) = writers.stop().await;

        let entries = ledger.entries();
        let failed: Vec<_> = entries.iter().filter(|entry| entry.answer().is_none()).collect();
        let slowest = entries.iter().map(|entry| entry.took).max().unwrap_or_default();
        say(format!(
            "{rate:.0} writes a second, {meanwhile} while the migration waited: {} of {} failed, the slowest took \
             {slowest:.1?}",
            failed.len(),
            entries.len()
        ));
        assert!(waits && meanwhile > 0, "the migration was to wait, and nobody for it");
        assert!(failed.is_empty(), "{:#?}", &failed[..failed.len().min(5)]);
        audit(&subjects, &ledger).await;
        stack.nobody_panicked().await;
    });
}
