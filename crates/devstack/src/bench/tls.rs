//! TLS: what mutual TLS between the gateway and the services costs a call, with new certificates of an authority that is
//! made for it. The broker and the database are spoken to as before.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tokio::time::timeout;

use super::{
    client::{Target, Wire},
    contrast::{Contrast, halves},
    create,
    drive::{self, Model},
    figure::Figure,
    get, import,
    room::{CALLERS, Room},
};
use crate::{
    Tenant,
    certificates::{self, ADDRESS, AUTHORITY, Authority, CERTIFICATE, KEY},
    programs::{PROGRAMS, Program},
};

/// Longest time a service may take to refuse a caller that speaks plainly.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(15);

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    let readers = import::accounts(room).await?;
    let names = get::names(room, readers.id).await?;
    let authority = Authority::generate("bench")?;
    for program in &PROGRAMS {
        let folder = room.stack.home().tls(program.name);
        certificates::write(&folder, &authority.sign(&[ADDRESS])?, &authority.pem())?;
    }
    let measured = rounds(room, &readers, &names).await;
    // What comes next is measured without, whatever became of this.
    for program in &PROGRAMS {
        room.restart_as_made(program.name).await?;
    }
    measured
}

async fn rounds(room: &Room, readers: &Tenant, names: &Arc<Vec<String>>) -> Result<Vec<Figure>> {
    let read = get::maker(Wire::Json, names);
    let reading = room.gateway(readers)?;
    let (writers, writing) = room.tenant()?;
    let (mut reads, mut creates) = (Contrast::new("get account by id"), Contrast::new("create account"));
    for round in 0..room.rounds {
        for by_tls in halves(round) {
            // The gateway comes last, so that it finds the services as it shall call them.
            for program in &PROGRAMS {
                if by_tls {
                    room.restart(program.name, &variables(room, program)?).await?;
                } else {
                    room.restart_as_made(program.name).await?;
                }
            }
            let is_plain = takes_plain_calls(room, readers, names).await?;
            ensure!(is_plain != by_tls, "customers takes plain calls: {is_plain}, by TLS: {by_tls}");

            drive::warm_up(&reading, read.clone()).await?;
            drive::warm_up(&writing, create::maker()).await?;
            room.quiet().await?;
            let links = reading.links(Wire::Json, CALLERS).await?;
            let meter = room.meter()?;
            let load = drive::run(links, &reading, Model::Closed(room.span), read.clone()).await?;
            reads.add(by_tls, &load, meter.stop());

            room.quiet().await?;
            let meter = room.meter()?;
            let load = create::counted_round(room, &writers, &writing).await?;
            creates.add(by_tls, &load, meter.stop());
        }
    }
    let figures = [reads, creates].map(|contrast| contrast.figures("TLS", "mutual TLS", "plain connections"));
    Ok(figures.into_iter().flatten().collect())
}

/// What makes a program speak TLS, and call others so.
fn variables(room: &Room, program: &Program) -> Result<Vec<(&'static str, String)>> {
    let folder = room.stack.home().tls(program.name);
    let file = |name: &str| folder.join(name).display().to_string();
    let mut variables = vec![
        ("TRATO_TLS__CERTIFICATE", file(CERTIFICATE)),
        ("TRATO_TLS__KEY", file(KEY)),
        ("TRATO_TLS__AUTHORITY", file(AUTHORITY)),
    ];
    let facts = room.stack.facts();
    let mut upstreams = Vec::new();
    for package in program.calls {
        let serving = PROGRAMS.iter().find(|program| program.serves.contains(package));
        let serving = serving.with_context(|| format!("nobody serves {package}"))?;
        let url = facts.service(serving.name)?.grpc.replacen("http://", "https://", 1);
        upstreams.push(format!("\"{package}\" = \"{url}\""));
    }
    if !upstreams.is_empty() {
        variables.push(("TRATO_UPSTREAMS", format!("{{ {} }}", upstreams.join(", "))));
    }
    Ok(variables)
}

/// True when customers answers a caller that speaks plainly, so that no round measures anything but what it is called.
async fn takes_plain_calls(room: &Room, tenant: &Tenant, names: &Arc<Vec<String>>) -> Result<bool> {
    let direct = Target::new(&room.stack.facts().service("customers")?.grpc, &room.token(tenant)?)?;
    let call = get::maker(Wire::Grpc, names)(0);
    let asking = async {
        let mut links = direct.links(Wire::Grpc, 1).await?;
        let link = links.first_mut().context("a link was made")?;
        link.call(&direct, call).await
    };
    let answer = timeout(REFUSAL_PATIENCE, asking).await;
    Ok(answer.context("a plain call is neither answered nor refused")?.is_ok())
}
