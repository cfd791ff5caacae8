//! `PriceListService`, and a price list on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_proto::{
    sales::v1::{self as pb, price_list::Prices as WirePrices, price_list_service_server::PriceListService},
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{Context, Currency, Ref, Result, Violations, text::line};

use super::{
    audience::{Audience, note_twins},
    model::{Inclusion, PriceList, default_for_all},
    store,
};
use crate::{
    foreign::Account,
    forms::{parse_period, rank},
};

/// Serves price lists.
pub struct Api {
    price_lists: Store<PriceList>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { price_lists: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl PriceListService for Api {
    async fn get_price_list(&self, request: Request<pb::GetPriceListRequest>) -> Reply<pb::PriceList> {
        self.price_lists.get(request).await
    }
    async fn list_price_lists(
        &self,
        request: Request<pb::ListPriceListsRequest>,
    ) -> Reply<pb::ListPriceListsResponse> {
        self.price_lists.list(request).await
    }
    async fn create_price_list(&self, request: Request<pb::CreatePriceListRequest>) -> Reply<pb::PriceList> {
        self.price_lists.create(request).await
    }
    async fn update_price_list(&self, request: Request<pb::UpdatePriceListRequest>) -> Reply<pb::PriceList> {
        self.price_lists.update(request).await
    }
    async fn delete_price_list(&self, request: Request<pb::DeletePriceListRequest>) -> Reply<pb::PriceList> {
        self.price_lists.delete(request).await
    }
    async fn undelete_price_list(
        &self,
        request: Request<pb::UndeletePriceListRequest>,
    ) -> Reply<pb::PriceList> {
        self.price_lists.undelete(request).await
    }
    async fn batch_get_price_lists(
        &self,
        request: Request<pb::BatchGetPriceListsRequest>,
    ) -> Reply<pb::BatchGetPriceListsResponse> {
        self.price_lists.batch_get(request).await
    }
    async fn batch_create_price_lists(
        &self,
        request: Request<pb::BatchCreatePriceListsRequest>,
    ) -> Reply<pb::BatchCreatePriceListsResponse> {
        self.price_lists.batch_create(request).await
    }
    async fn upsert_price_list(&self, request: Request<pb::UpsertPriceListRequest>) -> Reply<pb::PriceList> {
        self.price_lists.upsert(request).await
    }
}

impl Resource for PriceList {
    type Message = pb::PriceList;
    const TABLE: &'static str = "price_list";
    const COLLECTION: &'static str = "priceLists";
    const EVENT: &'static str = "trato.sales.v1.price_list";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::PriceList, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let display_name = check.keep("display_name", message.display_name.parse());
        let currency = check.keep("currency_code", Currency::parse_existing(&message.currency_code));
        let prices = check.keep("prices", parse_prices(message.prices)).flatten().unwrap_or(Inclusion::Net);
        let (start_date, end_date) =
            parse_period(message.start_date.as_ref(), message.end_date.as_ref(), check);
        let audience = check.absorb("", parse_audience(message.audience.as_ref()))?.unwrap_or_default();
        let priority = check.keep("priority", rank(message.priority)).unwrap_or_default();
        let is_default = check.keep("is_default", default_for_all(message.is_default, &audience));
        let is_default = is_default.unwrap_or_default();
        #[rustfmt::skip]
        let price_list = display_name.zip(currency).map(|(display_name, currency)| Self {
            display_name, currency, prices, start_date, end_date, audience, priority, is_default,
        });
        violations.into_result(price_list)
    }

    fn render(record: &Record<Self>) -> pb::PriceList {
        let price_list = &record.value;
        let (source, external_id) = record.external_fields();
        pb::PriceList {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            display_name: price_list.display_name.to_string(),
            currency_code: price_list.currency.code().to_owned(),
            prices: render_prices(price_list.prices).into(),
            start_date: price_list.start_date.map(wire::date),
            end_date: price_list.end_date.map(wire::date),
            audience: render_audience(&price_list.audience),
            priority: price_list.priority,
            is_default: price_list.is_default,
        }
    }
}

/// Reads whether prices include taxes; none where it is not said.
pub fn parse_prices(prices: i32) -> Result<Option<Inclusion>, UnknownName> {
    match WirePrices::try_from(prices) {
        Ok(WirePrices::Unspecified) => Ok(None),
        Ok(WirePrices::Net) => Ok(Some(Inclusion::Net)),
        Ok(WirePrices::TaxInclusive) => Ok(Some(Inclusion::TaxInclusive)),
        Err(_) => Err(UnknownName),
    }
}

/// Writes whether prices include taxes.
pub fn render_prices(prices: Inclusion) -> WirePrices {
    match prices {
        Inclusion::Net => WirePrices::Net,
        Inclusion::TaxInclusive => WirePrices::TaxInclusive,
    }
}

/// Reads for whom something is; without a message it is for everybody. Violations stand under `audience`.
pub fn parse_audience(message: Option<&pb::Audience>) -> Result<Audience> {
    let Some(message) = message else { return Ok(Audience::default()) };
    let mut violations = Violations::new();
    let given = wire::at_most(&message.accounts, Audience::MAX_ACCOUNTS);
    let given = violations.keep("audience.accounts", given).unwrap_or_default();
    let mut accounts = Vec::with_capacity(given.len());
    for (index, name) in given.iter().enumerate() {
        let account = violations.keep(&format!("audience.accounts[{index}]"), Ref::<Account>::parse(name));
        accounts.extend(account.map(Ref::uuid));
    }
    note_twins("audience.accounts", given, &mut violations);
    let segments = parse_texts("audience.segments", &message.segments, &mut violations);
    let channels = parse_texts("audience.channels", &message.channels, &mut violations);
    violations.into_result(Some(Audience { accounts, segments, channels }))
}

fn parse_texts(field: &str, given: &[String], violations: &mut Violations) -> Vec<String> {
    let given = violations.keep(field, wire::at_most(given, Audience::MAX_TEXTS)).unwrap_or_default();
    let mut texts = Vec::with_capacity(given.len());
    for (index, text) in given.iter().enumerate() {
        let field = format!("{field}[{index}]");
        let text = violations.keep(&field, line(text, 100));
        if text.as_ref().is_some_and(String::is_empty) {
            violations.add(field, "REQUIRED", "must not be empty");
        }
        texts.extend(text);
    }
    note_twins(field, given, violations);
    texts
}

/// Writes for whom something is; unset for everybody.
pub fn render_audience(audience: &Audience) -> Option<pb::Audience> {
    if audience.is_everybody() {
        return None;
    }
    Some(pb::Audience {
        accounts: audience.accounts.iter().map(|id| Ref::<Account>::from_uuid(*id).name()).collect(),
        segments: audience.segments.clone(),
        channels: audience.channels.clone(),
    })
}
