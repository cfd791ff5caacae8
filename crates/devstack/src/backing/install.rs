//! Installs servers from the distribution, as root or by sudo, without letting the machine's own services start.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::locate;
use crate::progress::Progress;

/// Refuses service starts while packages are unpacked, as Debian's policy-rc.d allows; leaves an existing policy alone.
const INSTALL: &str = r#"set -eu
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends "$@"
"#;

/// Longest time an installation may take, over a slow line.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Installs packages by apt-get, and says so before. Fails with the names of the packages where that cannot work.
pub async fn packages(names: &[&str], progress: &Progress) -> Result<()> {
    let list = names.join(" ");
    let root = nix::unistd::geteuid().is_root();
    if locate::on_path("apt-get").is_none() || (!root && locate::on_path("sudo").is_none()) {
        bail!("{}", how_to(&list));
    }
    let mut command = if root {
        progress.say("install", format!("apt-get install {list}"));
        Command::new("sh")
    } else {
        progress.say("install", format!("sudo apt-get install {list} (sudo may ask for your password)"));
        let mut sudo = Command::new("sudo");
        // Without a terminal nobody could answer.
        if !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
            sudo.arg("-n");
        }
        sudo.arg("sh");
        sudo
    };
    command.arg("-c").arg(INSTALL).arg("install").args(names).stdout(Stdio::from(std::io::stderr()));
    let mut child =
        tokio::process::Command::from(command).kill_on_drop(true).spawn().with_context(|| how_to(&list))?;
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.context("apt-get does not end")??;
    if !status.success() {
        bail!("apt-get failed ({status}). {}", how_to(&list));
    }
    Ok(())
}

fn how_to(packages: &str) -> String {
    format!(
        "PostgreSQL {postgres} or newer and RabbitMQ {major}.{minor} or newer are needed. Do one of these:\n\
         - install the packages (Debian, Ubuntu): {packages}\n\
         - run with --containers, where a Docker engine answers\n\
         - set TRATO_STACK_POSTGRES_URL (a superuser's URL) and TRATO_STACK_RABBITMQ_URL to servers that run",
        postgres = locate::OLDEST_POSTGRES,
        major = locate::OLDEST_RABBITMQ.0,
        minor = locate::OLDEST_RABBITMQ.1,
    )
}

/// The message for a server that is still missing or too old after everything was tried.
pub fn not_usable(found: Option<String>, packages: &[&str]) -> anyhow::Error {
    let why = found
        .map_or_else(|| "not found on this machine".to_owned(), |found| format!("only {found} is there"));
    anyhow::anyhow!("{why}. {}", how_to(&packages.join(" ")))
}
