//! `PricingService`.

use prost::Message as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{Database, Tx},
    standard::{Reply, answer},
};
use trato_pricing::{Part, PricingError, Quantity};
use trato_proto::{
    google::value::Money,
    sales::v1::{self as pb, pricing_service_server::PricingService},
    wire,
};
use trato_types::{Context, Currency, Error, Id, Kind, Minor, Result, Violations, error::FieldError as _};

use super::{
    bundles,
    catalogue::{Catalogue, Good},
    frozen::Frozen,
    model::Question,
    parse, render, store,
};
use crate::{
    forms::{parse_decimal, parse_existing},
    parties,
    product::{Choice, Issue, Product, SurchargeError},
    promotion::one_currency,
};

/// Most parts that are put together.
const MAX_PARTS: usize = 1_000;
/// Most steps that are told of a document.
const MAX_STEPS: usize = 20_000;
/// Most bytes of an answer: clients read no more unless they are told to.
const MAX_BYTES: usize = 4 << 20;

/// Computes prices and bundles.
pub struct Api {
    database: Database,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { database: app.database.clone() }
    }
}

#[tonic::async_trait]
impl PricingService for Api {
    async fn price_document(
        &self,
        request: Request<pb::PriceDocumentRequest>,
    ) -> Reply<pb::PriceDocumentResponse> {
        answer(request, async |cx, body| {
            let (question, catalogue) = self.find(cx, &body).await?;
            // Thousands of lines are computed for longer than others should wait for this thread.
            tokio::task::spawn_blocking(move || price(&question, &catalogue))
                .await
                .map_err(Error::internal)?
        })
        .await
    }

    async fn explode_bundle(
        &self,
        request: Request<pb::ExplodeBundleRequest>,
    ) -> Reply<pb::ExplodeBundleResponse> {
        answer(request, async |cx, body| {
            let (bundle, quantity, cost) = parse_bundle(&body)?;
            let (links, goods) = store::find_bundle(&self.database, cx, bundle).await?;
            let parts = bundles::apart(bundle, quantity, cost, &links, &goods)?;
            let render = |(product, part): &(Id<Product>, Part)| pb::BundlePart {
                product: product.name(),
                quantity: part.quantity.to_string(),
                amount: cost.map(|(_, currency)| wire::money(part.amount, currency)),
            };
            Ok(pb::ExplodeBundleResponse { parts: parts.iter().map(render).collect() })
        })
        .await
    }

    async fn roll_up_lines(
        &self,
        request: Request<pb::RollUpLinesRequest>,
    ) -> Reply<pb::RollUpLinesResponse> {
        answer(request, async |cx, body| {
            let (bundle, parts, currency) = parse_parts(&body)?;
            let (links, _) = store::find_bundle(&self.database, cx, bundle).await?;
            let (quantity, amount) = bundles::together(bundle, &parts, &links)?;
            let amount = currency.map(|currency| wire::money(amount, currency));
            Ok(pb::RollUpLinesResponse { quantity: quantity.to_string(), amount })
        })
        .await
    }

    async fn validate_configuration(
        &self,
        request: Request<pb::ValidateConfigurationRequest>,
    ) -> Reply<pb::ValidateConfigurationResponse> {
        answer(request, async |cx, body| {
            let (product, choices, currency) = parse_configuration(&body)?;
            let good = store::find_product(&self.database, cx, product).await?;
            let issues = good.options.issues(&choices);
            let currency = currency.filter(|_| issues.is_empty());
            let surcharge = currency.map(|currency| surcharge(&good, &choices, currency)).transpose()?;
            Ok(pb::ValidateConfigurationResponse {
                issues: issues.iter().map(render_issue).collect(),
                surcharge,
            })
        })
        .await
    }
}

impl Api {
    /// What is asked, of the day that it says or that it is where the document is made out; and what of the catalogue it needs.
    async fn find(&self, cx: &Context, body: &pb::PriceDocumentRequest) -> Result<(Question, Catalogue)> {
        let (question, legal_entity) = parse::request(body, cx)?;
        let mut tx = Tx::begin(&self.database.pool, cx).await?;
        let date = match body.date {
            Some(_) => question.date,
            None => parties::day_in(parties::store::find_known_zone(&mut tx, legal_entity).await?, cx.now),
        };
        let question = Question { date, ..question };
        let catalogue = store::find_in(&mut tx, &question).await?;
        tx.roll_back().await?;
        Ok((question, catalogue))
    }
}

