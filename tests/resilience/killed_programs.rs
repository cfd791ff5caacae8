//! Programs killed under load, in turn and at random.

use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use super::{audit::audit, outages::Outages};
use crate::harness::{
    breakable::on_a_breakable_stack,
    eventually::lasts,
    programs::PROGRAMS,
    report::say,
    stack::is_long_run,
    writers::{Subjects, Writers},
};

/// Writes a second that are asked for. Two cores that also run the other tests, in a build without optimisation, do not
/// get to the 200 of the long form.
pub fn rate() -> u64 {
    if is_long_run() { 200 } else { 100 }
}

/// CRD-03: every program is killed in turn; nothing acknowledged is lost, nothing is done twice, and each is back soon.
#[test]
fn killing_every_program_in_turn_loses_and_doubles_nothing() {
    on_a_breakable_stack(async |stack| {
        let rounds = if is_long_run() { 50 } else { 2 };
        let subjects = Subjects::make(stack.tenant().await).await;
        let writers = Writers::start(&subjects, rate());
        let mut outages = Outages::default();
        let mut slowest = Duration::ZERO;
        for _ in 0..rounds {
            for program in PROGRAMS {
                lasts(Duration::from_secs(2)).await;
                slowest = slowest.max(outages.kill(&stack, program, Duration::ZERO).await);
            }
        }
        let (ledger, rate) = writers.stop().await;

        say(format!("{rate:.0} writes a second, the slowest start took {slowest:.1?}"));
        outages.explain_all_failures(&ledger);
        audit(&subjects, &ledger).await;
        if is_long_run() {
            assert!(slowest < Duration::from_secs(10), "a program took {slowest:.1?} to be back");
        }
        stack.nobody_panicked().await;
    });
}

/// CRD-03: programs are killed at random moments, between commit and answer and between publishing and its record too.
#[test]
fn killing_programs_at_random_moments_loses_and_doubles_nothing() {
    on_a_breakable_stack(async |stack| {
        let (most, budget) =
            if is_long_run() { (1000, Duration::from_secs(3600)) } else { (50, Duration::from_secs(40)) };
        let seed: u64 = rand::random();
        let mut random = StdRng::seed_from_u64(seed);
        let subjects = Subjects::make(stack.tenant().await).await;
        let writers = Writers::start(&subjects, rate());
        let mut outages = Outages::default();
        let begun = Instant::now();
        while outages.len() < most && begun.elapsed() < budget {
            lasts(Duration::from_millis(random.random_range(0..400))).await;
            let program = PROGRAMS.choose(&mut random).expect("there are three");
            outages.kill(&stack, program, Duration::ZERO).await;
        }
        let (ledger, rate) = writers.stop().await;

        say(format!(
            "seed {seed}, {} kills in {:.0?}, {rate:.0} writes a second",
            outages.len(),
            begun.elapsed()
        ));
        outages.explain_all_failures(&ledger);
        audit(&subjects, &ledger).await;
        stack.nobody_panicked().await;
    });
}
