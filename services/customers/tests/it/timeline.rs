//! Timelines and customers made by won opportunities: what arrives from sales, and who sees it.

use prost_types::Any;
use tonic::{Code, Response, Status};
use trato_platform::{events::Event, testing::TestCaller};
use trato_proto::{
    customers::v1::{
        Account, GetAccountRequest, ListTimelineEntriesRequest, ListTimelineEntriesResponse, TimelineEntry,
        account::Kind,
    },
    directory::v1::{CreateMemberRequest, Member},
    events::v1::Change,
    google::value::Money,
    sales::v1::{Opportunity, OpportunityMoved, OpportunityWon},
};
use trato_types::Timestamp;
use uuid::Uuid;

use crate::harness::{Customers, field, refusal, violations};

fn any<M: prost::Name>(message: &M) -> Any {
    Any { type_url: M::type_url(), value: message.encode_to_vec() }
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000 + seconds, 0).expect("an instant")
}

/// An opportunity of sales and the events of its life so far.
struct Sale {
    tenant: Uuid,
    opportunity: Opportunity,
    owner: Option<String>,
    team: Option<Uuid>,
    revision: i64,
}

impl Sale {
    fn new(customers: &Customers, account: &str, contact: &str) -> Self {
        let opportunity = Opportunity {
            name: format!("opportunities/{}", Uuid::now_v7()),
            display_name: "Fleet renewal".into(),
            account: account.into(),
            contact: contact.into(),
            amount: Some(Money { currency_code: "USD".into(), units: 1200, nanos: 0 }),
            ..Default::default()
        };
        Self { tenant: customers.admin.tenant, opportunity, owner: None, team: None, revision: 0 }
    }

    /// The event of its next revision.
    fn event(&mut self, verb: &str, facts: Vec<Any>) -> Event {
        self.revision += 1;
        Event {
            id: Uuid::now_v7(),
            tenant: self.tenant,
            kind: format!("trato.sales.v1.opportunity.{verb}"),
            subject: self.opportunity.name.clone(),
            revision: self.revision,
            position: self.revision,
            event_time: time(self.revision),
            create_time: time(1_000_000 + self.revision),
            actor: "members/seller".into(),
            cause: None,
            traceparent: None,
            owner: self.owner.clone(),
            team: self.team,
            change: Change { resource: Some(any(&self.opportunity)), changed_mask: None, facts },
        }
    }

    fn won(&mut self) -> Event {
        let fact = OpportunityWon { account: self.opportunity.account.clone(), ..Default::default() };
        self.event("won", vec![any(&fact)])
    }
}

impl Customers {
    async fn entries(
        &self,
        caller: &TestCaller,
        request: ListTimelineEntriesRequest,
    ) -> Result<ListTimelineEntriesResponse, Status> {
        self.timelines().list_timeline_entries(caller.request(request)).await.map(Response::into_inner)
    }

    async fn timeline(&self, parent: &str) -> Vec<TimelineEntry> {
        let request = ListTimelineEntriesRequest { parent: parent.into(), ..Default::default() };
        self.entries(&self.admin, request).await.expect("a page").timeline_entries
    }

    async fn summaries(&self, parent: &str) -> Vec<String> {
        self.timeline(parent).await.into_iter().map(|entry| entry.summary).collect()
    }

    async fn read_account(&self, name: &str) -> Account {
        let request = GetAccountRequest { name: name.into() };
        self.accounts().get_account(self.admin.request(request)).await.expect("it is there").into_inner()
    }

    /// Reasons of the events that are parked.
    async fn parked(&self) -> Vec<(String, String)> {
        let mut tx = self.service.transaction(self.admin.tenant).await;
        sqlx::query_as("select consumer, reason from platform.inbox where state = 'PARKED' order by consumer")
            .fetch_all(tx.connection())
            .await
            .expect("the inbox is readable")
    }
}

