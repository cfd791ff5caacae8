//! How opportunities are stored: columns, fields to filter by, the constraints that speak to clients, and the one query
//! that finds everything an opportunity refers to.

use std::collections::HashMap;

use sqlx::{Row as _, types::Json};
use trato_platform::{
    choice_column, columns,
    db::{Column, Constraint, Database, from_sqlx, recorded},
    foreign::Existence,
};
use trato_query::{Field, choice, date, integer, member, minor, reference, text, timestamp};
use trato_types::{Context, Error, Id, Kind, Ref, Result};
use uuid::Uuid;

use super::{
    history::{History, Step},
    model::{LostReason, Opportunity, State},
};
use crate::{
    foreign::Account,
    pipeline::{Pipeline, Stages},
    product::Product,
};

columns!(Opportunity {
    owner,
    team,
    display_name,
    account,
    contact,
    pipeline,
    stage,
    stage_time,
    state,
    product,
    amount,
    currency,
    close_date,
    probability_percent,
    next_step,
    next_step_date,
    lost_reason,
    lost_note,
    close_time,
    description,
    history,
});

choice_column!(State { Open = "OPEN", Won = "WON", Lost = "LOST" });
choice_column!(LostReason {
    Price = "PRICE",
    Competitor = "COMPETITOR",
    NoBudget = "NO_BUDGET",
    NoDecision = "NO_DECISION",
    ProductFit = "PRODUCT_FIT",
    Timing = "TIMING",
    Other = "OTHER",
    NotRecorded = "NOT_RECORDED",
});

/// A history that was not read is written as null, at which the table keeps its own.
impl Column for History {
    type Sql = Json<Vec<Step>>;
    const TYPE: &'static str = "jsonb";

    fn to_sql(&self) -> Option<Self::Sql> {
        self.known().map(|steps| Json(steps.to_vec()))
    }

    fn from_sql(stored: Option<Self::Sql>) -> Result<Self> {
        let steps = stored.ok_or_else(|| Error::internal("an opportunity has no history"))?;
        Ok(Self::of(steps.0))
    }
}

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("display_name").sortable().searchable(),
    member("owner").nullable(),
    reference("team", "teams").nullable(),
    reference("account", "accounts").nullable(),
    reference("contact", "contacts").nullable(),
    reference("pipeline", "pipelines"),
    text("stage"),
    timestamp("stage_time").nullable(),
    choice("state", State::NAMES),
    reference("product", "products").nullable(),
    minor("amount").nullable(),
    text("amount.currency_code").column("currency").nullable(),
    date("close_date").nullable().sortable(),
    integer("probability_percent"),
    date("next_step_date").nullable(),
    choice("lost_reason", LostReason::NAMES).nullable(),
    timestamp("close_time").nullable(),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::missing("opportunity_pipeline_fkey", "PIPELINE_NOT_FOUND", "the pipeline does not exist"),
    Constraint::missing("opportunity_product_fkey", "PRODUCT_NOT_FOUND", "the product does not exist"),
    Constraint {
        name: "opportunity_stage_known",
        kind: Kind::Precondition,
        reason: "UNKNOWN_STAGE",
        message: "the pipeline has no such stage",
    },
    Constraint {
        name: "opportunity_pipeline_living",
        kind: Kind::Precondition,
        reason: "PIPELINE_DELETED",
        message: "the pipeline is deleted",
    },
];

/// What opportunities refer to within this database.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Pipelines, beside the default one.
    pub pipelines: Vec<Id<Pipeline>>,
    /// Products.
    pub products: Vec<Id<Product>>,
    /// Accounts, of which the projection may know.
    pub accounts: Vec<Ref<Account>>,
}

/// What was found of it.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The tenant's first living pipeline.
    pub default_pipeline: Option<(Id<Pipeline>, Stages)>,
    pipelines: HashMap<Uuid, (Existence, Stages)>,
    products: HashMap<Uuid, Existence>,
    accounts: HashMap<Uuid, Existence>,
}

impl Found {
    /// A pipeline and its stages.
    pub fn pipeline(&self, id: Id<Pipeline>) -> (Existence, Option<&Stages>) {
        match self.pipelines.get(&id.uuid()) {
            Some((existence, stages)) => (*existence, Some(stages)),
            None => (Existence::Unknown, None),
        }
    }

    /// A product.
    pub fn product(&self, id: Id<Product>) -> Existence {
        self.products.get(&id.uuid()).copied().unwrap_or(Existence::Unknown)
    }

    /// An account, as far as the projection knows.
    pub fn account(&self, id: Ref<Account>) -> Existence {
        self.accounts.get(&id.uuid()).copied().unwrap_or(Existence::Unknown)
    }
}

/// Finds the default pipeline and everything that is wanted, in one statement.
pub async fn find_references(database: &Database, cx: &Context, wanted: &Wanted) -> Result<Found> {
    let ids = |ids: &mut dyn Iterator<Item = Uuid>| ids.collect::<Vec<_>>();
    let statement = sqlx::query(include_str!("../../sql/find_references.sql"))
        .bind(cx.tenant.to_string())
        .bind(ids(&mut wanted.pipelines.iter().map(|id| id.uuid())))
        .bind(ids(&mut wanted.products.iter().map(|id| id.uuid())))
        .bind(ids(&mut wanted.accounts.iter().map(|id| id.uuid())));
    let rows = async { statement.fetch_all(&database.pool).await.map_err(from_sqlx) };
    let rows = recorded(cx, "select", "pipeline", rows).await?;
    let mut found = Found::default();
    for row in rows {
        let (kind, id): (String, Uuid) =
            (row.try_get(0).map_err(from_sqlx)?, row.try_get(1).map_err(from_sqlx)?);
        let deleted: bool = row.try_get(2).map_err(from_sqlx)?;
        let stages: Option<Json<Stages>> = row.try_get(3).map_err(from_sqlx)?;
        let existence = if deleted { Existence::Deleted } else { Existence::Living };
        match (kind.as_str(), stages) {
            ("default", Some(stages)) => found.default_pipeline = Some((Id::from_uuid(id), stages.0)),
            ("pipeline", Some(stages)) => {
                found.pipelines.insert(id, (existence, stages.0));
            }
            ("product", _) => {
                found.products.insert(id, existence);
            }
            _ => {
                found.accounts.insert(id, existence);
            }
        }
    }
    Ok(found)
}

/// Reads the stages of the pipeline that an opportunity walks, whoever may see it; none when there is no such
/// opportunity. The answer must only be used once the caller is known to see the opportunity.
pub async fn stages_of(database: &Database, cx: &Context, opportunity: Uuid) -> Result<Option<Stages>> {
    let statement = sqlx::query_scalar(include_str!("../../sql/find_stages.sql"))
        .bind(cx.tenant.to_string())
        .bind(opportunity);
    let stages = async { statement.fetch_optional(&database.pool).await.map_err(from_sqlx) };
    let stages: Option<Json<Stages>> = recorded(cx, "select", "pipeline", stages).await?;
    Ok(stages.map(|stages| stages.0))
}
