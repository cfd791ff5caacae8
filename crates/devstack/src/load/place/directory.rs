//! Sellers, their managers and teams.
//!
//! An export knows people by name only and says nothing of teams, so everybody who has one manager in one office makes a
//! team, which the manager leads and belongs to: the scope TEAM then reaches what its members own.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use crate::client::Stopped;

use super::{
    super::{
        export::{AgentRow, TEAMS},
        subject::subjects,
    },
    SOURCE,
    step::{Found, Item, Loader, batch_create, name_of, resource},
};

/// Who sells, and in which team.
#[derive(Debug, Default)]
pub struct People {
    /// Member of each agent, `members/{subject}`.
    pub members: HashMap<String, String>,
    /// Team of each agent that has one; null where it found no place.
    pub teams: HashMap<String, Value>,
}

struct Team<'a> {
    manager: &'a str,
    region: &'a str,
    line: u64,
}

/// What a member is made of.
#[derive(Default)]
struct Member<'a> {
    line: u64,
    manager: &'a str,
    teams: BTreeSet<String>,
}

/// How many members and teams the rows make.
pub fn size(rows: &[AgentRow]) -> usize {
    members(rows).len() + teams(rows).len()
}

/// Places teams, managers and agents.
pub async fn place(loader: &mut Loader, rows: &[AgentRow]) -> Result<People, Stopped> {
    let (teams, members) = (teams(rows), members(rows));
    let subjects = subjects(rows.iter().flat_map(|row| [row.name.as_str(), row.manager.as_str()]));

    let items = teams.iter().map(|(key, team)| team_item(key, team, &teams, &subjects)).collect();
    let placed = loader.place("teams", batch_create("/v1/teams:batchCreate", "team"), items).await?;
    let items = members.iter().map(|(name, member)| member_item(name, member, &placed, &subjects)).collect();
    // A member may be there from another source; its subject is what others refer to, so that does not matter here.
    loader.place("members", batch_create("/v1/members:batchCreate", "member"), items).await?;

    let mut people = People::default();
    for row in rows {
        people.members.insert(row.name.clone(), member_name(&subjects, &row.name));
        if let Some(key) = team_key(row) {
            people.teams.insert(row.name.clone(), name_of(&placed, &key).unwrap_or_default());
        }
    }
    Ok(people)
}

fn team_key(row: &AgentRow) -> Option<String> {
    (!row.manager.is_empty()).then(|| format!("{}, {}", row.manager, row.region))
}

fn teams(rows: &[AgentRow]) -> BTreeMap<String, Team<'_>> {
    let mut teams = BTreeMap::new();
    for row in rows {
        let team = Team { manager: &row.manager, region: &row.region, line: row.line };
        if let Some(key) = team_key(row) {
            teams.entry(key).or_insert(team);
        }
    }
    teams
}

fn members(rows: &[AgentRow]) -> BTreeMap<&str, Member<'_>> {
    let mut members: BTreeMap<&str, Member<'_>> = BTreeMap::new();
    for row in rows {
        let Some(key) = team_key(row) else {
            members.entry(&row.name).or_default().line = row.line;
            continue;
        };
        let lead = members.entry(&row.manager).or_default();
        lead.line = if lead.line == 0 { row.line } else { lead.line };
        lead.teams.insert(key.clone());
        let agent = members.entry(&row.name).or_default();
        (agent.line, agent.manager) = (row.line, &row.manager);
        agent.teams.insert(key);
    }
    members
}

fn member_name(subjects: &BTreeMap<String, String>, name: &str) -> String {
    format!("members/{}", subjects[name])
}

fn team_item(
    key: &str,
    team: &Team<'_>,
    teams: &BTreeMap<String, Team<'_>>,
    subjects: &BTreeMap<String, String>,
) -> Item {
    let leads_several = teams.values().filter(|other| other.manager == team.manager).count() > 1;
    let office = if leads_several { format!(" ({})", team.region) } else { String::new() };
    let body = resource([
        ("source", SOURCE.into()),
        ("externalId", key.into()),
        ("displayName", format!("{}'s team{office}", team.manager).into()),
        ("region", team.region.into()),
        ("lead", member_name(subjects, team.manager).into()),
    ]);
    Item { file: TEAMS, line: team.line, key: key.to_owned(), body: json!({ "team": body }) }
}

fn member_item(name: &str, member: &Member<'_>, teams: &Found, subjects: &BTreeMap<String, String>) -> Item {
    let manager = Some(member.manager).filter(|manager| !manager.is_empty() && *manager != name);
    let teams: Vec<Value> = member.teams.iter().filter_map(|key| name_of(teams, key)).collect();
    let body = resource([
        ("source", SOURCE.into()),
        ("externalId", name.into()),
        ("subject", subjects[name].clone().into()),
        ("displayName", name.into()),
        ("manager", manager.map(|manager| member_name(subjects, manager)).into()),
        ("teams", teams.into()),
    ]);
    Item { file: TEAMS, line: member.line, key: name.to_owned(), body: json!({ "member": body }) }
}
