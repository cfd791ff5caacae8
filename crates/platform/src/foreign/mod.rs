//! Resources of other services that ours refer to. A projection, fed by the events of their service, says which exist
//! (`store.rs`); one that it does not know yet, created a moment ago, is asked for (`neighbour.rs`). When the other service is
//! down, what refers to known ones is written as ever, and the rest is answered UNAVAILABLE.

mod neighbour;
mod store;

use std::{collections::HashMap, sync::Arc};

use futures::{FutureExt as _, future::BoxFuture};
use prost::Message;
use trato_types::{Context, Error, Kind, Ref, Result, Timestamp, id::Collection, standard::ResourceMessage};

pub use prost_types::Timestamp as WireTimestamp;

pub use self::neighbour::Neighbour;
use crate::{
    db::Tx,
    events::{Event, Subscription},
    rpc::{Caller, Upstream},
};

/// A kind of resource that another service keeps.
///
/// Its table is called as it is, and holds `tenant_id`, `id`, `revision` and `delete_time`, with a primary key of the first
/// two. `foreign!` writes all of this.
pub trait Foreign: Collection + Send + Sync + 'static {
    /// The resource as its service tells it.
    type Message: ResourceMessage + Message + Default;
    /// What one is called: the projection's table, and the key of its name in metadata of errors.
    const NOUN: &'static str;
    /// The package of its service, as `[upstreams]` names it: `trato.customers`.
    const PACKAGE: &'static str;
    /// Reasons of refusals.
    const REASONS: Reasons;

    /// When it was deleted, if it is.
    fn delete_time(message: &Self::Message) -> Option<WireTimestamp>;

    /// Asks its service for one of this name.
    fn ask<'a>(
        upstream: &'a Upstream,
        cx: &'a Context,
        caller: &'a Caller,
        name: String,
    ) -> BoxFuture<'a, Result<Self::Message>>;
}

/// Says where a kind of resource is kept, what asks for one there, and how refusals are called: not found, deleted, not
/// visible, unverified.
///
/// ```text
/// foreign! {
///     Account: "account" of "trato.customers", as pb::Account,
///     asked by AccountServiceClient::get_account(name => pb::GetAccountRequest { name }),
///     "ACCOUNT_NOT_FOUND", "ACCOUNT_DELETED", "ACCOUNT_NOT_VISIBLE", "ACCOUNT_UNVERIFIED",
/// }
/// ```
#[macro_export]
macro_rules! foreign {
    (
        $kind:ident: $noun:literal of $package:literal, as $message:ty,
        asked by $client:ident::$get:ident($name:ident => $request:expr),
        $not_found:literal, $deleted:literal, $not_visible:literal, $unverified:literal $(,)?
    ) => {
        impl $crate::foreign::Foreign for $kind {
            type Message = $message;
            const NOUN: &'static str = $noun;
            const PACKAGE: &'static str = $package;
            const REASONS: $crate::foreign::Reasons = $crate::foreign::Reasons {
                not_found: $not_found,
                deleted: $deleted,
                not_visible: $not_visible,
                unverified: $unverified,
            };

            fn delete_time(message: &$message) -> Option<$crate::foreign::WireTimestamp> {
                message.delete_time
            }

            fn ask<'a>(
                upstream: &'a $crate::rpc::Upstream,
                cx: &'a ::trato_types::Context,
                caller: &'a $crate::rpc::Caller,
                $name: String,
            ) -> ::futures::future::BoxFuture<'a, ::trato_types::Result<$message>> {
                Box::pin(async move {
                    let request = upstream.request(cx, caller, $request)?;
                    let answer = $client::new(upstream.clone()).$get(request).await;
                    answer.map(|answer| answer.into_inner()).map_err(|status| upstream.error(status))
                })
            }
        }
    };
}

