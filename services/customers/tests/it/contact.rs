//! Contacts: what is kept of them, and how they are tied to accounts.

use tonic::{Code, Response, Status};
use trato_platform::testing::TestCaller;
use trato_proto::{
    customers::v1::{
        Address, Contact, CreateContactRequest, DeleteAccountRequest, DeleteContactRequest,
        LinkContactRequest, ListContactsRequest, UnlinkContactRequest, UpdateContactRequest, contact::Role,
    },
    google::value::Date,
};
use uuid::Uuid;

use crate::harness::{Customers, field, refusal, violations};

fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

fn linking(contact: &Contact, account: &str) -> LinkContactRequest {
    LinkContactRequest {
        name: contact.name.clone(),
        account: account.into(),
        start_date: day(2020, 1, 1),
        ..Default::default()
    }
}

fn unlinking(contact: &Contact, account: &str) -> UnlinkContactRequest {
    UnlinkContactRequest { name: contact.name.clone(), account: account.into(), ..Default::default() }
}

/// Account, whether it is primary, and whether it has ended, of each link.
fn links(contact: &Contact) -> Vec<(&str, bool, bool)> {
    let links = contact.account_links.iter();
    links.map(|link| (link.account.as_str(), link.primary, link.end_date.is_some())).collect()
}

