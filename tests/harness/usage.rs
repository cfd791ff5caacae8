//! What processes use: processor time and memory, from `/proc`.

use std::{collections::BTreeMap, fs, time::Duration};

use trato_devstack::{Facts, proc};

/// Processor time and memory of the processes of a stack, by name.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// Processor time since the process began.
    pub processor: BTreeMap<String, Duration>,
    /// Resident memory now, in megabytes.
    pub memory: BTreeMap<String, f64>,
}

impl Usage {
    /// Looks at all processes of a stack, and at the tests' own.
    pub fn now(facts: &Facts) -> Self {
        let replicas = facts.services.values().flat_map(|service| &service.replicas);
        let mut roots: Vec<(String, Option<u32>)> =
            replicas.map(|replica| (replica.name.clone(), replica.pid)).collect();
        roots.push(("gateway".into(), facts.gateway.as_ref().and_then(|gateway| gateway.pid)));
        roots.push(("postgres".into(), facts.postgres.pid));
        roots.push(("rabbitmq".into(), facts.broker.pid));
        let mut usage = Self::default();
        for (name, pid) in roots.into_iter().filter_map(|(name, pid)| Some((name, pid?))) {
            let tree = std::iter::once(pid).chain(proc::descendants(pid));
            usage.processor.insert(name.clone(), tree.map(processor_time).sum());
            usage.memory.insert(name, resident(pid));
        }
        usage.processor.insert("tests".into(), processor_time(std::process::id()));
        usage
    }

    /// Processor time used between an earlier look and this one, in milliseconds.
    pub fn since(&self, before: &Self) -> BTreeMap<String, u128> {
        let used = self.processor.iter().map(|(name, now)| {
            let before = before.processor.get(name).copied().unwrap_or_default();
            (name.clone(), now.saturating_sub(before).as_millis())
        });
        used.collect()
    }
}

/// The kernel counts a hundred ticks a second.
fn processor_time(pid: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = text.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    // Own time in user and kernel mode: the 14th and 15th field, of which two were cut off.
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn resident(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: Option<f64> =
        line.and_then(|line| line.split_whitespace().next()).and_then(|value| value.parse().ok());
    kibibytes.unwrap_or_default() / 1024.0
}
