//! `PaymentTermService`, and a payment term on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_proto::{
    billing::v1::{self as pb, payment_term_service_server::PaymentTermService},
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{Context, Result, Violations};

use super::{
    model::{self, PaymentTerm, Rule},
    store,
};

/// Serves payment terms.
pub struct Api {
    payment_terms: Store<PaymentTerm>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { payment_terms: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl PaymentTermService for Api {
    async fn get_payment_term(&self, request: Request<pb::GetPaymentTermRequest>) -> Reply<pb::PaymentTerm> {
        self.payment_terms.get(request).await
    }
    async fn list_payment_terms(
        &self,
        request: Request<pb::ListPaymentTermsRequest>,
    ) -> Reply<pb::ListPaymentTermsResponse> {
        self.payment_terms.list(request).await
    }
    async fn create_payment_term(
        &self,
        request: Request<pb::CreatePaymentTermRequest>,
    ) -> Reply<pb::PaymentTerm> {
        self.payment_terms.create(request).await
    }
    async fn update_payment_term(
        &self,
        request: Request<pb::UpdatePaymentTermRequest>,
    ) -> Reply<pb::PaymentTerm> {
        self.payment_terms.update(request).await
    }
    async fn delete_payment_term(
        &self,
        request: Request<pb::DeletePaymentTermRequest>,
    ) -> Reply<pb::PaymentTerm> {
        self.payment_terms.delete(request).await
    }
    async fn undelete_payment_term(
        &self,
        request: Request<pb::UndeletePaymentTermRequest>,
    ) -> Reply<pb::PaymentTerm> {
        self.payment_terms.undelete(request).await
    }
    async fn batch_get_payment_terms(
        &self,
        request: Request<pb::BatchGetPaymentTermsRequest>,
    ) -> Reply<pb::BatchGetPaymentTermsResponse> {
        self.payment_terms.batch_get(request).await
    }
    async fn batch_create_payment_terms(
        &self,
        request: Request<pb::BatchCreatePaymentTermsRequest>,
    ) -> Reply<pb::BatchCreatePaymentTermsResponse> {
        self.payment_terms.batch_create(request).await
    }
    async fn upsert_payment_term(
        &self,
        request: Request<pb::UpsertPaymentTermRequest>,
    ) -> Reply<pb::PaymentTerm> {
        self.payment_terms.upsert(request).await
    }
}

impl Resource for PaymentTerm {
    type Message = pb::PaymentTerm;
    const TABLE: &'static str = "payment_term";
    const COLLECTION: &'static str = "paymentTerms";
    const EVENT: &'static str = "trato.billing.v1.payment_term";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::PaymentTerm, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let code = violations.keep("code", message.code.parse());
        let display_name = violations.keep("display_name", message.display_name.parse());
        let days = violations.keep("days", model::days(message.days)).unwrap_or_default();
        let rule = violations.keep("rule", parse_rule(message.rule)).unwrap_or(Rule::Net);
        let term = code.zip(display_name).map(|(code, display_name)| Self { code, display_name, days, rule });
        violations.into_result(term)
    }

    fn render(record: &Record<Self>) -> pb::PaymentTerm {
        let term = &record.value;
        let (source, external_id) = record.external_fields();
        pb::PaymentTerm {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            code: term.code.to_string(),
            display_name: term.display_name.to_string(),
            days: term.days,
            rule: render_rule(term.rule).into(),
        }
    }
}

fn parse_rule(rule: i32) -> Result<Rule, UnknownName> {
    match pb::payment_term::Rule::try_from(rule) {
        Ok(pb::payment_term::Rule::Unspecified | pb::payment_term::Rule::Net) => Ok(Rule::Net),
        Ok(pb::payment_term::Rule::DaysThenEndOfMonth) => Ok(Rule::DaysThenEndOfMonth),
        Ok(pb::payment_term::Rule::EndOfMonthThenDays) => Ok(Rule::EndOfMonthThenDays),
        Err(_) => Err(UnknownName),
    }
}

fn render_rule(rule: Rule) -> pb::payment_term::Rule {
    match rule {
        Rule::Net => pb::payment_term::Rule::Net,
        Rule::DaysThenEndOfMonth => pb::payment_term::Rule::DaysThenEndOfMonth,
        Rule::EndOfMonthThenDays => pb::payment_term::Rule::EndOfMonthThenDays,
    }
}
