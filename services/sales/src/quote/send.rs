//! Sending: the first version that is sent takes a number, later ones have it.

use trato_platform::{
    db::{Facts, Record, Tx},
    standard::{Changed, require_living},
};
use trato_proto::sales::v1 as pb;
use trato_types::{Error, Result};

use super::model::Quote;
use crate::{
    number_series::{DocumentKind, take},
    parties,
};

/// Sends a locked quote that is approved.
pub async fn send(
    tx: &mut Tx,
    before: &Record<Quote>,
    body: &pb::SendQuoteRequest,
) -> Result<Changed<Quote>> {
    require_living(before)?;
    let now = tx.cx().now;
    let zone = parties::store::find_zone(tx, before.value.legal_entity).await?;
    before.value.require_sendable(now, zone)?;
    let mut quote = before.value.clone();
    let parties = parties::store::find(tx, quote.legal_entity, quote.account).await?;
    let numbered = match before.value.number {
        Some(_) => None,
        None => Some(take(tx, DocumentKind::Quote, &body.number_series, parties::day_in(zone, now)).await?),
    };
    quote.send(numbered, parties, now, zone)?;
    let facts = Facts::of(&quote.sent());
    Ok((before.next(tx.cx(), quote), facts))
}

/// INVALID_ARGUMENT unless a call that must be done once says which one it is.
pub fn require_request_id(request_id: &str, why: &'static str) -> Result<()> {
    if request_id.is_empty() { Err(Error::invalid("request_id", "REQUIRED", why)) } else { Ok(()) }
}
