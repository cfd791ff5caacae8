//! `PromotionService`, and a promotion on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_pricing::Quantity;
use trato_proto::{
    google::value::Money,
    sales::v1::{self as pb, promotion_service_server::PromotionService},
    wire,
};
use trato_query::Field;
use trato_types::{
    Context, Currency, Id, Minor, Result, Violations,
    text::{line, paragraph},
};

use super::{
    effect::{Condition, Effect, EffectUnclear, FreeItem, above_zero, share},
    model::{Promotion, one_currency},
    store,
};
use crate::{
    forms::{parse_decimal, parse_period, rank},
    price_list::{note_twins, parse_audience, render_audience},
    product::Product,
};

/// Serves promotions.
pub struct Api {
    promotions: Store<Promotion>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { promotions: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl PromotionService for Api {
    async fn get_promotion(&self, request: Request<pb::GetPromotionRequest>) -> Reply<pb::Promotion> {
        self.promotions.get(request).await
    }
    async fn list_promotions(
        &self,
        request: Request<pb::ListPromotionsRequest>,
    ) -> Reply<pb::ListPromotionsResponse> {
        self.promotions.list(request).await
    }
    async fn create_promotion(&self, request: Request<pb::CreatePromotionRequest>) -> Reply<pb::Promotion> {
        self.promotions.create(request).await
    }
    async fn update_promotion(&self, request: Request<pb::UpdatePromotionRequest>) -> Reply<pb::Promotion> {
        self.promotions.update(request).await
    }
    async fn delete_promotion(&self, request: Request<pb::DeletePromotionRequest>) -> Reply<pb::Promotion> {
        self.promotions.delete(request).await
    }
    async fn undelete_promotion(
        &self,
        request: Request<pb::UndeletePromotionRequest>,
    ) -> Reply<pb::Promotion> {
        self.promotions.undelete(request).await
    }
    async fn batch_get_promotions(
        &self,
        request: Request<pb::BatchGetPromotionsRequest>,
    ) -> Reply<pb::BatchGetPromotionsResponse> {
        self.promotions.batch_get(request).await
    }
    async fn batch_create_promotions(
        &self,
        request: Request<pb::BatchCreatePromotionsRequest>,
    ) -> Reply<pb::BatchCreatePromotionsResponse> {
        self.promotions.batch_create(request).await
    }
    async fn upsert_promotion(&self, request: Request<pb::UpsertPromotionRequest>) -> Reply<pb::Promotion> {
        self.promotions.upsert(request).await
    }
}

impl Resource for Promotion {
    type Message = pb::Promotion;
    const TABLE: &'static str = "promotion";
    const COLLECTION: &'static str = "promotions";
    const EVENT: &'static str = "trato.sales.v1.promotion";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::Promotion, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let display_name = check.keep("display_name", message.display_name.parse());
        let description =
            check.keep("description", paragraph(&message.description, 10_000)).unwrap_or_default();
        let (start_date, end_date) =
            parse_period(message.start_date.as_ref(), message.end_date.as_ref(), check);
        let audience = check.absorb("", parse_audience(message.audience.as_ref()))?.unwrap_or_default();
        let coupon_code = check.keep("coupon_code", line(&message.coupon_code, 40));
        let coupon_code = coupon_code.filter(|code| !code.is_empty());
        let sequence = check.keep("sequence", rank(message.sequence)).unwrap_or_default();
        let exclusive = message.exclusive;
        let own = Some(message.currency_code.as_str()).filter(|code| !code.is_empty());
        let own = own.and_then(|code| check.keep("currency_code", Currency::parse(code)));
        let (condition, least) = parse_condition(message.condition.as_ref(), check);
        let (effect, off) = parse_effect(message.effect.as_ref(), check);
        let (budget, cap) = parse_amount(message.budget.as_ref(), "budget", check);
        // What of it is used up is the server's to say; what is stored comes back whole.
        let (budget_used, used) = parse_amount(message.budget_used.as_ref(), "budget_used", check);
        let budget_used = budget_used.unwrap_or(Minor(0));
        let used = used.filter(|_| budget_used > Minor(0));
        if used.is_some() && message.budget.is_none() {
            check.add("budget", "BUDGET_BELOW_USED", "must stay, since some of it is used up");
        }
        let budget = budget.and_then(|budget| check.keep("budget", above_zero(budget)));
        let max_uses = Some(message.max_uses).filter(|most| *most != 0);
        if max_uses.is_some_and(|most| most < 0) {
            check.add("max_uses", "OUT_OF_RANGE", "must be 1 or more, or nothing");
        }
        let uses = message.uses;
        let currency = one_currency(
            [
                ("budget_used", used),
                ("currency_code", own),
                ("condition.min_amount", least),
                ("effect.amount", off),
                ("budget", cap),
            ],
            check,
        );
        let currency = currency.and_then(|currency| check.keep("currency_code", currency.existing()));
        if currency.is_none() && matches!(effect, Some(Effect::FixedPrice(_))) {
            check.add("currency_code", "REQUIRED", "is required with a fixed price");
        }
        #[rustfmt::skip]
        let promotion = display_name.zip(effect).map(|(display_name, effect)| Self {
            display_name, description, start_date, end_date, audience, coupon_code, condition, effect, sequence,
            exclusive, currency, budget, budget_used, max_uses, uses,
        });
        violations.into_result(promotion)
    }

    fn render(record: &Record<Self>) -> pb::Promotion {
        let promotion = &record.value;
        let (source, external_id) = record.external_fields();
        let money = |amount: Minor| promotion.currency.map(|currency| wire::money(amount, currency));
        pb::Promotion {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            display_name: promotion.display_name.to_string(),
            description: promotion.description.clone(),
            start_date: promotion.start_date.map(wire::date),
            end_date: promotion.end_date.map(wire::date),
            audience: render_audience(&promotion.audience),
            coupon_code: promotion.coupon_code.clone().unwrap_or_default(),
            condition: render_condition(&promotion.condition, money),
            effect: Some(render_effect(&promotion.effect, money)),
            sequence: promotion.sequence,
            exclusive: promotion.exclusive,
            budget: promotion.budget.and_then(money),
            budget_used: promotion.budget.and_then(|_| money(promotion.budget_used)),
            max_uses: promotion.max_uses.unwrap_or_default(),
            uses: promotion.uses,
            currency_code: promotion.currency.map(|currency| currency.code().to_owned()).unwrap_or_default(),
        }
    }
}

fn parse_amount(
    amount: Option<&Money>,
    field: &str,
    violations: &mut Violations,
) -> (Option<Minor>, Option<Currency>) {
    amount.and_then(|amount| violations.keep(field, wire::parse_amount(amount))).unzip()
}

fn parse_condition(
    message: Option<&pb::promotion::Condition>,
    violations: &mut Violations,
) -> (Condition, Option<Currency>) {
    let Some(message) = message else { return (Condition::default(), None) };
    let given = wire::at_most(&message.products, Condition::MAX_PRODUCTS);
    let given = violations.keep("condition.products", given).unwrap_or_default();
    note_twins("condition.products", given, violations);
    let mut products = Vec::with_capacity(given.len());
    for (index, name) in given.iter().enumerate() {
        let product = violations.keep(&format!("condition.products[{index}]"), Id::<Product>::parse(name));
        products.extend(product.map(Id::uuid));
    }
    let min_quantity = parse_decimal(&message.min_quantity, Quantity::ZERO).and_then(Quantity::not_negative);
    let min_quantity = violations.keep("condition.min_quantity", min_quantity).unwrap_or(Quantity::ZERO);
    let (min_amount, currency) =
        parse_amount(message.min_amount.as_ref(), "condition.min_amount", violations);
    (Condition { products, min_quantity, min_amount: min_amount.unwrap_or(Minor(0)) }, currency)
}

fn render_condition(
    condition: &Condition,
    money: impl Fn(Minor) -> Option<Money>,
) -> Option<pb::promotion::Condition> {
    if *condition == Condition::default() {
        return None;
    }
    Some(pb::promotion::Condition {
        products: condition.products.iter().map(|id| Id::<Product>::from_uuid(*id).name()).collect(),
        min_quantity: if condition.min_quantity.is_zero() {
            String::new()
        } else {
            condition.min_quantity.to_string()
        },
        min_amount: if condition.min_amount.is_zero() { None } else { money(condition.min_amount) },
    })
}

/// Reads the one effect that is set, and the currency of its amount.
fn parse_effect(
    message: Option<&pb::promotion::Effect>,
    violations: &mut Violations,
) -> (Option<Effect>, Option<Currency>) {
    let nothing = pb::promotion::Effect::default();
    let message = message.unwrap_or(&nothing);
    let (percent, fixed_price) = (message.percent.as_str(), message.fixed_price.as_str());
    let effect = match (percent, &message.amount, fixed_price, &message.free_item) {
        (percent, None, "", None) if !percent.is_empty() => {
            let percent = percent.parse().and_then(share);
            violations.keep("effect.percent", percent).map(Effect::Percent)
        }
        ("", Some(amount), "", None) => {
            let (amount, currency) = parse_amount(Some(amount), "effect.amount", violations);
            let amount = amount.and_then(|amount| violations.keep("effect.amount", above_zero(amount)));
            return (amount.map(Effect::Amount), currency);
        }
        ("", None, price, None) if !price.is_empty() => {
            violations.keep("effect.fixed_price", price.parse()).map(Effect::FixedPrice)
        }
        ("", None, "", Some(item)) => parse_free_item(item, violations).map(Effect::FreeItem),
        _ => violations.keep("effect", Err(EffectUnclear)),
    };
    (effect, None)
}

fn parse_free_item(message: &pb::promotion::FreeItem, violations: &mut Violations) -> Option<FreeItem> {
    let product = violations.keep("effect.free_item.product", Id::<Product>::parse(&message.product));
    let quantity = parse_decimal(&message.quantity, Quantity::ONE).and_then(Quantity::positive);
    let quantity = violations.keep("effect.free_item.quantity", quantity);
    let every = Some(message.every.as_str()).filter(|every| !every.is_empty());
    let every = every.map(|every| every.parse().and_then(Quantity::positive)).transpose();
    let every = violations.keep("effect.free_item.every", every);
    let ((product, quantity), every) = product.zip(quantity).zip(every)?;
    Some(FreeItem { product: product.uuid(), quantity, every })
}

fn render_effect(effect: &Effect, money: impl Fn(Minor) -> Option<Money>) -> pb::promotion::Effect {
    let mut message = pb::promotion::Effect::default();
    match effect {
        Effect::Percent(percent) => message.percent = percent.to_string(),
        Effect::Amount(amount) => message.amount = money(*amount),
        Effect::FixedPrice(price) => message.fixed_price = price.to_string(),
        Effect::FreeItem(item) => {
            message.free_item = Some(pb::promotion::FreeItem {
                product: Id::<Product>::from_uuid(item.product).name(),
                quantity: item.quantity.to_string(),
                every: item.every.map(|every| every.to_string()).unwrap_or_default(),
            });
        }
    }
    message
}
