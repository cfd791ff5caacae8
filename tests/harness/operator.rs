//! The programs' own subcommands and `trato`, run as an operator runs them: beside the processes that serve.

use std::{
    env,
    path::Path,
    process::{Output, Stdio},
};

use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, process::Command};
use trato_devstack::Facts;

/// How a program ended and what it said.
#[derive(Clone, Debug)]
pub struct Said {
    /// Exit code; none when it was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub output: String,
    /// Standard error, where logs and faults go.
    pub errors: String,
}

impl Said {
    /// What a successful command printed, as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "it failed: {}{}", self.output, self.errors);
        let last = self.output.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{:?} is no JSON: {error}", self.output))
    }
}

/// Runs `trato-<service> <arguments>` with the settings of the stack's own processes.
pub async fn run(facts: &Facts, service: &str, arguments: &[&str]) -> Said {
    run_with(facts, service, arguments, &[]).await
}

/// The same with further variables, which win.
pub async fn run_with(facts: &Facts, service: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = match facts.containers.get(service) {
        Some(container) => in_container(container, variables),
        None => as_process(facts, service, variables),
    };
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    said(command.output().await.expect("the programs are built"))
}

/// In the container of the program that serves, with that one's settings.
fn in_container(container: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new("docker");
    command.arg("exec");
    for (name, value) in variables {
        command.args(["--env", &format!("{name}={value}")]);
    }
    command.args([container, "/usr/local/bin/service"]);
    command
}

/// As a process of this machine, with the settings of those that serve.
fn as_process(facts: &Facts, service: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(facts.programs.join(format!("trato-{service}")));
    let ours =
        env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("TRATO_"));
    ours.for_each(|name| {
        command.env_remove(name);
    });
    command.env("TRATO_CONFIG", facts.home.join("config").join(format!("{service}.toml")));
    if let Some(database) = facts.databases.get(service) {
        command
            .env("TRATO_DATABASE__URL", &database.url)
            .env("TRATO_DATABASE__SYSTEM_URL", &database.system_url)
            .env("TRATO_DATABASE__OWNER_URL", &database.owner_url)
            .env("TRATO_BROKER__URL", &facts.broker.url);
    }
    command.envs(variables.iter().copied());
    command
}

/// Runs `trato <arguments>` on the installation folder of a stack.
pub async fn trato(facts: &Facts, arguments: &[&str]) -> Said {
    trato_on(facts, &facts.home.join("installation"), arguments).await
}

/// The same on another installation folder.
pub async fn trato_on(facts: &Facts, installation: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(facts.programs.join("trato"));
    command.env("TRATO_INSTALLATION", installation).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    said(command.output().await.expect("the programs are built"))
}

/// Runs `trato <arguments>` with this on standard input.
pub async fn trato_given(facts: &Facts, arguments: &[&str], input: &str) -> Said {
    let mut command = Command::new(facts.programs.join("trato"));
    command.env("TRATO_INSTALLATION", facts.home.join("installation")).args(arguments).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the programs are built");
    let mut to = child.stdin.take().expect("its input is piped");
    to.write_all(input.as_bytes()).await.expect("it reads");
    drop(to);
    said(child.wait_with_output().await.expect("it ends"))
}

fn said(output: Output) -> Said {
    Said {
        code: output.status.code(),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
