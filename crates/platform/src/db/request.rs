//! Request ids (AIP-155): the same request is done once and answered the same, whoever repeats it and how often.
//!
//! The row is written by the statement or transaction that does the write. Nothing is stored for a refused call.

use prost::Message as _;
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use trato_contract::events::v1::Change;
use trato_types::{Context, Error, Kind, Result};
use uuid::Uuid;

use super::{Pool, from_sqlx};

/// A request that may be repeated.
#[derive(Clone, Debug)]
pub struct RequestKey {
    /// The client's identifier of it.
    pub id: Uuid,
    /// SHA-256 of the request without the identifier.
    pub body_hash: Vec<u8>,
}

impl RequestKey {
    /// Parses a request's `request_id`; the empty text is none. `content` is the request without it.
    pub fn parse(request_id: &str, content: &impl prost::Message) -> Result<Option<Self>> {
        if request_id.is_empty() {
            return Ok(None);
        }
        let id = Uuid::parse_str(request_id)
            .map_err(|_| Error::invalid("request_id", "INVALID_REQUEST_ID", "must be a UUID"))?;
        Ok(Some(Self { id, body_hash: Sha256::digest(content.encode_to_vec()).to_vec() }))
    }

    /// The answer given before, or none. INVALID_ARGUMENT when the identifier was used for another request.
    pub async fn answered(&self, pool: &Pool, cx: &Context) -> Result<Option<Answer>> {
        // The CTE sets the tenant before the lateral part reads, see docs/decisions.
        let row = sqlx::query(
            "with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
             select found.body_hash, found.response, found.payload
             from c, lateral (
               select request.body_hash, request.response, event.payload
               from platform.request request
               left join platform.event event
                 on event.tenant_id = request.tenant_id and event.id = request.event_id
                 and event.create_time = request.create_time
               where request.tenant_id = c.tenant::uuid and request.actor = $2
                 and request.method = $3 and request.request_id = $4
               offset 0
             ) found",
        )
        .bind(cx.tenant.to_string())
        .bind(cx.actor.to_string())
        .bind(cx.method.as_ref())
        .bind(self.id)
        .fetch_optional(pool)
        .await
        .map_err(from_sqlx)?;
        let Some(row) = row else { return Ok(None) };
        let body_hash: Vec<u8> = row.try_get(0).map_err(from_sqlx)?;
        if body_hash != self.body_hash {
            let message = "the request id was used for a request with other content";
            return Err(Error::new(Kind::Invalid, "REQUEST_ID_REUSED", message).with("request_id", self.id));
        }
        let response: Option<Vec<u8>> = row.try_get(1).map_err(from_sqlx)?;
        if let Some(response) = response {
            return Ok(Some(Answer(response)));
        }
        let payload: Option<Vec<u8>> = row.try_get(2).map_err(from_sqlx)?;
        let payload = payload.ok_or_else(|| Error::internal("the event of an answered request is gone"))?;
        let change = Change::decode(payload.as_slice()).map_err(Error::internal)?;
        Ok(Some(Answer(change.resource.unwrap_or_default().value)))
    }
}

/// The bytes of an answer given before.
#[derive(Clone, Debug)]
pub struct Answer(pub Vec<u8>);

impl Answer {
    /// The message.
    pub fn decode<M: prost::Message + Default>(&self) -> Result<M> {
        M::decode(self.0.as_slice()).map_err(Error::internal)
    }
}
