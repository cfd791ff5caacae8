//! `PriceService`, and a price on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_pricing::Quantity;
use trato_proto::{
    sales::v1::{self as pb, price_service_server::PriceService},
    wire,
};
use trato_query::Field;
use trato_types::{Context, Id, Result, Violations};

use super::{model::Price, store};
use crate::{decimal::Exact, forms::parse_decimal};

/// Serves prices.
pub struct Api {
    prices: Store<Price>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { prices: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl PriceService for Api {
    async fn get_price(&self, request: Request<pb::GetPriceRequest>) -> Reply<pb::Price> {
        self.prices.get(request).await
    }
    async fn list_prices(&self, request: Request<pb::ListPricesRequest>) -> Reply<pb::ListPricesResponse> {
        self.prices.list(request).await
    }
    async fn create_price(&self, request: Request<pb::CreatePriceRequest>) -> Reply<pb::Price> {
        self.prices.create(request).await
    }
    async fn update_price(&self, request: Request<pb::UpdatePriceRequest>) -> Reply<pb::Price> {
        self.prices.update(request).await
    }
    async fn delete_price(&self, request: Request<pb::DeletePriceRequest>) -> Reply<pb::Price> {
        self.prices.delete(request).await
    }
    async fn undelete_price(&self, request: Request<pb::UndeletePriceRequest>) -> Reply<pb::Price> {
        self.prices.undelete(request).await
    }
    async fn batch_get_prices(
        &self,
        request: Request<pb::BatchGetPricesRequest>,
    ) -> Reply<pb::BatchGetPricesResponse> {
        self.prices.batch_get(request).await
    }
    async fn batch_create_prices(
        &self,
        request: Request<pb::BatchCreatePricesRequest>,
    ) -> Reply<pb::BatchCreatePricesResponse> {
        self.prices.batch_create(request).await
    }
    async fn upsert_price(&self, request: Request<pb::UpsertPriceRequest>) -> Reply<pb::Price> {
        self.prices.upsert(request).await
    }
}

impl Resource for Price {
    type Message = pb::Price;
    const TABLE: &'static str = "price";
    const COLLECTION: &'static str = "prices";
    const EVENT: &'static str = "trato.sales.v1.price";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::Price, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let price_list = check.keep("price_list", Id::parse(&message.price_list));
        let product = check.keep("product", Id::parse(&message.product));
        let min_quantity =
            parse_decimal(&message.min_quantity, Quantity::ZERO).and_then(Quantity::not_negative);
        let min_quantity = check.keep("min_quantity", min_quantity).map(Exact);
        let unit_price = check.keep("unit_price", message.unit_price.parse()).map(Exact);
        let per = parse_decimal(&message.per, Quantity::ONE).and_then(Quantity::positive);
        let per = check.keep("per", per).map(Exact);
        let parts = price_list.zip(product).zip(min_quantity).zip(unit_price).zip(per);
        #[rustfmt::skip]
        let price = parts.map(|((((price_list, product), min_quantity), unit_price), per)| Self {
            price_list, product, min_quantity, unit_price, per,
        });
        violations.into_result(price)
    }

    fn render(record: &Record<Self>) -> pb::Price {
        let price = &record.value;
        let (source, external_id) = record.external_fields();
        pb::Price {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            price_list: price.price_list.name(),
            product: price.product.name(),
            min_quantity: price.min_quantity.0.to_string(),
            unit_price: price.unit_price.0.to_string(),
            per: price.per.0.to_string(),
        }
    }
}
