//! Tools from Python packages, each in an environment of its own below the build's folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{process::Command, sync::Mutex};
use trato_devstack::Checkout;

/// Longest time to fetch packages.
const FETCH: Duration = Duration::from_secs(300);

/// Folder of an environment with these packages; it is made when it is not there or has others.
pub async fn environment(name: &str, packages: &[&str]) -> PathBuf {
    /// Tests that run side by side make none twice.
    static TURN: Mutex<()> = Mutex::const_new(());
    let _turn = TURN.lock().await;
    let folder = Checkout::find().expect("tests run inside the checkout").target.join(format!("{name}-venv"));
    // Written when everything is there, so that what was broken off is made anew.
    let (made, wanted) = (folder.join("packages.txt"), packages.join("\n"));
    if fs::read_to_string(&made).ok().as_ref() != Some(&wanted) {
        let mut make = Command::new("python3");
        succeed(make.args(["-m", "venv", "--clear"]).arg(&folder), FETCH).await;
        let mut fetch = Command::new(folder.join("bin/pip"));
        fetch.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages);
        succeed(&mut fetch, FETCH).await;
        fs::write(&made, wanted).expect("the environment can be written to");
    }
    folder
}

/// A file of a package in an environment, by its path below the folder of packages.
pub fn file_of(folder: &Path, path: &str) -> Option<PathBuf> {
    let versions = fs::read_dir(folder.join("lib")).ok()?.flatten();
    let files = versions.map(|version| version.path().join("site-packages").join(path));
    files.into_iter().find(|file| file.is_file())
}

/// Runs a command to its end, which is a good one.
pub async fn succeed(command: &mut Command, within: Duration) -> Output {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(within, output).await.expect("it ends").expect("it can be started");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
