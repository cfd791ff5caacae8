//! `AccountService`, and accounts on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_proto::{
    customers::v1::{self as pb, account_service_server::AccountService},
    google::value::Money,
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{
    Address, Context, Currency, MemberRef, Minor, Ref, Result, Violations,
    text::{line, paragraph},
};
use uuid::Uuid;

use super::{
    model::{self, Account, Form, Kind, Kinds},
    store,
};

/// Serves accounts.
pub struct Api {
    accounts: Store<Account>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { accounts: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl AccountService for Api {
    async fn get_account(&self, request: Request<pb::GetAccountRequest>) -> Reply<pb::Account> {
        self.accounts.get(request).await
    }
    async fn list_accounts(
        &self,
        request: Request<pb::ListAccountsRequest>,
    ) -> Reply<pb::ListAccountsResponse> {
        self.accounts.list(request).await
    }
    async fn create_account(&self, request: Request<pb::CreateAccountRequest>) -> Reply<pb::Account> {
        self.accounts.create(request).await
    }
    async fn update_account(&self, request: Request<pb::UpdateAccountRequest>) -> Reply<pb::Account> {
        self.accounts.update(request).await
    }
    async fn delete_account(&self, request: Request<pb::DeleteAccountRequest>) -> Reply<pb::Account> {
        self.accounts.delete(request).await
    }
    async fn undelete_account(&self, request: Request<pb::UndeleteAccountRequest>) -> Reply<pb::Account> {
        self.accounts.undelete(request).await
    }
    async fn batch_get_accounts(
        &self,
        request: Request<pb::BatchGetAccountsRequest>,
    ) -> Reply<pb::BatchGetAccountsResponse> {
        self.accounts.batch_get(request).await
    }
    async fn batch_create_accounts(
        &self,
        request: Request<pb::BatchCreateAccountsRequest>,
    ) -> Reply<pb::BatchCreateAccountsResponse> {
        self.accounts.batch_create(request).await
    }
    async fn upsert_account(&self, request: Request<pb::UpsertAccountRequest>) -> Reply<pb::Account> {
        self.accounts.upsert(request).await
    }
}

impl Resource for Account {
    type Message = pb::Account;
    const TABLE: &'static str = "account";
    const COLLECTION: &'static str = "accounts";
    const EVENT: &'static str = "trato.customers.v1.account";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = true;

    fn fill_defaults(message: &mut pb::Account, cx: &Context) {
        if message.owner.is_empty() && cx.actor.subject().is_some() {
            message.owner = cx.actor.to_string();
        }
    }

    fn parse(message: &pb::Account, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let owner = check.keep("owner", MemberRef::parse_optional(&message.owner)).flatten();
        let team = check.keep("team", Ref::parse_optional(&message.team)).flatten();
        let display_name = check.keep("display_name", message.display_name.parse());
        let form = check.keep("form", parse_form(message.form)).unwrap_or(Form::Company);
        let kinds = parse_kinds(&message.kinds, check);
        let parent = check.keep("parent_account", Ref::parse_optional(&message.parent_account));
        let parent_account = parent.flatten();
        if parent.is_some() {
            check.keep("parent_account", model::require_parent(form, parent_account));
        }
        let legal_name = check.keep("legal_name", line(&message.legal_name, 300)).unwrap_or_default();
        let tax_id = check.keep("tax_id", line(&message.tax_id, 40)).filter(|id| !id.is_empty());
        let sector = check.keep("sector", line(&message.sector, 100)).unwrap_or_default();
        let website = check.keep("website", model::website(&message.website)).unwrap_or_default();
        let email_address =
            check.keep("email_address", wire::parse_optional(&message.email_address)).flatten();
        let phone_number = check.keep("phone_number", wire::parse_optional(&message.phone_number)).flatten();
        let address = Address::checked(message.address.clone().map(Into::into), "address", check);
        let employees = model::employee_count(message.employee_count);
        let employee_count = check.keep("employee_count", employees).flatten();
        let (annual_revenue, annual_revenue_currency) =
            parse_revenue(message.annual_revenue.as_ref(), check).unzip();
        let founding_year =
            check.keep("founding_year", model::founding_year(message.founding_year)).flatten();
        let description =
            check.keep("description", paragraph(&message.description, 10_000)).unwrap_or_default();
        #[rustfmt::skip]
        let account = display_name.map(|display_name| Self {
            owner, team, display_name, form, kinds, parent_account, legal_name, tax_id, sector, website,
            email_address, phone_number, address, employee_count, annual_revenue, annual_revenue_currency,
            founding_year, description,
        });
        violations.into_result(account)
    }

    fn render(record: &Record<Self>) -> pb::Account {
        let account = &record.value;
        let revenue = account.annual_revenue.zip(account.annual_revenue_currency);
        let (source, external_id) = record.external_fields();
        // Both were read from an int32.
        let number =
            |number: Option<i64>| number.and_then(|number| i32::try_from(number).ok()).unwrap_or_default();
        pb::Account {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            owner: account.owner.as_ref().map(MemberRef::name).unwrap_or_default(),
            team: account.team.map(|team| team.name()).unwrap_or_default(),
            display_name: account.display_name.to_string(),
            form: render_form(account.form).into(),
            kinds: account.kinds.iter().map(|kind| render_kind(kind).into()).collect(),
            parent_account: account.parent_account.map(|parent| parent.name()).unwrap_or_default(),
            legal_name: account.legal_name.clone(),
            tax_id: wire::text(account.tax_id.as_ref()),
            sector: account.sector.clone(),
            website: account.website.clone(),
            email_address: wire::text(account.email_address.as_ref()),
            phone_number: wire::text(account.phone_number.as_ref()),
            address: account.address.clone().map(Into::into),
            employee_count: number(account.employee_count),
            annual_revenue: revenue.map(|(amount, currency)| wire::money(amount, currency)),
            founding_year: number(account.founding_year),
            description: account.description.clone(),
        }
    }

    fn owner(&self) -> Option<&str> {
        self.owner.as_ref().map(MemberRef::subject)
    }

    fn team(&self) -> Option<Uuid> {
        self.team.map(|team| team.uuid())
    }
}

fn parse_revenue(money: Option<&Money>, violations: &mut Violations) -> Option<(Minor, Currency)> {
    violations.keep("annual_revenue", wire::parse_amount(money?))
}

fn parse_form(form: i32) -> Result<Form, UnknownName> {
    match pb::account::Form::try_from(form) {
        Ok(pb::account::Form::Unspecified | pb::account::Form::Company) => Ok(Form::Company),
        Ok(pb::account::Form::Department) => Ok(Form::Department),
        Err(_) => Err(UnknownName),
    }
}

fn render_form(form: Form) -> pb::account::Form {
    match form {
        Form::Company => pb::account::Form::Company,
        Form::Department => pb::account::Form::Department,
    }
}

fn parse_kinds(kinds: &[i32], violations: &mut Violations) -> Kinds {
    let kinds = violations.keep("kinds", wire::at_most(kinds, 20)).unwrap_or_default().iter().enumerate();
    kinds.filter_map(|(index, kind)| violations.keep(&format!("kinds[{index}]"), parse_kind(*kind))).collect()
}

fn parse_kind(kind: i32) -> Result<Kind, UnknownName> {
    match pb::account::Kind::try_from(kind) {
        Ok(pb::account::Kind::Customer) => Ok(Kind::Customer),
        Ok(pb::account::Kind::Supplier) => Ok(Kind::Supplier),
        Ok(pb::account::Kind::Partner) => Ok(Kind::Partner),
        Ok(pb::account::Kind::Internal) => Ok(Kind::Internal),
        Ok(pb::account::Kind::Unspecified) | Err(_) => Err(UnknownName),
    }
}

fn render_kind(kind: Kind) -> pb::account::Kind {
    match kind {
        Kind::Customer => pb::account::Kind::Customer,
        Kind::Supplier => pb::account::Kind::Supplier,
        Kind::Partner => pb::account::Kind::Partner,
        Kind::Internal => pb::account::Kind::Internal,
    }
}
