//! `ContactService`, and contacts on the wire.

use futures::FutureExt as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Facts, Record, Resource, Tx},
    rpc::Caller,
    standard::{Changed, Reply, Store, Within, answer, require_living},
};
use trato_proto::{
    customers::v1::{self as pb, contact_service_server::ContactService},
    google::value::Date as WireDate,
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{
    Address, Context, Date, Error, MemberRef, Ref, Result, Violations,
    error::FieldError,
    text::{line, paragraph},
};
use uuid::Uuid;

use super::{
    links::{AccountLink, AccountLinks, MAX_LINKS, Role},
    model::{self, Contact},
    store,
};
use crate::{
    account::{self, Account},
    parents::Parents,
};

/// Serves contacts.
pub struct Api {
    contacts: Store<Contact>,
    parents: Parents,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { contacts: Store::new(&app.database), parents: Parents::new(app) }
    }
}

#[tonic::async_trait]
impl ContactService for Api {
    async fn get_contact(&self, request: Request<pb::GetContactRequest>) -> Reply<pb::Contact> {
        self.contacts.get(request).await
    }
    async fn list_contacts(
        &self,
        request: Request<pb::ListContactsRequest>,
    ) -> Reply<pb::ListContactsResponse> {
        let caller = Caller::of(&request);
        answer(request, async |cx, body| {
            let within = match body.parent.as_str() {
                "" => None,
                name => {
                    let parent = self.parents.require_account(&caller?, cx, name).await?;
                    Some(Within { condition: store::OF_ACCOUNT, parent })
                }
            };
            self.contacts.list_within(cx, &body, within).await
        })
        .await
    }
    async fn create_contact(&self, request: Request<pb::CreateContactRequest>) -> Reply<pb::Contact> {
        self.contacts.create(request).await
    }
    async fn update_contact(&self, request: Request<pb::UpdateContactRequest>) -> Reply<pb::Contact> {
        self.contacts.update(request).await
    }
    async fn delete_contact(&self, request: Request<pb::DeleteContactRequest>) -> Reply<pb::Contact> {
        self.contacts.delete(request).await
    }
    async fn undelete_contact(&self, request: Request<pb::UndeleteContactRequest>) -> Reply<pb::Contact> {
        self.contacts.undelete(request).await
    }
    async fn batch_get_contacts(
        &self,
        request: Request<pb::BatchGetContactsRequest>,
    ) -> Reply<pb::BatchGetContactsResponse> {
        self.contacts.batch_get(request).await
    }
    async fn batch_create_contacts(
        &self,
        request: Request<pb::BatchCreateContactsRequest>,
    ) -> Reply<pb::BatchCreateContactsResponse> {
        self.contacts.batch_create(request).await
    }
    async fn upsert_contact(&self, request: Request<pb::UpsertContactRequest>) -> Reply<pb::Contact> {
        self.contacts.upsert(request).await
    }

    async fn link_contact(&self, request: Request<pb::LinkContactRequest>) -> Reply<pb::Contact> {
        self.contacts.change_in(request, "linked", |tx, before, body| link(tx, before, body).boxed()).await
    }
    async fn unlink_contact(&self, request: Request<pb::UnlinkContactRequest>) -> Reply<pb::Contact> {
        self.contacts
            .change_in(request, "unlinked", |tx, before, body| unlink(tx, before, body).boxed())
            .await
    }
}

async fn link(
    tx: &mut Tx,
    before: &Record<Contact>,
    body: &pb::LinkContactRequest,
) -> Result<Changed<Contact>> {
    require_living(before)?;
    let mut violations = Violations::new();
    let account = violations.keep("account", Ref::<Account>::parse(&body.account));
    let role = violations.keep("role", parse_role(body.role)).flatten();
    let start_date = parse_day("start_date", body.start_date.as_ref(), tx.cx(), &mut violations);
    let (account, start_date) = violations.into_result(account.zip(start_date))?;

    let mut contact = before.value.clone();
    account::store::hold_living(tx, account).await?;
    contact.account_links.link(AccountLink {
        account,
        role,
        primary: body.primary,
        start_date,
        end_date: None,
    })?;
    store::insert_link(tx, before.id, account).await?;
    Ok((before.next(tx.cx(), contact), Facts::default()))
}

async fn unlink(
    tx: &mut Tx,
    before: &Record<Contact>,
    body: &pb::UnlinkContactRequest,
) -> Result<Changed<Contact>> {
    require_living(before)?;
    let mut violations = Violations::new();
    let account = violations.keep("account", Ref::<Account>::parse(&body.account));
    let end_date = parse_day("end_date", body.end_date.as_ref(), tx.cx(), &mut violations);
    let (account, end_date) = violations.into_result(account.zip(end_date))?;

    let mut contact = before.value.clone();
    let end_date = model::end_date(contact.account_links.linked_since(account)?, end_date);
    let end_date = end_date.map_err(|fault| Error::invalid("end_date", fault.reason(), fault.to_string()))?;
    contact.account_links.unlink(account, end_date)?;
    store::delete_link(tx, before.id, account).await?;
    Ok((before.next(tx.cx(), contact), Facts::default()))
}

fn parse_day(
    field: &str,
    given: Option<&WireDate>,
    cx: &Context,
    violations: &mut Violations,
) -> Option<Date> {
    let given = violations.keep(field, given.map(wire::parse_date).transpose())?;
    violations.keep(field, model::day(given, cx.now.date_naive()))
}

impl Resource for Contact {
    type Message = pb::Contact;
    const TABLE: &'static str = "contact";
    const COLLECTION: &'static str = "contacts";
    const EVENT: &'static str = "trato.customers.v1.contact";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = true;

