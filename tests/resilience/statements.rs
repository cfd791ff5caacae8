//! What the database is asked about a name of another tenant: the same as about one that nobody has.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::json;
use sqlx::PgConnection;
use trato_devstack::logs::Follower;

use crate::{
    contract::{
        options::is_read,
        samples::{World, names_in, random_name},
        transcode,
    },
    harness::{
        breakable::on_a_breakable_stack,
        database,
        dynamic::methods,
        eventually::{SOON, eventually, lasts},
        report::say,
    },
};

/// The roles that serve calls, as they stand in the server's log.
const SERVING: [&str; 3] = ["customers@customers", "sales@sales", "billing@billing"];

/// How often the two are compared before they count as different.
const ATTEMPTS: usize = 5;

/// What is in the statements that go with a call by chance: the caller's own teams are remembered for some seconds, and what is
/// given up is rolled back behind the answer.
const BY_CHANCE: [&str; 2] = ["select member.teams from platform.directory_member member", "rollback"];

/// How often each statement was executed, by the role that did.
type Asked = BTreeMap<(&'static str, String), usize>;

/// The server's log, with every statement in it while it is open.
struct Log {
    superuser: PgConnection,
    follower: Follower,
}

impl Log {
    async fn open(mut superuser: PgConnection, follower: Follower) -> Self {
        for statement in ["alter system set log_statement = 'all'", "select pg_reload_conf()"] {
            sqlx::query(statement).execute(&mut superuser).await.expect("a superuser may");
        }
        let mut log = Self { superuser, follower };
        for _ in 0..100 {
            let shown = sqlx::query_scalar("show log_statement").fetch_one(&mut log.superuser).await;
            let shown: String = shown.expect("anybody may ask");
            if shown == "all" {
                return log;
            }
            lasts(Duration::from_millis(50)).await;
        }
        panic!("the server does not log its statements");
    }

    /// The statements of the serving roles since the last look, and how often each was executed.
    fn statements(&mut self) -> Asked {
        let text = self.follower.added();
        let mut entries: Vec<String> = Vec::new();
        for line in text.lines() {
            match (line.strip_prefix('\t'), entries.last_mut()) {
                (Some(more), Some(entry)) => entry.extend(["\n", more]),
                _ => entries.push(line.to_owned()),
            }
        }
        let mut found = Asked::new();
        for entry in entries {
            let Some(role) = SERVING.into_iter().find(|role| entry.contains(role)) else { continue };
            let Some((_, logged)) = entry.split_once("LOG:  ") else { continue };
            let Some((how, sql)) = logged.split_once(": ") else { continue };
            let is_executed = how == "statement" || how.starts_with("execute ");
            if is_executed && !BY_CHANCE.iter().any(|chance| sql.contains(chance)) {
                *found.entry((role, sql.to_owned())).or_default() += 1;
            }
        }
        found
    }

    async fn close(mut self) {
        for statement in ["alter system reset log_statement", "select pg_reload_conf()"] {
            sqlx::query(statement).execute(&mut self.superuser).await.expect("a superuser may");
        }
    }
}

/// I5: a name of another tenant and one that nobody has lead to the same statements, as often, whatever the method.
#[test]
fn a_foreign_name_leads_to_the_statements_of_a_name_that_nobody_has() {
    on_a_breakable_stack(async |stack| {
        let facts = stack.facts().await;
        let (ours, theirs) = (stack.tenant().await, stack.tenant().await);
        let (our_world, their_world) = (World::make(&ours).await, World::make(&theirs).await);
        let superuser = database::superuser(&facts, "customers").await;
        let mut log =
            Log::open(superuser, Follower::at_end(facts.home.join("logs").join("postgres.log"))).await;
        let mut compared = BTreeMap::<&str, usize>::new();
        let mut different = Vec::new();
        for method in methods().iter().filter(|method| !method.is_server_streaming()) {
            for pointer in names_in(&our_world.sample(method).await.request) {
                let mut asked = Vec::new();
                // What consumers ask beside the call differs by chance; what the call leads to does so every time.
                for _ in 0..ATTEMPTS {
                    asked.clear();
                    for is_foreign in [true, false] {
                        let mut request = our_world.sample(method).await.request;
                        let name = request.pointer_mut(&pointer).expect("samples of a method have one shape");
                        let own = name.as_str().unwrap_or_default().to_owned();
                        let foreign = their_world.counterpart(&own).expect("both worlds have the same");
                        *name = json!(if is_foreign { foreign.to_owned() } else { random_name(&own) });
                        if !is_read(method) {
                            // What is written under a name would be found by the next attempt, which takes a new one only of
                            // those that nobody has.
                            request["validateOnly"] = json!(true);
                        }
                        settle(&mut log).await;
                        transcode::send(&our_world.keeper, method, &request).await;
                        asked.push(log.statements());
                    }
                    if asked[0] == asked[1] {
                        break;
                    }
                }
                if asked[0] != asked[1] {
                    let (foreign, unknown) = (beyond(&asked[0], &asked[1]), beyond(&asked[1], &asked[0]));
                    let told =
                        format!("of a foreign name: {foreign:#?}\nof one that nobody has: {unknown:#?}");
                    different.push(format!("{} at {pointer}, only asked\n{told}", method.full_name()));
                }
                for role in asked[0].keys().map(|(role, _)| *role).collect::<BTreeSet<_>>() {
                    *compared.entry(role).or_default() += 1;
                }
            }
        }
        log.close().await;
        say(format!("names that led to statements, by role: {compared:?}"));
        assert!(different.is_empty(), "{}", different.join("\n\n"));
        for role in SERVING {
            let count = compared.get(role).copied().unwrap_or_default();
            assert!(count >= 10, "only {count} names led {role} to any statement");
        }
    });
}

/// What was asked here and not there, or another number of times.
fn beyond(here: &Asked, there: &Asked) -> Vec<String> {
    let more = here.iter().filter(|(asked, times)| there.get(*asked) != Some(*times));
    more.map(|((role, sql), times)| format!("{role}, {times} times: {sql}")).collect()
}

/// Waits until what was made for a sample has had its effects in every service.
async fn settle(log: &mut Log) {
    let mut was_quiet = false;
    let look = || {
        let is_quiet = log.statements().is_empty();
        let still = std::mem::replace(&mut was_quiet, is_quiet) && is_quiet;
        async move {
            lasts(Duration::from_millis(30)).await;
            still
        }
    };
    eventually(SOON, "the effects of a sample", look, |is_still| *is_still).await;
}
