//! Accounts: what is kept of them, what they are to us, and who changes them.

use tonic::Code;
use trato_proto::{
    customers::v1::{
        Account, Address, BatchCreateAccountsRequest, CreateAccountRequest, GetAccountRequest,
        ListAccountsRequest, UpsertAccountRequest,
        account::{Form, Kind},
        batch_create_accounts_response::result::Outcome,
    },
    google::value::Money,
};
use uuid::Uuid;

use crate::harness::{Customers, field, refusal, update, violations};

fn usd(units: i64) -> Option<Money> {
    Some(Money { currency_code: "USD".into(), units, nanos: 0 })
}

impl Customers {
    async fn list_accounts(&self, filter: &str, order_by: &str) -> Vec<String> {
        let request =
            ListAccountsRequest { filter: filter.into(), order_by: order_by.into(), ..Default::default() };
        let page = self.accounts().list_accounts(self.admin.request(request)).await.expect("a page");
        page.into_inner().accounts.into_iter().map(|account| account.display_name).collect()
    }
}

/// MDM-01: everything about a company is kept, in one normal form.
#[tokio::test]
async fn an_account_is_kept_as_it_was_given_in_normal_form() {
    let customers = Customers::start().await;
    let team = customers.team("West").await;
    let parent = customers.account("Acme Holding", "").await;

    let created = customers
        .create_account(Account {
            team: team.name.clone(),
            display_name: " Acme Fleet ".into(),
            form: Form::Department.into(),
            parent_account: parent.name.clone(),
            legal_name: "Acme Fleet, S.A.".into(),
            tax_id: "A-12345678".into(),
            sector: "retail".into(),
            website: "https://fleet.acme.example".into(),
            email_address: "Info@Acme.Example".into(),
            phone_number: "+34 911 23 45 67".into(),
            address: Some(Address {
                lines: vec!["Calle Mayor 1".into(), " ".into()],
                locality: "Madrid".into(),
                country_code: "ES".into(),
                ..Default::default()
            }),
            employee_count: 12,
            annual_revenue: usd(1_000_000),
            founding_year: 1996,
            description: "Two\nlines".into(),
            ..Default::default()
        })
        .await
        .expect("an account");

    let request = GetAccountRequest { name: created.name.clone() };
    let read = customers.accounts().get_account(customers.admin.request(request)).await.expect("it is there");
    assert_eq!(read.get_ref(), &created);
    assert_eq!(created.display_name, "Acme Fleet");
    assert_eq!(created.form(), Form::Department);
    assert_eq!(created.parent_account, parent.name);
    assert_eq!(created.email_address, "info@acme.example");
    assert_eq!(created.phone_number, "+34911234567");
    assert_eq!(created.address.as_ref().expect("an address").lines, ["Calle Mayor 1"]);
    assert_eq!(created.annual_revenue, usd(1_000_000));
    assert_eq!((created.employee_count, created.founding_year), (12, 1996));
    assert_eq!((created.owner.as_str(), created.team.as_str()), ("members/admin", team.name.as_str()));
    assert_eq!(created.creator, "members/admin");
    assert_eq!(customers.service.events(customers.admin.tenant).await.len(), 3);
}

/// MDM-01: a form is mended in one round, because every field that is wrong is named.
#[tokio::test]
async fn all_that_is_wrong_with_an_account_is_said_at_once() {
    let customers = Customers::start().await;

    let answer = customers
        .create_account(Account {
            form: Form::Department.into(),
            kinds: vec![Kind::Customer.into(), 99],
            website: "javascript:alert(1)".into(),
            email_address: "nobody".into(),
            phone_number: "911".into(),
            address: Some(Address {
                lines: vec!["a".into(), "b\u{0}".into()],
                country_code: "Spain".into(),
                ..Default::default()
            }),
            employee_count: -1,
            annual_revenue: usd(-1),
            founding_year: 99,
            owner: "ana".into(),
            ..Default::default()
        })
        .await;

    let expected = [
        field("account.address.country_code", "INVALID_COUNTRY_CODE"),
        field("account.address.lines[1]", "CONTROL_CHARACTER"),
        field("account.annual_revenue", "NEGATIVE"),
        field("account.display_name", "REQUIRED"),
        field("account.email_address", "INVALID_EMAIL_ADDRESS"),
        field("account.employee_count", "OUT_OF_RANGE"),
        field("account.founding_year", "OUT_OF_RANGE"),
        field("account.kinds[1]", "UNKNOWN_VALUE"),
        field("account.owner", "INVALID_MEMBER"),
        field("account.parent_account", "REQUIRED"),
        field("account.phone_number", "INVALID_PHONE_NUMBER"),
        field("account.website", "INVALID_WEBSITE"),
    ];
    assert_eq!(violations(answer), expected);
    assert_eq!(customers.service.events(customers.admin.tenant).await, []);
}

/// MDM-02: an account may be several things to us, and can be found by each.
#[tokio::test]
async fn accounts_are_found_by_what_they_are_to_us() {
    let customers = Customers::start().await;
    let of = |display_name: &str, kinds: &[Kind]| Account {
        display_name: display_name.into(),
        kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
        ..Default::default()
    };
    for account in [
        of("Both", &[Kind::Supplier, Kind::Customer, Kind::Supplier]),
        of("Buyer", &[Kind::Customer]),
        of("Plan", &[]),
        of("Ours", &[Kind::Internal]),
    ] {
        customers.create_account(account).await.expect("an account");
    }

    assert_eq!(customers.list_accounts("customer = true", "display_name").await, ["Both", "Buyer"]);
    assert_eq!(customers.list_accounts("supplier = true", "").await, ["Both"]);
    assert_eq!(customers.list_accounts("internal = true", "").await, ["Ours"]);
    let planned = "customer = false AND supplier = false AND partner = false AND internal = false";
    assert_eq!(customers.list_accounts(planned, "").await, ["Plan"]);

    let request = ListAccountsRequest { filter: "display_name = \"Both\"".into(), ..Default::default() };
    let page = customers.accounts().list_accounts(customers.admin.request(request)).await.expect("a page");
    let kinds: Vec<Kind> = page.get_ref().accounts[0].kinds().collect();
    assert_eq!(kinds, [Kind::Customer, Kind::Supplier]);
}

