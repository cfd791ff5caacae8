//! `TaxCodeService`, and a tax code on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_proto::{
    billing::v1::{self as pb, tax_code_service_server::TaxCodeService},
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{Context, Result, Violations, address, text::line};

use super::{
    model::{Category, Rate, Rates, TaxCode},
    store,
};

/// Serves tax codes.
pub struct Api {
    tax_codes: Store<TaxCode>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { tax_codes: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl TaxCodeService for Api {
    async fn get_tax_code(&self, request: Request<pb::GetTaxCodeRequest>) -> Reply<pb::TaxCode> {
        self.tax_codes.get(request).await
    }
    async fn list_tax_codes(
        &self,
        request: Request<pb::ListTaxCodesRequest>,
    ) -> Reply<pb::ListTaxCodesResponse> {
        self.tax_codes.list(request).await
    }
    async fn create_tax_code(&self, request: Request<pb::CreateTaxCodeRequest>) -> Reply<pb::TaxCode> {
        self.tax_codes.create(request).await
    }
    async fn update_tax_code(&self, request: Request<pb::UpdateTaxCodeRequest>) -> Reply<pb::TaxCode> {
        self.tax_codes.update(request).await
    }
    async fn delete_tax_code(&self, request: Request<pb::DeleteTaxCodeRequest>) -> Reply<pb::TaxCode> {
        self.tax_codes.delete(request).await
    }
    async fn undelete_tax_code(&self, request: Request<pb::UndeleteTaxCodeRequest>) -> Reply<pb::TaxCode> {
        self.tax_codes.undelete(request).await
    }
    async fn batch_get_tax_codes(
        &self,
        request: Request<pb::BatchGetTaxCodesRequest>,
    ) -> Reply<pb::BatchGetTaxCodesResponse> {
        self.tax_codes.batch_get(request).await
    }
    async fn batch_create_tax_codes(
        &self,
        request: Request<pb::BatchCreateTaxCodesRequest>,
    ) -> Reply<pb::BatchCreateTaxCodesResponse> {
        self.tax_codes.batch_create(request).await
    }
    async fn upsert_tax_code(&self, request: Request<pb::UpsertTaxCodeRequest>) -> Reply<pb::TaxCode> {
        self.tax_codes.upsert(request).await
    }
}

impl Resource for TaxCode {
    type Message = pb::TaxCode;
    const TABLE: &'static str = "tax_code";
    const COLLECTION: &'static str = "taxCodes";
    const EVENT: &'static str = "trato.billing.v1.tax_code";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::TaxCode, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let code = check.keep("code", message.code.parse());
        let display_name = check.keep("display_name", message.display_name.parse());
        let country_code = check.keep("country_code", address::country_code(&message.country_code));
        let tax = check.keep("tax", message.tax.parse());
        let category = check.keep("category", parse_category(message.category));
        let rates = parse_rates(&message.rates, check)?;
        let inclusive_allowed = message.inclusive_allowed;
        let legal_note = check.keep("legal_note", line(&message.legal_note, 500)).unwrap_or_default();
        #[rustfmt::skip]
        let tax_code = code.zip(display_name).zip(country_code).zip(tax).zip(category).zip(rates).map(
            |(((((code, display_name), country_code), tax), category), rates)| Self {
                code, display_name, country_code, tax, category, rates, inclusive_allowed, legal_note,
            },
        );
        if let Some(tax_code) = &tax_code {
            tax_code.check(&mut violations);
        }
        violations.into_result(tax_code)
    }

    fn render(record: &Record<Self>) -> pb::TaxCode {
        let tax_code = &record.value;
        let (source, external_id) = record.external_fields();
        pb::TaxCode {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            code: tax_code.code.to_string(),
            display_name: tax_code.display_name.to_string(),
            country_code: tax_code.country_code.clone(),
            tax: tax_code.tax.to_string(),
            category: render_category(tax_code.category).into(),
            rates: tax_code.rates.iter().map(render_rate).collect(),
            inclusive_allowed: tax_code.inclusive_allowed,
            legal_note: tax_code.legal_note.clone(),
        }
    }
}

fn parse_rates(messages: &[pb::tax_code::Rate], violations: &mut Violations) -> Result<Option<Rates>> {
    let given = violations.keep("rates", wire::at_most(messages, Rates::MAX)).unwrap_or_default();
    let mut rates = Vec::with_capacity(given.len());
    for (index, message) in given.iter().enumerate() {
        rates.extend(violations.absorb(&format!("rates[{index}]."), parse_rate(message))?);
    }
    // What holds for all of them together can only be said when each is valid.
    if rates.len() < messages.len() { Ok(None) } else { violations.absorb("", Rates::new(rates)) }
}

fn parse_rate(message: &pb::tax_code::Rate) -> Result<Rate> {
    let mut violations = Violations::new();
    let percent = violations.keep("percent", message.percent.parse());
    let valid_from = violations.keep("valid_from", wire::require_date(message.valid_from.as_ref()));
    let valid_to = message.valid_to.as_ref();
    let valid_to = valid_to.and_then(|date| violations.keep("valid_to", wire::parse_date(date)));
    let rate = percent.zip(valid_from).map(|(percent, valid_from)| Rate { percent, valid_from, valid_to });
    violations.into_result(rate)
}

fn render_rate(rate: &Rate) -> pb::tax_code::Rate {
    pb::tax_code::Rate {
        percent: rate.percent.to_string(),
        valid_from: Some(wire::date(rate.valid_from)),
        valid_to: rate.valid_to.map(wire::date),
    }
}

fn parse_category(category: i32) -> Result<Category, UnknownName> {
    match pb::tax_code::Category::try_from(category) {
        Ok(pb::tax_code::Category::Standard) => Ok(Category::Standard),
        Ok(pb::tax_code::Category::Reduced) => Ok(Category::Reduced),
        Ok(pb::tax_code::Category::Zero) => Ok(Category::Zero),
        Ok(pb::tax_code::Category::Exempt) => Ok(Category::Exempt),
        Ok(pb::tax_code::Category::ReverseCharge) => Ok(Category::ReverseCharge),
        Ok(pb::tax_code::Category::IntraCommunity) => Ok(Category::IntraCommunity),
        Ok(pb::tax_code::Category::Export) => Ok(Category::Export),
        Ok(pb::tax_code::Category::NotSubject) => Ok(Category::NotSubject),
        Ok(pb::tax_code::Category::CanaryIslands) => Ok(Category::CanaryIslands),
        Ok(pb::tax_code::Category::CeutaAndMelilla) => Ok(Category::CeutaAndMelilla),
        Ok(pb::tax_code::Category::Withholding) => Ok(Category::Withholding),
        Ok(pb::tax_code::Category::Unspecified) | Err(_) => Err(UnknownName),
    }
}

/// Writes a category.
pub fn render_category(category: Category) -> pb::tax_code::Category {
    match category {
        Category::Standard => pb::tax_code::Category::Standard,
        Category::Reduced => pb::tax_code::Category::Reduced,
        Category::Zero => pb::tax_code::Category::Zero,
        Category::Exempt => pb::tax_code::Category::Exempt,
        Category::ReverseCharge => pb::tax_code::Category::ReverseCharge,
        Category::IntraCommunity => pb::tax_code::Category::IntraCommunity,
        Category::Export => pb::tax_code::Category::Export,
        Category::NotSubject => pb::tax_code::Category::NotSubject,
        Category::CanaryIslands => pb::tax_code::Category::CanaryIslands,
        Category::CeutaAndMelilla => pb::tax_code::Category::CeutaAndMelilla,
        Category::Withholding => pb::tax_code::Category::Withholding,
    }
}