    fn fill_defaults(message: &mut pb::Contact, cx: &Context) {
        if message.owner.is_empty() && cx.actor.subject().is_some() {
            message.owner = cx.actor.to_string();
        }
    }

    fn parse(message: &pb::Contact, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let owner = check.keep("owner", MemberRef::parse_optional(&message.owner)).flatten();
        let team = check.keep("team", Ref::parse_optional(&message.team)).flatten();
        let given = check.keep("given_names", line(&message.given_names, 100));
        let surname = check.keep("surname", line(&message.surname, 100));
        if let Some((given, surname)) = given.as_ref().zip(surname.as_ref()) {
            check.keep("given_names", model::require_name(given, surname));
        }
        let given_names = given.unwrap_or_default();
        let surname = surname.unwrap_or_default();
        let second_surname =
            check.keep("second_surname", line(&message.second_surname, 100)).unwrap_or_default();
        let display_name = model::full_name(&given_names, &surname, &second_surname);
        let salutation = check.keep("salutation", line(&message.salutation, 40)).unwrap_or_default();
        let job_title = check.keep("job_title", line(&message.job_title, 100)).unwrap_or_default();
        let occupation = check.keep("occupation", line(&message.occupation, 100)).unwrap_or_default();
        let email_address =
            check.keep("email_address", wire::parse_optional(&message.email_address)).flatten();
        let phone_number = check.keep("phone_number", wire::parse_optional(&message.phone_number)).flatten();
        let address = Address::checked(message.address.clone().map(Into::into), "address", check);
        let language = model::language_code(&message.language_code);
        let language_code = check.keep("language_code", language).unwrap_or_default();
        let account_links = parse_links(&message.account_links, check);
        let description =
            check.keep("description", paragraph(&message.description, 10_000)).unwrap_or_default();
        #[rustfmt::skip]
        let contact = Self {
            owner, team, given_names, surname, second_surname, display_name, salutation, job_title, occupation,
            email_address, phone_number, address, language_code, account_links, description,
        };
        violations.into_result(Some(contact))
    }

    fn render(record: &Record<Self>) -> pb::Contact {
        let contact = &record.value;
        let (source, external_id) = record.external_fields();
        pb::Contact {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            owner: contact.owner.as_ref().map(MemberRef::name).unwrap_or_default(),
            team: contact.team.map(|team| team.name()).unwrap_or_default(),
            given_names: contact.given_names.clone(),
            surname: contact.surname.clone(),
            second_surname: contact.second_surname.clone(),
            display_name: contact.display_name.clone(),
            salutation: contact.salutation.clone(),
            job_title: contact.job_title.clone(),
            occupation: contact.occupation.clone(),
            email_address: wire::text(contact.email_address.as_ref()),
            phone_number: wire::text(contact.phone_number.as_ref()),
            address: contact.address.clone().map(Into::into),
            language_code: contact.language_code.clone(),
            account_links: contact.account_links.iter().map(render_link).collect(),
            description: contact.description.clone(),
        }
    }

    fn owner(&self) -> Option<&str> {
        self.owner.as_ref().map(MemberRef::subject)
    }

    fn team(&self) -> Option<Uuid> {
        self.team.map(|team| team.uuid())
    }
}

/// The links of a message are those that are stored: clients change them by verbs only.
fn parse_links(links: &[pb::contact::AccountLink], violations: &mut Violations) -> AccountLinks {
    let links = violations.keep("account_links", wire::at_most(links, MAX_LINKS)).unwrap_or_default();
    let links = links.iter().enumerate().filter_map(|(index, link)| {
        let field = |part: &str| format!("account_links[{index}].{part}");
        let account = violations.keep(&field("account"), Ref::parse(&link.account))?;
        let role = violations.keep(&field("role"), parse_role(link.role))?;
        let start_date =
            violations.keep(&field("start_date"), wire::require_date(link.start_date.as_ref()))?;
        let end_date = link.end_date.as_ref().map(wire::parse_date).transpose();
        let end_date = violations.keep(&field("end_date"), end_date)?;
        Some(AccountLink { account, role, primary: link.primary, start_date, end_date })
    });
    AccountLinks::from_stored(links.collect())
}

fn render_link(link: &AccountLink) -> pb::contact::AccountLink {
    pb::contact::AccountLink {
        account: link.account.name(),
        role: link.role.map_or(pb::contact::Role::Unspecified, render_role).into(),
        primary: link.primary,
        start_date: Some(wire::date(link.start_date)),
        end_date: link.end_date.map(wire::date),
    }
}

fn parse_role(role: i32) -> Result<Option<Role>, UnknownName> {
    match pb::contact::Role::try_from(role) {
        Ok(pb::contact::Role::Unspecified) => Ok(None),
        Ok(pb::contact::Role::Decider) => Ok(Some(Role::Decider)),
        Ok(pb::contact::Role::Evaluator) => Ok(Some(Role::Evaluator)),
        Ok(pb::contact::Role::Influencer) => Ok(Some(Role::Influencer)),
        Ok(pb::contact::Role::User) => Ok(Some(Role::User)),
        Ok(pb::contact::Role::Billing) => Ok(Some(Role::Billing)),
        Err(_) => Err(UnknownName),
    }
}

fn render_role(role: Role) -> pb::contact::Role {
    match role {
        Role::Decider => pb::contact::Role::Decider,
        Role::Evaluator => pb::contact::Role::Evaluator,
        Role::Influencer => pb::contact::Role::Influencer,
        Role::User => pb::contact::Role::User,
        Role::Billing => pb::contact::Role::Billing,
    }
}
