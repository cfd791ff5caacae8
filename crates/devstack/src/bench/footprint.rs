//! P13: memory of each program at rest and under load, and how long it takes to be ready.

use anyhow::{Context as _, Result};

use super::{
    Spread, chain,
    figure::{Figure, Goal},
    room::{PROGRAMS, Room},
    usage,
};

/// Share of the suite's goal that falls to what exists: eight programs may use 250 MB together.
const MEGABYTES_A_PROGRAM: f64 = 250.0 / 8.0;
/// Most that one may use under load.
const MEGABYTES_UNDER_LOAD: f64 = 40.0;

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    room.quiet().await?;
    let (mut memory, mut times) = (Vec::new(), Vec::new());
    for program in PROGRAMS {
        let (mut sizes, mut starts) = (Vec::new(), Vec::new());
        for _ in 0..room.rounds {
            starts.push(room.restart(program, &[]).await?);
            // What a start leaves to do is done, and what it borrowed is returned.
            tokio::time::sleep(room.span / 3).await;
            sizes.push(megabytes(room, program)?);
        }
        memory.push(sizes);
        times.push(starts);
    }
    let loaded = under_load(room).await?;

    let sums: Vec<f64> =
        (0..room.rounds).map(|round| memory.iter().map(|sizes| sizes[round]).sum()).collect();
    let count = PROGRAMS.len() as f64;
    let goal = Goal::AtMost(MEGABYTES_A_PROGRAM * count);
    let mut together = Figure::absolute("P13", "memory (PSS) idle, all programs together", "MB", &sums, goal)
        .stretch(120.0 / 8.0 * count)
        .note(format!("the goal is 250 MB for eight programs; these are {count}"));
    let mut figures = Vec::new();
    for (program, sizes) in PROGRAMS.iter().zip(&memory) {
        let median = Spread::of(sizes).map_or(0.0, |spread| spread.median);
        together = together.note(format!("{program}: {median:.1} MB"));
    }
    figures.push(together);
    for (program, sizes) in PROGRAMS.iter().zip(&loaded) {
        let what = format!("{program}: memory (PSS) under load");
        let load = Figure::absolute("P13", what, "MB", sizes, Goal::AtMost(MEGABYTES_UNDER_LOAD));
        figures.push(load.note("the load is that of P12; read at its end"));
    }
    for (program, starts) in PROGRAMS.iter().zip(&times) {
        let what = format!("{program}: from start to ready");
        let ready = Figure::absolute("P13", what, "ms", starts, Goal::AtMost(300.0)).stretch(100.0);
        figures.push(ready.note("readiness is asked for in growing pauses of 5 to 50 ms, which are counted"));
    }
    Ok(figures)
}

/// Memory of each program at the end of each round of load, in megabytes.
async fn under_load(room: &Room) -> Result<Vec<Vec<f64>>> {
    let mut memory = vec![Vec::new(); PROGRAMS.len()];
    for _ in 0..room.rounds {
        chain::load(room).await?;
        for (sizes, program) in memory.iter_mut().zip(PROGRAMS) {
            sizes.push(megabytes(room, program)?);
        }
    }
    Ok(memory)
}

fn megabytes(room: &Room, program: &str) -> Result<f64> {
    let pid = room.stack.pid(program)?.with_context(|| format!("{program} does not run"))?;
    usage::pss_megabytes(pid)
}
