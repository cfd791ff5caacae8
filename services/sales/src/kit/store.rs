//! How what is in kits is found in the catalogue: by one statement, whatever the number of kits, and one for what their parts are
//! called.

use std::collections::{HashMap, HashSet};

use rust_decimal::Decimal;
use trato_platform::db::{Tx, from_sqlx};
use trato_pricing::Quantity;
use trato_types::{Error, Id, Result};
use uuid::Uuid;

use super::model::{Called, Kits};
use crate::product::{Component, Link, Product, Within};

/// Most links that are read for a document. Of kits that have more together none is listed.
const MAX_LINKS: usize = 20_000;

/// What is in those of these products that are kits, as the catalogue has it now; asks nothing where there is no product. Deleted
/// ones are told of, too: they were sold before.
pub async fn find(tx: &mut Tx, products: Vec<Id<Product>>) -> Result<Kits> {
    let mut known = HashSet::new();
    let products: Vec<Uuid> =
        products.into_iter().map(Id::uuid).filter(|product| known.insert(*product)).collect();
    if products.is_empty() {
        return Ok(Kits::default());
    }
    let found = read(tx, &products).await?;
    let kits: Vec<Uuid> = products.into_iter().filter(|product| found.kits.contains(product)).collect();
    if found.links.len() > MAX_LINKS {
        return Ok(Kits::too_large(&kits));
    }
    if kits.is_empty() {
        return Ok(Kits::default());
    }
    let within = Within::of(&found.links);
    let called = read_called(tx, within.parts().into_iter().collect()).await?;
    // Thousands of links are followed for longer than others should wait for this thread.
    let opened = tokio::task::spawn_blocking(move || Kits::of(&kits, &within, &called));
    opened.await.map_err(Error::internal)
}

/// What the statement answers.
#[derive(Default)]
struct Found {
    kits: HashSet<Uuid>,
    links: Vec<Link>,
}

async fn read(tx: &mut Tx, products: &[Uuid]) -> Result<Found> {
    let tenant = tx.cx().tenant;
    let one_more = i64::try_from(MAX_LINKS).unwrap_or(i64::MAX).saturating_add(1);
    let rows: Vec<(Uuid, Option<Uuid>, Option<Decimal>)> =
        sqlx::query_as(include_str!("../../sql/find_kits.sql"))
            .bind(tenant)
            .bind(products)
            .bind(one_more)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
    let mut found = Found::default();
    for (bundle, product, factor) in rows {
        match product.zip(factor) {
            Some((product, factor)) => {
                let factor = Quantity::try_from(factor).map_err(Error::internal)?;
                found.links.push(Link { bundle, component: Component { product, factor } });
            }
            None => {
                found.kits.insert(bundle);
            }
        }
    }
    Ok(found)
}

/// What these parts are called, deleted ones too.
async fn read_called(tx: &mut Tx, parts: Vec<Uuid>) -> Result<HashMap<Uuid, Called>> {
    let tenant = tx.cx().tenant;
    let rows: Vec<(Uuid, String, String)> = sqlx::query_as(
        "select id, display_name, unit_code from product where tenant_id = $1 and id = any($2::uuid[])",
    )
    .bind(tenant)
    .bind(parts)
    .fetch_all(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let called = |(id, description, unit_code)| (id, Called { description, unit_code });
    Ok(rows.into_iter().map(called).collect())
}
