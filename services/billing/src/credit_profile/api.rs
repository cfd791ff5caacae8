//! `CreditProfileService`, and a credit profile on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource, Tx, from_sqlx},
    standard::{Drafts, Reply, Store, answer},
};
use trato_proto::{
    billing::v1::{
        self as pb, assess_credit_response::factor::Code, credit_profile_service_server::CreditProfileService,
    },
    wire,
};
use trato_query::Field;
use trato_types::{Context, Currency, Error, Minor, Ref, Result, Violations, text::line};

use super::{
    exposure::{exposure, limit_of},
    hold::HOLD_REASON,
    model::CreditProfile,
    score, store,
};
use crate::{foreign::Accounts, legal_entity::TimeZone, receivables::figures};

/// Serves credit profiles.
pub struct Api {
    credit_profiles: Store<CreditProfile>,
    drafts: Drafts<CreditProfile>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self {
            credit_profiles: Store::new(&app.database),
            drafts: Drafts::new(&app.database, Accounts::new(app)),
        }
    }
}

#[tonic::async_trait]
impl CreditProfileService for Api {
    async fn get_credit_profile(
        &self,
        request: Request<pb::GetCreditProfileRequest>,
    ) -> Reply<pb::CreditProfile> {
        self.credit_profiles.get(request).await
    }
    async fn list_credit_profiles(
        &self,
        request: Request<pb::ListCreditProfilesRequest>,
    ) -> Reply<pb::ListCreditProfilesResponse> {
        self.credit_profiles.list(request).await
    }
    async fn create_credit_profile(
        &self,
        request: Request<pb::CreateCreditProfileRequest>,
    ) -> Reply<pb::CreditProfile> {
        self.drafts.create(request).await
    }
    async fn update_credit_profile(
        &self,
        request: Request<pb::UpdateCreditProfileRequest>,
    ) -> Reply<pb::CreditProfile> {
        self.drafts.update(request).await
    }
    async fn delete_credit_profile(
        &self,
        request: Request<pb::DeleteCreditProfileRequest>,
    ) -> Reply<pb::CreditProfile> {
        self.credit_profiles.delete(request).await
    }
    async fn undelete_credit_profile(
        &self,
        request: Request<pb::UndeleteCreditProfileRequest>,
    ) -> Reply<pb::CreditProfile> {
        self.credit_profiles.undelete(request).await
    }
    async fn batch_get_credit_profiles(
        &self,
        request: Request<pb::BatchGetCreditProfilesRequest>,
    ) -> Reply<pb::BatchGetCreditProfilesResponse> {
        self.credit_profiles.batch_get(request).await
    }
    async fn batch_create_credit_profiles(
        &self,
        request: Request<pb::BatchCreateCreditProfilesRequest>,
    ) -> Reply<pb::BatchCreateCreditProfilesResponse> {
        self.drafts.batch_create(request).await
    }
    async fn upsert_credit_profile(
        &self,
        request: Request<pb::UpsertCreditProfileRequest>,
    ) -> Reply<pb::CreditProfile> {
        self.drafts.upsert(request).await
    }

    async fn assess_credit(
        &self,
        request: Request<pb::AssessCreditRequest>,
    ) -> Reply<pb::AssessCreditResponse> {
        answer(request, async |cx, body| self.assess(cx, &body).await).await
    }
}

