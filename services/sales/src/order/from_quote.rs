//! An accepted quote becomes an order, once: whoever asks holds the lock of the quote, and the table has one order of a
//! quote.

use tonic::Request;
use trato_platform::{
    App,
    db::{Database, RequestKey, Resource as _, Tx, from_sqlx, statement::Statements},
    standard::{Reply, answer, finish, once, require_living},
};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, DomainError, Error, Id, Kind, Result, error::FieldError as _};
use uuid::Uuid;

use super::{billed, locked::insert_order, model::Order};
use crate::quote::{self, Quote};

/// Makes quotes orders.
pub struct FromQuote {
    database: Database,
    orders: Statements,
    quotes: Statements,
}

/// Why a quote does not become an order.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
enum FromQuoteError {
    /// It is not there for the caller.
    #[error("there is no such quote")]
    NotFound,
    /// Nobody has accepted it.
    #[error("the quote is not accepted")]
    NotAccepted,
    /// It has one.
    #[error("the quote has an order")]
    OrderExists,
}

impl DomainError for FromQuoteError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound | Self::NotAccepted => Kind::Precondition,
            Self::OrderExists => Kind::AlreadyExists,
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "QUOTE_NOT_FOUND",
            Self::NotAccepted => "QUOTE_NOT_ACCEPTED",
            Self::OrderExists => "ORDER_EXISTS",
        }
    }
}

impl FromQuote {
    /// Over the app's database.
    pub fn new(app: &App) -> Self {
        Self {
            database: app.database.clone(),
            orders: Statements::of::<Order>(),
            quotes: Statements::of::<Quote>(),
        }
    }

    /// `CreateOrderFromQuote`.
    pub async fn create(&self, request: Request<pb::CreateOrderFromQuoteRequest>) -> Reply<pb::Order> {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&std::mem::take(&mut body.request_id), &body)?;
            let attempt = self.create_one(cx, key.as_ref(), &body);
            once(&self.database, cx, key.as_ref(), attempt).await
        })
        .await
    }

    async fn create_one(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        body: &pb::CreateOrderFromQuoteRequest,
    ) -> Result<pb::Order> {
        let quote = Id::<Quote>::parse(&body.quote)
            .map_err(|error| Error::invalid("quote", error.reason(), error.to_string()))?;
        let mut tx = Tx::of(&self.database, cx).await?;
        let order = self.order_of(&mut tx, quote).await?;
        let (record, event_id) = insert_order(&self.orders, &mut tx, order).await?;
        billed::attach(&mut tx, record.id, quote).await?;
        finish(tx, key, event_id, body.validate_only).await?;
        Ok(Order::render(&record))
    }

    /// The order that the locked quote becomes, with the prices it was accepted at.
    async fn order_of(&self, tx: &mut Tx, id: Id<Quote>) -> Result<Order> {
        let quote = match tx.lock::<Quote>(&self.quotes, &id.name()).await {
            Ok(quote) => quote,
            Err(error) if error.kind() == Kind::NotFound => return Err(about(FromQuoteError::NotFound, id)),
            Err(error) => return Err(error),
        };
        require_living(&quote).map_err(|_| about(FromQuoteError::NotFound, id))?;
        if let Some(order) = find_order_of(tx, id).await? {
            return Err(about(FromQuoteError::OrderExists, id).with("order", order.name()));
        }
        if quote.value.state != quote::State::Accepted {
            return Err(about(FromQuoteError::NotAccepted, id));
        }
        let quote = quote.value;
        tx.cx().require_admits(quote.owner(), quote.team())?;
        Ok(Order {
            owner: quote.owner,
            team: quote.team,
            quote: Some(id),
            ..Order::draft(quote.account, quote.document)
        })
    }
}

/// The order that a quote has become, deleted ones left out.
pub async fn find_order_of(tx: &mut Tx, quote: Id<Quote>) -> Result<Option<Id<Order>>> {
    let tenant = tx.cx().tenant;
    let found: Option<Uuid> = sqlx::query_scalar(
        "select id from sales_order where tenant_id = $1 and quote = $2 and delete_time is null",
    )
    .bind(tenant)
    .bind(quote.uuid())
    .fetch_optional(tx.connection())
    .await
    .map_err(from_sqlx)?;
    Ok(found.map(Id::from_uuid))
}

fn about(error: FromQuoteError, quote: Id<Quote>) -> Error {
    Error::from(error).with("quote", quote.name()).about(quote.name())
}
