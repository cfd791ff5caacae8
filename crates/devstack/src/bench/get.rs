//! P3: reading an account by a random id out of all, against pgbench's select on the primary key.

use std::sync::Arc;

use anyhow::{Result, ensure};
use bytes::BytesMut;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{
    client::{Call, Wire, put_text},
    drive::Maker,
    figure::{Figure, Goal},
    import,
    pgbench::Script,
    room::Room,
    versus::{self, Side},
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

    let mut sides = versus::sides();
    room.quiet().await?;
    for _ in 0..room.rounds {
        versus::round(room, &limit, &target, &mut sides, |wire| maker(wire, &names)).await?;
    }
    let figure = |side: Side| {
        let what = format!("get account by id, {} through the gateway, c=32", side.name);
        let limit = "pgbench point select on the primary key, no row-level security, c=32";
        side.figure("P3", what, limit, Goal::AtLeast(0.25)).stretch(0.3)
    };
    Ok(sides.map(figure).into())
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
