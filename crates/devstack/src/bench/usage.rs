//! What processes cost: processor time of whole process trees, and memory, from `/proc`.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result};

use crate::proc;

/// Milliseconds in a tick of `/proc/*/stat`: the kernel shows 100 ticks a second on every architecture we run on.
const TICK_MILLIS: f64 = 10.0;

/// Processor time by name of process, in milliseconds.
pub type Cpu = BTreeMap<String, f64>;

/// Reads what some processes have used so far.
#[derive(Debug)]
pub struct Meter {
    roots: Vec<(String, u32)>,
    before: Cpu,
}

impl Meter {
    /// Begins to measure these process trees.
    pub fn start(roots: Vec<(String, u32)>) -> Self {
        let before = read(&roots);
        Self { roots, before }
    }

    /// What they have used since.
    pub fn stop(self) -> Cpu {
        let after = read(&self.roots);
        after
            .into_iter()
            .map(|(name, after)| {
                let before = self.before.get(&name).copied().unwrap_or_default();
                (name, (after - before).max(0.0))
            })
            .collect()
    }
}

fn read(roots: &[(String, u32)]) -> Cpu {
    let of_tree = |root: u32| {
        // Children that ended are in the account of the parent that collected them.
        let own = ticks(root, true);
        own + proc::descendants(root).into_iter().map(|pid| ticks(pid, false)).sum::<f64>()
    };
    roots.iter().map(|(name, root)| (name.clone(), of_tree(*root) * TICK_MILLIS)).collect()
}

fn ticks(pid: u32, with_collected: bool) -> f64 {
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0.0 };
    let Some((_, fields)) = text.rsplit_once(')') else { return 0.0 };
    // utime, stime, cutime, cstime are the 14th to the 17th field; the first two were cut off.
    let count = if with_collected { 4 } else { 2 };
    let times = fields.split_whitespace().skip(11).take(count);
    times.filter_map(|time| time.parse::<f64>().ok()).sum()
}

/// Processor time that one process has used so far, without its children, in milliseconds.
pub fn millis(pid: u32) -> f64 {
    ticks(pid, false) * TICK_MILLIS
}

/// Memory of one process with its share of what it shares with others, in MB (10^6 bytes).
pub fn pss_megabytes(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()).and_then(|value| value.parse().ok());
    let kibibytes: f64 = kibibytes.with_context(|| format!("{path} names no Pss"))?;
    Ok(kibibytes * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_its_time_never_shrinks() {
        let own = std::process::id();
        let meter = Meter::start(vec![("own".into(), own)]);
        assert!(meter.stop()["own"] >= 0.0);
        assert!(millis(own) >= 0.0);
        assert!(pss_megabytes(own).expect("own memory may be read") > 0.1);
    }
}
