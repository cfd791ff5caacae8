//! P3: reading an account by a random id out of all, against pgbench's select on the primary key.

use std::sync::Arc;

use anyhow::{Result, ensure};
use bytes::BytesMut;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{
    client::{Call, Wire, put_text},
    drive::{self, Maker, Model},
    figure::{Figure, Goal},
    import,
    pgbench::Script,
    room::{CALLERS, Room, cpu_note},
};

/// gRPC's path of the method.
pub const METHOD: &str = "/trato.customers.v1.AccountService/GetAccount";

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let tenant = import::accounts(room).await?;
    let target = room.gateway(&tenant)?;
    let names = names(room, tenant.id).await?;
    let columns = columns(room).await?;
    let owner = room.stack.facts().database("customers")?.owner_url.clone();
    let text = format!(
        "\\set n random(1, {})\nselect {columns} from account_copy where tenant_id = '{}' \
         and id = ('00000000-0000-7000-8000-' || lpad(to_hex(:n::bigint), 12, '0'))::uuid;\n",
        room.rows, tenant.id
    );
    let limit = Script::write(room.file("get.sql"), &owner, &text, Vec::new())?;

    let wires = [(Wire::Grpc, "gRPC"), (Wire::Json, "JSON")];
    let mut rounds = [Vec::new(), Vec::new()];
    let mut notes = [Vec::new(), Vec::new()];
    room.quiet().await?;
    for round in 0..room.rounds {
        let meter = room.meter()?;
        let theirs = limit.run(CALLERS, room.span).await?;
        let their_cpu = meter.stop();
        for (index, (wire, name)) in wires.into_iter().enumerate() {
            let links = target.links(wire, CALLERS).await?;
            let meter = room.meter()?;
            let ours = drive::run(links, &target, Model::Closed(room.span), maker(wire, &names)).await?;
            let our_cpu = meter.stop();
            rounds[index].push((ours.rate(), theirs.rate));
            if round + 1 == room.rounds {
                notes[index].push(cpu_note(name, &our_cpu, ours.done));
                notes[index].push(cpu_note("pgbench", &their_cpu, theirs.done));
            }
        }
    }
    let mut figures = Vec::new();
    for ((_, name), (rounds, notes)) in wires.iter().zip(rounds.iter().zip(notes)) {
        let what = format!("get account by id, {name} through the gateway, c=32");
        let limit = "pgbench point select on the primary key, no row-level security, c=32";
        let figure = Figure::ratio("P3", what, "calls/s", limit, rounds, Goal::AtLeast(0.25)).stretch(0.3);
        figures.push(Figure { notes, ..figure });
    }
    Ok(figures)
}

/// Names of all accounts of a tenant.
pub async fn names(room: &Room, tenant: Uuid) -> Result<Arc<Vec<String>>> {
    let names: Vec<String> = sqlx::query_scalar("select 'accounts/' || id from account where tenant_id = $1")
        .bind(tenant)
        .fetch_all(&room.customers)
        .await?;
    ensure!(names.len() == room.rows, "{} accounts instead of {}", names.len(), room.rows);
    Ok(Arc::new(names))
}

/// Each call reads one of the names, picked at random.
pub fn maker(wire: Wire, names: &Arc<Vec<String>>) -> Maker {
    let names = names.clone();
    Arc::new(move |_| {
        let name = &names[rand::random_range(0..names.len())];
        match wire {
            Wire::Json => Call::get(format!("/v1/{name}")),
            Wire::Grpc => {
                let mut message = BytesMut::with_capacity(64);
                put_text(&mut message, 1, name);
                Call::grpc(METHOD, message)
            }
        }
    })
}

/// The columns the service reads too: all but the generated ones.
pub async fn columns(room: &Room) -> Result<String> {
    const COLUMNS: &str = "select string_agg(attname, ', ' order by attnum) from pg_attribute \
        where attrelid = 'account'::regclass and attnum > 1 and not attisdropped and attgenerated = ''";
    Ok(sqlx::query_scalar(AssertSqlSafe(COLUMNS)).fetch_one(&room.customers).await?)
}
