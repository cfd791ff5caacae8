//! `CreditProfileService`, and a credit profile on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Drafts, Reply, Store, answer},
};
use trato_proto::{
    billing::v1::{self as pb, credit_profile_service_server::CreditProfileService},
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{Context, Ref, Result, Violations, text::line};

use super::{
    assess,
    hold::Holder,
    model::{CreditProfile, ExposureBasis},
    store,
};
use crate::foreign::Accounts;

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
        answer(request, async |cx, body| assess::assess(self.credit_profiles.database(), cx, &body).await)
            .await
    }
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
        let exposure_basis =
            violations.keep("exposure_basis", parse_basis(message.exposure_basis)).unwrap_or_default();
        // Who takes the hold back, or gives it a reason of their own, takes it from dunning and the limit too.
        let stays_theirs = hold && Holder::gives(&hold_reason);
        let held_by_dunning = message.held_by_dunning && stays_theirs;
        let held_by_limit = message.held_by_limit && stays_theirs;
        let profile = account.map(|account| Self {
            account,
            credit_limit,
            currency_code,
            hold,
            hold_reason,
            held_by_dunning,
            exposure_basis,
            held_by_limit,
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
            exposure_basis: assess::render_basis(profile.exposure_basis).into(),
            held_by_limit: profile.held_by_limit,
        }
    }
}

/// A basis that is asked for; that of confirmed orders where none is.
fn parse_basis(basis: i32) -> Result<ExposureBasis, UnknownName> {
    use pb::credit_profile::ExposureBasis as Asked;
    match Asked::try_from(basis) {
        Ok(Asked::Unspecified | Asked::Order) => Ok(ExposureBasis::Order),
        Ok(Asked::Delivery) => Ok(ExposureBasis::Delivery),
        Ok(Asked::Invoice) => Ok(ExposureBasis::Invoice),
        Err(_) => Err(UnknownName),
    }
}