/// Why a resource may not be referred to, by the reasons of the contract.
#[derive(Clone, Copy, Debug)]
pub struct Reasons {
    /// FAILED_PRECONDITION: its service does not know it.
    pub not_found: &'static str,
    /// FAILED_PRECONDITION: it was deleted.
    pub deleted: &'static str,
    /// PERMISSION_DENIED: the caller may not ask for it.
    pub not_visible: &'static str,
    /// UNAVAILABLE: nobody could say; the same call may pass later.
    pub unverified: &'static str,
}

/// Whether something that is referred to is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Existence {
    /// It is.
    Living,
    /// It was.
    Deleted,
    /// Nobody here has heard of it.
    Unknown,
}

impl Existence {
    /// What stands against referring to it; whoever asks has asked its service before (`Neighbour::learn`).
    pub fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Living => None,
            Self::Deleted => Some(Refusal::Deleted),
            Self::Unknown => Some(Refusal::NotFound),
        }
    }
}

/// Which of these are there, by the projection. Those that it does not know are left out.
pub async fn find<T: Foreign>(
    tx: &mut Tx,
    resources: impl IntoIterator<Item = Ref<T>>,
) -> Result<HashMap<Ref<T>, Existence>> {
    let resources: Vec<Ref<T>> = resources.into_iter().collect();
    if resources.is_empty() {
        return Ok(HashMap::new());
    }
    let tenant = tx.cx().tenant;
    store::find(tx.connection(), tenant, &resources).await
}

/// Keeps the projection by these events of the other service.
pub fn projection<T: Foreign>(
    consumer: &'static str,
    events: &'static [&'static str],
    tables: &'static [&'static str],
) -> Subscription {
    Subscription::new(consumer, events, Arc::new(|tx, event| project::<T>(tx, event).boxed()))
        .projecting(tables)
}

async fn project<T: Foreign>(tx: &mut Tx, event: &Event) -> Result<()> {
    let message: T::Message = event.resource()?;
    let known = Known {
        resource: Ref::<T>::parse(message.name()).map_err(Error::internal)?,
        revision: event.revision,
        delete_time: read_time(T::delete_time(&message)),
    };
    let tenant = tx.cx().tenant;
    store::remember(tx.connection(), tenant, &[known]).await
}

/// A moment as another service tells it.
pub(crate) fn read_time(time: Option<WireTimestamp>) -> Option<Timestamp> {
    time.and_then(|time| {
        Timestamp::from_timestamp(time.seconds, u32::try_from(time.nanos).unwrap_or_default())
    })
}

/// What is known of one.
#[derive(Clone, Copy, Debug)]
struct Known<T> {
    resource: Ref<T>,
    /// The revision in which it was so.
    revision: i64,
    delete_time: Option<Timestamp>,
}

/// Why a resource may not be referred to.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// Its service does not know it.
    NotFound,
    /// It was deleted.
    Deleted,
    /// The caller may not ask for it.
    NotVisible,
    /// Nobody could say, for this cause; the same call may pass later.
    Unverified(Option<Arc<Error>>),
}

impl Refusal {
    /// The error, about the resource that `field` refers to.
    pub fn of<T: Foreign>(&self, resource: Ref<T>, field: &str) -> Error {
        let name = resource.name();
        let reasons = T::REASONS;
        let error = match self {
            Self::NotFound => {
                Error::new(Kind::Precondition, reasons.not_found, format!("{field}: {name} does not exist"))
            }
            Self::Deleted => {
                Error::new(Kind::Precondition, reasons.deleted, format!("{field}: {name} is deleted"))
            }
            Self::NotVisible => {
                let message = format!("{field}: {name} is not known here yet, and the caller may not see it");
                Error::new(Kind::Forbidden, reasons.not_visible, message)
            }
            Self::Unverified(cause) => {
                let service = T::PACKAGE.rsplit('.').next().unwrap_or(T::PACKAGE);
                let message =
                    format!("{field}: {name} is not known here yet, and {service} cannot be asked now");
                let error = Error::unavailable(reasons.unverified, message);
                match cause {
                    Some(cause) => error.caused_by(Arc::clone(cause)),
                    None => error,
                }
            }
        };
        error.with("field", field).with(T::NOUN, &name).about(name)
    }
}
