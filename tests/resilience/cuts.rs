//! Wires between services and their servers, cut in every way: what is under way is late and never lost.

use std::time::{Duration, Instant};

use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

use super::{audit::audit, killed_programs::rate};
use crate::harness::{
    breakable::on_a_breakable_stack,
    eventually::{SOON, eventually, lasts},
    ledger::Outcome,
    proxy::{Proxy, Weather},
    report::say,
    stack::is_long_run,
    wires::Wires,
    writers::{Plan, Subjects, Writers},
};

/// What writers give each call.
const DEADLINE: Duration = Duration::from_secs(2);
/// How much later than its deadline an answer may come.
const LATE: Duration = Duration::from_millis(250);

/// What happens to a wire.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Weather(Weather),
    /// Every connection is reset.
    Reset,
    /// Every connection stays open and is silent for ever.
    Forgotten,
}

const FAULTS: [Fault; 6] = [
    Fault::Weather(Weather::Cut),
    Fault::Weather(Weather::Deaf),
    Fault::Weather(Weather::Slow),
    Fault::Weather(Weather::Lossy),
    Fault::Reset,
    Fault::Forgotten,
];

/// Lets a fault happen to a wire for some time; answers how long it took until a connection was made anew.
async fn suffer(wire: &Proxy, fault: Fault, time: Duration) -> Option<Duration> {
    let (begun, made) = (Instant::now(), wire.made());
    match fault {
        Fault::Weather(weather) => wire.set(weather),
        Fault::Reset => wire.reset(),
        Fault::Forgotten => wire.forget(),
    }
    let replaced = match fault {
        Fault::Weather(_) => None,
        Fault::Reset | Fault::Forgotten => {
            let look = || async { wire.made() };
            eventually(SOON, "a new connection", look, |now| *now > made).await;
            Some(begun.elapsed())
        }
    };
    lasts(time.saturating_sub(begun.elapsed())).await;
    wire.set(Weather::Fair);
    replaced
}

/// F6: cut, deaf, slow, lossy, reset and forgotten connections to database and broker lose nothing, hold no caller beyond
/// its deadline, and are found out.
#[test]
fn cut_wires_to_database_and_broker_lose_nothing_and_hold_nobody() {
    on_a_breakable_stack(async |stack| {
        let (rounds, time) = if is_long_run() { (20, 30) } else { (1, 3) };
        let time = Duration::from_secs(time);
        let seed: u64 = rand::random();
        let mut random = StdRng::seed_from_u64(seed);
        let wires = Wires::lay(&stack).await;
        let subjects = Subjects::make(stack.tenant().await).await;
        let director = subjects.tenant.director();
        let writers = Writers::by(&subjects, &Plan { deadline: Some(DEADLINE), ..Plan::new(rate()) });
        let mut slowest_found = Duration::ZERO;
        for _ in 0..rounds {
            let mut faults: Vec<(Fault, &str)> =
                FAULTS.into_iter().flat_map(|fault| [(fault, "postgres"), (fault, "rabbitmq")]).collect();
            faults.shuffle(&mut random);
            for (fault, server) in faults {
                let wire = if server == "postgres" { &wires.postgres } else { &wires.rabbitmq };
                let (from, acknowledged) = (Instant::now(), writers.ledger.acknowledged());
                let found = suffer(wire, fault, time).await;
                let healed = Instant::now();
                let after = writers.ledger.acknowledged();
                let more = || async { writers.ledger.acknowledged() };
                eventually(SOON, "writes to be answered again", more, |now| *now > after + 10).await;
                slowest_found = slowest_found.max(found.unwrap_or_default());
                say(format!(
                    "{fault:?} of {server} for {:.1?}: {} writes answered meanwhile, ten more within {:.1?}; \
                     found out after {found:.1?}",
                    healed - from,
                    after - acknowledged,
                    healed.elapsed(),
                ));
            }
        }
        let (ledger, rate) = writers.stop().await;

        let entries = ledger.entries();
        let slowest = entries.iter().map(|entry| entry.took).max().unwrap_or_default();
        let late = entries.iter().filter(|entry| entry.took > DEADLINE + LATE).count();
        let failed = entries.iter().filter(|entry| entry.answer().is_none()).count();
        say(format!(
            "seed {seed}: {rate:.0} writes a second, {failed} of {} without success; the slowest answer took \
             {slowest:.2?} of {DEADLINE:?}, {late} took more than {LATE:?} longer",
            entries.len()
        ));
        for entry in &entries {
            let told = match &entry.outcome {
                Outcome::Acknowledged(_) => true,
                Outcome::Refused(_, reason) => entry.outcome.is_open() && !reason.is_empty(),
                Outcome::Unknown => false,
            };
            assert!(told, "{entry:?}");
        }
        let get = || async { director.get("/v1/accounts?pageSize=1").await.status };
        eventually(SOON, "reads to pass", get, |status| *status == 200).await;
        audit(&subjects, &ledger).await;
        stack.nobody_panicked().await;
        if is_long_run() {
            assert!(slowest <= DEADLINE + LATE, "a call was answered after {slowest:.2?}");
            assert!(
                slowest_found <= Duration::from_secs(10),
                "silence was found out after {slowest_found:.1?}"
            );
        }
    });
}
