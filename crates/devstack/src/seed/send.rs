//! Sends the seed: each kind after those it refers to.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    SOURCE,
    data::{Data, Entry},
    history, subject_of,
};
use crate::client::{Endpoint, Feed, Placed};

/// Currency of all amounts.
const CURRENCY: &str = "EUR";

/// First day of every tie between contact and account.
const LINKED_SINCE: (i32, u32, u32) = (2025, 9, 1);

/// Resources in one call.
const BATCH: usize = 50;

/// What was made of one kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sown {
    /// `accounts`.
    pub collection: &'static str,
    /// Made now.
    pub created: usize,
    /// There already.
    pub existing: usize,
}

/// Resources that were placed, by `kind/id`.
type Names = BTreeMap<String, Value>;

struct Sower {
    feed: Feed,
    names: Names,
    sown: Vec<Sown>,
}

/// Places all of it.
pub async fn everything(feed: Feed, mut data: Data, tenant: &str) -> Result<Vec<Sown>> {
    let mut sower = Sower { feed, names: Names::new(), sown: Vec::new() };
    for member in &mut data.members {
        if let Some(role) = member.remove("role") {
            member.insert("subject".into(), subject_of(role.as_str().unwrap_or_default(), tenant).into());
        }
        // Teams name their lead, so members have names before they are there.
        let (id, subject) = (text(member, "id"), text(member, "subject"));
        sower.names.insert(format!("member/{id}"), json!({ "name": format!("members/{subject}") }));
    }
    sower.place("teams", "team", data.teams).await?;
    sower.place("members", "member", data.members).await?;
    sower.place("products", "product", data.products).await?;
    sower.place("pipelines", "pipeline", data.pipelines).await?;
    for generation in generations(data.accounts) {
        sower.place("accounts", "account", generation).await?;
    }
    sower.place_contacts(data.contacts).await?;
    sower.place_opportunities(data.opportunities).await?;
    Ok(sower.sown)
}

impl Sower {
    /// Creates resources of one kind.
    async fn place(
        &mut self,
        collection: &'static str,
        noun: &'static str,
        entries: Vec<Entry>,
    ) -> Result<()> {
        let paths = [
            ("teams", "/v1/teams:batchCreate"),
            ("members", "/v1/members:batchCreate"),
            ("products", "/v1/products:batchCreate"),
            ("pipelines", "/v1/pipelines:batchCreate"),
            ("accounts", "/v1/accounts:batchCreate"),
            ("contacts", "/v1/contacts:batchCreate"),
        ];
        let path = paths.iter().find(|(name, _)| *name == collection).map_or("", |(_, path)| path);
        let mut items = Vec::new();
        for entry in entries {
            let id = text(&entry, "id").to_owned();
            items.push((id, json!({ noun: self.body(entry)? })));
        }
        self.send(collection, noun, Endpoint { path, list: "requests", noun }, items).await
    }

    async fn place_contacts(&mut self, entries: Vec<Entry>) -> Result<()> {
        let ties: Vec<(String, Value)> = entries
            .iter()
            .map(|entry| (format!("contact/{}", text(entry, "id")), entry["at"].clone()))
            .collect();
        self.place("contacts", "contact", entries).await?;
        for (contact, accounts) in ties {
            for (index, tie) in accounts.as_array().into_iter().flatten().enumerate() {
                self.link(&contact, tie.as_str().unwrap_or_default(), index == 0).await?;
            }
        }
        Ok(())
    }

    /// Ties a contact to an account, `miramar DECIDER`, unless it ever was.
    async fn link(&mut self, contact: &str, tie: &str, primary: bool) -> Result<()> {
        let (account, role) =
            tie.split_once(' ').with_context(|| format!("{contact}: `{tie}` has no role"))?;
        let account = self.name(&format!("account/{account}"))?;
        let known = &self.names[contact]["accountLinks"];
        if known.as_array().into_iter().flatten().any(|link| link["account"] == account) {
            return Ok(());
        }
        let name = self.name(contact)?;
        let (year, month, day) = LINKED_SINCE;
        let start_date = json!({ "year": year, "month": month, "day": day });
        let mut body =
            json!({ "account": account, "role": role, "primary": primary, "startDate": start_date });
        body["requestId"] = self.feed.request_id(&format!("{name} {body}")).into();
        let path = format!("/v1/{}:link", name.as_str().unwrap_or_default());
        match self.feed.call(Method::POST, &path, &[], Some(&body)).await? {
            Ok(_) => Ok(()),
            Err(failure) => bail!("{contact} cannot be tied to {tie}: {failure}"),
        }
    }

