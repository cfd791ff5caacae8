//! Who runs on which processor: where a load client, a gateway and what is behind it share a machine, each takes from the
//! others what it would have for itself in the field, and an overload measures that.

use std::{fs, iter};

use anyhow::{Context as _, Result, bail};
use nix::{
    errno::Errno,
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

use crate::{proc, progress::print};

/// Processes that were parted. Dropped, it lets them run anywhere again.
#[derive(Debug)]
pub struct Parted {
    all: CpuSet,
    trees: Vec<u32>,
}

/// Gives this process and the process trees of `front` one half of the processors, and those of `back` the other half.
/// What they start meanwhile stays on their side. Needs two processors.
pub fn part(front: &[u32], back: &[u32]) -> Result<Parted> {
    let all = sched_getaffinity(Pid::from_raw(0)).context("the processors cannot be told")?;
    let allowed: Vec<usize> = (0..CpuSet::count()).filter(|one| all.is_set(*one).unwrap_or(false)).collect();
    if allowed.len() < 2 {
        bail!("one processor cannot be parted");
    }
    let (first, second) = allowed.split_at(allowed.len() / 2);
    let (first, second) = (set(first)?, set(second)?);
    // Made first, so that whatever fails is taken back.
    let parted = Parted { all, trees: front.iter().chain(back).copied().collect() };
    confine(std::process::id(), &first)?;
    front.iter().try_for_each(|root| confine_tree(*root, &first))?;
    back.iter().try_for_each(|root| confine_tree(*root, &second))?;
    Ok(parted)
}

impl Drop for Parted {
    fn drop(&mut self) {
        let trees = self.trees.iter().map(|root| confine_tree(*root, &self.all));
        for error in trees.chain([confine(std::process::id(), &self.all)]).filter_map(Result::err) {
            print(format!("processes stay on their half of the processors: {error:#}"));
        }
    }
}

fn set(processors: &[usize]) -> Result<CpuSet> {
    let mut set = CpuSet::new();
    processors.iter().try_for_each(|one| set.set(*one))?;
    Ok(set)
}

fn confine_tree(root: u32, processors: &CpuSet) -> Result<()> {
    iter::once(root).chain(proc::descendants(root)).try_for_each(|pid| confine(pid, processors))
}

/// Confines every thread of one process; one that is gone already is no error.
fn confine(pid: u32, processors: &CpuSet) -> Result<()> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    for thread in threads.filter_map(|thread| thread.file_name().to_str()?.parse().ok()) {
        match sched_setaffinity(Pid::from_raw(thread), processors) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => return Err(error).with_context(|| format!("cannot confine process {pid}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Processors that a process may run on.
    fn allowed(pid: u32) -> String {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
        let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        line.expect("the kernel tells it").trim().to_owned()
    }

    #[test]
    fn processes_are_parted_and_let_together_again() {
        let mut children: Vec<_> =
            (0..2).map(|_| Command::new("sleep").arg("60").spawn().expect("it starts")).collect();
        let [front, back] = [children[0].id(), children[1].id()];
        let before = allowed(front);

        match part(&[front], &[back]) {
            Ok(parted) => {
                assert_ne!(allowed(front), allowed(back));
                assert_eq!(allowed(front), allowed(std::process::id()));
                drop(parted);
                assert_eq!([allowed(front), allowed(back)], [before.clone(), before]);
            }
            Err(error) => assert!(error.to_string().contains("one processor"), "{error:#}"),
        }
        for child in &mut children {
            child.kill().and_then(|()| child.wait()).expect("it ends");
        }
    }
}
