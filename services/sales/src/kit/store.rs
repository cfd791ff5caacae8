//! How what is in kits is found in the catalogue: by one statement, whatever the number of kits.

use std::collections::{HashMap, HashSet};

use rust_decimal::Decimal;
use sqlx::{Row as _, postgres::PgRow};
use trato_platform::db::{Tx, from_sqlx};
use trato_pricing::Quantity;
use trato_types::{Error, Id, Result};
use uuid::Uuid;

use super::model::{Called, Kits};
use crate::product::{Component, Link, Product};

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
    // Thousands of links are followed for longer than others should wait for this thread.
    let opened = tokio::task::spawn_blocking(move || Kits::of(&kits, &found.links, &found.called));
    opened.await.map_err(Error::internal)
}

/// What the statement answers.
#[derive(Default)]
struct Found {
    kits: HashSet<Uuid>,
    links: Vec<Link>,
    called: HashMap<Uuid, Called>,
}

async fn read(tx: &mut Tx, products: &[Uuid]) -> Result<Found> {
    let tenant = tx.cx().tenant;
    let one_more = i64::try_from(MAX_LINKS).unwrap_or(i64::MAX).saturating_add(1);
    let rows = sqlx::query(include_str!("../../sql/find_kits.sql"))
        .bind(tenant)
        .bind(products)
        .bind(one_more)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let mut found = Found::default();
    for row in &rows {
        let bundle: Uuid = row.try_get(0).map_err(from_sqlx)?;
        let Some(product) = row.try_get::<Option<Uuid>, _>(1).map_err(from_sqlx)? else {
            found.kits.insert(bundle);
            continue;
        };
        found.links.push(Link { bundle, component: Component { product, factor: factor(row)? } });
        found.called.insert(
            product,
            Called {
                description: row.try_get(3).map_err(from_sqlx)?,
                unit_code: row.try_get(4).map_err(from_sqlx)?,
            },
        );
    }
    Ok(found)
}

fn factor(row: &PgRow) -> Result<Quantity> {
    let factor: Decimal = row.try_get(2).map_err(from_sqlx)?;
    Quantity::try_from(factor).map_err(Error::internal)
}
