//! Opportunities with the way they went.

use chrono::{Datelike as _, NaiveDate};
use serde_json::{Value, json};

use crate::client::{Endpoint, Stopped};

use super::{
    super::{
        export::{OpportunityRow, PIPELINE},
        mapping::{Field, Mapping},
        money,
        report::Unplaced,
    },
    SOURCE,
    catalogue::Catalogue,
    directory::People,
    step::{Found, Item, Loader, name_of, resource},
};

/// What was placed before and opportunities refer to.
#[derive(Debug)]
pub struct Known {
    /// Sellers and teams.
    pub people: People,
    /// Products and the pipeline.
    pub catalogue: Catalogue,
    /// Accounts by name.
    pub accounts: Found,
}

const IMPORT: Endpoint = Endpoint { path: "/v1/opportunities:import", list: "items", noun: "opportunity" };

/// Imports every opportunity whose references have a place.
pub async fn place(loader: &mut Loader, rows: &[OpportunityRow], known: &Known) -> Result<(), Stopped> {
    let mut items = Vec::new();
    for row in rows {
        match opportunity(row, known, &loader.mapping) {
            Ok(body) => items.push(Item { file: PIPELINE, line: row.line, key: row.id.clone(), body }),
            Err(reason) => {
                loader.set_aside("opportunities", Unplaced::new(PIPELINE, row.line, &row.id, reason));
            }
        }
    }
    loader.place("opportunities", IMPORT, items).await.map(drop)
}

fn opportunity(row: &OpportunityRow, known: &Known, mapping: &Mapping) -> Result<Value, String> {
    let pipeline = known.catalogue.pipeline.clone().ok_or("its pipeline found no place")?;
    let product = mapping.apply(Field::Product, &row.product);
    let account = mapping.apply(Field::Account, &row.account);
    let agent = mapping.apply(Field::Agent, &row.agent).ok_or("has no agent")?;
    let owner = known.people.members.get(agent).ok_or_else(|| format!("its agent `{agent}` is not known"))?;
    let team = known.people.teams.get(agent);
    if team.is_some_and(Value::is_null) {
        return Err(format!("the team of its agent `{agent}` found no place"));
    }
    let steps = steps(row, mapping)?;
    let last = steps.last().ok_or("has no stage")?;
    let body = resource([
        ("source", SOURCE.into()),
        ("externalId", row.id.clone().into()),
        ("displayName", display_name(row, product, account).into()),
        ("owner", owner.clone().into()),
        ("team", team.cloned().into()),
        ("pipeline", pipeline),
        ("product", reference(product, &known.catalogue.products, "product")?),
        ("account", reference(account, &known.accounts, "account")?),
        ("stage", last["stage"].clone()),
        ("state", last["state"].clone()),
        ("lostReason", if last["state"] == "LOST" { "NOT_RECORDED".into() } else { Value::Null }),
        ("amount", amount(row, last).into()),
        ("closeDate", row.close_date.map(civil).into()),
    ]);
    Ok(json!({ "opportunity": body, "stageChanges": steps }))
}

fn display_name(row: &OpportunityRow, product: Option<&str>, account: Option<&str>) -> String {
    match (product, account) {
        (Some(product), Some(account)) => format!("{product} for {account}"),
        (Some(name), None) | (None, Some(name)) => format!("{name} ({})", row.id),
        (None, None) => row.id.clone(),
    }
}

fn reference(key: Option<&str>, found: &Found, noun: &str) -> Result<Value, String> {
    let Some(key) = key else { return Ok(Value::Null) };
    name_of(found, key).ok_or_else(|| format!("its {noun} `{key}` found no place"))
}

/// The steps an export knows of, each with its date where it has one.
fn steps(row: &OpportunityRow, mapping: &Mapping) -> Result<Vec<Value>, String> {
    let step = |stage: &str, state: &str, date: Option<NaiveDate>| {
        let mut step = resource([
            ("stage", stage.into()),
            ("state", state.into()),
            ("eventTime", date.map(|date| format!("{date}T00:00:00Z")).into()),
        ]);
        if let Some(amount) = amount(row, &step) {
            step["amount"] = amount;
        }
        step
    };
    let engaged = step("engaging", "OPEN", row.engage_date);
    match mapping.apply(Field::Stage, &row.stage).unwrap_or_default() {
        "Prospecting" => Ok(vec![step("prospecting", "OPEN", None)]),
        "Engaging" => Ok(vec![engaged]),
        "Won" => Ok(vec![engaged, step("engaging", "WON", row.close_date)]),
        "Lost" => Ok(vec![engaged, step("engaging", "LOST", row.close_date)]),
        "" => Err("has no deal_stage".to_owned()),
        other => Err(format!("its stage `{other}` is not known")),
    }
}