/// MDM-09: what happens in sales stands on the timeline of the account and of the contact, newest first.
#[tokio::test]
async fn the_life_of_an_opportunity_is_on_the_timelines() {
    let customers = Customers::start().await;
    let (account, contact) = (customers.account("Acme", "").await.name, customers.contact("Ana").await.name);
    let mut sale = Sale::new(&customers, &account, &contact);
    let created = sale.event("created", Vec::new());
    let step = OpportunityMoved { from_stage: "prospecting".into(), to_stage: "engaging".into() };
    let moved = sale.event("moved", vec![any(&step)]);
    sale.opportunity.contact = String::new();
    let won = sale.won();

    customers.service.deliver(vec![created, moved, won.clone()]).await;

    let expected = [
        "Opportunity won: Fleet renewal, 1,200.00 USD",
        "Opportunity moved from prospecting to engaging: Fleet renewal",
        "Opportunity created: Fleet renewal, 1,200.00 USD",
    ];
    assert_eq!(customers.summaries(&account).await, expected);
    assert_eq!(customers.summaries(&contact).await, expected[1..]);
    let newest = customers.timeline(&account).await.remove(0);
    assert_eq!(newest.name, format!("{account}/timelineEntries/{}", won.id));
    assert_eq!(newest.r#type, "trato.sales.v1.opportunity.won");
    assert_eq!((newest.subject, newest.actor), (won.subject, "members/seller".to_owned()));
    assert_eq!(newest.event_time.expect("dated").seconds, time(3).timestamp());
    assert_eq!(newest.create_time.expect("dated").seconds, time(1_000_003).timestamp());
}

/// MDM-09: an event that comes again, whatever came since, changes nothing.
#[tokio::test]
async fn a_replay_changes_no_timeline() {
    let customers = Customers::start().await;
    let account = customers.account("Acme", "").await.name;
    let mut sale = Sale::new(&customers, &account, "");
    let events = vec![sale.event("created", Vec::new()), sale.won()];
    customers.service.deliver(events.clone()).await;
    let before = customers.timeline(&account).await;

    // As after the inbox was cleaned, or for a rebuild.
    let mut tx = customers.service.transaction(customers.admin.tenant).await;
    sqlx::query("delete from platform.inbox where tenant_id = $1")
        .bind(customers.admin.tenant)
        .execute(tx.connection())
        .await
        .expect("the inbox is emptied");
    tx.commit().await.expect("committed");
    customers.service.deliver(events.into_iter().rev().collect()).await;

    assert_eq!(before.len(), 2);
    assert_eq!(customers.timeline(&account).await, before);
}

/// MDM-09: a timeline is read page by page and filtered by what happened.
#[tokio::test]
async fn a_timeline_is_read_in_pages() {
    let customers = Customers::start().await;
    let account = customers.account("Acme", "").await.name;
    let mut sale = Sale::new(&customers, &account, "");
    let mut events: Vec<Event> = (0..4).map(|_| sale.event("updated", Vec::new())).collect();
    events.push(sale.won());
    customers.service.deliver(events).await;

    for order_by in ["", "event_time", "create_time desc"] {
        let mut seen = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListTimelineEntriesRequest {
                parent: account.clone(),
                page_size: 2,
                page_token,
                order_by: order_by.into(),
                ..Default::default()
            };
            let page = customers.entries(&customers.admin, request).await.expect("a page");
            seen.extend(page.timeline_entries.into_iter().filter_map(|entry| entry.event_time));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let mut sorted: Vec<i64> = seen.iter().map(|time| time.seconds).collect();
        assert_eq!(sorted.len(), 5, "{order_by:?}");
        assert!(
            sorted.is_sorted_by(|a, b| if order_by == "event_time" { a < b } else { a > b }),
            "{order_by:?}"
        );
        sorted.dedup();
        assert_eq!(sorted.len(), 5, "{order_by:?}");
    }
    let filter = "type = \"trato.sales.v1.opportunity.won\"".to_owned();
    let request = ListTimelineEntriesRequest { parent: account.clone(), filter, ..Default::default() };
    assert_eq!(customers.entries(&customers.admin, request).await.expect("a page").timeline_entries.len(), 1);
    let request =
        ListTimelineEntriesRequest { parent: account, filter: "summary = 1".into(), ..Default::default() };
    assert_eq!(
        violations(customers.entries(&customers.admin, request).await),
        [field("filter", "UNKNOWN_FIELD")]
    );
}

/// MDM-09: a representative sees on a timeline what belongs to the own teams, as the directory knows them.
#[tokio::test]
async fn a_timeline_shows_what_the_callers_teams_do() {
    let customers = Customers::start().await;
    let account = customers.account("Acme", "").await.name;
    let team = customers.team("West").await.name;
    let ana = Member {
        subject: "ana".into(),
        display_name: "Ana".into(),
        teams: vec![team.clone()],
        ..Default::default()
    };
    let request = CreateMemberRequest { member: Some(ana), ..Default::default() };
    customers.members().create_member(customers.admin.request(request)).await.expect("a member");
    customers.service.deliver(customers.service.published(customers.admin.tenant).await).await;
    let mut hers = Sale::new(&customers, &account, "");
    hers.team = team.strip_prefix("teams/").and_then(|id| id.parse().ok());
    hers.owner = Some("eva".into());
    let mut others = Sale::new(&customers, &account, "");
    others.team = Some(Uuid::now_v7());
    customers.service.deliver(vec![hers.won(), others.won()]).await;

    let ana = customers.caller("ana", &["sales-representative"]);
    let request = ListTimelineEntriesRequest { parent: account.clone(), ..Default::default() };
    let page = customers.entries(&ana, request).await.expect("a page");

    assert_eq!(customers.timeline(&account).await.len(), 2);
    assert_eq!(page.timeline_entries.len(), 1);
    assert_eq!(
        (page.timeline_entries[0].team.as_str(), page.timeline_entries[0].owner.as_str()),
        (team.as_str(), "members/eva")
    );
}

/// MDM-09: the timeline of what a caller cannot see is not found, like that of nothing at all.
#[tokio::test]
async fn an_invisible_parent_has_no_timeline() {
    let customers = Customers::start().await;
    let (account, contact) = (customers.account("Acme", "").await.name, customers.contact("Ana").await.name);
    let stranger = customers.service.caller(Uuid::now_v7(), "admin", &["administrator"]);
    let not_found = (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned());
    let of = |parent: String| ListTimelineEntriesRequest { parent, ..Default::default() };

    for parent in [account, contact] {
        assert_eq!(refusal(customers.entries(&stranger, of(parent)).await), not_found);
    }
    for collection in ["accounts", "contacts"] {
        let nowhere = format!("{collection}/{}", Uuid::now_v7());
        assert_eq!(refusal(customers.entries(&customers.admin, of(nowhere)).await), not_found);
    }
    for wrong in ["", "accounts", "accounts/1", "teams/1", "contacts/../accounts"] {
        let answer = customers.entries(&customers.admin, of(wrong.into())).await;
        assert_eq!(violations(answer), [field("parent", "INVALID_RESOURCE_NAME")], "{wrong:?}");
    }
}

/// MDM-10: an account that bought is a customer, by event; the change says what caused it.
#[tokio::test]
async fn a_won_opportunity_makes_its_account_a_customer() {
    let customers = Customers::start().await;
    let account = customers.account("Acme", "").await;
    let mut sale = Sale::new(&customers, &account.name, "");
    let won = sale.won();
    let again = Sale::new(&customers, &account.name, "").won();

    customers.service.deliver(vec![won.clone()]).await;
    customers.service.deliver(vec![won.clone(), again]).await;

    let customer = customers.read_account(&account.name).await;
    assert_eq!(customer.kinds().collect::<Vec<_>>(), [Kind::Customer]);
    assert_eq!(customer.etag, "2", "only the first win changed it");
    let events = customers.service.published(customers.admin.tenant).await;
    let updated = events.last().expect("an event");
    assert_eq!((updated.kind.as_str(), updated.revision), ("trato.customers.v1.account.updated", 2));
    assert_eq!((updated.actor.as_str(), updated.cause), ("systems/make-customer", Some(won.id)));
    assert_eq!(updated.event_time, won.event_time);
    assert_eq!(updated.change.changed_mask.as_ref().expect("a mask").paths, ["kinds"]);
    assert_eq!(updated.owner.as_deref(), Some("admin"));
}

/// MDM-10: a win of an account that is not there waits for an operator, and so do later events of that opportunity.
#[tokio::test]
async fn a_win_without_its_account_is_parked() {
    let customers = Customers::start().await;
    let nowhere = format!("accounts/{}", Uuid::now_v7());
    let mut lost = Sale::new(&customers, &nowhere, "");
    let known = customers.account("Acme", "").await.name;
    let mut other = Sale::new(&customers, &known, "");

    customers.service.deliver(vec![lost.won(), other.won()]).await;

    assert_eq!(customers.parked().await, [("make-customer".to_owned(), "ACCOUNT_NOT_FOUND".to_owned())]);
    let other = customers.read_account(&known).await;
    assert_eq!(other.kinds().collect::<Vec<_>>(), [Kind::Customer], "the others go on");
}
