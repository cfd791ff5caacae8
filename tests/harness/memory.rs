//! What a process holds in memory, as the kernel tells it.

/// Resident kilobytes of a process now, and the most since [`forget_peak`].
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Now.
    pub now: u64,
    /// The most.
    pub peak: u64,
}

/// Lets the kernel count the peak of a process from now on.
pub fn forget_peak(pid: u32) {
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("the process is ours");
}

/// What a process holds.
pub fn of(pid: u32) -> Memory {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let kilobytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.unwrap_or_else(|| panic!("the kernel does not tell {name}"))
    };
    Memory { now: kilobytes("VmRSS"), peak: kilobytes("VmHWM") }
}
