//! Revising: the next version of a quote is recorded together with what becomes of the one before it.

use tonic::Request;
use trato_platform::{
    db::{Facts, NewEvent, Record, RequestKey, Resource as _, Tx, from_sqlx},
    standard::{Reply, Store, answer, finish, once, require_living},
};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Error, Id, Result, standard::VerbRequest as _};

use super::model::{Quote, State};

/// Makes the next version and answers it.
pub async fn revise(quotes: &Store<Quote>, request: Request<pb::ReviseQuoteRequest>) -> Reply<pb::Quote> {
    answer(request, async |cx, mut body| {
        let key = RequestKey::parse(&body.take_request_id(), &body)?;
        let attempt = revise_one(quotes, cx, key.as_ref(), &body);
        once(quotes.database(), cx, key.as_ref(), attempt).await
    })
    .await
}

async fn revise_one(
    quotes: &Store<Quote>,
    cx: &Context,
    key: Option<&RequestKey>,
    body: &pb::ReviseQuoteRequest,
) -> Result<pb::Quote> {
    let mut tx = Tx::of(quotes.database(), cx).await?;
    let before = tx.lock::<Quote>(quotes.statements(), &body.name).await?;
    before.require_etag(&body.etag)?;
    require_living(&before)?;
    let mut old = before.value.clone();
    let version = next_version(&mut tx, old.root).await?;
    let next = Record::new(cx, old.revise(Id::from_uuid(before.id), version, cx)?, None);
    if old.state == State::Superseded {
        let after = before.next(cx, old);
        let fact = pb::QuoteSuperseded { next_version: next.name() };
        let event = NewEvent::with_facts(cx, "superseded", Some(&before), &after, Facts::of(&fact));
        tx.save(quotes.statements(), &after, event).await?;
    }
    let event = NewEvent::of(cx, "created", None, &next);
    let event_id = event.id;
    if tx.insert(quotes.statements(), &[&next], vec![event]).await?.is_empty() {
        return Err(Error::internal("a new version was not stored"));
    }
    finish(tx, key, event_id, body.validate_only).await?;
    Ok(Quote::render(&next))
}

/// The number after that of the latest version. Two that are made at once come to the same, of which the table takes one.
async fn next_version(tx: &mut Tx, root: Id<Quote>) -> Result<i64> {
    let tenant = tx.cx().tenant;
    sqlx::query_scalar("select max(version) + 1 from quote where tenant_id = $1 and root = $2")
        .bind(tenant)
        .bind(root.uuid())
        .fetch_one(tx.connection())
        .await
        .map_err(from_sqlx)
}
