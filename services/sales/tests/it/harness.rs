//! What the tests of sales share: the service with its clients, what it hears of others, and how an error reads.

use prost::Name;
use tonic::{Response, Status, transport::Channel};
use trato_platform::testing::{TestCaller, TestService};
use trato_proto::{
    billing::v1::{
        TaxCode,
        tax_code::{Category, Rate},
    },
    customers::v1::Account,
    directory::v1::{Member, Team},
    google::value::{Date, Money},
    sales::v1::{
        CreateOpportunityRequest, CreatePipelineRequest, CreateProductRequest, GetOpportunityRequest,
        Opportunity, Pipeline, Product, StageChange, UpdateOpportunityRequest,
        access_service_client::AccessServiceClient, event_service_client::EventServiceClient,
        funnel_service_client::FunnelServiceClient, opportunity_service_client::OpportunityServiceClient,
        pipeline::Stage, pipeline_service_client::PipelineServiceClient,
        price_list_service_client::PriceListServiceClient, price_service_client::PriceServiceClient,
        pricing_service_client::PricingServiceClient, product_service_client::ProductServiceClient,
        promotion_service_client::PromotionServiceClient,
    },
};
use uuid::Uuid;

use crate::billing::FakeBilling;

pub use trato_platform::testing::{field, item_reason, item_violations, paths, refusal, violations};

/// A running service and an administrator of one tenant of it.
pub struct Sales {
    pub service: TestService,
    pub admin: TestCaller,
    /// The billing it asks for credit.
    pub billing: FakeBilling,
}

impl Sales {
    /// Starts the service; it does not know where customers is.
    pub async fn start() -> Self {
        Self::start_beside("").await
    }

    /// Starts the service with customers at this address, if there is one, and a billing that keeps credit for all orders.
    pub async fn start_beside(customers: &str) -> Self {
        let billing = FakeBilling::default();
        let address = billing.serve().await;
        Self::start_between(customers, &address, billing).await
    }

    /// Starts the service with customers and billing at these addresses, if there are any.
    pub async fn start_between(customers: &str, address: &str, billing: FakeBilling) -> Self {
        let upstreams = [("trato.customers", customers), ("trato.billing", address)];
        let upstreams = upstreams.into_iter().filter(|(_, address)| !address.is_empty());
        let upstreams: Vec<_> =
            upstreams.map(|(package, address)| format!("\"{package}\" = \"{address}\"")).collect();
        let upstreams = format!("{{ {} }}", upstreams.join(", "));
        let variables = [("TRATO_UPSTREAMS", upstreams.as_str())];
        let service = TestService::start_with(trato_sales::service(), &variables).await;
        let admin = service.caller(Uuid::now_v7(), "admin", &["administrator"]);
        Self { service, admin, billing }
    }

    /// Starts the service with a pipeline of the stages prospecting (10 %), engaging (40 %) and closing (80 %).
    pub async fn start_selling() -> Self {
        let sales = Self::start().await;
        sales.pipeline("Standard", &[("prospecting", 10), ("engaging", 40), ("closing", 80)]).await;
        sales
    }

    /// Somebody with these roles in the administrator's tenant.
    pub fn caller(&self, subject: &str, roles: &[&str]) -> TestCaller {
        self.service.caller(self.admin.tenant, subject, roles)
    }

