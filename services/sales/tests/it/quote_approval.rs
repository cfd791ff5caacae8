//! What approval rules measure when a quote is submitted: what it costs us by now, and what it would cost by the lists.

use tonic::Response;
use trato_proto::{
    google::value::Money,
    sales::v1::{ApprovalRule, Product, UpdateProductRequest, quote::State, sales_document::Line},
};

use crate::{
    harness::{Sales, euros, paths},
    quote::{line, quote},
};

impl Sales {
    /// Says what one of a product costs us, in cents of euros.
    async fn set_cost(&self, product: &str, cents: i64) {
        let product = Product { name: product.into(), cost: euros(cents), ..Default::default() };
        let update_mask = Some(paths(&["cost"]));
        let request = UpdateProductRequest { product: Some(product), update_mask, ..Default::default() };
        self.products()
            .update_product(self.admin.request(request))
            .await
            .map(Response::into_inner)
            .expect("known");
    }

    async fn rule(&self, rule: ApprovalRule) {
        let rule = ApprovalRule { display_name: "Rule".into(), ..rule };
        self.create_approval_rule(rule).await.expect("a rule");
    }
}

/// DOC-01: a quote is judged by what it costs us when it is submitted, and keeps that.
#[tokio::test]
async fn a_margin_is_that_of_now() {
    let (sales, desk) = Sales::start_quoting().await;
    sales.set_cost(&desk, 1_000).await;
    sales.rule(ApprovalRule { max_margin_percent: "50".into(), ..Default::default() }).await;
    let (early, late) = (sales.draft(&desk, "2").await, sales.draft(&desk, "2").await);

    let thick = sales.submit(&early.name).await.expect("a draft");
    sales.set_cost(&desk, 8_000).await;
    let thin = sales.submit(&late.name).await.expect("a draft");

    assert_eq!((thick.state(), thin.state()), (State::Approved, State::InApproval));
    let cost = thin.document.as_ref().and_then(|document| document.lines[0].cost.clone());
    assert_eq!(cost, euros(16_000), "what was judged stands on it");
}

/// DOC-01: a quote in a currency of which no rule has an amount is approved by those that have one in another.
#[tokio::test]
async fn a_quote_in_another_currency_is_approved_by_somebody() {
    let (sales, desk) = Sales::start_quoting().await;
    let dollars = Money { currency_code: "USD".into(), units: 10_000, nanos: 0 };
    sales.rule(ApprovalRule { min_net: Some(dollars), ..Default::default() }).await;
    let (early, late) = (sales.draft(&desk, "2").await, sales.draft(&desk, "2").await);

    let unknown = sales.submit(&early.name).await.expect("a draft");
    sales.rule(ApprovalRule { min_net: euros(1_000_000), ..Default::default() }).await;
    let small = sales.submit(&late.name).await.expect("a draft");

    assert_eq!((unknown.state(), small.state()), (State::InApproval, State::Approved));
}

/// DOC-01: a price that was agreed on below that of the lists is a discount.
#[tokio::test]
async fn an_agreed_price_is_a_discount() {
    let (sales, desk) = Sales::start_quoting().await;
    let lamp = sales.good("Lamp", "ES-S").await;
    sales.rule(ApprovalRule { min_discount_percent: "10".into(), ..Default::default() }).await;
    let submitted = async |lines: Vec<Line>| {
        let draft = sales.create_quote(quote(&sales.account().await, lines)).await.expect("a quote");
        sales.submit(&draft.name).await.expect("a draft").state()
    };
    let agreed = |product: &str, price: &str| Line { unit_price: price.into(), ..line(product, "2") };

    assert_eq!(submitted(vec![agreed(&desk, "90.01")]).await, State::Approved);
    assert_eq!(submitted(vec![agreed(&desk, "90")]).await, State::InApproval);
    assert_eq!(submitted(vec![agreed(&desk, "150"), line(&desk, "2")]).await, State::Approved);
    assert_eq!(submitted(vec![agreed(&desk, "85"), line(&desk, "2")]).await, State::Approved, "7.5 of 100");
    assert_eq!(
        submitted(vec![agreed(&lamp, "5")]).await,
        State::InApproval,
        "nobody knows what it should be"
    );
}
