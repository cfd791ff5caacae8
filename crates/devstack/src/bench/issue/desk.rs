//! Where invoices are made out: a tenant with everything that its invoices name.

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tenant,
    bench::{
        client::{Call, Target, Wire},
        room::Room,
    },
    trade,
};

/// Our side among the series of a desk.
pub const OURS: usize = 0;
/// That of the limit.
pub const LIMIT: usize = 1;
/// Prefixes of their numbers.
pub const PREFIXES: [&str; 2] = ["F", "G"];
/// Drafts of one call, the most the contract allows.
const BATCH: usize = 1_000;
/// Desks at which something is made at once.
const AT_ONCE: usize = 4;

/// One tenant's.
pub struct Desk {
    /// Whose it is.
    pub tenant: Tenant,
    /// The gateway, as its administrator.
    pub target: Target,
    /// Names of the gap-free series of both sides.
    pub series: [String; 2],
    /// Who issues.
    pub legal_entity: String,
    /// Who pays.
    pub account: String,
    /// The tax of every line.
    pub tax_code: String,
    invoice: Value,
}

/// Opens so many desks.
pub async fn open(room: &Room, count: usize) -> Result<Vec<Desk>> {
    let mut desks = Vec::new();
    while desks.len() < count {
        let some = AT_ONCE.min(count - desks.len());
        desks.extend(try_join_all((0..some).map(|_| Desk::open(room))).await?);
    }
    Ok(desks)
}

/// Records at least so many drafts, as many at each desk; they come in turn, each with the number of its desk.
pub async fn record(desks: &[Desk], count: usize) -> Result<Vec<(usize, String)>> {
    let each = count.div_ceil(desks.len());
    let mut drafts = Vec::new();
    for some in desks.chunks(AT_ONCE) {
        drafts.extend(try_join_all(some.iter().map(|desk| desk.record(each))).await?);
    }
    Ok(in_turn(drafts))
}

/// The first of each list, then the second of each.
fn in_turn(lists: Vec<Vec<String>>) -> Vec<(usize, String)> {
    let mut placed: Vec<(usize, usize, String)> = Vec::new();
    for (desk, list) in lists.into_iter().enumerate() {
        placed.extend(list.into_iter().enumerate().map(|(turn, draft)| (turn, desk, draft)));
    }
    placed.sort_by_key(|(turn, desk, _)| (*turn, *desk));
    placed.into_iter().map(|(_, desk, draft)| (desk, draft)).collect()
}

/// The identifier in a resource name.
pub fn id_of(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// Makes one call, on a connection of its own, and answers its JSON.
pub async fn call(target: &Target, call: Call) -> Result<Value> {
    let mut links = target.links(Wire::Json, 1).await?;
    let link = links.first_mut().context("one connection")?;
    Ok(serde_json::from_slice(&link.call(target, call).await?)?)
}

impl Desk {
    /// Makes everything that invoices name, in a tenant nobody has used yet.
    async fn open(room: &Room) -> Result<Self> {
        let (tenant, target) = room.tenant()?;
        let make = async |collection: &str, body: Value| -> Result<String> {
            let answer = call(&target, Call::post(format!("/v1/{collection}"), &body)).await?;
            Ok(answer["name"].as_str().context("a resource has a name")?.to_owned())
        };
        let account = make("accounts", json!({ "displayName": "Hotel Miramar" })).await?;
        let legal_entity = make("legalEntities", trade::legal_entity("EUR")).await?;
        let tax_code = make("taxCodes", trade::standard_rate("ES21")).await?;
        let mut series = Vec::new();
        for prefix in PREFIXES {
            let numbers = trade::billing_numbers(&legal_entity, "INVOICE", prefix);
            series.push(make("numberSeries", numbers).await?);
        }
        let invoice = json!({
            "account": account, "legalEntity": legal_entity, "currencyCode": "EUR",
            "billTo": { "displayName": "Hotel Miramar" },
            "lines": (1..=3).map(|line| json!({
                "key": line.to_string(), "description": "Coffee machine", "quantity": "2", "unitPrice": "1250.5",
                "taxCodes": [tax_code],
            })).collect::<Vec<_>>(),
        });
        let series = series.try_into().ok().context("two series")?;
        Ok(Self { tenant, target, series, legal_entity, account, tax_code, invoice })
    }

    /// Records drafts and answers their names.
    pub async fn record(&self, count: usize) -> Result<Vec<String>> {
        let mut names = Vec::new();
        while names.len() < count {
            names.extend(self.record_batch(BATCH.min(count - names.len())).await?);
        }
        Ok(names)
    }

    async fn record_batch(&self, count: usize) -> Result<Vec<String>> {
        let items = vec![json!({ "invoice": self.invoice }); count];
        let answer =
            call(&self.target, Call::post("/v1/invoices:batchCreate", &json!({ "requests": items }))).await?;
        let results = answer["results"].as_array().context("a batch answers results")?;
        let name = |result: &Value| result["invoice"]["name"].as_str().map(str::to_owned);
        results.iter().map(|result| name(result).with_context(|| format!("refused: {result}"))).collect()
    }

    /// Issues a draft in the series of one side, under a request id of its own.
    pub fn issuing(&self, draft: &str, side: usize) -> Call {
        let body = json!({ "numberSeries": self.series[side], "requestId": Uuid::new_v4() });
        Call::post(format!("/v1/{draft}:issue"), &body).by(&self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn desks_take_turns() {
        let lists = [["a1", "a2"], ["b1", "b2"]].map(|list| list.map(str::to_owned).to_vec());

        let turns = in_turn(lists.to_vec());

        let expected = [(0, "a1"), (1, "b1"), (0, "a2"), (1, "b2")];
        assert_eq!(turns, expected.map(|(desk, draft)| (desk, draft.to_owned())));
    }
}
