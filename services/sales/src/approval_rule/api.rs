//! `ApprovalRuleService`, and an approval rule on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_pricing::{Percent, PricingError};
use trato_proto::{
    sales::v1::{self as pb, approval_rule_service_server::ApprovalRuleService},
    wire,
};
use trato_query::Field;
use trato_types::{Context, MemberRef, Minor, Ref, Result, Violations, text::paragraph};

use super::{model::ApprovalRule, store};
use crate::{
    decimal::Exact,
    forms::{parse_existing, rank},
};

/// Serves approval rules.
pub struct Api {
    approval_rules: Store<ApprovalRule>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { approval_rules: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl ApprovalRuleService for Api {
    async fn get_approval_rule(
        &self,
        request: Request<pb::GetApprovalRuleRequest>,
    ) -> Reply<pb::ApprovalRule> {
        self.approval_rules.get(request).await
    }
    async fn list_approval_rules(
        &self,
        request: Request<pb::ListApprovalRulesRequest>,
    ) -> Reply<pb::ListApprovalRulesResponse> {
        self.approval_rules.list(request).await
    }
    async fn create_approval_rule(
        &self,
        request: Request<pb::CreateApprovalRuleRequest>,
    ) -> Reply<pb::ApprovalRule> {
        self.approval_rules.create(request).await
    }
    async fn update_approval_rule(
        &self,
        request: Request<pb::UpdateApprovalRuleRequest>,
    ) -> Reply<pb::ApprovalRule> {
        self.approval_rules.update(request).await
    }
    async fn delete_approval_rule(
        &self,
        request: Request<pb::DeleteApprovalRuleRequest>,
    ) -> Reply<pb::ApprovalRule> {
        self.approval_rules.delete(request).await
    }
    async fn undelete_approval_rule(
        &self,
        request: Request<pb::UndeleteApprovalRuleRequest>,
    ) -> Reply<pb::ApprovalRule> {
        self.approval_rules.undelete(request).await
    }
    async fn batch_get_approval_rules(
        &self,
        request: Request<pb::BatchGetApprovalRulesRequest>,
    ) -> Reply<pb::BatchGetApprovalRulesResponse> {
        self.approval_rules.batch_get(request).await
    }
    async fn batch_create_approval_rules(
        &self,
        request: Request<pb::BatchCreateApprovalRulesRequest>,
    ) -> Reply<pb::BatchCreateApprovalRulesResponse> {
        self.approval_rules.batch_create(request).await
    }
    async fn upsert_approval_rule(
        &self,
        request: Request<pb::UpsertApprovalRuleRequest>,
    ) -> Reply<pb::ApprovalRule> {
        self.approval_rules.upsert(request).await
    }
}

impl Resource for ApprovalRule {
    type Message = pb::ApprovalRule;
    const TABLE: &'static str = "approval_rule";
    const COLLECTION: &'static str = "approvalRules";
    const EVENT: &'static str = "trato.sales.v1.approval_rule";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::ApprovalRule, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let display_name = check.keep("display_name", message.display_name.parse());
        let description =
            check.keep("description", paragraph(&message.description, 10_000)).unwrap_or_default();
        let least = message.min_net.as_ref();
        let least = least.and_then(|amount| parse_existing("min_net", amount, check));
        if least.is_some_and(|(amount, _)| amount < Minor(0)) {
            check.keep("min_net", Err::<(), _>(PricingError::Negative));
        }
        let (min_net, currency) = least.unzip();
        let min_discount_percent =
            check.keep("min_discount_percent", parse_percent(&message.min_discount_percent)).flatten();
        let max_margin_percent =
            check.keep("max_margin_percent", parse_percent(&message.max_margin_percent)).flatten();
        let approver = check.keep("approver", MemberRef::parse_optional(&message.approver)).flatten();
        let approver_team =
            check.keep("approver_team", Ref::parse_optional(&message.approver_team)).flatten();
        let sequence = check.keep("sequence", rank(message.sequence)).unwrap_or_default();
        let disabled = message.disabled;
        #[rustfmt::skip]
        let rule = display_name.map(|display_name| Self {
            display_name, description, disabled, min_net, currency, min_discount_percent, max_margin_percent, approver,
            approver_team, sequence,
        });
        violations.into_result(rule)
    }

    fn render(record: &Record<Self>) -> pb::ApprovalRule {
        let rule = &record.value;
        let (source, external_id) = record.external_fields();
        let percent = |percent: Option<Exact<Percent>>| percent.map(|percent| percent.0.to_string());
        pb::ApprovalRule {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            display_name: rule.display_name.to_string(),
            description: rule.description.clone(),
            disabled: rule.disabled,
            min_net: rule.min_net.zip(rule.currency).map(|(amount, currency)| wire::money(amount, currency)),
            min_discount_percent: percent(rule.min_discount_percent).unwrap_or_default(),
            max_margin_percent: percent(rule.max_margin_percent).unwrap_or_default(),
            approver: rule.approver.as_ref().map(MemberRef::name).unwrap_or_default(),
            approver_team: rule.approver_team.map(Ref::name).unwrap_or_default(),
            sequence: rule.sequence,
        }
    }
}

/// Reads a percentage of at most a hundred; there may be none.
fn parse_percent(text: &str) -> Result<Option<Exact<Percent>>, PricingError> {
    match text {
        "" => Ok(None),
        text => match text.parse()? {
            percent if percent > Percent::HUNDRED => Err(PricingError::PercentOutOfRange),
            percent => Ok(Some(Exact(percent))),
        },
    }
}
