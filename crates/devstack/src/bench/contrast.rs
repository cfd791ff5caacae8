//! Rounds of the same calls to programs that are set up in two ways, of which one is the default.

use super::{
    drive::Load,
    figure::{Figure, Goal},
    room::cpu_note,
    usage::Cpu,
};

/// One kind of call, measured both ways.
#[derive(Debug)]
pub struct Contrast {
    what: String,
    default: Vec<Round>,
    changed: Vec<Round>,
}

#[derive(Debug)]
struct Round {
    rate: f64,
    done: u64,
    cpu: Cpu,
}

/// Whether the change is made, first in one half of a round and then in the other. The first half changes from round to
/// round, since what the second finds is not what the first found: tables have grown, and caches are warm.
pub fn halves(round: usize) -> [bool; 2] {
    let is_odd = !round.is_multiple_of(2);
    [is_odd, !is_odd]
}

impl Contrast {
    /// A kind of call that was not made yet.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), default: Vec::new(), changed: Vec::new() }
    }

    /// Adds half a round.
    pub fn add(&mut self, is_changed: bool, load: &Load, cpu: Cpu) {
        let side = if is_changed { &mut self.changed } else { &mut self.default };
        side.push(Round { rate: load.rate(), done: load.done, cpu });
    }

    /// Calls a second and processor time a call, with the change against without it. Nobody has set a goal for either.
    pub fn figures(self, id: &'static str, change: &str, default: &str) -> [Figure; 2] {
        let what = format!("{}, {change}, JSON, c=32", self.what);
        let rates = self.pairs(|round| round.rate);
        let mut throughput = Figure::ratio(id, what, "calls/s", default, &rates, Goal::Unset);
        for (side, rounds) in [(change, &self.changed), (default, &self.default)] {
            let last = rounds.last().map(|round| cpu_note(side, &round.cpu, round.done));
            throughput.notes.extend(last);
        }
        let what = format!("{}: CPU of gateway, customers and PostgreSQL", self.what);
        [throughput, Figure::ratio(id, what, "ms/call", default, &self.pairs(Round::cost), Goal::Unset)]
    }

    fn pairs(&self, value: fn(&Round) -> f64) -> Vec<(f64, f64)> {
        let rounds = self.changed.iter().zip(&self.default);
        rounds.map(|(changed, default)| (value(changed), value(default))).collect()
    }
}

impl Round {
    /// Milliseconds of processor time a call, of the programs that a call goes through.
    fn cost(&self) -> f64 {
        let path = ["gateway", "customers", "postgres"];
        let of_path: f64 = path.iter().filter_map(|name| self.cpu.get(*name)).sum();
        of_path / self.done.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::drive;

    #[test]
    fn the_changed_half_of_a_round_is_held_against_its_other_half() {
        let mut contrast = Contrast::new("get");
        for round in 0..2 {
            for is_changed in halves(round) {
                let done = if is_changed { 50 } else { 100 };
                let load = Load { done, seconds: 1.0, micros: drive::empty().expect("a histogram") };
                let cpu = Cpu::from([("gateway".to_owned(), 10.0), ("rabbitmq".to_owned(), 70.0)]);
                contrast.add(is_changed, &load, cpu);
            }
        }

        let [throughput, cpu] = contrast.figures("TLS", "changed", "default");

        assert_eq!(throughput.ratio.map(|ratio| (ratio.min, ratio.max)), Some((0.5, 0.5)));
        assert_eq!(cpu.ratio.map(|ratio| ratio.median), Some(2.0));
        assert_eq!((halves(0), halves(1)), ([false, true], [true, false]));
    }
}
