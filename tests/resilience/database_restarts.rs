//! PostgreSQL restarted, its backends ended, its address moved: connections break in every way, and each one costs at most
//! one answer.

use std::time::{Duration, Instant};

use trato_devstack::stack::Signal;

use super::{audit::audit, killed_programs::rate, outages::Outages};
use crate::harness::{
    breakable::{Breakable, on_a_breakable_stack},
    database,
    eventually::{SOON, eventually, lasts},
    proxy::Proxy,
    report::say,
    stack::is_long_run,
    wires::Wires,
    writers::{Plan, Subjects, Writers},
};

/// What calls are given, so that one on a connection that was forgotten ends.
const DEADLINE: Duration = Duration::from_secs(4);

/// What happens to the connections.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// PostgreSQL ends its sessions and itself in good order.
    Fast,
    /// It ends at once and recovers from its log.
    Immediate,
    /// It ends all sessions and lives on.
    Sessions,
    /// The address leads elsewhere, and what was open stays open and silent.
    Failover,
}

/// Backends of the suite's own roles.
async fn sessions(stack: &Breakable, action: &str) -> i64 {
    let mut connection = database::superuser(&stack.facts().await, "sales").await;
    let sql = format!(
        "select count({action}) from pg_stat_activity
         where usename in ('customers', 'customers_system', 'sales', 'sales_system', 'billing', 'billing_system')"
    );
    let count = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut connection).await;
    count.expect("the server tells its sessions")
}

/// Strikes; answers what must live for as long as the programs use it.
async fn strike(stack: &Breakable, wires: &Wires, blow: Blow) -> Option<Proxy> {
    match blow {
        Blow::Fast | Blow::Immediate => {
            let signal = if matches!(blow, Blow::Fast) { Signal::SIGINT } else { Signal::SIGQUIT };
            stack.end_by("postgres", signal).await;
            stack.revive("postgres").await;
            None
        }
        Blow::Sessions => {
            sessions(stack, "pg_terminate_backend(pid)").await;
            None
        }
        Blow::Failover => {
            let elsewhere = Proxy::to(wires.database).await;
            wires.postgres.point_at(elsewhere.address);
            wires.postgres.forget();
            Some(elsewhere)
        }
    }
}

/// F4: fast and immediate restarts, ended sessions and a moved address lose nothing that was acknowledged, and no dead
/// connection is served twice.
#[test]
fn connections_that_break_in_every_way_cost_one_answer_each_and_no_write() {
    on_a_breakable_stack(async |stack| {
        let rounds = if is_long_run() { 20 } else { 1 };
        let wires = Wires::lay(&stack).await;
        let subjects = Subjects::make(stack.tenant().await).await;
        let director = subjects.tenant.director();
        let writers = Writers::by(&subjects, &Plan { deadline: Some(DEADLINE), ..Plan::new(rate()) });
        let mut outages = Outages::default();
        let mut standby = None;
        for _ in 0..rounds {
            for blow in [Blow::Sessions, Blow::Fast, Blow::Failover, Blow::Immediate] {
                lasts(Duration::from_secs(2)).await;
                let (open, from) = (sessions(&stack, "pid").await, Instant::now());
                standby = strike(&stack, &wires, blow).await.or(standby);
                let there_again = Instant::now();
                let get = || async { director.get("/v1/accounts?pageSize=1").await.status };
                eventually(SOON, "reads to pass again", get, |status| *status == 200).await;
                let recovered = there_again.elapsed();
                // Calls on connections that were forgotten end by their deadline.
                lasts(DEADLINE).await;
                outages.add(&format!("{blow:?}"), from);
                let after = writers.ledger.between(there_again, Instant::now());
                let failed = after.iter().filter(|entry| entry.answer().is_none()).count();
                say(format!(
                    "{blow:?}: {open} sessions were open; read again after {recovered:.1?}; {failed} of {} writes \
                     failed after it was there again",
                    after.len()
                ));
                let open = usize::try_from(open).unwrap_or_default();
                assert!(failed <= open, "{failed} writes failed of {open} connections that broke");
            }
        }
        let (ledger, rate) = writers.stop().await;

        say(format!("{rate:.0} writes a second"));
        outages.explain_all_failures(&ledger);
        audit(&subjects, &ledger).await;
        stack.nobody_panicked().await;
        drop(standby);
    });
}
