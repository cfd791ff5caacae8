//! What the tests of billing share: the service with its clients, one resource of each kind, and how an error reads.

use tonic::{Response, Status, transport::Channel};
use trato_platform::testing::{TestCaller, TestService};
use trato_proto::{
    billing::v1::{
        CreateInvoiceRequest, CreateLegalEntityRequest, CreateNumberSeriesRequest, CreateTaxCodeRequest,
        Invoice, IssueInvoiceRequest, LegalEntity, NumberSeries, TaxCode,
        access_service_client::AccessServiceClient,
        bank_statement_service_client::BankStatementServiceClient,
        credit_note_service_client::CreditNoteServiceClient,
        credit_profile_service_client::CreditProfileServiceClient,
        credit_reservation_service_client::CreditReservationServiceClient,
        dunning_policy_service_client::DunningPolicyServiceClient,
        dunning_state_service_client::DunningStateServiceClient,
        event_service_client::EventServiceClient,
        exchange_rate_service_client::ExchangeRateServiceClient,
        invoice::{Line, Party},
        invoice_service_client::InvoiceServiceClient,
        ledger_service_client::LedgerServiceClient,
        legal_entity_service_client::LegalEntityServiceClient,
        number_series::{DocumentKind, Period},
        number_series_service_client::NumberSeriesServiceClient,
        parked_task_service_client::ParkedTaskServiceClient,
        payment_service_client::PaymentServiceClient,
        payment_term_service_client::PaymentTermServiceClient,
        receivables_service_client::ReceivablesServiceClient,
        tax_code::{Category, Rate},
        tax_code_service_client::TaxCodeServiceClient,
    },
    customers::v1::Account,
    google::value::{Date, Money},
    sales::v1::Product,
};
use uuid::Uuid;

pub use trato_platform::testing::{field, paths, refusal, violations};

/// A running service and an administrator of one tenant of it.
pub struct Billing {
    pub service: TestService,
    pub admin: TestCaller,
}

/// What an invoice needs.
pub struct Desk {
    pub account: String,
    pub legal_entity: LegalEntity,
    pub series: NumberSeries,
    pub tax_code: TaxCode,
}

impl Desk {
    /// An invoice of these lines in euros, not recorded yet.
    pub fn invoice(&self, lines: Vec<Line>) -> Invoice {
        Invoice {
            account: self.account.clone(),
            legal_entity: self.legal_entity.name.clone(),
            currency_code: "EUR".into(),
            bill_to: Some(Party { display_name: "Hotel Miramar".into(), ..Default::default() }),
            lines,
            ..Default::default()
        }
    }

    /// A line at the standard rate.
    pub fn line(&self, key: &str, quantity: &str, unit_price: &str) -> Line {
        Line {
            key: key.into(),
            description: "Coffee machine".into(),
            quantity: quantity.into(),
            unit_price: unit_price.into(),
            tax_codes: vec![self.tax_code.name.clone()],
            ..Default::default()
        }
    }
}

/// Asks to issue a draft, under a request id of its own.
pub fn issuing(invoice: &Invoice, series: &NumberSeries) -> IssueInvoiceRequest {
    IssueInvoiceRequest {
        name: invoice.name.clone(),
        number_series: series.name.clone(),
        request_id: Uuid::now_v7().to_string(),
        ..Default::default()
    }
}

/// An amount of euros, such as `145.19` or `-7.50`.
pub fn eur(amount: &str) -> Option<Money> {
    let (units, cents) = amount.split_once('.').expect("an amount has cents");
    let sign = if units.starts_with('-') { -1 } else { 1 };
    let nanos = sign * cents.parse::<i32>().expect("cents are a number") * 10_000_000;
    Some(Money { currency_code: "EUR".into(), units: units.parse().expect("units are a number"), nanos })
}

impl Billing {
    /// Starts the service.
    pub async fn start() -> Self {
        let service = TestService::start(trato_billing::service()).await;
        let admin = service.caller(Uuid::now_v7(), "admin", &["administrator"]);
        Self { service, admin }
    }

