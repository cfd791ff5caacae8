//! `cargo dev requirements`: one line an identifier; fails when a claimed one is not proved.

use std::process::ExitCode;

use anyhow::Result;
use trato_devstack::{
    Checkout,
    home::Home,
    progress::print,
    requirements::{Results, Verdict, report},
};

pub fn run() -> Result<ExitCode> {
    let checkout = Checkout::find()?;
    let results = Results::read(&Home::test(&checkout).dir.join("results.txt"))?;
    let mut unproved = Vec::new();
    for line in report(&checkout, &results)? {
        let tests = if line.tests.is_empty() { "-".to_owned() } else { line.tests.join(", ") };
        print(format!("{} {:<8} {tests}", line.id, line.verdict));
        if line.claimed && line.verdict != Verdict::Passed {
            unproved.push(line.id);
        }
    }
    if unproved.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    anyhow::bail!("claimed, but not proved by the last run of `cargo dev test`: {}", unproved.join(", "))
}
