//! What the kernel says of this process, where it is Linux; elsewhere nothing.

use std::fs;

/// Ticks a second in which Linux tells processes their times; the same on every machine that Rust runs on.
const TICKS: f64 = 100.0;
/// Places of user and system time in `/proc/self/stat`, counted behind the name (proc(5)).
const USER: usize = 11;
const SYSTEM: usize = 12;

/// CPU time used so far, in seconds.
pub(super) fn cpu_seconds() -> Option<f64> {
    cpu_of(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// Resident memory, in bytes.
pub(super) fn memory_bytes() -> Option<f64> {
    memory_of(&fs::read_to_string("/proc/self/status").ok()?)
}

fn cpu_of(stat: &str) -> Option<f64> {
    // The name may hold anything, a parenthesis too.
    let (_, behind) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = behind.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some((ticks(USER)? + ticks(SYSTEM)?) / TICKS)
}

fn memory_of(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<f64>().ok().map(|kibibytes| kibibytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_understood() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 8 0 12345 1000 200";
        assert_eq!(cpu_of(stat), Some(3.0));
        assert_eq!(memory_of("Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t8\n"), Some(2_097_152.0));
        assert_eq!((cpu_of("nothing"), memory_of("nothing")), (None, None));
    }
}
