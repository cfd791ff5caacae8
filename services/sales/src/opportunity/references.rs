//! What an opportunity refers to: completed where the client left it open, and checked before anything is written.
//!
//! Pipeline, stage and product are looked up in one statement, together with what the projection knows of the account.
//! Only an account it does not know is asked for, and only for an opportunity that is right otherwise.

use std::collections::{HashMap, HashSet};

use trato_platform::{
    App,
    db::Database,
    foreign::{Existence, Refusal},
    rpc::Caller,
    standard::Store,
};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Error, Id, Kind, Ref, Result, id::Collection};
use uuid::Uuid;

use super::{
    model::{Opportunity, OpportunityError},
    store::{self, Found, Wanted},
};
use crate::{
    account::Accounts,
    foreign::Account,
    own_team::OwnTeam,
    pipeline::{Pipeline, Stages},
    product::Product,
};

/// The field that holds the opportunity, in every request that brings one.
pub const FIELD: &str = "opportunity";
const ACCOUNT_FIELD: &str = "opportunity.account";
const PIPELINE_FIELD: &str = "opportunity.pipeline";
const PRODUCT_FIELD: &str = "opportunity.product";
const STAGE_FIELD: &str = "opportunity.stage";

/// Completes and checks references; see also `requests.rs`.
pub struct References {
    pub(super) database: Database,
    pub(super) opportunities: Store<Opportunity>,
    own_team: OwnTeam,
    accounts: Accounts,
}

/// A new opportunity, completed, and what is wrong with what it refers to.
#[derive(Debug)]
pub struct Resolved {
    /// With pipeline, stage, chance of winning and team filled in.
    pub message: pb::Opportunity,
    /// The stages of its pipeline, when there is one.
    pub stages: Option<Stages>,
    /// What stands against it.
    pub trouble: Trouble,
}

/// Why an opportunity cannot, or not yet, be written.
#[derive(Debug, Default)]
pub struct Trouble {
    /// It refers to something that is not there.
    pub refusal: Option<Error>,
    /// It refers to an account that customers has to be asked for.
    pub unknown_account: Option<Ref<Account>>,
}

impl References {
    /// Looks into the app's database, and asks customers where the settings say that it is.
    pub fn new(app: &App) -> Self {
        Self {
            database: app.database.clone(),
            opportunities: Store::new(&app.database),
            own_team: OwnTeam::new(app),
            accounts: Accounts::new(app),
        }
    }

    /// Completes new opportunities and finds what they refer to, in one statement for all of them.
    pub async fn resolve(&self, cx: &Context, mut messages: Vec<pb::Opportunity>) -> Result<Vec<Resolved>> {
        let teams = messages.iter_mut().map(|message| &mut message.team).collect();
        self.own_team.fill_in(cx, teams, true).await?;
        let wanted = Wanted {
            pipelines: referred(&messages, |message| &message.pipeline),
            products: referred(&messages, |message| &message.product),
            accounts: referred(&messages, |message| &message.account),
        };
        let found = store::find_references(&self.database, cx, &wanted).await?;
        Ok(messages.into_iter().map(|message| complete(message, &found)).collect())
    }

    /// Refuses what refers to something that is not there. Each account that is not known here is asked for once, and
    /// only for items that are right otherwise: what is wrong in itself is said first.
    pub async fn judge<P>(
        &self,
        cx: &Context,
        caller: &Caller,
        items: Vec<(Result<P>, Trouble)>,
    ) -> Result<Vec<Result<P>>> {
        let is_open = |(item, trouble): &&(Result<P>, Trouble)| item.is_ok() && trouble.refusal.is_none();
        let unknown: HashSet<_> =
            items.iter().filter(is_open).filter_map(|(_, trouble)| trouble.unknown_account).collect();
        let refusals = if unknown.is_empty() {
            HashMap::new()
        } else {
            self.accounts.refusals(cx, caller, unknown).await?
        };
        let judged = |(item, trouble): (Result<P>, Trouble)| {
            let item = item?;
            let asked = trouble.unknown_account.and_then(|account| Some((account, refusals.get(&account)?)));
            let asked = asked.map(|(account, refusal)| refusal.of(account, ACCOUNT_FIELD));
            trouble.refusal.or(asked).map_or(Ok(item), Err)
        };
        Ok(items.into_iter().map(judged).collect())
    }
}

