//! Products: what they are, and what bundles and kits consist of.

use prost_types::{Struct, Value, value::Kind as ValueKind};
use tonic::{Code, Response, Status};
use trato_proto::sales::v1::{
    BatchCreateProductsRequest, CreateProductRequest, DeleteProductRequest, GetProductRequest,
    ListProductsRequest, Product, UndeleteProductRequest, UpdateProductRequest,
    batch_create_products_response::result::Outcome,
    product::{Component, Kind},
};
use uuid::Uuid;

use crate::harness::{Sales, date, field, item_reason, paths, refusal, usd, violations};

impl Sales {
    pub async fn create_product(&self, product: Product) -> Result<Product, Status> {
        let request = CreateProductRequest { product: Some(product), ..Default::default() };
        self.products().create_product(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// A product that consists of these, each so many times.
    pub async fn bundle(&self, display_name: &str, components: &[(&str, &str)]) -> Result<Product, Status> {
        let components = components.iter().map(|(product, factor)| component(product, factor)).collect();
        let display_name = display_name.into();
        self.create_product(Product { display_name, components, sellable: true, ..Default::default() }).await
    }

    pub async fn set_components(&self, name: &str, components: &[(&str, &str)]) -> Result<Product, Status> {
        let components = components.iter().map(|(product, factor)| component(product, factor)).collect();
        let product = Product { name: name.into(), components, ..Default::default() };
        let update_mask = Some(paths(&["components"]));
        let request = UpdateProductRequest { product: Some(product), update_mask, ..Default::default() };
        self.products().update_product(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn delete_product(&self, name: &str) -> Result<Product, Status> {
        let request = DeleteProductRequest { name: name.into(), ..Default::default() };
        self.products().delete_product(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn product_names(&self, filter: &str) -> Vec<String> {
        let request = ListProductsRequest { filter: filter.into(), ..Default::default() };
        let page = self.products().list_products(self.admin.request(request)).await.expect("a page");
        page.into_inner().products.into_iter().map(|product| product.display_name).collect()
    }
}

#[tokio::test]
async fn a_product_is_kept_as_it_was_given() {
    let sales = Sales::start().await;

    let product = sales
        .create_product(Product {
            display_name: " GTX Pro ".into(),
            sku: "GTX-P".into(),
            series: "GTX".into(),
            list_price: usd(4821),
            sellable: true,
            description: "A press".into(),
            ..Default::default()
        })
        .await
        .expect("a product");

    assert_eq!(product.display_name, "GTX Pro");
    assert_eq!(product.kind(), Kind::Good, "a product is a good unless it is said");
    assert_eq!((product.list_price, product.sellable, product.purchasable), (usd(4821), true, false));
    assert_eq!(sales.product_names("series = GTX AND list_price > 482000").await, ["GTX Pro"]);
    assert_eq!(sales.product_names("series = GTX AND list_price > 482100").await, [""; 0]);
    assert_eq!(sales.event_types().await, ["product.created"]);
}

#[tokio::test]
async fn names_and_stock_keeping_units_are_unique_among_the_living() {
    let sales = Sales::start().await;
    let product = |display_name: &str, sku: &str| Product {
        display_name: display_name.into(),
        sku: sku.into(),
        ..Default::default()
    };
    let first = sales.create_product(product("GTX Pro", "P")).await.expect("a product");
    sales.create_product(product("GTX Basic", "")).await.expect("a product without sku");
    sales.create_product(product("MG Special", "")).await.expect("another without sku");

    let name_taken = sales.create_product(product("GTX Pro", "Q")).await;
    let sku_taken = sales.create_product(product("GTX Pro 2", "P")).await;
    let delete = DeleteProductRequest { name: first.name, ..Default::default() };
    sales.products().delete_product(sales.admin.request(delete)).await.expect("deleted");
    let again = sales.create_product(product("GTX Pro", "P")).await;

    assert_eq!(refusal(name_taken), (Code::AlreadyExists, "PRODUCT_NAME_TAKEN".to_owned()));
    assert_eq!(refusal(sku_taken), (Code::AlreadyExists, "SKU_TAKEN".to_owned()));
    assert!(again.is_ok(), "a deleted product holds no name");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_product_is_said_at_once() {
    let sales = Sales::start().await;

    let answer = sales
        .create_product(Product {
            sku: "x".repeat(61),
            kind: 9,
            list_price: usd(-1),
            series: "a\u{0}b".into(),
            ..Default::default()
        })
        .await;

    let expected = [
        field("product.display_name", "REQUIRED"),
        field("product.kind", "UNKNOWN_VALUE"),
        field("product.list_price", "NEGATIVE"),
        field("product.series", "CONTROL_CHARACTER"),
        field("product.sku", "TOO_LONG"),
    ];
    assert_eq!(violations(answer), expected);
}

#[tokio::test]
async fn a_price_can_be_taken_away() {
    let sales = Sales::start().await;
    let product = Product { display_name: "GTX Pro".into(), list_price: usd(1), ..Default::default() };
    let product = sales.create_product(product).await.expect("a product");

    let cleared = Product { name: product.name, ..Default::default() };
    let update_mask = Some(paths(&["list_price"]));
    let request = UpdateProductRequest { product: Some(cleared), update_mask, ..Default::default() };
    let updated = sales.products().update_product(sales.admin.request(request)).await.expect("updated");

    assert_eq!(updated.get_ref().list_price, None);
    assert_eq!(updated.get_ref().display_name, "GTX Pro");
}

pub fn component(product: &str, factor: &str) -> Component {
    Component { product: product.into(), factor: factor.into() }
}

fn attributes(given: &[(&str, ValueKind)]) -> Option<Struct> {
    let value = |kind: &ValueKind| Value { kind: Some(kind.clone()) };
    Some(Struct { fields: given.iter().map(|(key, kind)| ((*key).to_owned(), value(kind))).collect() })
}

/// MDM-05, MDM-06: goods and services have units, taxes, costs, a place in the catalogue and technical attributes.
#[tokio::test]
async fn what_a_catalogue_says_of_a_product_is_kept() {
    let sales = Sales::start().await;
    let given = Product {
        display_name: "GTX Pro".into(),
        kind: Kind::Service.into(),
        unit_code: "HUR".into(),
        tax_class: "ES-S".into(),
        cost: usd(31),
        category: "presses/hydraulic".into(),
        stocked: true,
        attributes: attributes(&[
            ("power-kw", ValueKind::NumberValue(2.2)),
            ("colour", ValueKind::StringValue("red".into())),
            ("hot", ValueKind::BoolValue(false)),
        ]),
        start_date: date(2026, 1, 1),
        end_date: date(2026, 12, 31),
        ..Default::default()
    };

    let created = sales.create_product(given.clone()).await.expect("a product");
    let get = GetProductRequest { name: created.name.clone() };
    let read = sales.products().get_product(sales.admin.request(get)).await.expect("it is there");

    assert_eq!(*read.get_ref(), created);
    let expected = Product {
        name: created.name.clone(),
        create_time: created.create_time,
        update_time: created.update_time,
        creator: created.creator.clone(),
        etag: created.etag.clone(),
        ..given
    };
    assert_eq!(created, expected);
    let plain = sales.product("Plain").await;
    assert_eq!((plain.unit_code.as_str(), plain.attributes), ("C62", None), "a piece unless it is said");
    for filter in [
        "unit_code = HUR",
        "tax_class = \"ES-S\"",
        "category = \"presses/hydraulic\"",
        "stocked = true",
        "start_date <= \"2026-06-01\" AND end_date >= \"2026-06-01\"",
    ] {
        assert_eq!(sales.product_names(filter).await, ["GTX Pro"], "{filter}");
    }
}

#[tokio::test]
async fn what_is_no_part_of_a_catalogue_is_named_field_by_field() {
    let sales = Sales::start().await;

    let answer = sales
        .create_product(Product {
            display_name: "GTX Pro".into(),
            unit_code: "piece".into(),
            tax_class: "x".repeat(41),
            cost: usd(-1),
            category: "x".repeat(201),
            attributes: attributes(&[
                ("Power", ValueKind::NumberValue(1.0)),
                ("power", ValueKind::NumberValue(f64::NAN)),
                ("list", ValueKind::ListValue(Default::default())),
                ("long", ValueKind::StringValue("x".repeat(501))),
            ]),
            start_date: date(2026, 2, 2),
            end_date: date(2026, 2, 1),
            components: vec![
                component("products/1", "1"),
                component(&format!("products/{}", Uuid::now_v7()), "0"),
                component(&format!("products/{}", Uuid::now_v7()), &format!("1.{}1", "0".repeat(29))),
                component(&format!("products/{}", Uuid::now_v7()), "-1"),
            ],
            ..Default::default()
        })
        .await;

    let expected = [
        field("product.attributes", "INVALID_ATTRIBUTE_KEY"),
        field("product.attributes.list", "INVALID_ATTRIBUTE"),
        field("product.attributes.long", "TOO_LONG"),
        field("product.attributes.power", "INVALID_ATTRIBUTE"),
        field("product.category", "TOO_LONG"),
        field("product.components[0].product", "INVALID_RESOURCE_NAME"),
        field("product.components[1].factor", "NOT_POSITIVE"),
        field("product.components[2].factor", "TOO_MANY_DECIMALS"),
        field("product.components[3].factor", "NOT_POSITIVE"),
        field("product.cost", "NEGATIVE"),
        field("product.end_date", "END_BEFORE_START"),
        field("product.tax_class", "TOO_LONG"),
        field("product.unit_code", "INVALID_UNIT_CODE"),
    ];
    assert_eq!(violations(answer), expected);

    let many = (0..201).map(|number| (format!("a{number}"), ValueKind::BoolValue(true)));
    let many: Vec<_> = many.collect();
    let many: Vec<_> = many.iter().map(|(key, kind)| (key.as_str(), kind.clone())).collect();
    let leg = sales.product("Leg").await.name;
    let answer = sales
        .create_product(Product {
            display_name: "GTX Pro".into(),
            attributes: attributes(&many),
            components: vec![component(&leg, "1"); 2],
            ..Default::default()
        })
        .await;
    let expected = [
        field("product.attributes", "TOO_MANY"),
        field("product.components[1].product", "DUPLICATE_COMPONENT"),
    ];
    assert_eq!(violations(answer), expected);
}

/// SFA-25, MDM-05: a bundle consists of living products, and no product is within itself, however long the way.
#[tokio::test]
async fn a_bundle_is_made_of_living_products_and_never_of_itself() {
    let sales = Sales::start().await;
    let leg = sales.product("Leg").await.name;
    let frame = sales.bundle("Frame", &[(&leg, "4")]).await.expect("a kit").name;
    let desk = sales.bundle("Desk", &[(&frame, "1"), (&leg, "0.5")]).await.expect("a bundle");
    assert_eq!(desk.components[1], component(&leg, "0.5"));

    let unknown = format!("products/{}", Uuid::now_v7());
    for (name, components, reason) in [
        (&leg, [(desk.name.as_str(), "1")], "BUNDLE_CYCLE"),
        (&frame, [(frame.as_str(), "1")], "BUNDLE_CYCLE"),
        (&leg, [(unknown.as_str(), "1")], "COMPONENT_NOT_FOUND"),
    ] {
        let answer = sales.set_components(name, &components).await;
        assert_eq!(refusal(answer), (Code::FailedPrecondition, reason.to_owned()));
    }
    assert_eq!(refusal(sales.delete_product(&leg).await), (Code::FailedPrecondition, "IN_BUNDLE".to_owned()));

    // Once nothing living consists of it, it can go, and the bundle cannot come back without it.
    sales.delete_product(&desk.name).await.expect("it is in no bundle");
    sales.set_components(&frame, &[]).await.expect("emptied");
    sales.delete_product(&leg).await.expect("it is in no living bundle");
    let undelete = UndeleteProductRequest { name: desk.name.clone(), ..Default::default() };
    let undeleted = sales.products().undelete_product(sales.admin.request(undelete)).await;
    assert_eq!(refusal(undeleted), (Code::FailedPrecondition, "COMPONENT_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn bundles_are_within_one_another_eight_deep_at_most() {
    let sales = Sales::start().await;
    let mut inner = sales.product("0").await.name;
    let first = inner.clone();
    for depth in 1..=8 {
        inner = sales.bundle(&depth.to_string(), &[(&inner, "2")]).await.expect("not too deep").name;
    }
    let too_deep = (Code::FailedPrecondition, "BUNDLE_TOO_DEEP".to_owned());
    assert_eq!(refusal(sales.bundle("9", &[(&inner, "2")]).await), too_deep);
    let below = sales.product("Below").await.name;
    assert_eq!(refusal(sales.set_components(&first, &[(&below, "1")]).await), too_deep, "from below too");
}

/// SFA-25: a bundle that could not be taken apart is not recorded.
#[tokio::test]
async fn a_bundle_of_more_than_ten_thousand_components_is_refused() {
    let sales = Sales::start().await;
    let item = |number: i32| CreateProductRequest {
        product: Some(Product { display_name: format!("Part {number}"), ..Default::default() }),
        ..Default::default()
    };
    let request = BatchCreateProductsRequest { requests: (0..150).map(item).collect(), ..Default::default() };
    sales.products().batch_create_products(sales.admin.request(request)).await.expect("a batch");
    // Each part is within all that have a lower identifier: 150 × 149 / 2 links.
    let mut tx = sales.service.transaction(sales.admin.tenant).await;
    let linked = sqlx::query(
        "insert into product_component (tenant_id, product, component, factor) \
         select one.tenant_id, one.id, other.id, 1 from product one join product other on other.id > one.id",
    );
    linked.execute(tx.connection()).await.expect("they are linked");
    let first: Uuid = sqlx::query_scalar("select id from product order by id limit 1")
        .fetch_one(tx.connection())
        .await
        .expect("there is one");
    tx.commit().await.expect("committed");

    let too_large = sales.bundle("All", &[(&format!("products/{first}"), "1")]).await;
    assert_eq!(refusal(too_large), (Code::FailedPrecondition, "BUNDLE_TOO_LARGE".to_owned()));
}

/// SFA-25: however two callers race, no circle of bundles comes about.
#[tokio::test]
async fn two_changes_at_once_make_no_circle_that_neither_sees() {
    let sales = Sales::start().await;
    for round in 0..10 {
        let one = sales.product(&format!("One {round}")).await.name;
        let other = sales.product(&format!("Other {round}")).await.name;
        let (of_other, of_one) = ([(other.as_str(), "1")], [(one.as_str(), "1")]);
        let (first, second) =
            tokio::join!(sales.set_components(&one, &of_other), sales.set_components(&other, &of_one));
        let refused: Vec<_> = [first, second].into_iter().filter(Result::is_err).collect();
        assert_eq!(refused.len(), 1, "one of the two is refused");
        for one in refused {
            assert_eq!(refusal(one), (Code::FailedPrecondition, "BUNDLE_CYCLE".to_owned()));
        }
    }
}

#[tokio::test]
async fn a_bundle_of_what_does_not_exist_does_not_hold_up_the_others_of_its_batch() {
    let sales = Sales::start().await;
    let leg = sales.product("Leg").await.name;
    let unknown = format!("products/{}", Uuid::now_v7());
    let item = |display_name: &str, part: &str| CreateProductRequest {
        product: Some(Product {
            display_name: display_name.into(),
            components: vec![component(part, "4")],
            ..Default::default()
        }),
        ..Default::default()
    };
    let requests = vec![item("Frame", &leg), item("Ghost", &unknown)];
    let request = BatchCreateProductsRequest { requests, ..Default::default() };
    let answer = sales.products().batch_create_products(sales.admin.request(request)).await.expect("a batch");

    let outcomes: Vec<_> = answer.into_inner().results.into_iter().filter_map(|one| one.outcome).collect();
    let [Outcome::Product(frame), Outcome::Error(ghost)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(frame.components.len(), 1);
    assert_eq!(item_reason(ghost), "COMPONENT_NOT_FOUND");
}
