//! What the database is asked about a name of another tenant: the same as about one that nobody has.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use sqlx::PgConnection;
use trato_devstack::logs::Follower;

use crate::{
    contract::{
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
const SERVING: [&str; 2] = ["customers@customers", "sales@sales"];

/// How often the two are compared before they count as different.
const ATTEMPTS: usize = 5;

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
    fn statements(&mut self) -> BTreeMap<String, usize> {
        let text = self.follower.added();
        let mut entries: Vec<String> = Vec::new();
        for line in text.lines() {
            match (line.strip_prefix('\t'), entries.last_mut()) {
                (Some(more), Some(entry)) => entry.extend(["\n", more]),
                _ => entries.push(line.to_owned()),
            }
        }
        let mut found = BTreeMap::new();
        for entry in entries.iter().filter(|entry| SERVING.iter().any(|role| entry.contains(role))) {
            let Some((_, logged)) = entry.split_once("LOG:  ") else { continue };
            let Some((how, sql)) = logged.split_once(": ") else { continue };
            if how == "statement" || how.starts_with("execute ") {
                *found.entry(sql.to_owned()).or_default() += 1;
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
        let mut compared = 0;
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
                        settle(&mut log).await;
                        transcode::send(&our_world.keeper, method, &request).await;
                        asked.push(log.statements());
                    }
                    if asked[0] == asked[1] {
                        break;
                    }
                }
                assert_eq!(
                    asked[0],
                    asked[1],
                    "{} at {pointer}: asked otherwise about a foreign name",
                    method.full_name()
                );
                compared += usize::from(!asked[0].is_empty());
            }
        }
        log.close().await;
        say(format!("{compared} names led to statements, the same for both"));
        assert!(compared >= 50, "only {compared} names led to any statement");
    });
}

/// Waits until what was made for a sample has had its effects in both services.
async fn settle(log: &mut Log) {
    let mut last = Value::Null;
    let look = || {
        let now = json!(log.statements());
        let was = std::mem::replace(&mut last, now.clone());
        async move {
            lasts(Duration::from_millis(30)).await;
            now == json!({}) && was == json!({})
        }
    };
    eventually(SOON, "the effects of a sample", look, |is_quiet| *is_quiet).await;
}
