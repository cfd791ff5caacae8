//! Products: a plain resource.

use tonic::{Code, Response};
use trato_proto::sales::v1::{
    CreateProductRequest, DeleteProductRequest, ListProductsRequest, Product, UpdateProductRequest,
    product::Kind,
};

use crate::harness::{Sales, field, paths, refusal, usd, violations};

impl Sales {
    async fn create_product(&self, product: Product) -> Result<Product, tonic::Status> {
        let request = CreateProductRequest { product: Some(product), ..Default::default() };
        self.products().create_product(self.admin.request(request)).await.map(Response::into_inner)
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