    async fn place_opportunities(&mut self, entries: Vec<Entry>) -> Result<()> {
        let mut items = Vec::new();
        for mut entry in entries {
            let id = text(&entry, "id").to_owned();
            let path = entry.remove("path").unwrap_or_default();
            let history = history::read(path.as_str().unwrap_or_default()).with_context(|| id.clone())?;
            let mut body = self.body(entry)?;
            body["stage"] = history.stage.into();
            body["state"] = history.state.into();
            if !history.lost_reason.is_empty() {
                body["lostReason"] = history.lost_reason.into();
            }
            if let Some(day) = history.closed {
                body["closeDate"] = history::civil(day);
            }
            items.push((id, json!({ "opportunity": body, "stageChanges": history.steps })));
        }
        let endpoint = Endpoint { path: "/v1/opportunities:import", list: "items", noun: "opportunity" };
        self.send("opportunities", "opportunity", endpoint, items).await
    }

    async fn send(
        &mut self,
        collection: &'static str,
        noun: &str,
        endpoint: Endpoint,
        items: Vec<(String, Value)>,
    ) -> Result<()> {
        let (ids, bodies): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        let (mut created, mut existing, mut refused) = (0, 0, Vec::new());
        let names = &mut self.names;
        let settle = |index: usize, placed: Placed| {
            let (count, resource) = match placed {
                Placed::Created(resource) => (&mut created, resource),
                Placed::Existing(resource) => (&mut existing, resource),
                Placed::Refused(failure) => return refused.push(format!("{noun} {}: {failure}", ids[index])),
            };
            *count += 1;
            names.insert(format!("{noun}/{}", ids[index]), resource);
        };
        self.feed.place(endpoint, bodies, BATCH, settle).await?;
        if !refused.is_empty() {
            bail!("refused: {}", refused.join("\n  "));
        }
        match self.sown.iter_mut().find(|sown| sown.collection == collection) {
            Some(sown) => (sown.created, sown.existing) = (sown.created + created, sown.existing + existing),
            None => self.sown.push(Sown { collection, created, existing }),
        }
        Ok(())
    }

    /// An entry as the contract takes it.
    fn body(&self, entry: Entry) -> Result<Value> {
        let mut body = json!({ "source": SOURCE });
        let mut address = json!({});
        for (key, value) in entry {
            match key.as_str() {
                "id" => body["externalId"] = value,
                "at" => {}
                "city" => address["locality"] = value,
                "country" => address["countryCode"] = value,
                "amount" | "listPrice" | "annualRevenue" => {
                    body[&key] = json!({ "currencyCode": CURRENCY, "units": value.to_string() });
                }
                _ => body[&key] = self.resolved(value)?,
            }
        }
        if address != json!({}) {
            body["address"] = address;
        }
        Ok(body)
    }

    /// Puts names where references stand.
    fn resolved(&self, value: Value) -> Result<Value> {
        match value {
            Value::String(text) => match text.strip_prefix('@') {
                Some(key) => self.name(key),
                None => Ok(text.into()),
            },
            Value::Array(items) => items.into_iter().map(|item| self.resolved(item)).collect(),
            other => Ok(other),
        }
    }

    fn name(&self, key: &str) -> Result<Value> {
        Ok(self.names.get(key).with_context(|| format!("there is no {key} before it is referred to"))?["name"].clone())
    }
}

fn text<'a>(entry: &'a Entry, key: &str) -> &'a str {
    entry.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Accounts in groups, each after the one that holds its parents.
fn generations(accounts: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut depths: BTreeMap<String, usize> = BTreeMap::new();
    let mut generations: Vec<Vec<Entry>> = Vec::new();
    for account in accounts {
        let parent = text(&account, "parentAccount").trim_start_matches("@account/");
        let depth = depths.get(parent).map_or(0, |depth| depth + 1);
        depths.insert(text(&account, "id").to_owned(), depth);
        if generations.len() == depth {
            generations.push(Vec::new());
        }
        generations[depth].push(account);
    }
    generations
}
