//! `ProductService`, and a product on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_proto::{
    sales::v1::{self as pb, product_service_server::ProductService},
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{
    Context, Result, Violations,
    text::{line, paragraph},
};

use super::{
    model::{Kind, Product},
    store,
};

/// Serves products.
pub struct Api {
    products: Store<Product>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { products: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl ProductService for Api {
    async fn get_product(&self, request: Request<pb::GetProductRequest>) -> Reply<pb::Product> {
        self.products.get(request).await
    }
    async fn list_products(
        &self,
        request: Request<pb::ListProductsRequest>,
    ) -> Reply<pb::ListProductsResponse> {
        self.products.list(request).await
    }
    async fn create_product(&self, request: Request<pb::CreateProductRequest>) -> Reply<pb::Product> {
        self.products.create(request).await
    }
    async fn update_product(&self, request: Request<pb::UpdateProductRequest>) -> Reply<pb::Product> {
        self.products.update(request).await
    }
    async fn delete_product(&self, request: Request<pb::DeleteProductRequest>) -> Reply<pb::Product> {
        self.products.delete(request).await
    }
    async fn undelete_product(&self, request: Request<pb::UndeleteProductRequest>) -> Reply<pb::Product> {
        self.products.undelete(request).await
    }
    async fn batch_get_products(
        &self,
        request: Request<pb::BatchGetProductsRequest>,
    ) -> Reply<pb::BatchGetProductsResponse> {
        self.products.batch_get(request).await
    }
    async fn batch_create_products(
        &self,
        request: Request<pb::BatchCreateProductsRequest>,
    ) -> Reply<pb::BatchCreateProductsResponse> {
        self.products.batch_create(request).await
    }
    async fn upsert_product(&self, request: Request<pb::UpsertProductRequest>) -> Reply<pb::Product> {
        self.products.upsert(request).await
    }
}

impl Resource for Product {
    type Message = pb::Product;
    const TABLE: &'static str = "product";
    const COLLECTION: &'static str = "products";
    const EVENT: &'static str = "trato.sales.v1.product";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::Product, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let display_name = check.keep("display_name", message.display_name.parse());
        let sku = check.keep("sku", line(&message.sku, 60)).filter(|sku| !sku.is_empty());
        let series = check.keep("series", line(&message.series, 100)).unwrap_or_default();
        let kind = check.keep("kind", parse_kind(message.kind)).unwrap_or(Kind::Good);
        let price = message.list_price.as_ref();
        let price = price.and_then(|price| check.keep("list_price", wire::parse_amount(price)));
        let (list_price, currency) = price.unzip();
        let (sellable, purchasable) = (message.sellable, message.purchasable);
        let description =
            check.keep("description", paragraph(&message.description, 10_000)).unwrap_or_default();
        #[rustfmt::skip]
        let product = display_name.map(|display_name| Self {
            display_name, sku, series, kind, list_price, currency, sellable, purchasable, description,
        });
        violations.into_result(product)
    }

    fn render(record: &Record<Self>) -> pb::Product {
        let product = &record.value;
        let price = product.list_price.zip(product.currency);
        let (source, external_id) = record.external_fields();
        pb::Product {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            display_name: product.display_name.to_string(),
            sku: product.sku.clone().unwrap_or_default(),
            series: product.series.clone(),
            kind: render_kind(product.kind).into(),
            list_price: price.map(|(amount, currency)| wire::money(amount, currency)),
            sellable: product.sellable,
            purchasable: product.purchasable,
            description: product.description.clone(),
        }
    }
}

fn parse_kind(kind: i32) -> Result<Kind, UnknownName> {
    match pb::product::Kind::try_from(kind) {
        Ok(pb::product::Kind::Unspecified | pb::product::Kind::Good) => Ok(Kind::Good),
        Ok(pb::product::Kind::Service) => Ok(Kind::Service),
        Err(_) => Err(UnknownName),
    }
}

fn render_kind(kind: Kind) -> pb::product::Kind {
    match kind {
        Kind::Good => pb::product::Kind::Good,
        Kind::Service => pb::product::Kind::Service,
    }
}
