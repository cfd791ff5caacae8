//! `cargo dev reset`: deletes what `up` keeps.

use std::process::ExitCode;

use anyhow::Result;
use trato_devstack::{Checkout, backing, databases, home::Home, programs, progress::print, variables};

pub async fn run() -> Result<ExitCode> {
    let home = Home::dev(&Checkout::find()?);
    let _lock = home.lock()?;
    backing::forget_containers(&home).await;
    if let Some(superuser) = variables::get(variables::POSTGRES_URL) {
        databases::drop_all(&superuser, &databases::mark(&home), &programs::select(None)?).await?;
    }
    home.delete()?;
    print("deleted; the next `cargo dev up` starts afresh");
    Ok(ExitCode::SUCCESS)
}
