//! The seed's data, read from the files beside it.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

/// A resource as it is written: JSON names of the contract, references as `@kind/id`.
pub type Entry = Map<String, Value>;

/// Everything that is seeded, by kind.
#[derive(Debug)]
pub struct Data {
    pub members: Vec<Entry>,
    pub teams: Vec<Entry>,
    pub products: Vec<Entry>,
    pub pipelines: Vec<Entry>,
    pub accounts: Vec<Entry>,
    pub contacts: Vec<Entry>,
    pub opportunities: Vec<Entry>,
}

/// Reads the files that are compiled in.
pub fn read() -> Result<Data> {
    let company = table(include_str!("data/company.toml")).context("company.toml")?;
    let accounts = table(include_str!("data/accounts.toml")).context("accounts.toml")?;
    let contacts = table(include_str!("data/contacts.toml")).context("contacts.toml")?;
    let opportunities = table(include_str!("data/opportunities.toml")).context("opportunities.toml")?;
    Ok(Data {
        members: entries(&company, "members")?,
        teams: entries(&company, "teams")?,
        products: entries(&company, "products")?,
        pipelines: entries(&company, "pipelines")?,
        accounts: entries(&accounts, "accounts")?,
        contacts: entries(&contacts, "contacts")?,
        opportunities: entries(&opportunities, "opportunities")?,
    })
}

fn table(text: &str) -> Result<toml::Table> {
    Ok(text.parse()?)
}

fn entries(table: &toml::Table, kind: &str) -> Result<Vec<Entry>> {
    let list = table.get(kind).and_then(toml::Value::as_array).with_context(|| format!("no {kind}"))?;
    list.iter()
        .map(|entry| object(entry).with_context(|| format!("an entry of {kind} is no table")))
        .collect()
}

fn object(value: &toml::Value) -> Option<Entry> {
    match json(value) {
        Value::Object(entry) => Some(entry),
        _ => None,
    }
}

/// A day becomes a `google.type.Date`.
fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(truth) => (*truth).into(),
        toml::Value::Datetime(day) => day.date.map_or(
            Value::Null,
            |date| serde_json::json!({ "year": date.year, "month": date.month, "day": date.day }),
        ),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::Table(table) => table.iter().map(|(key, value)| (key.clone(), json(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use trato_types::{EmailAddress, PhoneNumber};

    use super::*;

    fn text<'a>(entry: &'a Entry, key: &str) -> &'a str {
        entry.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    #[test]
    fn the_company_is_of_the_size_it_should_be() {
        let data = read().expect("the data");

        let sizes =
            [&data.teams, &data.members, &data.products, &data.pipelines, &data.accounts, &data.contacts];
        assert_eq!(sizes.map(Vec::len), [2, 6, 5, 2, 25, 40]);
        assert_eq!(data.opportunities.len(), 60);
        let opened_again = data.opportunities.iter().filter(|entry| text(entry, "path").contains("> open "));
        assert!(opened_again.count() >= 3);
        assert!(data.accounts.iter().filter(|account| text(account, "form") == "DEPARTMENT").count() >= 5);
    }

    #[test]
    fn every_address_and_number_is_one_the_suite_takes() {
        let data = read().expect("the data");

        for entry in data.members.iter().chain(&data.accounts).chain(&data.contacts) {
            let (email, phone) = (text(entry, "emailAddress"), text(entry, "phoneNumber"));
            assert!(email.is_empty() || email.parse::<EmailAddress>().is_ok(), "{email}");
            assert!(phone.is_empty() || phone.parse::<PhoneNumber>().is_ok(), "{phone}");
            assert!(email.is_empty() || email.ends_with(".example"), "nobody is really there: {email}");
        }
    }

    #[test]
    fn identifiers_are_there_once() {
        let data = read().expect("the data");

        for kind in [&data.members, &data.accounts, &data.contacts, &data.opportunities] {
            let ids: BTreeSet<_> = kind.iter().map(|entry| text(entry, "id")).collect();
            assert_eq!(ids.len(), kind.len());
            assert!(!ids.contains(""));
        }
    }
}
