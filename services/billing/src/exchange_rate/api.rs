//! `ExchangeRateService`, and an exchange rate on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_proto::{
    billing::v1::{self as pb, exchange_rate_service_server::ExchangeRateService},
    wire,
};
use trato_query::Field;
use trato_types::{Context, Currency, Result, Violations};

use super::{
    model::{ExchangeRate, Rate},
    store,
};

/// Serves exchange rates.
pub struct Api {
    exchange_rates: Store<ExchangeRate>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { exchange_rates: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl ExchangeRateService for Api {
    async fn get_exchange_rate(
        &self,
        request: Request<pb::GetExchangeRateRequest>,
    ) -> Reply<pb::ExchangeRate> {
        self.exchange_rates.get(request).await
    }
    async fn list_exchange_rates(
        &self,
        request: Request<pb::ListExchangeRatesRequest>,
    ) -> Reply<pb::ListExchangeRatesResponse> {
        self.exchange_rates.list(request).await
    }
    async fn create_exchange_rate(
        &self,
        request: Request<pb::CreateExchangeRateRequest>,
    ) -> Reply<pb::ExchangeRate> {
        self.exchange_rates.create(request).await
    }
    async fn update_exchange_rate(
        &self,
        request: Request<pb::UpdateExchangeRateRequest>,
    ) -> Reply<pb::ExchangeRate> {
        self.exchange_rates.update(request).await
    }
    async fn delete_exchange_rate(
        &self,
        request: Request<pb::DeleteExchangeRateRequest>,
    ) -> Reply<pb::ExchangeRate> {
        self.exchange_rates.delete(request).await
    }
    async fn undelete_exchange_rate(
        &self,
        request: Request<pb::UndeleteExchangeRateRequest>,
    ) -> Reply<pb::ExchangeRate> {
        self.exchange_rates.undelete(request).await
    }
    async fn batch_get_exchange_rates(
        &self,
        request: Request<pb::BatchGetExchangeRatesRequest>,
    ) -> Reply<pb::BatchGetExchangeRatesResponse> {
        self.exchange_rates.batch_get(request).await
    }
    async fn batch_create_exchange_rates(
        &self,
        request: Request<pb::BatchCreateExchangeRatesRequest>,
    ) -> Reply<pb::BatchCreateExchangeRatesResponse> {
        self.exchange_rates.batch_create(request).await
    }
    async fn upsert_exchange_rate(
        &self,
        request: Request<pb::UpsertExchangeRateRequest>,
    ) -> Reply<pb::ExchangeRate> {
        self.exchange_rates.upsert(request).await
    }
}

impl Resource for ExchangeRate {
    type Message = pb::ExchangeRate;
    const TABLE: &'static str = "exchange_rate";
    const COLLECTION: &'static str = "exchangeRates";
    const EVENT: &'static str = "trato.billing.v1.exchange_rate";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::ExchangeRate, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let date = check.keep("date", wire::require_date(message.date.as_ref()));
        let from = check.keep("from_currency_code", Currency::parse_existing(&message.from_currency_code));
        let to = check.keep("to_currency_code", Currency::parse_existing(&message.to_currency_code));
        let rate = check.keep("rate", message.rate.parse().map(Rate));
        let origin = check.keep("origin", message.origin.parse());
        #[rustfmt::skip]
        let rate = date.zip(from).zip(to).zip(rate).zip(origin).map(
            |((((date, from_currency_code), to_currency_code), rate), origin)| Self {
                date, from_currency_code, to_currency_code, rate, origin,
            },
        );
        if let Some(rate) = &rate {
            rate.check(&mut violations);
        }
        violations.into_result(rate)
    }

    fn render(record: &Record<Self>) -> pb::ExchangeRate {
        let rate = &record.value;
        let (source, external_id) = record.external_fields();
        pb::ExchangeRate {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            date: Some(wire::date(rate.date)),
            from_currency_code: rate.from_currency_code.to_string(),
            to_currency_code: rate.to_currency_code.to_string(),
            rate: rate.rate.0.to_string(),
            origin: rate.origin.to_string(),
        }
    }
}
