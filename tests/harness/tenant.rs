//! A tenant of a test's own, with members, teams and tokens. Nothing any other test does can be seen in it.

use serde_json::{Value, json};
use tonic::transport::Channel;
use trato_devstack::{Facts, Grant, Minter};
use uuid::Uuid;

use super::{
    caller::Caller,
    client::{Http, channel},
    eventually::{SOON, eventually},
    stack,
    values::{list, name},
};

/// A tenant nobody else uses.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Identifier of its rows.
    pub id: Uuid,
    /// Value of the tenant claim in its tokens.
    pub claim: String,
    facts: Facts,
    minter: Minter,
    http: Http,
    channel: Channel,
}

impl Tenant {
    /// A new tenant on the stack all tests share.
    pub fn fresh() -> Self {
        Self::fresh_on(stack::shared())
    }

    /// A new tenant on this stack.
    pub fn fresh_on(facts: &Facts) -> Self {
        let tenant = trato_devstack::Tenant::fresh();
        let gateway = facts.gateway_url().expect("the stack has a gateway");
        Self {
            id: tenant.id,
            claim: tenant.claim,
            minter: facts.minter().expect("the issuer's key can be read"),
            http: Http::new(gateway, None),
            channel: channel(gateway),
            facts: facts.clone(),
        }
    }

    /// The same tenant, called through another process of the gateway.
    #[must_use]
    pub fn through(&self, gateway: &str) -> Self {
        Self { http: Http::new(gateway, None), channel: channel(gateway), ..self.clone() }
    }

    /// The stack it is on.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Mints tokens, proper ones and others.
    pub fn minter(&self) -> &Minter {
        &self.minter
    }

    /// What a token of the member `subject` with these roles says.
    pub fn grant(&self, subject: &str, roles: &[&str]) -> Grant {
        let mut grant = Grant::new(&self.claim, "").subject(subject);
        grant.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        grant
    }

    /// A caller with these roles; the directory need not know it.
    pub fn caller(&self, subject: &str, roles: &[&str]) -> Caller {
        let token = self.minter.mint(&self.grant(subject, roles)).expect("a token can be minted");
        Caller::new(subject, &token, &self.http, &self.channel)
    }

    /// Somebody who may do everything in customers and sales.
    pub fn director(&self) -> Caller {
        self.caller("director", &["commercial-director"])
    }

    /// Somebody who keeps the directory.
    pub fn administrator(&self) -> Caller {
        self.caller("administrator", &["administrator"])
    }

    /// A caller without any role, whose token is good nevertheless.
    pub fn stranger(&self) -> Caller {
        self.caller("stranger", &[])
    }

    /// Nobody: no token at all.
    pub fn anonymous(&self) -> Http {
        self.http.clone()
    }

    /// The connection for gRPC.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Records a team and answers its name.
    pub async fn team(&self, display_name: &str, region: &str) -> String {
        let team = json!({ "displayName": display_name, "region": region });
        name(&self.administrator().post("/v1/teams", team).await.ok())
    }

    /// Records a member of these teams, waits until every service knows it, and answers a caller with this role.
    pub async fn member(&self, subject: &str, role: &str, teams: &[&str]) -> Caller {
        let member = json!({ "subject": subject, "displayName": title(subject), "teams": teams });
        self.administrator().post("/v1/members", member).await.ok();
        let caller = self.caller(subject, &[role]);
        self.knows_teams(&caller, teams).await;
        caller
    }

    /// Puts a member into other teams, and waits until every service knows it.
    pub async fn move_member(&self, caller: &Caller, teams: &[&str]) {
        let path = format!("/v1/{}?updateMask=teams", caller.name());
        self.administrator().patch(&path, json!({ "teams": teams })).await.ok();
        self.knows_teams(caller, teams).await;
    }

    /// Waits until the scope of `caller` reaches exactly these teams in every service.
    async fn knows_teams(&self, caller: &Caller, teams: &[&str]) {
        let mut wanted: Vec<Value> = teams.iter().map(|team| json!(team)).collect();
        wanted.sort_by_key(Value::to_string);
        let known = || async {
            let mut teams = list(&caller.get("/v1/caller").await.ok(), "teams").to_vec();
            teams.sort_by_key(Value::to_string);
            teams
        };
        eventually(SOON, "customers to know the teams", known, |teams| *teams == wanted).await;
        let projected = || super::database::teams_of(&self.facts, "sales", self.id, caller.subject());
        let mut wanted: Vec<String> = teams.iter().map(|team| (*team).to_owned()).collect();
        wanted.sort();
        eventually(SOON, "sales to know the teams", projected, |teams| *teams == wanted).await;
    }
}

/// `ana-maria` is called `Ana Maria`.
fn title(subject: &str) -> String {
    let words = subject.split(['-', '.']).map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    });
    words.collect::<Vec<_>>().join(" ")
}
