//! Prices: what a product costs in a list from a quantity on.

use tonic::{Code, Response, Status};
use trato_proto::sales::v1::{
    BatchCreatePricesRequest, CreatePriceRequest, DeletePriceRequest, ListPricesRequest, Price,
    UndeletePriceRequest, UpdatePriceRequest, UpsertPriceRequest,
    batch_create_prices_response::result::Outcome,
};
use uuid::Uuid;

use crate::harness::{Sales, field, item_reason, paths, refusal, violations};

impl Sales {
    pub async fn create_price(&self, price: Price) -> Result<Price, Status> {
        let request = CreatePriceRequest { price: Some(price), ..Default::default() };
        self.prices().create_price(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// The price of a product in a list from a quantity on.
    pub async fn price(&self, list: &str, product: &str, from: &str, unit_price: &str) -> Price {
        self.create_price(price(list, product, from, unit_price)).await.expect("a price")
    }

    async fn listed(&self, filter: &str) -> usize {
        let request = ListPricesRequest { filter: filter.into(), page_size: 1_000, ..Default::default() };
        self.prices()
            .list_prices(self.admin.request(request))
            .await
            .expect("a page")
            .into_inner()
            .prices
            .len()
    }
}

fn price(list: &str, product: &str, from: &str, unit_price: &str) -> Price {
    Price {
        price_list: list.into(),
        product: product.into(),
        min_quantity: from.into(),
        unit_price: unit_price.into(),
        ..Default::default()
    }
}

/// MDM-07: a list has a price for each quantity break of a product, with six decimals.
#[tokio::test]
async fn a_price_is_kept_with_all_its_decimals() {
    let sales = Sales::start().await;
    let (list, product) = (sales.price_list("Standard").await.name, sales.product("Screw").await.name);

    let one = sales.price(&list, &product, "", "0.012345").await;
    let many = sales
        .create_price(Price { per: "100".into(), ..price(&list, &product, "0100.50", "999999999999.999999") })
        .await
        .expect("a price");

    assert_eq!(
        (one.min_quantity.as_str(), one.unit_price.as_str(), one.per.as_str()),
        ("0", "0.012345", "1")
    );
    assert_eq!(
        (many.min_quantity.as_str(), many.unit_price.as_str(), many.per.as_str()),
        ("100.5", "999999999999.999999", "100")
    );
    assert_eq!(sales.listed(&format!("price_list = {list} AND product = {product}")).await, 2);
    assert_eq!(
        sales.event_types().await,
        ["price_list.created", "product.created", "price.created", "price.created"]
    );
}

#[tokio::test]
async fn what_is_no_price_is_named_field_by_field() {
    let sales = Sales::start().await;
    let thirty = format!("1.{}1", "0".repeat(29));

    let answer =
        sales.create_price(Price { per: "0".into(), ..price("lists/1", "products/1", "-1", &thirty) }).await;

    let expected = [
        field("price.min_quantity", "NEGATIVE_AMOUNT"),
        field("price.per", "NOT_POSITIVE"),
        field("price.price_list", "INVALID_RESOURCE_NAME"),
        field("price.product", "INVALID_RESOURCE_NAME"),
        field("price.unit_price", "TOO_MANY_DECIMALS"),
    ];
    assert_eq!(violations(answer), expected);
    let (list, product) = (sales.price_list("Standard").await.name, sales.product("Screw").await.name);
    for (unit_price, reason) in [
        ("", "REQUIRED"),
        ("-1", "NEGATIVE_AMOUNT"),
        ("1e3", "NOT_A_DECIMAL"),
        ("1000000000000", "AMOUNT_TOO_LARGE"),
    ] {
        let answer = sales.create_price(price(&list, &product, "", unit_price)).await;
        assert_eq!(violations(answer), [field("price.unit_price", reason)]);
    }
}

/// MDM-07: no two living prices of a product in a list begin at one quantity.
#[tokio::test]
async fn a_break_has_one_living_price_however_it_is_written() {
    let sales = Sales::start().await;
    let (list, product) = (sales.price_list("Standard").await.name, sales.product("Screw").await.name);
    let first = sales.price(&list, &product, "10", "1").await;
    sales.price(&list, &product, "10.5", "1").await;
    let taken = (Code::AlreadyExists, "PRICE_BREAK_TAKEN".to_owned());

    assert_eq!(refusal(sales.create_price(price(&list, &product, "10.000000", "2")).await), taken);
    let delete = DeletePriceRequest { name: first.name.clone(), ..Default::default() };
    sales.prices().delete_price(sales.admin.request(delete)).await.expect("deleted");
    sales.price(&list, &product, "10", "2").await;
    let undelete = UndeletePriceRequest { name: first.name, ..Default::default() };
    assert_eq!(refusal(sales.prices().undelete_price(sales.admin.request(undelete)).await), taken);
}

#[tokio::test]
async fn a_price_is_of_a_living_list_and_a_living_product() {
    let sales = Sales::start().await;
    let (list, product) = (sales.price_list("Standard").await.name, sales.product("Screw").await.name);
    let unknown = |collection: &str| format!("{collection}/{}", Uuid::now_v7());
    let kept = sales.price(&list, &product, "", "1").await;
    let (gone_list, gone_product) = (sales.price_list("Gone").await.name, sales.product("Gone").await.name);
    sales.delete_price_list(&gone_list).await.expect("deleted");
    sales.delete_product(&gone_product).await.expect("deleted");

    for (list, product, reason) in [
        (&unknown("priceLists"), &product, "PRICE_LIST_NOT_FOUND"),
        (&list, &unknown("products"), "PRODUCT_NOT_FOUND"),
        (&gone_list, &product, "PRICE_LIST_DELETED"),
        (&list, &gone_product, "PRODUCT_DELETED"),
    ] {
        let answer = sales.create_price(price(list, product, "5", "1")).await;
        assert_eq!(refusal(answer), (Code::FailedPrecondition, reason.to_owned()));
    }

    // What is of a deleted product can still be taken away, and nothing else.
    sales.delete_product(&product).await.expect("deleted");
    let dearer = Price { name: kept.name.clone(), unit_price: "2".into(), ..Default::default() };
    let update_mask = Some(paths(&["unit_price"]));
    let request = UpdatePriceRequest { price: Some(dearer), update_mask, ..Default::default() };
    let answer = sales.prices().update_price(sales.admin.request(request)).await;
    assert_eq!(refusal(answer), (Code::FailedPrecondition, "PRODUCT_DELETED".to_owned()));
    // A restore saves what is there in a new revision, whatever became of the product.
    let mut tx = sales.service.transaction(sales.admin.tenant).await;
    let saved = sqlx::query(
        "insert into price select (kept).* from (select price as kept from price) as stored \
         on conflict (tenant_id, id) do update set revision = price.revision + 1",
    )
    .execute(tx.connection())
    .await
    .expect("nothing changes");
    assert_eq!(saved.rows_affected(), 1);
    tx.roll_back().await.expect("as it was");
    let delete = DeletePriceRequest { name: kept.name, ..Default::default() };
    sales.prices().delete_price(sales.admin.request(delete)).await.expect("deleted");
}

/// MDM-07: a list is loaded in batches, item by item, and any load can be repeated.
#[tokio::test]
async fn a_list_of_thousands_is_loaded_in_batches_that_can_be_repeated() {
    let sales = Sales::start().await;
    let (list, product) = (sales.price_list("Standard").await.name, sales.product("Screw").await.name);
    let item = |number: usize| CreatePriceRequest {
        price: Some(Price {
            source: "erp".into(),
            external_id: number.to_string(),
            ..price(&list, &product, &number.to_string(), &format!("{}.{:06}", number % 7, number))
        }),
        ..Default::default()
    };
    let load = |from: usize, extra: Option<CreatePriceRequest>| {
        let requests = (from..from + 1_000 - usize::from(extra.is_some())).map(item).chain(extra).collect();
        let request = sales.admin.request(BatchCreatePricesRequest { requests, ..Default::default() });
        async { sales.prices().batch_create_prices(request).await.expect("a batch").into_inner().results }
    };

    for batch in 0..3 {
        let results = load(batch * 1_000, None).await;
        assert!(results.iter().all(|result| result.created), "batch {batch}");
    }
    assert!(load(0, None).await.iter().all(|result| !result.created), "it is there already");
    let twin = CreatePriceRequest { price: Some(price(&list, &product, "7", "1")), ..Default::default() };
    let results = load(3_000, Some(twin)).await;
    assert_eq!(results.iter().filter(|result| result.created).count(), 999);
    let Some(Outcome::Error(refused)) = &results[999].outcome else { panic!("{:?}", results[999]) };
    assert_eq!(item_reason(refused), "PRICE_BREAK_TAKEN");

    let changed = Price {
        unit_price: "5.5".into(),
        min_quantity: "12.000".into(),
        ..item(12).price.expect("it has one")
    };
    let request = UpsertPriceRequest { price: Some(changed), ..Default::default() };
    let upserted =
        sales.prices().upsert_price(sales.admin.request(request)).await.expect("upserted").into_inner();
    assert_eq!((upserted.min_quantity.as_str(), upserted.unit_price.as_str()), ("12", "5.5"));
    assert_eq!(upserted.etag, "2");
}
