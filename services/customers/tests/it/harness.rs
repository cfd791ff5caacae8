//! What the tests of customers share: the service with its clients, and how an error reads.

use prost_types::FieldMask;
use tonic::{Response, Status, transport::Channel};
use trato_platform::testing::{TestCaller, TestService};
use trato_proto::{
    customers::v1::{
        Account, Contact, CreateAccountRequest, CreateContactRequest, UpdateAccountRequest,
        access_service_client::AccessServiceClient, account_service_client::AccountServiceClient,
        contact_service_client::ContactServiceClient, event_service_client::EventServiceClient,
        timeline_service_client::TimelineServiceClient,
    },
    directory::v1::{
        CreateTeamRequest, Team, member_service_client::MemberServiceClient,
        team_service_client::TeamServiceClient,
    },
};
use uuid::Uuid;

pub use trato_platform::testing::{field, refusal, violations};

/// A running service and an administrator of one tenant of it.
pub struct Customers {
    pub service: TestService,
    pub admin: TestCaller,
}

impl Customers {
    /// Starts the service.
    pub async fn start() -> Self {
        let service = TestService::start(trato_customers::service()).await;
        let admin = service.caller(Uuid::now_v7(), "admin", &["administrator"]);
        Self { service, admin }
    }

    /// Somebody with these roles in the administrator's tenant.
    pub fn caller(&self, subject: &str, roles: &[&str]) -> TestCaller {
        self.service.caller(self.admin.tenant, subject, roles)
    }

    pub fn accounts(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::new(self.service.channel.clone())
    }
    pub fn contacts(&self) -> ContactServiceClient<Channel> {
        ContactServiceClient::new(self.service.channel.clone())
    }
    pub fn timelines(&self) -> TimelineServiceClient<Channel> {
        TimelineServiceClient::new(self.service.channel.clone())
    }
    pub fn members(&self) -> MemberServiceClient<Channel> {
        MemberServiceClient::new(self.service.channel.clone())
    }
    pub fn teams(&self) -> TeamServiceClient<Channel> {
        TeamServiceClient::new(self.service.channel.clone())
    }
    pub fn access(&self) -> AccessServiceClient<Channel> {
        AccessServiceClient::new(self.service.channel.clone())
    }
    pub fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.service.channel.clone())
    }

    /// Records an account as the administrator.
    pub async fn create_account(&self, account: Account) -> Result<Account, Status> {
        let request = CreateAccountRequest { account: Some(account), ..Default::default() };
        self.accounts().create_account(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// An account of this name below `parent`, which may be empty.
    pub async fn account(&self, display_name: &str, parent: &str) -> Account {
        let account = Account {
            display_name: display_name.into(),
            parent_account: parent.into(),
            ..Default::default()
        };
        self.create_account(account).await.expect("an account")
    }

    /// Changes the masked fields of an account as the administrator.
    pub async fn update_account(&self, account: Account, mask: &[&str]) -> Result<Account, Status> {
        self.accounts()
            .update_account(self.admin.request(update(account, mask)))
            .await
            .map(Response::into_inner)
    }

    /// Records a contact as the administrator.
    pub async fn create_contact(&self, contact: Contact) -> Result<Contact, Status> {
        let request = CreateContactRequest { contact: Some(contact), ..Default::default() };
        self.contacts().create_contact(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// A contact with this given name.
    pub async fn contact(&self, given_names: &str) -> Contact {
        let contact = Contact { given_names: given_names.into(), ..Default::default() };
        self.create_contact(contact).await.expect("a contact")
    }

    /// A team of this name.
    pub async fn team(&self, display_name: &str) -> Team {
        let team = Team { display_name: display_name.into(), ..Default::default() };
        let request = CreateTeamRequest { team: Some(team), ..Default::default() };
        self.teams().create_team(self.admin.request(request)).await.expect("a team").into_inner()
    }
}

/// A request to change the masked fields of an account.
pub fn update(account: Account, mask: &[&str]) -> UpdateAccountRequest {
    let paths = mask.iter().map(|path| (*path).to_owned()).collect();
    UpdateAccountRequest {
        account: Some(account),
        update_mask: Some(FieldMask { paths }),
        ..Default::default()
    }
}
