//! P13: memory of each program at rest, and how long it takes to be ready.

use anyhow::{Context as _, Result};

use super::{
    figure::{Figure, Goal},
    room::Room,
    usage,
};

/// Share of the suite's goal that falls to what exists: eight programs may use 250 MB together.
const MEGABYTES_A_PROGRAM: f64 = 250.0 / 8.0;

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let programs = ["customers", "sales", "gateway"];
    room.quiet().await?;
    let (mut memory, mut times) = (Vec::new(), Vec::new());
    for program in programs {
        let (mut sizes, mut starts) = (Vec::new(), Vec::new());
        for _ in 0..room.rounds {
            starts.push(room.restart(program, &[]).await?);
            // What a start leaves to do is done, and what it borrowed is returned.
            tokio::time::sleep(room.span / 3).await;
            let pid = room.stack.pid(program)?.with_context(|| format!("{program} does not run"))?;
            sizes.push(usage::pss_megabytes(pid)?);
        }
        memory.push(sizes);
        times.push(starts);
    }
    let sums: Vec<f64> =
        (0..room.rounds).map(|round| memory.iter().map(|sizes| sizes[round]).sum()).collect();
    let goal = MEGABYTES_A_PROGRAM * programs.len() as f64;
    let mut together = Figure::absolute(
        "P13",
        "memory (PSS) idle, three programs together",
        "MB",
        &sums,
        Goal::AtMost(goal),
    )
    .stretch(120.0 / 8.0 * programs.len() as f64)
    .note("the goal is 250 MB for eight programs; these are three of them");
    let mut figures = Vec::new();
    for ((program, sizes), starts) in programs.iter().zip(&memory).zip(&times) {
        let median = super::Spread::of(sizes).map_or(0.0, |spread| spread.median);
        together = together.note(format!("{program}: {median:.1} MB"));
        let what = format!("{program}: from start to ready");
        let ready = Figure::absolute("P13", what, "ms", starts, Goal::AtMost(300.0)).stretch(100.0);
        figures.push(ready.note("readiness is asked for in growing pauses of 5 to 50 ms, which are counted"));
    }
    figures.insert(0, together);
    Ok(figures)
}
