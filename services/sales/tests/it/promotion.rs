//! Promotions: price rules, coupons and gifts, as they are kept. What they do to a document: `pricing`.

use tonic::{Code, Response, Status};
use trato_proto::sales::v1::{
    Audience, CreatePromotionRequest, DeletePromotionRequest, ListPromotionsRequest, Promotion,
    UpdatePromotionRequest,
    promotion::{Condition, Effect, FreeItem},
};
use uuid::Uuid;

use crate::harness::{Sales, date, euros, field, paths, refusal, usd, violations};

impl Sales {
    pub async fn create_promotion(&self, promotion: Promotion) -> Result<Promotion, Status> {
        let request = CreatePromotionRequest { promotion: Some(promotion), ..Default::default() };
        self.promotions().create_promotion(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn update_promotion(&self, promotion: Promotion, mask: &[&str]) -> Result<Promotion, Status> {
        let update_mask = Some(paths(mask));
        let request =
            UpdatePromotionRequest { promotion: Some(promotion), update_mask, ..Default::default() };
        self.promotions().update_promotion(self.admin.request(request)).await.map(Response::into_inner)
    }
}

/// A promotion of this effect for everybody.
pub fn promotion(display_name: &str, effect: Effect) -> Promotion {
    Promotion { display_name: display_name.into(), effect: Some(effect), ..Default::default() }
}

/// So much of a hundred off.
pub fn percent(percent: &str) -> Effect {
    Effect { percent: percent.into(), ..Default::default() }
}

/// So many cents of euros off.
pub fn amount(cents: i64) -> Effect {
    Effect { amount: euros(cents), ..Default::default() }
}

/// A product for nothing for every so many that are bought.
pub fn free(product: &str, every: &str) -> Effect {
    let free_item = FreeItem { product: product.into(), every: every.into(), ..Default::default() };
    Effect { free_item: Some(free_item), ..Default::default() }
}

/// DOC-11: a promotion has conditions, an effect, a place in the order, a coupon and a budget.
#[tokio::test]
async fn a_promotion_is_kept_as_it_was_given() {
    let sales = Sales::start().await;
    let product = sales.product("Screw").await.name;
    let given = Promotion {
        description: "For the summer".into(),
        start_date: date(2026, 6, 1),
        end_date: date(2026, 8, 31),
        audience: Some(Audience { segments: vec!["Industry".into()], ..Default::default() }),
        coupon_code: "SUMMER".into(),
        condition: Some(Condition {
            products: vec![product.clone()],
            min_quantity: "10".into(),
            min_amount: euros(5_000),
        }),
        sequence: 5,
        exclusive: true,
        budget: euros(100_000),
        ..promotion("Summer", amount(1_000))
    };

    let created = sales.create_promotion(given.clone()).await.expect("a promotion");

    let expected = Promotion {
        name: created.name.clone(),
        create_time: created.create_time,
        update_time: created.update_time,
        creator: created.creator.clone(),
        etag: created.etag.clone(),
        currency_code: "EUR".into(),
        budget_used: euros(0),
        ..given
    };
    assert_eq!(created, expected);
    for effect in [percent("12.5"), Effect { fixed_price: "0.95".into(), ..Default::default() }] {
        let given =
            Promotion { currency_code: "EUR".into(), ..promotion(&Uuid::now_v7().to_string(), effect) };
        let created = sales.create_promotion(given.clone()).await.expect("a promotion");
        assert_eq!(created.effect, given.effect);
        assert_eq!((created.condition, created.budget_used), (None, None));
    }
    let gift = sales.create_promotion(promotion("Gift", free(&product, ""))).await.expect("a gift");
    let item = gift.effect.and_then(|effect| effect.free_item).expect("it gives something");
    assert_eq!((item.quantity.as_str(), item.every.as_str()), ("1", ""));
    let filter = "coupon_code = SUMMER AND exclusive = true AND budget = 100000 AND budget_used = 0";
    let request = ListPromotionsRequest { filter: filter.into(), ..Default::default() };
    let page = sales.promotions().list_promotions(sales.admin.request(request)).await.expect("a page");
    assert_eq!(page.into_inner().promotions, [created]);
}

#[tokio::test]
async fn an_effect_is_exactly_one_and_amounts_are_of_one_currency() {
    let sales = Sales::start().await;
    let both = Effect { percent: "5".into(), ..amount(500) };
    let product = format!("products/{}", Uuid::now_v7());
    let nothing = FreeItem { product: "screw".into(), quantity: "0".into(), every: "-1".into() };
    let of_nothing = Effect { free_item: Some(nothing), ..Default::default() };
    let cases = [
        (
            Promotion { effect: None, ..promotion("a", both.clone()) },
            vec![field("promotion.effect", "REQUIRED")],
        ),
        (promotion("a", both), vec![field("promotion.effect", "EFFECT_UNCLEAR")]),
        (promotion("a", Effect::default()), vec![field("promotion.effect", "EFFECT_UNCLEAR")]),
        (promotion("a", percent("0")), vec![field("promotion.effect.percent", "NOT_POSITIVE")]),
        (promotion("a", percent("100.1")), vec![field("promotion.effect.percent", "PERCENT_OUT_OF_RANGE")]),
        (promotion("a", percent("ten")), vec![field("promotion.effect.percent", "NOT_A_DECIMAL")]),
        (promotion("a", amount(0)), vec![field("promotion.effect.amount", "NOT_POSITIVE")]),
        (
            promotion("a", Effect { fixed_price: "-1".into(), ..Default::default() }),
            vec![field("promotion.effect.fixed_price", "NEGATIVE_AMOUNT")],
        ),
        (
            promotion("a", Effect { fixed_price: "1".into(), ..Default::default() }),
            vec![field("promotion.currency_code", "REQUIRED")],
        ),
        (
            promotion("a", of_nothing),
            vec![
                field("promotion.effect.free_item.every", "NOT_POSITIVE"),
                field("promotion.effect.free_item.product", "INVALID_RESOURCE_NAME"),
                field("promotion.effect.free_item.quantity", "NOT_POSITIVE"),
            ],
        ),
        (
            Promotion { budget: usd(5), currency_code: "CHF".into(), ..promotion("a", amount(500)) },
            vec![
                field("promotion.budget", "CURRENCY_DIFFERS"),
                field("promotion.effect.amount", "CURRENCY_DIFFERS"),
            ],
        ),
        (
            Promotion {
                condition: Some(Condition {
                    products: vec![product, "x".into()],
                    min_quantity: "-1".into(),
                    min_amount: euros(-1),
                }),
                coupon_code: "x".repeat(41),
                sequence: -1_001,
                budget: euros(0),
                currency_code: "ABC".into(),
                ..promotion("", percent("5"))
            },
            vec![
                field("promotion.budget", "NOT_POSITIVE"),
                field("promotion.condition.min_amount", "NEGATIVE"),
                field("promotion.condition.min_quantity", "NEGATIVE_AMOUNT"),
                field("promotion.condition.products[1]", "INVALID_RESOURCE_NAME"),
                field("promotion.coupon_code", "TOO_LONG"),
                field("promotion.currency_code", "UNKNOWN_CURRENCY"),
                field("promotion.display_name", "REQUIRED"),
                field("promotion.sequence", "OUT_OF_RANGE"),
            ],
        ),
    ];
    for (given, expected) in cases {
        assert_eq!(violations(sales.create_promotion(given.clone()).await), expected, "{given:?}");
    }
}

/// DOC-11: a coupon code belongs to one living promotion.
#[tokio::test]
async fn a_coupon_code_is_unique_among_the_living() {
    let sales = Sales::start().await;
    let coupon = |display_name: &str| Promotion {
        coupon_code: "SUMMER".into(),
        ..promotion(display_name, percent("5"))
    };
    let first = sales.create_promotion(coupon("One")).await.expect("the first");

    let taken = sales.create_promotion(coupon("Two")).await;
    assert_eq!(refusal(taken), (Code::AlreadyExists, "COUPON_TAKEN".to_owned()));
    sales.create_promotion(promotion("Three", percent("5"))).await.expect("without a code");
    sales.create_promotion(promotion("Four", percent("5"))).await.expect("and another one");
    let taken = sales.create_promotion(promotion("Four", percent("5"))).await;
    assert_eq!(refusal(taken), (Code::AlreadyExists, "PROMOTION_NAME_TAKEN".to_owned()));
    let delete = DeletePromotionRequest { name: first.name, ..Default::default() };
    sales.promotions().delete_promotion(sales.admin.request(delete)).await.expect("deleted");
    sales.create_promotion(coupon("Two")).await.expect("a deleted promotion holds no code");
}

#[tokio::test]
async fn a_promotion_names_products_that_exist() {
    let sales = Sales::start().await;
    let unknown = format!("products/{}", Uuid::now_v7());
    let condition = Condition { products: vec![unknown.clone()], ..Default::default() };
    let cases = [
        promotion("a", free(&unknown, "3")),
        Promotion { condition: Some(condition), ..promotion("a", percent("5")) },
    ];
    for given in cases {
        let answer = sales.create_promotion(given).await;
        assert_eq!(refusal(answer), (Code::FailedPrecondition, "PRODUCT_NOT_FOUND".to_owned()));
    }
}

/// DOC-11: what was given stays accounted for.
#[tokio::test]
async fn a_budget_that_is_used_keeps_its_currency_and_stays() {
    let sales = Sales::start().await;
    let given = Promotion { budget: euros(10_000), ..promotion("Summer", percent("5")) };
    let created = sales.create_promotion(given).await.expect("a promotion");
    let mut tx = sales.service.transaction(sales.admin.tenant).await;
    sqlx::query("update promotion set budget_used = 9000").execute(tx.connection()).await.expect("used");
    tx.commit().await.expect("committed");
    let named = Promotion { name: created.name, ..Default::default() };

    let dollars = Promotion { budget: usd(1_000), currency_code: "USD".into(), ..named.clone() };
    assert_eq!(
        violations(sales.update_promotion(dollars, &["budget", "currency_code"]).await),
        [field("promotion.budget", "CURRENCY_DIFFERS"), field("promotion.currency_code", "CURRENCY_DIFFERS"),]
    );
    assert_eq!(
        violations(sales.update_promotion(named.clone(), &["budget"]).await),
        [field("promotion.budget", "BUDGET_BELOW_USED")]
    );
    let less = Promotion { budget: euros(8_999), ..named.clone() };
    assert_eq!(
        refusal(sales.update_promotion(less, &["budget"]).await),
        (Code::FailedPrecondition, "BUDGET_BELOW_USED".to_owned())
    );
    let more = Promotion { budget: euros(20_000), ..named };
    let updated = sales.update_promotion(more, &["budget"]).await.expect("there may be more");
    assert_eq!((updated.budget, updated.budget_used), (euros(20_000), euros(9_000)));
}

#[tokio::test]
async fn what_is_used_of_a_budget_is_not_the_clients_to_say() {
    let sales = Sales::start().await;
    let given =
        Promotion { budget: euros(10_000), budget_used: euros(9_000), ..promotion("Summer", amount(500)) };

    let created = sales.create_promotion(given).await.expect("a promotion");
    assert_eq!(created.budget_used, euros(0));
    let forged = Promotion { name: created.name.clone(), budget_used: euros(9_000), ..Default::default() };
    let updated = sales.update_promotion(forged, &["budget_used"]).await.expect("nothing changes");
    assert_eq!(updated.budget_used, euros(0));
    let effect = Some(percent("5"));
    let other = Promotion { name: created.name, effect: effect.clone(), ..Default::default() };
    let updated = sales.update_promotion(other, &["effect"]).await.expect("updated");
    assert_eq!((updated.effect, updated.budget), (effect, euros(10_000)));
}
