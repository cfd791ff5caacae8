//! Accounts, parents before children.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::client::Stopped;

use super::{
    super::{
        export::{ACCOUNTS, AccountRow},
        mapping::{Field, Mapping},
        money,
        report::Unplaced,
    },
    SOURCE,
    step::{Found, Item, Loader, batch_create, name_of, resource},
};

/// Places accounts generation by generation, and answers them by name.
pub async fn place(loader: &mut Loader, rows: &[AccountRow]) -> Result<Found, Stopped> {
    let mut found = Found::new();
    let mut waiting: Vec<&AccountRow> = rows.iter().collect();
    while !waiting.is_empty() {
        let parent = |row: &AccountRow| loader.mapping.apply(Field::Account, &row.parent).map(str::to_owned);
        let is_waiting = |name: &str| waiting.iter().any(|row| row.name == name);
        let (later, now): (Vec<_>, Vec<_>) =
            waiting.iter().copied().partition(|row| parent(row).is_some_and(|name| is_waiting(&name)));
        if now.is_empty() {
            for row in later {
                loader.set_aside("accounts", unplaced(row, "belongs to itself, by way of its parents"));
            }
            break;
        }
        let mut items = Vec::new();
        for row in now {
            let parent = loader.mapping.apply(Field::Account, &row.parent).map(str::to_owned);
            let place = parent.as_ref().map(|parent| name_of(&found, parent));
            if place == Some(None) {
                let reason = format!("its parent `{}` found no place", parent.unwrap_or_default());
                loader.set_aside("accounts", unplaced(row, reason));
                continue;
            }
            match account(row, place.flatten(), &loader.mapping) {
                Some(item) => items.push(item),
                None => loader.set_aside("accounts", unplaced(row, "its revenue is out of range")),
            }
        }
        let endpoint = batch_create("/v1/accounts:batchCreate", "account");
        found.extend(loader.place("accounts", endpoint, items).await?);
        waiting = later;
    }
    Ok(found)
}

fn unplaced(row: &AccountRow, reason: impl Into<String>) -> Unplaced {
    Unplaced::new(ACCOUNTS, row.line, &row.name, reason)
}

fn account(row: &AccountRow, parent: Option<Value>, mapping: &Mapping) -> Option<Item> {
    let revenue: Option<Decimal> = match row.revenue {
        Some(amount) => Some(money::millions(amount)?),
        None => None,
    };
    let country = mapping.apply(Field::Country, &row.country);
    let body = resource([
        ("source", SOURCE.into()),
        ("externalId", row.name.clone().into()),
        ("displayName", row.name.clone().into()),
        ("form", "COMPANY".into()),
        ("parentAccount", parent.into()),
        ("sector", mapping.apply(Field::Sector, &row.sector).into()),
        ("address", country.map(|code| json!({ "countryCode": code })).into()),
        ("employeeCount", row.employees.into()),
        ("annualRevenue", revenue.map(money::to_json).into()),
        ("foundingYear", row.founding_year.into()),
    ]);
    Some(Item { file: ACCOUNTS, line: row.line, key: row.name.clone(), body: json!({ "account": body }) })
}
