//! The synchronous edge: does this resource exist? Asked with the caller's token and what is left of its deadline, never
//! inside a transaction, and remembered in the projection.

use std::{
    collections::{HashMap, HashSet},
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::{StreamExt as _, stream};
use trato_types::{Context, Error, Kind, Ref, Result, standard::ResourceMessage as _};

use super::{Foreign, Known, Refusal, read_time, store};
use crate::{
    App,
    db::{Database, recorded},
    rpc::{Caller, Upstream, elsewhere},
};

/// Questions of one call that are on their way at once.
const AT_ONCE: usize = 16;

/// The service that keeps a kind of resource.
#[derive(Debug)]
pub struct Neighbour<T> {
    upstream: Upstream,
    database: Database,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Neighbour<T> {
    fn clone(&self) -> Self {
        Self { upstream: self.upstream.clone(), database: self.database.clone(), kind: PhantomData }
    }
}

impl<T: Foreign> Neighbour<T> {
    /// Asks where the settings say that the service is.
    pub fn new(app: &App) -> Self {
        Self { upstream: app.upstream(T::PACKAGE), database: app.database.clone(), kind: PhantomData }
    }

    /// Asks for those of these resources that are not known here, `field` being where the request has them. Names that are
    /// none are not asked for, and a resource that is not there is not refused here: what is written says so, after what is
    /// wrong with the request itself.
    ///
    /// UNAVAILABLE when the service cannot say; PERMISSION_DENIED when it does not say so to the caller. Nothing is written
    /// then.
    pub async fn learn<'a>(
        &self,
        cx: &Context,
        caller: &Caller,
        field: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<()> {
        let resources: HashSet<Ref<T>> = names.into_iter().filter_map(|name| Ref::parse(name).ok()).collect();
        if resources.is_empty() {
            return Ok(());
        }
        let unknown = self.unknown(cx, resources).await?;
        if unknown.is_empty() {
            return Ok(());
        }
        let refusals = self.refusals(cx, caller, unknown).await?;
        let unsaid = refusals
            .iter()
            .find(|(_, refusal)| matches!(refusal, Refusal::NotVisible | Refusal::Unverified(_)));
        unsaid.map_or(Ok(()), |(resource, refusal)| Err(refusal.of(*resource, field)))
    }

    /// Asks for resources the projection does not know, each once, and remembers the answers. Answers with those that may
    /// not be referred to, and why.
    pub async fn refusals(
        &self,
        cx: &Context,
        caller: &Caller,
        resources: impl IntoIterator<Item = Ref<T>>,
    ) -> Result<HashMap<Ref<T>, Refusal>> {
        let is_down = &AtomicBool::new(false);
        let asked = stream::iter(resources).map(|resource| async move {
            // Where one question found nobody, the others would only wait for their deadline.
            if is_down.load(Ordering::Relaxed) {
                return (resource, Err(Refusal::Unverified(None)));
            }
            let answer = self.ask(cx, caller, resource).await;
            is_down.fetch_or(matches!(answer, Err(Refusal::Unverified(_))), Ordering::Relaxed);
            (resource, answer)
        });
        let answers: Vec<_> = elsewhere(asked.buffer_unordered(AT_ONCE).collect()).await;
        let (mut known, mut refusals) = (Vec::new(), HashMap::new());
        for (resource, answer) in answers {
            let refusal = match answer {
                Ok(answer) => {
                    let refusal = answer.delete_time.map(|_| Refusal::Deleted);
                    known.push(answer);
                    refusal
                }
                Err(refusal) => Some(refusal),
            };
            refusals.extend(refusal.map(|refusal| (resource, refusal)));
        }
        if !known.is_empty() {
            store::remember(&self.database.pool, cx.tenant, &known).await?;
        }
        Ok(refusals)
    }

    async fn ask(&self, cx: &Context, caller: &Caller, resource: Ref<T>) -> Result<Known<T>, Refusal> {
        let unverified = |cause: Error| Refusal::Unverified(Some(Arc::new(cause)));
        let answer = T::ask(&self.upstream, cx, caller, resource.name()).await;
        let message = answer.map_err(|error| match error.kind() {
            Kind::NotFound => Refusal::NotFound,
            Kind::Forbidden => Refusal::NotVisible,
            _ => unverified(error),
        })?;
        // The etag of a resource of the suite is its revision.
        let revision = message.etag().parse().map_err(|error| unverified(Error::internal(error)))?;
        Ok(Known { resource, revision, delete_time: read_time(T::delete_time(&message)) })
    }

    async fn unknown(&self, cx: &Context, mut resources: HashSet<Ref<T>>) -> Result<HashSet<Ref<T>>> {
        let asked: Vec<Ref<T>> = resources.iter().copied().collect();
        let known = store::find(&self.database.pool, cx.tenant, &asked);
        for resource in recorded(cx, "select", T::NOUN, known).await?.into_keys() {
            resources.remove(&resource);
        }
        Ok(resources)
    }
}
