//! What is sold, and the stages a sale goes through.

use serde_json::{Value, json};

use crate::client::Stopped;

use super::{
    super::{
        export::{PIPELINE, PRODUCTS, ProductRow},
        money,
    },
    SOURCE,
    step::{Found, Item, Loader, batch_create, name_of, resource},
};

/// Products and the pipeline.
#[derive(Debug)]
pub struct Catalogue {
    /// Products by name.
    pub products: Found,
    /// Name of the pipeline; none where it was refused.
    pub pipeline: Option<Value>,
}

/// How many pipelines are made.
pub const PIPELINES: usize = 1;

/// Places the products and the pipeline every opportunity of an export walks.
pub async fn place(loader: &mut Loader, rows: &[ProductRow]) -> Result<Catalogue, Stopped> {
    let items = rows.iter().map(product).collect();
    let products =
        loader.place("products", batch_create("/v1/products:batchCreate", "product"), items).await?;
    let endpoint = batch_create("/v1/pipelines:batchCreate", "pipeline");
    let pipelines = loader.place("pipelines", endpoint, vec![pipeline()]).await?;
    Ok(Catalogue { products, pipeline: name_of(&pipelines, "standard") })
}

fn product(row: &ProductRow) -> Item {
    let body = resource([
        ("source", SOURCE.into()),
        ("externalId", row.name.clone().into()),
        ("displayName", row.name.clone().into()),
        ("series", row.series.clone().into()),
        ("kind", "GOOD".into()),
        ("listPrice", row.price.map(money::to_json).into()),
        ("sellable", true.into()),
    ]);
    Item { file: PRODUCTS, line: row.line, key: row.name.clone(), body: json!({ "product": body }) }
}

/// The stages an export knows as Prospecting and Engaging; Won and Lost are states, not stages.
fn pipeline() -> Item {
    let stage = |key: &str, name: &str, percent: i32| json!({ "key": key, "displayName": name, "probabilityPercent": percent });
    let body = json!({
        "source": SOURCE,
        "externalId": "standard",
        "displayName": "Standard",
        "stages": [stage("prospecting", "Prospecting", 20), stage("engaging", "Engaging", 60)],
    });
    Item { file: PIPELINE, line: 1, key: "standard".into(), body: json!({ "pipeline": body }) }
}