/// What stands against referring to a product that was looked up.
pub fn product_refusal(found: &Found, product: Id<Product>) -> Option<Error> {
    match found.product(product) {
        Existence::Living => None,
        Existence::Deleted => Some(refused(PRODUCT_FIELD, "PRODUCT_DELETED", &product.name(), "is deleted")),
        Existence::Unknown => {
            Some(refused(PRODUCT_FIELD, "PRODUCT_NOT_FOUND", &product.name(), "does not exist"))
        }
    }
}

/// What stands against referring to an account that was looked up.
pub fn account_trouble(found: &Found, account: Ref<Account>) -> Trouble {
    match found.account(account) {
        Existence::Living => Trouble::default(),
        Existence::Deleted => {
            Trouble { refusal: Some(Refusal::Deleted.of(account, ACCOUNT_FIELD)), ..Trouble::default() }
        }
        Existence::Unknown => Trouble { unknown_account: Some(account), ..Trouble::default() },
    }
}

/// Parses a reference that may be missing or malformed; what is malformed is told when the whole message is parsed.
pub fn reference<T: Collection>(name: &str) -> Option<Id<T>> {
    Id::parse_optional(name).ok().flatten()
}

fn complete(mut message: pb::Opportunity, found: &Found) -> Resolved {
    let (stages, refusal) = match complete_stage(&mut message, found) {
        Ok(stages) => (stages.cloned(), None),
        Err(error) => {
            // It will be refused; names that could be right let everything else be judged before.
            if message.pipeline.is_empty() {
                message.pipeline = Id::<Pipeline>::from_uuid(Uuid::nil()).name();
            }
            if message.stage.is_empty() {
                message.stage = "-".to_owned();
            }
            (None, Some(error))
        }
    };
    let product = reference(&message.product);
    let refusal = refusal.or_else(|| product.and_then(|product| product_refusal(found, product)));
    let account = reference(&message.account);
    let account = account.map(|account| account_trouble(found, account)).unwrap_or_default();
    let trouble = Trouble { refusal: refusal.or(account.refusal), unknown_account: account.unknown_account };
    Resolved { message, stages, trouble }
}

/// Fills in pipeline, stage and chance of winning; none when the pipeline's name is malformed.
fn complete_stage<'a>(message: &mut pb::Opportunity, found: &'a Found) -> Result<Option<&'a Stages>> {
    let Ok(pipeline) = Id::<Pipeline>::parse_optional(&message.pipeline) else { return Ok(None) };
    let stages = match pipeline {
        None => {
            let (pipeline, stages) = found.default_pipeline.as_ref().ok_or_else(|| {
                let message = "opportunities walk a pipeline, and there is none yet";
                Error::new(Kind::Precondition, "NO_PIPELINE", message).with("field", PIPELINE_FIELD)
            })?;
            message.pipeline = pipeline.name();
            stages
        }
        Some(pipeline) => match found.pipeline(pipeline) {
            (Existence::Living, Some(stages)) => stages,
            (Existence::Deleted, _) => {
                return Err(refused(PIPELINE_FIELD, "PIPELINE_DELETED", &pipeline.name(), "is deleted"));
            }
            _ => {
                return Err(refused(
                    PIPELINE_FIELD,
                    "PIPELINE_NOT_FOUND",
                    &pipeline.name(),
                    "does not exist",
                ));
            }
        },
    };
    if message.stage.is_empty() {
        message.stage = stages.first().map(|stage| stage.key.to_string()).unwrap_or_default();
    }
    let Ok(key) = message.stage.parse() else { return Ok(Some(stages)) };
    let Some(stage) = stages.get(&key) else {
        return Err(Error::from(OpportunityError::UnknownStage)
            .with("field", STAGE_FIELD)
            .with("stage", key));
    };
    if message.probability_percent == 0 {
        message.probability_percent = stage.probability_percent;
    }
    Ok(Some(stages))
}

fn referred<T: Collection>(
    messages: &[pb::Opportunity],
    field: impl Fn(&pb::Opportunity) -> &String,
) -> Vec<Id<T>> {
    let distinct: HashSet<Id<T>> = messages.iter().filter_map(|message| reference(field(message))).collect();
    distinct.into_iter().collect()
}

fn refused(field: &'static str, reason: &'static str, name: &str, why: &str) -> Error {
    let error = Error::new(Kind::Precondition, reason, format!("{field}: {name} {why}"));
    error.with("field", field).with("name", name).about(name)
}