/// The value of a closed row is what it closed with, so earlier steps have none; a lost row writes 0 for none.
fn amount(row: &OpportunityRow, step: &Value) -> Option<Value> {
    let closed = row.close_date.is_some();
    let value = row.close_value.filter(|value| step["state"] == "WON" || !value.is_zero());
    value.filter(|_| step["state"] != "OPEN" || !closed).map(money::to_json)
}

fn civil(date: NaiveDate) -> Value {
    json!({ "year": date.year(), "month": date.month(), "day": date.day() })
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    fn row(stage: &str, engaged: &str, closed: &str, value: &str) -> OpportunityRow {
        OpportunityRow {
            line: 2,
            id: "1C1I7A6R".into(),
            agent: "Ana".into(),
            product: "Nova".into(),
            account: if stage == "Won" { "Alfa".into() } else { String::new() },
            stage: stage.into(),
            engage_date: engaged.parse().ok(),
            close_date: closed.parse().ok(),
            close_value: value.parse::<Decimal>().ok(),
        }
    }

    fn known() -> Known {
        let found = |key: &str, name: &str| Found::from([(key.to_owned(), json!({ "name": name }))]);
        let people = People {
            members: [("Ana".to_owned(), "members/ana".to_owned())].into(),
            teams: [("Ana".to_owned(), "teams/1".into())].into(),
        };
        let catalogue =
            Catalogue { products: found("Nova", "products/1"), pipeline: Some("pipelines/1".into()) };
        Known { people, catalogue, accounts: found("Alfa", "accounts/1") }
    }

    #[test]
    fn a_won_row_has_two_dated_steps_and_its_amount() {
        let item =
            opportunity(&row("Won", "2016-10-20", "2017-03-01", "1054"), &known(), &Mapping::default());

        let amount = json!({ "currencyCode": "USD", "units": "1054", "nanos": 0 });
        assert_eq!(
            item.expect("an item"),
            json!({
                "opportunity": {
                    "source": "crm-export", "externalId": "1C1I7A6R", "displayName": "Nova for Alfa",
                    "owner": "members/ana", "team": "teams/1", "pipeline": "pipelines/1", "product": "products/1",
                    "account": "accounts/1", "stage": "engaging", "state": "WON", "amount": amount,
                    "closeDate": { "year": 2017, "month": 3, "day": 1 },
                },
                "stageChanges": [
                    { "stage": "engaging", "state": "OPEN", "eventTime": "2016-10-20T00:00:00Z" },
                    { "stage": "engaging", "state": "WON", "eventTime": "2017-03-01T00:00:00Z", "amount": amount },
                ],
            })
        );
    }

    #[test]
    fn a_lost_row_has_no_amount_and_the_reason_that_none_was_recorded() {
        let item = opportunity(&row("Lost", "2016-10-20", "2017-03-01", "0"), &known(), &Mapping::default());

        let opportunity = &item.expect("an item")["opportunity"];
        assert_eq!(opportunity["lostReason"], "NOT_RECORDED");
        assert!(opportunity["amount"].is_null());
        assert_eq!(opportunity["displayName"], "Nova (1C1I7A6R)");
    }

    #[test]
    fn a_row_without_any_date_has_one_step_without_date() {
        let item =
            opportunity(&row("Prospecting", "", "", ""), &known(), &Mapping::default()).expect("an item");

        assert_eq!(item["stageChanges"], json!([{ "stage": "prospecting", "state": "OPEN" }]));
        assert!(item["opportunity"]["closeDate"].is_null());
    }

    #[test]
    fn a_row_whose_references_have_no_place_says_which() {
        let mut known = known();
        known.accounts.clear();
        let won = row("Won", "2016-10-20", "2017-03-01", "1054");
        assert_eq!(
            opportunity(&won, &known, &Mapping::default()),
            Err("its account `Alfa` found no place".to_owned())
        );

        known.people.teams.insert("Ana".into(), Value::Null);
        assert!(opportunity(&won, &known, &Mapping::default()).is_err_and(|reason| reason.contains("team")));
    }
}
