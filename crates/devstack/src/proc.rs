//! Process trees by `/proc`: PostgreSQL's backends and Erlang's helpers must die, pause and go on with their parent.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context as _, Result};
use nix::{
    errno::Errno,
    sys::signal::{self, Signal},
    unistd::Pid,
};

/// Sends a signal to one process; one that is gone already is no error.
pub fn send(pid: u32, signal: Signal) -> Result<()> {
    let target = Pid::from_raw(i32::try_from(pid).context("a process number fits into i32")?);
    match signal::kill(target, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot send {signal} to process {pid}")),
    }
}

/// Kills a process and all below it, and answers those below. The root is stopped first, so that it cannot start more
/// meanwhile. A killed process takes a moment to end.
pub fn kill_tree(root: u32) -> Result<Vec<u32>> {
    send(root, Signal::SIGSTOP)?;
    let below = descendants(root);
    for pid in below.iter().rev() {
        send(*pid, Signal::SIGKILL)?;
    }
    send(root, Signal::SIGKILL)?;
    Ok(below)
}

/// Sends a signal to a process and all below it.
pub fn send_tree(root: u32, signal: Signal) -> Result<()> {
    send(root, signal)?;
    descendants(root).into_iter().try_for_each(|pid| send(pid, signal))
}

/// All processes below `root`, parents before children.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut children = BTreeMap::<u32, Vec<u32>>::new();
    for pid in all() {
        if let Some((_, parent)) = stat(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = children.get(&root).cloned().unwrap_or_default();
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.get(pid).into_iter().flatten().copied().collect::<Vec<_>>());
        next += 1;
    }
    found
}

/// True when the process exists and is not merely waiting to be collected by its parent.
pub fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// Processes that are called one of `names` and work in one of `folders` or below.
pub fn working_in(folders: &[PathBuf], names: &[&str]) -> Vec<u32> {
    let works_there = |pid: &u32| {
        let named = fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|name| names.contains(&name.trim_end()));
        let folder = || fs::read_link(format!("/proc/{pid}/cwd")).ok();
        named && folder().is_some_and(|cwd| folders.iter().any(|folder| cwd.starts_with(folder)))
    };
    all().into_iter().filter(works_there).collect()
}

fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// State and parent of a process. The command's name, in parentheses, may itself hold spaces and parentheses.
fn stat(pid: u32) -> Option<(char, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_has_a_parent() {
        assert!(is_alive(std::process::id()));
        assert!(stat(std::process::id()).is_some_and(|(_, parent)| parent > 0));
        assert!(!is_alive(u32::MAX));
    }

    #[tokio::test]
    async fn a_tree_is_killed_with_its_leaves() {
        let mut shell = tokio::process::Command::new("sh")
            .args(["-c", "sleep 60 & sleep 60 & wait"])
            .spawn()
            .expect("every machine that runs this has a shell");
        let root = shell.id().expect("the shell was not collected yet");
        let leaves = crate::wait::eventually(std::time::Duration::from_secs(5), "two children", || async {
            Some(descendants(root)).filter(|found| found.len() == 2)
        })
        .await
        .expect("the shell starts both");

        assert_eq!(kill_tree(root).expect("own children may be killed"), leaves);

        shell.wait().await.expect("the shell was killed");
        crate::wait::eventually(std::time::Duration::from_secs(5), "the end of both", || async {
            leaves.iter().all(|leaf| !is_alive(*leaf)).then_some(())
        })
        .await
        .expect("the leaves were killed too");
    }
}
