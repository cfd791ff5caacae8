//! Calls cargo, always with the same package selection: another one would compile most dependencies once more.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::process::Command;

use crate::checkout::{Checkout, Profile};

/// A test program by its path: package and target.
pub type TestPrograms = BTreeMap<PathBuf, (String, String)>;

/// Builds every program of the workspace. Cargo's own progress goes to the terminal.
pub async fn build_programs(checkout: &Checkout, profile: Profile) -> Result<()> {
    let mut command = cargo(checkout);
    command.args(["build", "--workspace", "--bins"]);
    if profile == Profile::Release {
        command.arg("--release");
    }
    let status = command.status().await.context("cargo cannot be started")?;
    if !status.success() {
        bail!("the programs do not build");
    }
    Ok(())
}

/// Builds every program and every test, and answers which test program belongs to which package.
pub async fn build_tests(checkout: &Checkout) -> Result<TestPrograms> {
    let mut command = cargo(checkout);
    command.args(["build", "--workspace", "--all-targets", "--message-format=json-render-diagnostics"]);
    let child = command.stdout(Stdio::piped()).spawn().context("cargo cannot be started")?;
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        bail!("the programs and tests do not build");
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(test_program).collect())
}

/// Builds the unit tests of one package in release, and answers their program. The exception to the one selection: all tests in
/// release would take many minutes, and a package without I/O takes a few small ones.
pub async fn build_unit_tests(checkout: &Checkout, package: &str) -> Result<PathBuf> {
    let mut command = cargo(checkout);
    command.args(["test", "--release", "--no-run", "--lib", "--package", package]);
    command.arg("--message-format=json-render-diagnostics");
    let child = command.stdout(Stdio::piped()).spawn().context("cargo cannot be started")?;
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        bail!("the tests of {package} do not build");
    }
    let programs: TestPrograms =
        String::from_utf8_lossy(&output.stdout).lines().filter_map(test_program).collect();
    let found = programs.into_iter().find(|(_, (of, _))| of == package);
    found.map(|(program, _)| program).with_context(|| format!("{package} has no unit tests"))
}

/// `cargo test` over the whole workspace, to go on after a failure. The caller sets output and starts it.
pub fn test(checkout: &Checkout, arguments: &[OsString]) -> Command {
    let mut command = cargo(checkout);
    command.args(["test", "--workspace", "--no-fail-fast", "--"]).args(for_programs(arguments));
    command
}

/// One test program, run by itself where cargo would run it. The caller sets arguments and output and starts it.
pub fn run_test(checkout: &Checkout, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(checkout.root.join("tests")).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Where the test program of a package and target is.
pub fn program_of<'p>(programs: &'p TestPrograms, (package, target): (&str, &str)) -> Option<&'p Path> {
    let found = programs.iter().find(|(_, (of, name))| of == package && name == target);
    found.map(|(path, _)| path.as_path())
}

/// Everything is for the test programs, with or without the mark by which cargo tells it from its own: to cargo itself a
/// name would select targets too, and what is built then is not what is built already.
fn for_programs(arguments: &[OsString]) -> impl Iterator<Item = &OsString> {
    arguments.iter().filter(|argument| *argument != "--")
}

fn cargo(checkout: &Checkout) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&checkout.root).stdin(Stdio::null()).kill_on_drop(true);
    // Those cargo has set for this very program are none of the programs' being built.
    for (name, _) in env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command
}

fn test_program(line: &str) -> Option<(PathBuf, (String, String))> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let program = PathBuf::from(message["executable"].as_str()?);
    let package = package_name(message["package_id"].as_str()?)?;
    Some((program, (package, message["target"]["name"].as_str()?.to_owned())))
}

/// `path+file:///…/services/sales#trato-sales@0.1.0`; the name is left out where it is the folder's.
fn package_name(id: &str) -> Option<String> {
    let (path, fragment) = id.rsplit_once('#')?;
    let name = match fragment.split_once('@') {
        Some((name, _)) => name,
        None => path.rsplit('/').next()?,
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_options_reach_the_test_programs_however_they_are_told_apart() {
        let told = |arguments: &[&str]| {
            let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
            for_programs(&arguments)
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&["flows::", "secrets"]), ["flows::", "secrets"]);
        assert_eq!(told(&["flows::", "--", "--nocapture"]), ["flows::", "--nocapture"]);
        assert_eq!(told(&["--", "--skip", "flows::"]), ["--skip", "flows::"]);
    }

    #[test]
    fn the_package_is_read_from_both_forms_of_its_identifier() {
        assert_eq!(
            package_name("path+file:///a/services/sales#trato-sales@0.1.0").as_deref(),
            Some("trato-sales")
        );
        assert_eq!(package_name("path+file:///a/trato-types#0.1.0").as_deref(), Some("trato-types"));
    }
}