impl Api {
    async fn assess(&self, cx: &Context, body: &pb::AssessCreditRequest) -> Result<pb::AssessCreditResponse> {
        let mut violations = Violations::new();
        let account = violations.keep("account", Ref::parse(&body.account));
        let currency = match body.currency_code.as_str() {
            "" => Some(None),
            code => violations.keep("currency_code", Currency::parse_existing(code)).map(Some),
        };
        let (account, currency) = violations.into_result(account.zip(currency))?;
        let mut tx = Tx::of(self.credit_profiles.database(), cx).await?;
        let limit = limit_of(&mut tx, account).await?;
        let currency = currency.or(limit.amount.map(|(_, currency)| currency));
        let currency = currency.ok_or_else(|| {
            Error::invalid("currency_code", "REQUIRED", "is required where the account has no limit")
        })?;
        let exposure = exposure(&mut tx, account, currency).await?;
        let total = exposure.total()?;
        let limited = match limit.amount {
            Some((amount, own)) => {
                let today = TimeZone::UTC.day_of(cx.now);
                let rate = crate::books::rate(&mut tx, own, currency, today, "").await?;
                Some(trato_pricing::convert(amount, own, currency, rate)?)
            }
            None => None,
        };
        let (score, factors) = record(&mut tx, account).await?.score();
        tx.roll_back().await?;
        let money = |amount| Some(wire::money(amount, currency));
        let factor = |factor: score::Factor| pb::assess_credit_response::Factor {
            code: Code::from_str_name(factor.code).unwrap_or_default().into(),
            points: factor.points,
            description: factor.description,
        };
        Ok(pb::AssessCreditResponse {
            account: account.name(),
            credit_limit: limited.and_then(money),
            hold: limit.hold,
            reserved: money(exposure.reserved),
            invoiced: money(exposure.invoiced),
            unallocated: money(exposure.unallocated),
            exposure: money(total),
            available: limited.and_then(|limit| money(Minor(limit.0.saturating_sub(total.0)))),
            score,
            factors: factors.into_iter().map(factor).collect(),
        })
    }
}

/// What is known of how an account pays.
async fn record(tx: &mut Tx, account: Ref<crate::foreign::Account>) -> Result<score::Record> {
    let (tenant, today) = (tx.cx().tenant, TimeZone::UTC.day_of(tx.cx().now));
    let figures = figures(tx, account, TimeZone::FIRST.day_of(tx.cx().now)).await?;
    let (overdue, written_off, charged_back) = sqlx::query_as(include_str!("../../sql/count_failures.sql"))
        .bind(tenant)
        .bind(account.uuid())
        .bind(today)
        .fetch_one(tx.connection())
        .await
        .map_err(from_sqlx)?;
    Ok(score::Record { figures, overdue, written_off, charged_back })
}

impl Resource for CreditProfile {
    type Message = pb::CreditProfile;
    const TABLE: &'static str = "credit_profile";
    const COLLECTION: &'static str = "creditProfiles";
    const EVENT: &'static str = "trato.billing.v1.credit_profile";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::CreditProfile, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let account = violations.keep("account", Ref::parse(&message.account));
        let limit = message.credit_limit.as_ref();
        let limit = limit.and_then(|limit| violations.keep("credit_limit", wire::parse_amount(limit)));
        if limit.is_some_and(|(_, currency)| !currency.exists()) {
            violations.add("credit_limit", "UNKNOWN_CURRENCY", "must be in a currency that exists");
        }
        let hold_reason = violations.keep("hold_reason", line(&message.hold_reason, 500)).unwrap_or_default();
        let (credit_limit, currency_code) = limit.unzip();
        let hold = message.hold;
        // Who takes the hold back, or gives it a reason of their own, takes it from dunning too.
        let held_by_dunning = hold && message.held_by_dunning && hold_reason == HOLD_REASON;
        let profile = account.map(|account| Self {
            account,
            credit_limit,
            currency_code,
            hold,
            hold_reason,
            held_by_dunning,
        });
        violations.into_result(profile)
    }

    fn render(record: &Record<Self>) -> pb::CreditProfile {
        let profile = &record.value;
        let (source, external_id) = record.external_fields();
        let limit = profile.credit_limit.zip(profile.currency_code);
        pb::CreditProfile {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            account: profile.account.name(),
            credit_limit: limit.map(|(amount, currency)| wire::money(amount, currency)),
            hold: profile.hold,
            hold_reason: profile.hold_reason.clone(),
            held_by_dunning: profile.held_by_dunning,
        }
    }
}
