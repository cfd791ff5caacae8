//! Rounds of a pgbench script against the same question asked of the gateway, over both wires.

use anyhow::Result;

use super::{
    client::{Target, Wire},
    drive::{self, Maker, Model},
    figure::{Figure, Goal},
    pgbench::Script,
    room::{CALLERS, Room, cpu_note},
};

/// What was measured over one wire.
#[derive(Debug)]
pub struct Side {
    wire: Wire,
    /// `gRPC` or `JSON`.
    pub name: &'static str,
    rounds: Vec<(f64, f64)>,
    notes: Vec<String>,
}

/// Both wires, before the first round.
pub fn sides() -> [Side; 2] {
    [(Wire::Grpc, "gRPC"), (Wire::Json, "JSON")].map(|(wire, name)| Side {
        wire,
        name,
        rounds: Vec::new(),
        notes: Vec::new(),
    })
}

/// One round of the script and one over each wire; processor times are those of the last round.
pub async fn round(
    room: &Room,
    limit: &Script,
    target: &Target,
    sides: &mut [Side],
    maker: impl Fn(Wire) -> Maker,
) -> Result<()> {
    let meter = room.meter()?;
    let theirs = limit.run(CALLERS, room.span).await?;
    let their_cpu = meter.stop();
    for side in sides {
        let links = target.links(side.wire, CALLERS).await?;
        let meter = room.meter()?;
        let ours = drive::run(links, target, Model::Closed(room.span), maker(side.wire)).await?;
        let our_cpu = meter.stop();
        side.rounds.push((ours.rate(), theirs.rate));
        side.notes =
            vec![cpu_note(side.name, &our_cpu, ours.done), cpu_note("pgbench", &their_cpu, theirs.done)];
    }
    Ok(())
}

impl Side {
    /// The calls a second, as a figure.
    pub fn figure(self, id: &'static str, what: String, limit: &'static str, goal: Goal) -> Figure {
        Figure { notes: self.notes, ..Figure::ratio(id, what, "calls/s", limit, &self.rounds, goal) }
    }
}
