//! Issuing: a document gets its number, its day and its place in the chain.
//!
//! The number of a gap-free series is taken in the transaction of the document, as the last thing that can be waited for.
//! That of a plain series is taken before, by a transaction of its own, so that nobody waits for the commit of another one.

use std::collections::HashSet;

use tonic::{Request, Status};
use trato_platform::{
    App,
    db::{Tx, statement::Statements},
    rpc::status::to_status,
    standard::Store,
};
use trato_proto::billing::v1 as pb;
use trato_types::{Context, Date, Error, Id, Kind, Result, error::FieldError as _, standard::VerbRequest};
use uuid::Uuid;

use crate::{
    chain::{Chained, Hash},
    counter::{self, Taken},
    drafts::Draft,
    legal_entity::LegalEntity,
    lookup::living,
    number_series::{DocumentKind, NumberSeries, Place},
};

/// A document that is issued under a number.
pub trait Issuable: Draft + Chained {
    /// What its series number.
    const KIND: DocumentKind;

    /// In whose name it is made out.
    fn legal_entity(&self) -> Option<Id<LegalEntity>>;
}

/// A request to issue a document.
pub trait IssueRequest: VerbRequest {
    /// Name of the series that gives the number.
    fn number_series(&self) -> &str;
    /// What makes repeating it safe.
    fn request_id(&self) -> &str;
}

macro_rules! issue_requests {
    ($($request:ident),*) => {$(
        impl IssueRequest for pb::$request {
            fn number_series(&self) -> &str {
                &self.number_series
            }
            fn request_id(&self) -> &str {
                &self.request_id
            }
        }
    )*};
}
issue_requests!(IssueInvoiceRequest, IssueCreditNoteRequest);

/// A number that is a document's own.
#[derive(Clone, Debug)]
pub struct Numbered {
    /// Number and day.
    pub place: Place,
    follows: Option<Hash>,
}

/// Gives documents their numbers.
#[derive(Clone, Debug)]
pub struct Issuing<T> {
    documents: Store<T>,
    number_series: Statements,
    legal_entities: Statements,
}

impl<T: Issuable> Issuing<T> {
    /// Over the app's database.
    pub fn new(app: &App) -> Self {
        Self {
            documents: Store::new(&app.database),
            number_series: Statements::of::<NumberSeries>(),
            legal_entities: Statements::of::<LegalEntity>(),
        }
    }

    /// Takes the number of a plain series; none when it is to be taken with the document. What is wrong with the request is
    /// for the transaction of the document to find out.
    pub async fn take_before<R: IssueRequest>(&self, request: &Request<R>) -> Result<Option<Taken>, Status> {
        let cx = request.extensions().get::<Context>();
        let cx = cx.ok_or_else(|| to_status(Error::internal("the call has no context")))?;
        let body = request.get_ref();
        if body.request_id().is_empty() {
            let message = "a lost answer must not cost a second number";
            return Err(to_status(Error::invalid("request_id", "REQUIRED", message)));
        }
        let Ok(series) = Id::parse(body.number_series()) else { return Ok(None) };
        if body.validate_only() {
            return Ok(None);
        }
        self.take_plain(cx, body.name(), series).await.map_err(to_status)
    }

    async fn take_plain(&self, cx: &Context, name: &str, id: Id<NumberSeries>) -> Result<Option<Taken>> {
        let mut tx = Tx::of(self.documents.database(), cx).await?;
        let series = self.find(&mut tx, id).await?;
        let Some(series) = series.filter(|series| !series.gap_free) else { return Ok(None) };
        let document = match tx.lock::<T>(self.documents.statements(), name).await {
            Ok(record) => Some(record.value),
            Err(error) if error.kind() == Kind::NotFound => None,
            Err(error) => return Err(error),
        };
        let draft = document.filter(|document| document.require_draft().is_ok() && suits(&series, document));
        let Some(draft) = draft else { return Ok(None) };
        let Some(today) = self.today(&mut tx, &draft).await? else { return Ok(None) };
        let taken = take(&mut tx, id, &series, today).await?;
        tx.commit().await?;
        Ok(Some(taken))
    }

    /// The number of a locked draft: the one that was taken before, or the next one. This comes last of what can be waited
    /// for.
    pub async fn number(
        &self,
        tx: &mut Tx,
        draft: &T,
        series: &str,
        taken: Option<Taken>,
    ) -> Result<Numbered> {
        let (id, series) = self.series_of(tx, draft, series).await?;
        let today = self.today(tx, draft).await?.ok_or_else(|| {
            Error::new(Kind::Precondition, "LEGAL_ENTITY_NOT_FOUND", "there is no such legal entity")
        })?;
        let taken = match taken {
            Some(taken) => taken,
            None => take(tx, id, &series, today).await?,
        };
        let place = Place {
            number_series: id,
            number: series.number(&taken.period, taken.ordinal),
            ordinal: taken.ordinal,
            issue_date: taken.issue_date,
            period: taken.period,
        };
        Ok(Numbered { place, follows: series.gap_free.then_some(taken.previous_hash) })
    }

    /// Gives a document that has its number its place in the chain: what it follows on, and its own hash. Documents of a
    /// plain series have none.
    pub async fn chain(
        &self,
        tx: &mut Tx,
        numbered: &Numbered,
        id: Uuid,
        document: &T,
    ) -> Result<Option<(Hash, Hash)>> {
        let Some(follows) = numbered.follows else { return Ok(None) };
        let own = document.hash_after(id, follows)?;
        counter::seal(tx, numbered.place.number_series, &numbered.place.period, own).await?;
        Ok(Some((follows, own)))
    }

    async fn series_of(
        &self,
        tx: &mut Tx,
        draft: &T,
        name: &str,
    ) -> Result<(Id<NumberSeries>, NumberSeries)> {
        if name.is_empty() {
            return Err(Error::invalid("number_series", "REQUIRED", "is required"));
        }
        let id = Id::parse(name)
            .map_err(|error| Error::invalid("number_series", error.reason(), error.to_string()))?;
        let refused = |reason, message: &'static str| {
            Error::new(Kind::Precondition, reason, message).with("number_series", name)
        };
        let series = self.find(tx, id).await?;
        let series = series.ok_or_else(|| refused("SERIES_NOT_FOUND", "there is no such number series"))?;
        if !suits(&series, draft) {
            let message = "the series is of other documents, or of another legal entity";
            return Err(refused("SERIES_UNSUITED", message));
        }
        Ok((id, series))
    }

    async fn find(&self, tx: &mut Tx, id: Id<NumberSeries>) -> Result<Option<NumberSeries>> {
        let found = living(tx, &self.number_series, HashSet::from([id.uuid()])).await?;
        Ok(found.into_values().next())
    }

    async fn today(&self, tx: &mut Tx, draft: &T) -> Result<Option<Date>> {
        let ids = draft.legal_entity().map(Id::uuid).into_iter().collect();
        let found = living::<LegalEntity>(tx, &self.legal_entities, ids).await?;
        Ok(found.into_values().next().map(|entity| entity.time_zone.day_of(tx.cx().now)))
    }
}

fn suits<T: Issuable>(series: &NumberSeries, draft: &T) -> bool {
    series.document_kind == T::KIND && Some(series.legal_entity) == draft.legal_entity()
}

async fn take(tx: &mut Tx, id: Id<NumberSeries>, series: &NumberSeries, today: Date) -> Result<Taken> {
    let period = series.period_of(Some(today))?;
    counter::take(tx, id, period, today).await
}
