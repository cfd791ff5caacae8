//! Issuing: a document gets its number, its day and its place in the chain.
//!
//! The number of a gap-free series is taken in the transaction of the document, as the last thing that can be waited for.
//! That of a plain series is taken before, by a transaction of its own, so that nobody waits for the commit of another one.

use std::{collections::HashSet, sync::Arc};

use prost::Message;
use tonic::{Request, Status};
use trato_platform::{
    App,
    db::{RequestKey, Tx, statement::Statements},
    rpc::status::to_status,
    standard::{Draft, Store, require_living},
};
use trato_proto::billing::v1 as pb;
use trato_types::{
    Context, Currency, Date, Error, Id, Kind, Result, error::FieldError as _, standard::VerbRequest,
};
use uuid::Uuid;

use crate::{
    books::Chart,
    chain::{Chained, Hash},
    counter::{self, Taken},
    legal_entity::{LegalEntity, Seller},
    lookup::living,
    number_series::{DocumentKind, NumberSeries, Place},
};

/// A document that is issued under a number.
pub trait Issuable: Draft + Chained {
    /// What its series number.
    const KIND: DocumentKind;

    /// In whose name it is made out.
    fn legal_entity(&self) -> Option<Id<LegalEntity>>;

    /// Currency that is converted into that of the books on the day of issue; none where a rate is known already.
    fn converted(&self) -> Option<Currency>;

    /// True when it still comes to what it came to when it was written; `again` is the same draft, completed now.
    fn comes_to_the_same(&self, again: &Self) -> bool;
}

/// A request to issue a document.
pub trait IssueRequest: VerbRequest + Message + Clone {
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
    /// Who issues it, as it stands on it.
    pub seller: Seller,
    follows: Option<Hash>,
}

/// Gives documents their numbers.
#[derive(Clone)]
pub struct Issuing<T: Draft> {
    documents: Store<T>,
    references: Arc<T::References>,
    number_series: Statements,
    legal_entities: Statements,
}

impl<T: Issuable> Issuing<T> {
    /// Over the app's database, with what it takes to complete a draft.
    pub fn new(app: &App, references: T::References) -> Self {
        Self {
            documents: Store::new(&app.database),
            references: Arc::new(references),
            number_series: Statements::of::<NumberSeries>(),
            legal_entities: Statements::of::<LegalEntity>(),
        }
    }

    /// Takes the number of a plain series; none when it is to be taken with the document, and when the request cannot pass, so
    /// that it costs no number. What is wrong with it is then for the transaction of the document to say.
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
        self.take_plain(cx, body, series).await.map_err(to_status)
    }

    async fn take_plain<R: IssueRequest>(
        &self,
        cx: &Context,
        body: &R,
        id: Id<NumberSeries>,
    ) -> Result<Option<Taken>> {
        let mut content = body.clone();
        let key = RequestKey::parse(&content.take_request_id(), &content)?;
        if let Some(key) = key
            && key.answered(&self.documents.database().pool, cx).await?.is_some()
        {
            return Ok(None);
        }
        let mut tx = Tx::of(self.documents.database(), cx).await?;
        let taken = self.take_in(&mut tx, body, id).await?;
        match taken {
            Some(_) => tx.commit().await?,
            None => tx.roll_back().await?,
        }
        Ok(taken)
    }

    async fn take_in<R: IssueRequest>(
        &self,
        tx: &mut Tx,
        body: &R,
        id: Id<NumberSeries>,
    ) -> Result<Option<Taken>> {
        let series = self.find(tx, id).await?;
        let Some(series) = series.filter(|series| !series.gap_free) else { return Ok(None) };
        let Some(draft) = self.passing(tx, body, &series).await? else { return Ok(None) };
        let Some(entity) = self.entity(tx, &draft).await? else { return Ok(None) };
        let today = entity.time_zone.day_of(tx.cx().now);
        if !may_post(tx, &draft, today).await? {
            return Ok(None);
        }
        take(tx, id, &series, today).await.map(Some)
    }

    /// The locked draft, if the request to issue it is going to pass.
    async fn passing<R: IssueRequest>(
        &self,
        tx: &mut Tx,
        body: &R,
        series: &NumberSeries,
    ) -> Result<Option<T>> {
        let record = match tx.lock::<T>(self.documents.statements(), body.name()).await {
            Ok(record) => record,
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let fits = record.require_etag(body.etag()).is_ok()
            && require_living(&record).is_ok()
            && record.value.require_draft().is_ok()
            && suits(series, &record.value);
        if !fits {
            return Ok(None);
        }
        let mut again = record.value.clone();
        let completed = T::complete(&self.references, tx, vec![&mut again]).await?;
        let same = completed.iter().all(Result::is_ok) && record.value.comes_to_the_same(&again);
        Ok(same.then_some(record.value))
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
        let entity = self.entity(tx, draft).await?.ok_or_else(|| {
            Error::new(Kind::Precondition, "LEGAL_ENTITY_NOT_FOUND", "there is no such legal entity")
        })?;
        let today = entity.time_zone.day_of(tx.cx().now);
        let taken = match taken {
            Some(taken) => taken,
            None => take(tx, id, &series, today).await?,
        };
        let follows = match (series.gap_free, taken.ordinal, taken.previous_hash) {
            (false, ..) => None,
            (true, 1, None) => Some(Hash::START),
            (true, _, Some(previous)) => Some(previous),
            (true, _, None) => return Err(Error::internal("the chain of the series has lost its end")),
        };
        let place = Place {
            number_series: id,
            number: series.number(&taken.period, taken.ordinal),
            ordinal: taken.ordinal,
            issue_date: taken.issue_date,
            period: taken.period,
        };
        Ok(Numbered { place, seller: entity.seller(), follows })
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

    async fn entity(&self, tx: &mut Tx, draft: &T) -> Result<Option<LegalEntity>> {
        let ids = draft.legal_entity().map(Id::uuid).into_iter().collect();
        let found = living::<LegalEntity>(tx, &self.legal_entities, ids).await?;
        Ok(found.into_values().next())
    }
}

fn suits<T: Issuable>(series: &NumberSeries, draft: &T) -> bool {
    series.document_kind == T::KIND && Some(series.legal_entity) == draft.legal_entity()
}

/// True when what the draft posts on that day would be taken by the books.
async fn may_post<T: Issuable>(tx: &mut Tx, draft: &T, today: Date) -> Result<bool> {
    let Some(entity) = draft.legal_entity() else { return Ok(false) };
    let chart = Chart::open(tx, entity).await?;
    let rate = match draft.converted() {
        Some(currency) => chart.rate(tx, currency, today).await.map(drop),
        None => Ok(()),
    };
    match rate.and_then(|()| chart.require_open(today)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == Kind::Precondition => Ok(false),
        Err(error) => Err(error),
    }
}

async fn take(tx: &mut Tx, id: Id<NumberSeries>, series: &NumberSeries, today: Date) -> Result<Taken> {
    let period = series.period_of(Some(today))?;
    counter::take(tx, id, period, today).await
}