    /// Somebody with these roles in the administrator's tenant.
    pub fn caller(&self, subject: &str, roles: &[&str]) -> TestCaller {
        self.service.caller(self.admin.tenant, subject, roles)
    }

    pub fn legal_entities(&self) -> LegalEntityServiceClient<Channel> {
        LegalEntityServiceClient::new(self.service.channel.clone())
    }
    pub fn parked_tasks(&self) -> ParkedTaskServiceClient<Channel> {
        ParkedTaskServiceClient::new(self.service.channel.clone())
    }
    pub fn dunning_policies(&self) -> DunningPolicyServiceClient<Channel> {
        DunningPolicyServiceClient::new(self.service.channel.clone())
    }
    pub fn dunning_states(&self) -> DunningStateServiceClient<Channel> {
        DunningStateServiceClient::new(self.service.channel.clone())
    }
    pub fn tax_codes(&self) -> TaxCodeServiceClient<Channel> {
        TaxCodeServiceClient::new(self.service.channel.clone())
    }
    pub fn payment_terms(&self) -> PaymentTermServiceClient<Channel> {
        PaymentTermServiceClient::new(self.service.channel.clone())
    }
    pub fn exchange_rates(&self) -> ExchangeRateServiceClient<Channel> {
        ExchangeRateServiceClient::new(self.service.channel.clone())
    }
    pub fn number_series(&self) -> NumberSeriesServiceClient<Channel> {
        NumberSeriesServiceClient::new(self.service.channel.clone())
    }
    pub fn invoices(&self) -> InvoiceServiceClient<Channel> {
        InvoiceServiceClient::new(self.service.channel.clone())
    }
    pub fn credit_notes(&self) -> CreditNoteServiceClient<Channel> {
        CreditNoteServiceClient::new(self.service.channel.clone())
    }
    pub fn bank_statements(&self) -> BankStatementServiceClient<Channel> {
        BankStatementServiceClient::new(self.service.channel.clone())
    }
    pub fn ledgers(&self) -> LedgerServiceClient<Channel> {
        LedgerServiceClient::new(self.service.channel.clone())
    }
    pub fn payments(&self) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(self.service.channel.clone())
    }
    pub fn receivables(&self) -> ReceivablesServiceClient<Channel> {
        ReceivablesServiceClient::new(self.service.channel.clone())
    }
    pub fn credit_profiles(&self) -> CreditProfileServiceClient<Channel> {
        CreditProfileServiceClient::new(self.service.channel.clone())
    }
    pub fn credit_reservations(&self) -> CreditReservationServiceClient<Channel> {
        CreditReservationServiceClient::new(self.service.channel.clone())
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
        events.into_iter().map(|(kind, ..)| kind.replace("trato.billing.v1.", "")).collect()
    }

    pub async fn create_legal_entity(&self, legal_entity: LegalEntity) -> Result<LegalEntity, Status> {
        let request = CreateLegalEntityRequest { legal_entity: Some(legal_entity), ..Default::default() };
        self.legal_entities().create_legal_entity(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn create_tax_code(&self, tax_code: TaxCode) -> Result<TaxCode, Status> {
        let request = CreateTaxCodeRequest { tax_code: Some(tax_code), ..Default::default() };
        self.tax_codes().create_tax_code(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn create_series(&self, number_series: NumberSeries) -> Result<NumberSeries, Status> {
        let request = CreateNumberSeriesRequest { number_series: Some(number_series), ..Default::default() };
        self.number_series().create_number_series(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn create_invoice(&self, invoice: Invoice) -> Result<Invoice, Status> {
        let request = CreateInvoiceRequest { invoice: Some(invoice), ..Default::default() };
        self.invoices().create_invoice(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// Issues a draft under a request id of its own.
    pub async fn issue(&self, invoice: &Invoice, series: &NumberSeries) -> Result<Invoice, Status> {
        let request = issuing(invoice, series);
        self.invoices().issue_invoice(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// A Spanish company with a series of invoices `F0001` and the standard rate.
    pub async fn desk(&self) -> Desk {
        let legal_entity = self.legal_entity("Hispania").await;
        let series = self.series(&legal_entity, "F").await;
        let tax_code = self.create_tax_code(vat("ES-S")).await.expect("a tax code");
        Desk { account: self.account().await, legal_entity, series, tax_code }
    }

    /// An account that billing heard of.
    pub async fn account(&self) -> String {
        let name = format!("accounts/{}", Uuid::now_v7());
        self.hear_account(&name, false).await;
        name
    }

    /// Hears from customers of an account.
    pub async fn hear_account(&self, name: &str, is_deleted: bool) {
        let (kind, revision) = if is_deleted { ("deleted", 2) } else { ("created", 1) };
        let delete_time = is_deleted.then(Default::default);
        let account = Account { name: name.into(), delete_time, ..Default::default() };
        let kind = format!("trato.customers.v1.account.{kind}");
        self.service.hear(self.admin.tenant, &kind, name, revision, &account).await;
    }

    /// Hears from sales of a product.
    pub async fn hear_product(&self, name: &str, is_deleted: bool) {
        let (kind, revision) = if is_deleted { ("deleted", 2) } else { ("created", 1) };
        let delete_time = is_deleted.then(Default::default);
        let product = Product { name: name.into(), delete_time, ..Default::default() };
        let kind = format!("trato.sales.v1.product.{kind}");
        self.service.hear(self.admin.tenant, &kind, name, revision, &product).await;
    }

    /// A Spanish company of this name.
    pub async fn legal_entity(&self, display_name: &str) -> LegalEntity {
        self.create_legal_entity(company(display_name)).await.expect("a legal entity")
    }

    /// A gap-free series of invoices without periods.
    pub async fn series(&self, legal_entity: &LegalEntity, prefix: &str) -> NumberSeries {
        self.create_series(invoices(legal_entity, prefix)).await.expect("a series")
    }
}

/// A Spanish company that is not recorded yet.
pub fn company(display_name: &str) -> LegalEntity {
    LegalEntity {
        display_name: display_name.into(),
        legal_name: format!("{display_name} S.L."),
        time_zone: "Europe/Madrid".into(),
        base_currency_code: "EUR".into(),
        ..Default::default()
    }
}

/// A gap-free series of invoices without periods that is not recorded yet.
pub fn invoices(legal_entity: &LegalEntity, prefix: &str) -> NumberSeries {
    NumberSeries {
        display_name: format!("Invoices {prefix}"),
        legal_entity: legal_entity.name.clone(),
        document_kind: DocumentKind::Invoice.into(),
        prefix: prefix.into(),
        period: Period::None.into(),
        padding: 4,
        gap_free: true,
        ..Default::default()
    }
}

/// The Spanish standard rate, not recorded yet.
pub fn vat(code: &str) -> TaxCode {
    TaxCode {
        code: code.into(),
        display_name: "IVA".into(),
        country_code: "ES".into(),
        tax: "VAT".into(),
        category: Category::Standard.into(),
        rates: vec![rate("18", date(2010, 7, 1), date(2012, 8, 31)), rate("21", date(2012, 9, 1), None)],
        inclusive_allowed: true,
        ..Default::default()
    }
}

/// A rate of these days.
pub fn rate(percent: &str, valid_from: Option<Date>, valid_to: Option<Date>) -> Rate {
    Rate { percent: percent.into(), valid_from, valid_to }
}

/// The day so many days ago, at a place where it is never tomorrow.
pub fn days_ago(days: u64) -> Option<Date> {
    on(chrono::Utc::now().date_naive() - chrono::Days::new(days))
}

/// The day in so many days.
pub fn days_ahead(days: u64) -> Option<Date> {
    on(chrono::Utc::now().date_naive() + chrono::Days::new(days))
}

fn on(day: chrono::NaiveDate) -> Option<Date> {
    use chrono::Datelike as _;
    let part = |number: u32| i32::try_from(number).expect("it is small");
    date(day.year(), part(day.month()), part(day.day()))
}

/// Cents of an amount of euros.
pub fn cents(amount: Option<&Money>) -> i64 {
    let amount = amount.expect("an amount");
    amount.units * 100 + i64::from(amount.nanos) / 10_000_000
}

/// A civil date.
pub fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}
