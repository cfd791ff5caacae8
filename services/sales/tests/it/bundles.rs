//! Bundles taken apart and put together again.

use tonic::{Code, Response, Status};
use trato_proto::sales::v1::{
    BundlePart, ExplodeBundleRequest, Product, RollUpLinesRequest, RollUpLinesResponse,
};
use uuid::Uuid;

use crate::harness::{Sales, abc, euros, field, refusal, usd, violations};

impl Sales {
    async fn explode(&self, request: ExplodeBundleRequest) -> Result<Vec<BundlePart>, Status> {
        self.pricing()
            .explode_bundle(self.admin.request(request))
            .await
            .map(|answer| answer.into_inner().parts)
    }

    async fn roll_up(&self, product: &str, parts: Vec<BundlePart>) -> Result<RollUpLinesResponse, Status> {
        let request = RollUpLinesRequest { product: product.into(), parts };
        self.pricing().roll_up_lines(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// A product that suggests a price.
    async fn priced(&self, display_name: &str, units: i64) -> String {
        let product =
            Product { display_name: display_name.into(), list_price: usd(units), ..Default::default() };
        self.create_product(product).await.expect("a product").name
    }
}

fn ask(product: &str, quantity: &str) -> ExplodeBundleRequest {
    ExplodeBundleRequest { product: product.into(), quantity: quantity.into(), amount: None }
}

/// SFA-25: each part has the quantity of the bundle times its factor, the amounts are those of the bundle to the cent,
/// and rolling up undoes it.
#[tokio::test]
async fn a_bundle_of_bundles_is_taken_apart_and_put_together_to_the_cent() {
    let sales = Sales::start().await;
    let (top, leg, screw) =
        (sales.priced("Top", 200).await, sales.priced("Leg", 10).await, sales.priced("Screw", 1).await);
    let frame = sales.bundle("Frame", &[(&leg, "4"), (&screw, "8")]).await.expect("a kit").name;
    let desk =
        sales.bundle("Desk", &[(&top, "1"), (&frame, "1"), (&screw, "8.5")]).await.expect("a bundle").name;

    let cost = ExplodeBundleRequest { amount: usd(400), ..ask(&desk, "2") };
    let parts = sales.explode(cost).await.expect("it can be taken apart");

    // A desk weighs 200 + 4 × 10 + 16.5 × 1, which is 17 to the dollar.
    let of = |product: &str| parts.iter().find(|part| part.product == *product).expect("it is a part");
    let quantities: Vec<&str> = [&top, &leg, &screw].map(|product| of(product).quantity.as_str()).to_vec();
    assert_eq!((parts.len(), quantities), (3, vec!["2", "8", "33"]));
    let cents = |part: &BundlePart| {
        let amount = part.amount.as_ref().expect("it has a share");
        amount.units * 100 + i64::from(amount.nanos) / 10_000_000
    };
    assert_eq!(parts.iter().map(cents).sum::<i64>(), 40_000);
    assert!(cents(of(&top)) > cents(of(&leg)) && cents(of(&leg)) > cents(of(&screw)));

    let together = sales.roll_up(&desk, parts.clone()).await.expect("they fit");
    assert_eq!((together.quantity.as_str(), &together.amount), ("2", &usd(400)));
    let mut split = parts.clone();
    split.push(BundlePart { quantity: "3".into(), amount: None, ..split[0].clone() });
    split[0].quantity = (split[0].quantity.parse::<i64>().expect("a whole number") - 3).to_string();
    assert_eq!(
        sales.roll_up(&desk, split).await.expect("they fit"),
        together,
        "a part may stand in two lines"
    );
    assert_eq!(
        refusal(sales.roll_up(&desk, parts[1..].to_vec()).await),
        (Code::FailedPrecondition, "PARTS_DO_NOT_FIT".to_owned())
    );
}

#[tokio::test]
async fn without_prices_in_the_currency_parts_share_equally_and_without_amount_nothing_is_shared() {
    let sales = Sales::start().await;
    let (one, other) = (sales.priced("One", 200).await, sales.priced("Other", 10).await);
    let pair = sales.bundle("Pair", &[(&one, "1"), (&other, "1")]).await.expect("a kit").name;

    let parts = sales.explode(ExplodeBundleRequest { amount: euros(1_001), ..ask(&pair, "") }).await;
    let mut shares: Vec<_> =
        parts.expect("it can be taken apart").into_iter().map(|part| part.amount).collect();
    shares.sort_by_key(|share| share.as_ref().map(|share| (share.units, share.nanos)));
    assert_eq!(shares, [euros(500), euros(501)]);
    let parts = sales.explode(ask(&pair, "0.5")).await.expect("it can be taken apart");
    assert!(parts.iter().all(|part| part.amount.is_none() && part.quantity == "0.5"));
    let together = sales.roll_up(&pair, parts).await.expect("they fit");
    assert_eq!((together.quantity.as_str(), together.amount), ("0.5", None));
}

#[tokio::test]
async fn what_is_no_bundle_or_no_part_is_refused() {
    let sales = Sales::start().await;
    let plain = sales.priced("Plain", 1).await;
    let pair = sales.bundle("Pair", &[(&plain, "0.001")]).await.expect("a kit").name;
    let unknown = format!("products/{}", Uuid::now_v7());
    let part = |product: &str, quantity: &str, amount| BundlePart {
        product: product.into(),
        quantity: quantity.into(),
        amount,
    };

    assert_eq!(
        refusal(sales.explode(ask(&unknown, "")).await),
        (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned())
    );
    let no_bundle = (Code::FailedPrecondition, "NO_BUNDLE".to_owned());
    assert_eq!(refusal(sales.explode(ask(&plain, "")).await), no_bundle);
    assert_eq!(refusal(sales.roll_up(&plain, vec![part(&plain, "1", None)]).await), no_bundle);
    assert_eq!(
        violations(sales.explode(ask("pair", "many")).await),
        [field("product", "INVALID_RESOURCE_NAME"), field("quantity", "NOT_A_DECIMAL")]
    );
    assert_eq!(
        violations(sales.explode(ask(&pair, "0.0001")).await),
        [field("quantity", "TOO_MANY_DECIMALS")]
    );
    let dust = sales.bundle("Dust", &[(&pair, "0.0001")]).await.expect("a kit").name;
    let too_fine = (Code::FailedPrecondition, "BUNDLE_TOO_FINE".to_owned());
    assert_eq!(refusal(sales.explode(ask(&dust, "")).await), too_fine);
    assert_eq!(refusal(sales.roll_up(&dust, vec![part(&plain, "1", None)]).await), too_fine);
    let nowhere = ExplodeBundleRequest { amount: abc(1), ..ask(&pair, "1000") };
    assert_eq!(violations(sales.explode(nowhere).await), [field("amount", "UNKNOWN_CURRENCY")]);
    let nowhere = vec![part(&plain, "1", abc(1))];
    assert_eq!(
        violations(sales.roll_up(&pair, nowhere).await),
        [field("parts[0].amount", "UNKNOWN_CURRENCY")]
    );
    assert_eq!(violations(sales.roll_up(&pair, vec![]).await), [field("parts", "REQUIRED")]);
    let mixed = vec![part(&plain, "1", usd(1)), part(&plain, "1", euros(1)), part("plain", "", None)];
    assert_eq!(
        violations(sales.roll_up(&pair, mixed).await),
        [
            field("parts[1].amount", "CURRENCY_DIFFERS"),
            field("parts[2].product", "INVALID_RESOURCE_NAME"),
            field("parts[2].quantity", "NOT_A_DECIMAL"),
        ]
    );
    let many = vec![part(&plain, "1", None); 1_001];
    assert_eq!(violations(sales.roll_up(&pair, many).await), [field("parts", "TOO_MANY")]);
}
