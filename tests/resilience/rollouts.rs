//! Two processes of every program: replaced one by one under load, and killed one by one under load.

use std::time::{Duration, Instant};

use super::{audit::audit, killed_programs::rate, outages::Outages};
use crate::harness::{
    breakable::{Breakable, on_a_stack_of_twins},
    eventually::lasts,
    programs::PROGRAMS,
    report::say,
    stack::is_long_run,
    writers::{Plan, Subjects, Ways, Writers},
};

/// Time between the moment a process is taken out of its Service and its SIGTERM. The chart's `preStop` waits for 5 s, until
/// all of a cluster has heard of it; here whoever calls the gateway knows at once, and each second is paid eight times.
const PRE_STOP: Duration = Duration::from_secs(1);

/// Writers through all processes of the gateway.
pub async fn writers_through_all(stack: &Breakable, subjects: &Subjects) -> Writers {
    let gateways = stack.facts().await.gateway.expect("it has one").replicas;
    let gateways = gateways.into_iter().map(|gateway| gateway.url).collect();
    Writers::by(subjects, &Plan { gateways, ..Plan::new(rate()) })
}

/// Both processes of a program.
fn pair(program: &str) -> [(usize, String); 2] {
    [(0, program.to_owned()), (1, format!("{program}-2"))]
}

/// Replaces both processes of a program, one after the other, as Kubernetes does.
pub async fn roll(stack: &Breakable, ways: &Ways, program: &str) {
    for (number, name) in pair(program) {
        if program == "gateway" {
            ways.close(number);
        }
        lasts(PRE_STOP).await;
        stack.terminate(&name).await;
        stack.revive(&name).await;
        ways.open(number);
    }
}

/// CRD-06, F14: every program is replaced under load, the gateway too, and no request fails.
#[test]
fn replacing_every_program_under_load_fails_no_request() {
    on_a_stack_of_twins(async |stack| {
        let rollouts = if is_long_run() { 20 } else { PROGRAMS.len() };
        let subjects = Subjects::make(stack.tenant().await).await;
        let writers = writers_through_all(&stack, &subjects).await;
        for program in PROGRAMS.iter().cycle().take(rollouts) {
            roll(&stack, &writers.ways, program).await;
        }
        let (ledger, rate) = writers.stop().await;

        let entries = ledger.entries();
        let failed: Vec<_> = entries.iter().filter(|entry| entry.answer().is_none()).collect();
        let slowest = entries.iter().map(|entry| entry.took).max().unwrap_or_default();
        say(format!(
            "{rollouts} rollouts at {rate:.0} writes a second: {} of {} requests failed, the slowest took {slowest:.1?}",
            failed.len(),
            entries.len()
        ));
        assert!(failed.is_empty(), "{:#?}", &failed[..failed.len().min(5)]);
        audit(&subjects, &ledger).await;
        stack.nobody_panicked().await;
    });
}

/// CRD-09: with two processes of every program any of them may be killed: nothing is lost or doubled.
#[test]
fn any_one_of_two_processes_may_be_killed() {
    on_a_stack_of_twins(async |stack| {
        let rounds = if is_long_run() { 20 } else { 1 };
        let subjects = Subjects::make(stack.tenant().await).await;
        let writers = writers_through_all(&stack, &subjects).await;
        let mut outages = Outages::default();
        for _ in 0..rounds {
            for (program, (number, name)) in
                PROGRAMS.into_iter().flat_map(|program| pair(program).map(|one| (program, one)))
            {
                lasts(Duration::from_secs(1)).await;
                let from = Instant::now();
                stack.kill(&name).await;
                if program == "gateway" {
                    writers.ways.close(number);
                }
                stack.revive(&name).await;
                writers.ways.open(number);
                outages.add(&name, from);
            }
        }
        let (ledger, rate) = writers.stop().await;

        say(format!("{} kills at {rate:.0} writes a second", outages.len()));
        outages.explain_all_failures(&ledger);
        audit(&subjects, &ledger).await;
        stack.nobody_panicked().await;
    });
}