impl Customers {
    async fn link(&self, request: LinkContactRequest) -> Result<Contact, Status> {
        self.contacts().link_contact(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn unlink(&self, request: UnlinkContactRequest) -> Result<Contact, Status> {
        self.contacts().unlink_contact(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn contacts_of(&self, caller: &TestCaller, parent: &str) -> Result<Vec<String>, Status> {
        let request = ListContactsRequest {
            parent: parent.into(),
            order_by: "display_name".into(),
            ..Default::default()
        };
        let page = self.contacts().list_contacts(caller.request(request)).await?;
        Ok(page.into_inner().contacts.into_iter().map(|contact| contact.display_name).collect())
    }
}

/// MDM-03: people have two surnames, and one spelling of mail, phone and language.
#[tokio::test]
async fn a_contact_is_kept_in_normal_form() {
    let customers = Customers::start().await;

    let contact = customers
        .create_contact(Contact {
            given_names: "Ana María".into(),
            surname: "Pérez".into(),
            second_surname: "Gómez".into(),
            display_name: "Somebody else".into(),
            email_address: "Ana.Perez@Example.COM".into(),
            phone_number: "+34 911 23 45 67".into(),
            language_code: "es-mx".into(),
            address: Some(Address { country_code: "MX".into(), ..Default::default() }),
            ..Default::default()
        })
        .await
        .expect("a contact");

    assert_eq!(contact.display_name, "Ana María Pérez Gómez");
    assert_eq!(contact.email_address, "ana.perez@example.com");
    assert_eq!(contact.phone_number, "+34911234567");
    assert_eq!(contact.language_code, "es-MX");
    assert_eq!(contact.owner, "members/admin");

    let renamed = Contact { name: contact.name, second_surname: String::new(), ..Default::default() };
    let update_mask = Some(prost_types::FieldMask { paths: vec!["second_surname".into()] });
    let request = UpdateContactRequest { contact: Some(renamed), update_mask, ..Default::default() };
    let renamed =
        customers.contacts().update_contact(customers.admin.request(request)).await.expect("renamed");
    assert_eq!(renamed.get_ref().display_name, "Ana María Pérez");
}

/// MDM-03: a contact is called something, and everything wrong with it is said at once.
#[tokio::test]
async fn all_that_is_wrong_with_a_contact_is_said_at_once() {
    let customers = Customers::start().await;

    let answer = customers
        .create_contact(Contact {
            salutation: "x".repeat(41),
            email_address: "nobody".into(),
            phone_number: "12".into(),
            language_code: "Spanish!".into(),
            address: Some(Address { country_code: "es".into(), ..Default::default() }),
            source: "erp".into(),
            ..Default::default()
        })
        .await;

    let expected = [
        field("contact.address.country_code", "INVALID_COUNTRY_CODE"),
        field("contact.email_address", "INVALID_EMAIL_ADDRESS"),
        field("contact.external_id", "REQUIRED"),
        field("contact.given_names", "REQUIRED"),
        field("contact.language_code", "INVALID_LANGUAGE_CODE"),
        field("contact.phone_number", "INVALID_PHONE_NUMBER"),
        field("contact.salutation", "TOO_LONG"),
    ];
    assert_eq!(violations(answer), expected);
}

/// MDM-03: a contact is tied to several accounts; links end rather than vanish, and one of the current is primary.
#[tokio::test]
async fn links_begin_and_end_and_stay_as_history() {
    let customers = Customers::start().await;
    let contact = customers.contact("Ana").await;
    let first = customers.account("First", "").await.name;
    let second = customers.account("Second", "").await.name;

    let role = Role::Decider.into();
    customers.link(LinkContactRequest { role, ..linking(&contact, &first) }).await.expect("linked");
    let linked = customers.link(linking(&contact, &second)).await.expect("linked");
    assert_eq!(links(&linked), [(first.as_str(), true, false), (second.as_str(), false, false)]);
    assert_eq!(linked.account_links[0].role(), Role::Decider);

    let request = UnlinkContactRequest { end_date: day(2024, 6, 30), ..unlinking(&contact, &first) };
    let unlinked = customers.unlink(request).await.expect("unlinked");
    assert_eq!(links(&unlinked), [(first.as_str(), false, true), (second.as_str(), true, false)]);
    assert_eq!(unlinked.account_links[0].end_date, day(2024, 6, 30));

    let again = customers.link(LinkContactRequest { primary: true, ..linking(&contact, &first) }).await;
    let again = again.expect("linked again");
    let expected =
        [(first.as_str(), false, true), (second.as_str(), false, false), (first.as_str(), true, false)];
    assert_eq!(links(&again), expected);

    let events = customers.service.events(customers.admin.tenant).await;
    let of_contact: Vec<_> = events.iter().filter(|(_, subject, _)| *subject == contact.name).collect();
    let types: Vec<&str> = of_contact.iter().filter_map(|(kind, ..)| kind.rsplit('.').next()).collect();
    assert_eq!(types, ["created", "linked", "linked", "unlinked", "linked"]);
    assert_eq!(of_contact[1].0, "trato.customers.v1.contact.linked");
}

/// MDM-03: what cannot be linked or unlinked is refused with a reason, and nothing changes.
#[tokio::test]
async fn a_link_that_makes_no_sense_is_refused() {
    let customers = Customers::start().await;
    let contact = customers.contact("Ana").await;
    let account = customers.account("First", "").await.name;
    let deleted = customers.account("Gone", "").await.name;
    let request = DeleteAccountRequest { name: deleted.clone(), ..Default::default() };
    customers.accounts().delete_account(customers.admin.request(request)).await.expect("deleted");
    let linked = customers.link(linking(&contact, &account)).await.expect("linked");

    let twice = refusal(customers.link(linking(&contact, &account)).await);
    assert_eq!(twice, (Code::FailedPrecondition, "ALREADY_LINKED".to_owned()));
    let never = refusal(customers.unlink(unlinking(&contact, &deleted)).await);
    assert_eq!(never, (Code::FailedPrecondition, "NOT_LINKED".to_owned()));
    for nobody in [deleted, format!("accounts/{}", Uuid::now_v7())] {
        let missing = refusal(customers.link(linking(&contact, &nobody)).await);
        assert_eq!(missing, (Code::NotFound, "ACCOUNT_NOT_FOUND".to_owned()));
    }
    let wrong = LinkContactRequest { start_date: day(9999, 1, 1), role: 77, ..linking(&contact, "acme") };
    let expected = [
        field("account", "INVALID_RESOURCE_NAME"),
        field("role", "UNKNOWN_VALUE"),
        field("start_date", "IN_FUTURE"),
    ];
    assert_eq!(violations(customers.link(wrong).await), expected);
    let early = UnlinkContactRequest { end_date: day(2019, 12, 31), ..unlinking(&contact, &account) };
    assert_eq!(violations(customers.unlink(early).await), [field("end_date", "END_BEFORE_START")]);

    let request = UnlinkContactRequest { etag: linked.etag, ..unlinking(&contact, &account) };
    assert_eq!(links(&customers.unlink(request).await.expect("unlinked")), [(account.as_str(), false, true)]);
    let request = DeleteContactRequest { name: contact.name.clone(), ..Default::default() };
    customers.contacts().delete_contact(customers.admin.request(request)).await.expect("deleted");
    let gone = refusal(customers.link(linking(&contact, &account)).await);
    assert_eq!(gone, (Code::FailedPrecondition, "DELETED".to_owned()));
}

/// MDM-03: linking twice with one request id is linking once, answered the same; only checking leaves nothing behind.
#[tokio::test]
async fn a_repeated_link_is_answered_as_the_first_time() {
    let customers = Customers::start().await;
    let contact = customers.contact("Ana").await;
    let account = customers.account("First", "").await.name;

    let trial = LinkContactRequest { validate_only: true, ..linking(&contact, &account) };
    assert_eq!(links(&customers.link(trial).await.expect("it would pass")).len(), 1);
    let request_id = Uuid::now_v7().to_string();
    let request = LinkContactRequest { request_id, ..linking(&contact, &account) };
    let first = customers.link(request.clone()).await.expect("linked");
    let second = customers.link(request).await.expect("answered again");

    assert_eq!(first, second);
    assert_eq!(links(&first), [(account.as_str(), true, false)]);
}

/// MDM-03: the contacts of an account are those that are tied to it now.
#[tokio::test]
async fn an_account_lists_its_present_contacts() {
    let customers = Customers::start().await;
    let account = customers.account("Acme", "").await.name;
    let other = customers.account("Other", "").await.name;
    for (name, accounts) in
        [("Ana", [&account, &other]), ("Eva", [&account, &account]), ("Leo", [&other, &other])]
    {
        let contact = customers.contact(name).await;
        for account in accounts {
            let _linked_once_or_twice = customers.link(linking(&contact, account)).await;
        }
    }
    assert_eq!(customers.contacts_of(&customers.admin, &account).await.expect("a page"), ["Ana", "Eva"]);
    assert_eq!(customers.contacts_of(&customers.admin, &other).await.expect("a page"), ["Ana", "Leo"]);

    let request = ListContactsRequest { filter: "given_names = \"Ana\"".into(), ..Default::default() };
    let page = customers.contacts().list_contacts(customers.admin.request(request)).await.expect("a page");
    customers.unlink(unlinking(&page.get_ref().contacts[0], &account)).await.expect("unlinked");
    assert_eq!(customers.contacts_of(&customers.admin, &account).await.expect("a page"), ["Eva"]);
}

/// MDM-03: who cannot see an account learns nothing from asking for its contacts.
#[tokio::test]
async fn contacts_of_an_invisible_account_are_not_found() {
    let customers = Customers::start().await;
    let account = customers.account("Acme", "").await.name;
    let stranger = customers.service.caller(Uuid::now_v7(), "admin", &["administrator"]);
    let not_found = (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned());

    assert_eq!(refusal(customers.contacts_of(&stranger, &account).await), not_found);
    let nowhere = format!("accounts/{}", Uuid::now_v7());
    assert_eq!(refusal(customers.contacts_of(&customers.admin, &nowhere).await), not_found);
    let wrong = customers.contacts_of(&customers.admin, "contacts/1").await;
    assert_eq!(violations(wrong), [field("parent", "INVALID_RESOURCE_NAME")]);
}

/// MDM-03: a representative links own contacts only, as far as the permission reaches.
#[tokio::test]
async fn a_representative_links_own_contacts_only() {
    let customers = Customers::start().await;
    let ana = customers.caller("ana", &["sales-representative"]);
    let account = customers.account("Acme", "").await.name;
    let others = customers.contact("Leo").await;
    let contact = Contact { surname: "Pérez".into(), ..Default::default() };
    let request = CreateContactRequest { contact: Some(contact), ..Default::default() };
    let own = customers.contacts().create_contact(ana.request(request)).await.expect("created").into_inner();

    let mut contacts = customers.contacts();
    contacts.link_contact(ana.request(linking(&own, &account))).await.expect("linked");
    let answer = contacts.link_contact(ana.request(linking(&others, &account))).await;
    assert_eq!(refusal(answer), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
}
