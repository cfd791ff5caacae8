//! `ProductService`, and a product on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_proto::{
    google::value::Money,
    sales::v1::{self as pb, product_service_server::ProductService},
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{
    Context, Currency, Minor, Result, Violations,
    text::{line, paragraph},
};

use super::{
    model::{Kind, Product, UnitCode, UnitCodeError},
    parts::{
        parse_attributes, parse_components, parse_option_groups, render_attributes, render_component,
        render_option_group,
    },
    store,
};
use crate::forms::parse_period;

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
        let (list_price, currency) = parse_amount(message.list_price.as_ref(), "list_price", check).unzip();
        let (sellable, purchasable) = (message.sellable, message.purchasable);
        let description =
            check.keep("description", paragraph(&message.description, 10_000)).unwrap_or_default();
        let unit_code = check.keep("unit_code", parse_unit_code(&message.unit_code));
        let tax_class = check.keep("tax_class", line(&message.tax_class, 40)).unwrap_or_default();
        let (cost, cost_currency) = parse_amount(message.cost.as_ref(), "cost", check).unzip();
        let category = check.keep("category", line(&message.category, 200)).unwrap_or_default();
        let (start_date, end_date) =
            parse_period(message.start_date.as_ref(), message.end_date.as_ref(), check);
        let attributes = check.absorb("", parse_attributes(message.attributes.as_ref()))?.unwrap_or_default();
        let components = check.absorb("", parse_components(&message.components))?.unwrap_or_default();
        let option_groups =
            check.absorb("", parse_option_groups(&message.option_groups))?.unwrap_or_default();
        let stocked = message.stocked;
        #[rustfmt::skip]
        let product = display_name.zip(unit_code).map(|(display_name, unit_code)| Self {
            display_name, sku, series, kind, list_price, currency, sellable, purchasable, description, unit_code,
            tax_class, cost, cost_currency, category, stocked, attributes, start_date, end_date, components,
            option_groups,
        });
        violations.into_result(product)
    }

    fn render(record: &Record<Self>) -> pb::Product {
        let product = &record.value;
        let amount = |amount: Option<Minor>, currency: Option<Currency>| {
            amount.zip(currency).map(|(amount, currency)| wire::money(amount, currency))
        };
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
            list_price: amount(product.list_price, product.currency),
            sellable: product.sellable,
            purchasable: product.purchasable,
            description: product.description.clone(),
            unit_code: product.unit_code.to_string(),
            tax_class: product.tax_class.clone(),
            cost: amount(product.cost, product.cost_currency),
            category: product.category.clone(),
            stocked: product.stocked,
            attributes: render_attributes(&product.attributes),
            start_date: product.start_date.map(wire::date),
            end_date: product.end_date.map(wire::date),
            components: product.components.iter().map(render_component).collect(),
            option_groups: product.option_groups.iter().map(render_option_group).collect(),
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

fn parse_amount(
    amount: Option<&Money>,
    field: &str,
    violations: &mut Violations,
) -> Option<(Minor, Currency)> {
    amount.and_then(|amount| violations.keep(field, wire::parse_amount(amount)))
}

fn parse_unit_code(code: &str) -> Result<UnitCode, UnitCodeError> {
    if code.is_empty() { UnitCode::PIECE.parse() } else { code.parse() }
}