    pub fn products(&self) -> ProductServiceClient<Channel> {
        ProductServiceClient::new(self.service.channel.clone())
    }
    pub fn price_lists(&self) -> PriceListServiceClient<Channel> {
        PriceListServiceClient::new(self.service.channel.clone())
    }
    pub fn prices(&self) -> PriceServiceClient<Channel> {
        PriceServiceClient::new(self.service.channel.clone())
    }
    pub fn promotions(&self) -> PromotionServiceClient<Channel> {
        PromotionServiceClient::new(self.service.channel.clone())
    }
    pub fn pricing(&self) -> PricingServiceClient<Channel> {
        PricingServiceClient::new(self.service.channel.clone())
    }
    pub fn pipelines(&self) -> PipelineServiceClient<Channel> {
        PipelineServiceClient::new(self.service.channel.clone())
    }
    pub fn opportunities(&self) -> OpportunityServiceClient<Channel> {
        OpportunityServiceClient::new(self.service.channel.clone())
    }
    pub fn funnel(&self) -> FunnelServiceClient<Channel> {
        FunnelServiceClient::new(self.service.channel.clone())
    }
    pub fn access(&self) -> AccessServiceClient<Channel> {
        AccessServiceClient::new(self.service.channel.clone())
    }
    pub fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.service.channel.clone())
    }

    /// Types of the tenant's events, in the order they were written, without the package.
    pub async fn event_types(&self) -> Vec<String> {
        let events = self.service.events(self.admin.tenant).await;
        events.into_iter().map(|(kind, ..)| kind.replace("trato.sales.v1.", "")).collect()
    }

    /// A product of this name.
    pub async fn product(&self, display_name: &str) -> Product {
        let product = Product { display_name: display_name.into(), sellable: true, ..Default::default() };
        let request = CreateProductRequest { product: Some(product), ..Default::default() };
        self.products().create_product(self.admin.request(request)).await.expect("a product").into_inner()
    }

    /// A pipeline of this name, with stages and their chances in percent.
    pub async fn pipeline(&self, display_name: &str, stages: &[(&str, i32)]) -> Pipeline {
        let stages = stages.iter().map(|(key, chance)| stage(key, *chance)).collect();
        let pipeline = Pipeline { display_name: display_name.into(), stages, ..Default::default() };
        let request = CreatePipelineRequest { pipeline: Some(pipeline), ..Default::default() };
        self.pipelines().create_pipeline(self.admin.request(request)).await.expect("a pipeline").into_inner()
    }

    /// Records an opportunity as the administrator.
    pub async fn create(&self, opportunity: Opportunity) -> Result<Opportunity, Status> {
        self.create_as(&self.admin, opportunity).await
    }

    /// Records an opportunity.
    pub async fn create_as(
        &self,
        caller: &TestCaller,
        opportunity: Opportunity,
    ) -> Result<Opportunity, Status> {
        let request = CreateOpportunityRequest { opportunity: Some(opportunity), ..Default::default() };
        self.opportunities().create_opportunity(caller.request(request)).await.map(Response::into_inner)
    }

    /// An opportunity of this name, worth so many US dollars, with an account that is known.
    pub async fn opportunity(&self, display_name: &str, units: i64) -> Opportunity {
        let account = self.account().await;
        let display_name = display_name.into();
        self.create(Opportunity { display_name, account, amount: usd(units), ..Default::default() })
            .await
            .expect("an opportunity")
    }

    /// Changes the masked fields of an opportunity as the administrator.
    pub async fn update(&self, opportunity: Opportunity, mask: &[&str]) -> Result<Opportunity, Status> {
        let update_mask = Some(paths(mask));
        let request =
            UpdateOpportunityRequest { opportunity: Some(opportunity), update_mask, ..Default::default() };
        self.opportunities().update_opportunity(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// Reads an opportunity as the administrator.
    pub async fn get(&self, name: &str) -> Opportunity {
        let request = GetOpportunityRequest { name: name.into() };
        self.opportunities()
            .get_opportunity(self.admin.request(request))
            .await
            .expect("it is there")
            .into_inner()
    }

    /// The whole history of an opportunity, as far as one page goes.
    pub async fn history(&self, parent: &str) -> Vec<StageChange> {
        let request = trato_proto::sales::v1::ListStageChangesRequest {
            parent: parent.into(),
            page_size: 1000,
            ..Default::default()
        };
        let page =
            self.opportunities().list_stage_changes(self.admin.request(request)).await.expect("a history");
        page.into_inner().stage_changes
    }

    /// An account that sales heard of.
    pub async fn account(&self) -> String {
        let name = format!("accounts/{}", Uuid::now_v7());
        self.hear_account(&name, 1, false).await;
        name
    }

    /// Hears from customers of a revision of an account.
    pub async fn hear_account(&self, name: &str, revision: i64, is_deleted: bool) {
        let delete_time = is_deleted.then(|| timestamp(2026, 1, 1));
        let account = Account { name: name.into(), delete_time, ..Default::default() };
        let kind = if is_deleted { "deleted" } else { "updated" };
        self.hear(&format!("trato.customers.v1.account.{kind}"), name, revision, &account).await;
    }

    /// Hears from the directory of a team and its region.
    pub async fn hear_team(&self, display_name: &str, region: &str) -> String {
        let name = format!("teams/{}", Uuid::now_v7());
        let team = Team {
            name: name.clone(),
            display_name: display_name.into(),
            region: region.into(),
            ..Default::default()
        };
        self.hear("trato.directory.v1.team.created", &name, 1, &team).await;
        name
    }

    /// Hears from the directory of a member and its teams.
    pub async fn hear_member(&self, subject: &str, display_name: &str, teams: &[&str]) -> String {
        let name = format!("members/{subject}");
        let member = Member {
            name: name.clone(),
            subject: subject.into(),
            display_name: display_name.into(),
            teams: teams.iter().map(|team| (*team).to_owned()).collect(),
            ..Default::default()
        };
        self.hear("trato.directory.v1.member.created", &name, 1, &member).await;
        name
    }

    /// Hears from billing of a tax code of the standard category, at this rate since 2010, that prices may include.
    pub async fn hear_tax_code(&self, code: &str, percent: &str) {
        self.hear_tax_code_of(tax_code(code, percent)).await;
    }

    /// Hears from billing of a tax code as it was recorded.
    pub async fn hear_tax_code_of(&self, tax_code: TaxCode) {
        self.hear("trato.billing.v1.tax_code.created", &tax_code.name.clone(), 1, &tax_code).await;
    }

    /// Hears of a revision of a resource.
    pub async fn hear<M: Name>(&self, kind: &str, subject: &str, revision: i64, resource: &M) {
        self.service.hear(self.admin.tenant, kind, subject, revision, resource).await;
    }
}

/// A tax code of the standard category, at this rate since 2010, that prices may include.
pub fn tax_code(code: &str, percent: &str) -> TaxCode {
    let rate = Rate { percent: percent.into(), valid_from: date(2010, 1, 1), valid_to: None };
    TaxCode {
        name: format!("taxCodes/{}", Uuid::now_v7()),
        code: code.into(),
        tax: "VAT".into(),
        category: Category::Standard.into(),
        rates: vec![rate],
        inclusive_allowed: true,
        ..Default::default()
    }
}

/// A stage with a chance in percent.
pub fn stage(key: &str, probability_percent: i32) -> Stage {
    Stage { key: key.into(), display_name: key.to_uppercase(), probability_percent, max_days: 0 }
}

/// An amount in US dollars.
pub fn usd(units: i64) -> Option<Money> {
    Some(Money { currency_code: "USD".into(), units, nanos: 0 })
}

/// An amount in cents of euros.
pub fn euros(cents: i64) -> Option<Money> {
    let nanos = i32::try_from(cents % 100 * 10_000_000).expect("less than a unit");
    Some(Money { currency_code: "EUR".into(), units: cents / 100, nanos })
}

/// An amount in a currency that does not exist.
pub fn abc(units: i64) -> Option<Money> {
    Some(Money { currency_code: "ABC".into(), units, nanos: 0 })
}

/// A civil date.
pub fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

/// Midnight, UTC, of a date.
pub fn timestamp(year: i32, month: u32, day: u32) -> prost_types::Timestamp {
    let date = trato_types::Date::from_ymd_opt(year, month, day).expect("a date");
    prost_types::Timestamp { seconds: date.and_time(Default::default()).and_utc().timestamp(), nanos: 0 }
}