/// Prices a document; FAILED_PRECONDITION `ANSWER_TOO_LARGE` for one of which there is too much to tell.
fn price(question: &Question, catalogue: &Catalogue) -> Result<pb::PriceDocumentResponse> {
    let too_large = || {
        let message =
            format!("the answer would have more than {MAX_STEPS} steps, or more than {MAX_BYTES} bytes");
        Error::new(Kind::Precondition, "ANSWER_TOO_LARGE", message)
    };
    let (frozen, trace) = Frozen::of(question, catalogue, question.answer(catalogue)?)?;
    if trace.steps.len() > MAX_STEPS {
        return Err(too_large());
    }
    let response = render::answer(&frozen, &trace);
    if response.encoded_len() > MAX_BYTES { Err(too_large()) } else { Ok(response) }
}

/// What is asked of a bundle: how many, and what they cost.
type Bundles = (Id<Product>, Quantity, Option<(Minor, Currency)>);

fn parse_bundle(message: &pb::ExplodeBundleRequest) -> Result<Bundles> {
    let mut violations = Violations::new();
    let product = violations.keep("product", Id::parse(&message.product));
    let quantity = violations.keep("quantity", parse_decimal(&message.quantity, Quantity::ONE));
    let cost = message.amount.as_ref();
    let cost = cost.and_then(|amount| parse_existing("amount", amount, &mut violations));
    let bundle = product.zip(quantity).map(|(product, quantity)| (product, quantity, cost));
    violations.into_result(bundle)
}

/// The parts by their products, and the currency of their amounts.
type Parts = Vec<(Id<Product>, Part)>;

fn parse_parts(message: &pb::RollUpLinesRequest) -> Result<(Id<Product>, Parts, Option<Currency>)> {
    let mut violations = Violations::new();
    let bundle = violations.keep("product", Id::parse(&message.product));
    if message.parts.is_empty() {
        violations.add("parts", "REQUIRED", "must not be empty");
    }
    let given = violations.keep("parts", wire::at_most(&message.parts, MAX_PARTS)).unwrap_or_default();
    let mut parts = Vec::with_capacity(given.len());
    let mut currencies = Vec::new();
    for (at, part) in given.iter().enumerate() {
        let product = violations.keep(&format!("parts[{at}].product"), Id::parse(&part.product));
        let quantity = violations.keep(&format!("parts[{at}].quantity"), part.quantity.parse());
        let field = format!("parts[{at}].amount");
        let amount = part.amount.as_ref();
        let amount = amount.and_then(|amount| parse_existing(&field, amount, &mut violations));
        currencies.extend(amount.map(|(_, currency)| (field, Some(currency))));
        parts.extend(product.zip(quantity).map(|(product, quantity)| {
            let amount = amount.map_or(Minor(0), |(amount, _)| amount);
            (product, Part { key: at.to_string().into(), quantity, amount })
        }));
    }
    let given = currencies.iter().map(|(field, currency)| (field.as_str(), *currency));
    let currency = one_currency(given, &mut violations);
    violations.into_result(bundle.map(|bundle| (bundle, parts, currency)))
}

/// What is chosen of a product, and the currency in which its price is wanted.
type Configuration = (Id<Product>, Vec<Choice>, Option<Currency>);

fn parse_configuration(message: &pb::ValidateConfigurationRequest) -> Result<Configuration> {
    let mut violations = Violations::new();
    let product = violations.keep("product", Id::parse(&message.product));
    let choices = parse::choices("choices", &message.choices, &mut violations);
    let currency = Some(message.currency_code.as_str()).filter(|code| !code.is_empty());
    let currency = currency.and_then(|code| violations.keep("currency_code", Currency::parse_existing(code)));
    violations.into_result(product.map(|product| (product, choices, currency)))
}

fn surcharge(good: &Good, choices: &[Choice], currency: Currency) -> Result<Money> {
    let mut violations = Violations::new();
    let surcharges = good.options.surcharges(choices, currency);
    let is_too_large = matches!(surcharges, Err(SurchargeError::TooLarge(_)));
    let field = if is_too_large { "choices" } else { "currency_code" };
    let surcharges = violations.keep(field, surcharges);
    let surcharges = violations.into_result(surcharges)?;
    let sum = surcharges.into_iter().try_fold(0_i64, |sum, (_, each)| sum.checked_add(each.0));
    let sum = sum.ok_or_else(|| {
        let refused = PricingError::TooLarge;
        Error::invalid("choices", refused.reason(), refused.to_string())
    })?;
    Ok(wire::money(Minor(sum), currency))
}

fn render_issue(issue: &Issue) -> pb::validate_configuration_response::Issue {
    pb::validate_configuration_response::Issue {
        choice: issue.choice.and_then(|choice| i32::try_from(choice).ok()),
        key: issue.key.clone(),
        reason: issue.error.reason().to_owned(),
        description: issue.error.to_string(),
    }
}