/// MDM-01: accounts are found by place, size, sector and place in the tree.
#[tokio::test]
async fn accounts_are_filtered_by_their_fields() {
    let customers = Customers::start().await;
    let parent = customers.account("Parent", "").await;
    let spanish = Account {
        display_name: "Spanish".into(),
        sector: "retail".into(),
        parent_account: parent.name.clone(),
        address: Some(Address { country_code: "ES".into(), ..Default::default() }),
        employee_count: 100,
        annual_revenue: usd(500),
        ..Default::default()
    };
    customers.create_account(spanish).await.expect("an account");

    let parent_filter = format!("parent_account = {:?}", parent.name);
    for filter in [
        "address.country_code = \"ES\"",
        "sector = \"retail\" AND employee_count >= 100",
        "annual_revenue > 49999 AND annual_revenue.currency_code = \"USD\"",
        &parent_filter,
        "span",
        "owner = \"members/admin\" AND NOT parent_account = \"\"",
    ] {
        let expected: &[&str] = if filter == "span" { &[] } else { &["Spanish"] };
        assert_eq!(customers.list_accounts(filter, "").await, expected, "{filter}");
    }
    assert_eq!(customers.list_accounts("Span", "display_name desc").await, ["Spanish"]);
    assert_eq!(customers.list_accounts("", "display_name desc").await, ["Spanish", "Parent"]);
}

/// MDM-01: an account belongs to a team that is there.
#[tokio::test]
async fn the_team_of_an_account_must_exist() {
    let customers = Customers::start().await;

    let team = format!("teams/{}", Uuid::now_v7());
    let answer =
        customers.create_account(Account { display_name: "A".into(), team, ..Default::default() }).await;

    assert_eq!(refusal(answer), (Code::FailedPrecondition, "TEAM_NOT_FOUND".to_owned()));
}

/// MDM-10: systems feed the customer base, and one refused item does not hold the others up.
#[tokio::test]
async fn a_batch_of_accounts_has_an_answer_for_each() {
    let customers = Customers::start().await;
    let item = |display_name: &str, parent: &str, external_id: &str| CreateAccountRequest {
        account: Some(Account {
            display_name: display_name.into(),
            parent_account: parent.into(),
            source: "erp".into(),
            external_id: external_id.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let nobody = format!("accounts/{}", Uuid::now_v7());
    let requests =
        vec![item("One", "", "1"), item("Two", &nobody, "2"), item("", "", "3"), item("Four", "", "1")];

    let request = BatchCreateAccountsRequest { requests, ..Default::default() };
    let answer = customers.accounts().batch_create_accounts(customers.admin.request(request)).await;

    let results = answer.expect("an answer").into_inner().results;
    let outcomes: Vec<(bool, Option<&str>)> = results
        .iter()
        .map(|result| match &result.outcome {
            Some(Outcome::Account(account)) => (result.created, Some(account.display_name.as_str())),
            _ => (result.created, None),
        })
        .collect();
    assert_eq!(outcomes, [(true, Some("One")), (false, None), (false, None), (false, Some("One"))]);
    assert_eq!(customers.list_accounts("source = \"erp\"", "").await, ["One"]);
}

/// MDM-10: a load can be repeated: the same external id is the same account.
#[tokio::test]
async fn an_upsert_changes_what_is_there() {
    let customers = Customers::start().await;
    let upsert = async |display_name: &str, sector: &str| {
        let account = Account {
            display_name: display_name.into(),
            sector: sector.into(),
            source: "erp".into(),
            external_id: "7".into(),
            ..Default::default()
        };
        let request = UpsertAccountRequest { account: Some(account), ..Default::default() };
        customers
            .accounts()
            .upsert_account(customers.admin.request(request))
            .await
            .expect("done")
            .into_inner()
    };

    let first = upsert("Acme", "retail").await;
    let second = upsert("Acme Corporation", "").await;

    assert_eq!(first.name, second.name);
    assert_eq!((second.display_name.as_str(), second.sector.as_str()), ("Acme Corporation", "retail"));
    let again = upsert("Acme Corporation", "").await;
    assert_eq!(again.etag, second.etag);
}

/// MDM-10: whoever answers for an account changes it; others who only know it do not.
#[tokio::test]
async fn a_representative_changes_own_accounts_only() {
    let customers = Customers::start().await;
    let ana = customers.caller("ana", &["sales-representative"]);
    let request = CreateAccountRequest {
        account: Some(Account { display_name: "Hers".into(), ..Default::default() }),
        ..Default::default()
    };
    let own = customers.accounts().create_account(ana.request(request)).await.expect("created").into_inner();
    let other = customers.account("Not hers", "").await;
    assert_eq!(own.owner, "members/ana");

    let change = |name: &str| {
        let account = Account { name: name.into(), sector: "retail".into(), ..Default::default() };
        ana.request(update(account, &["sector"]))
    };
    customers.accounts().update_account(change(&own.name)).await.expect("her own may be changed");
    let answer = customers.accounts().update_account(change(&other.name)).await;
    assert_eq!(refusal(answer), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
    let request = GetAccountRequest { name: other.name };
    customers.accounts().get_account(ana.request(request)).await.expect("every account may be read");
}
