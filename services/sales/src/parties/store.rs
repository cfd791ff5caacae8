//! The projections of legal entities and of accounts as they are printed, and the logos. A row speaks of a revision, and an
//! older one changes nothing, so that events and their replays may come in any order.

use chrono_tz::Tz;
use sqlx::{PgExecutor, Row as _, types::Json};
use trato_paper::Logo;
use trato_platform::db::{Tx, from_sqlx};
use trato_types::{Date, Error, Ref, Result, Timestamp};
use uuid::Uuid;

use super::{
    model::{Issuer, Parties, PartiesError, Recipient},
    zone::day_in,
};
use crate::foreign;

/// What is known of one legal entity.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownLegalEntity {
    /// Its identifier in billing.
    pub id: Uuid,
    /// The revision in which it was so.
    pub revision: i64,
    /// When it was deleted, if it is.
    pub delete_time: Option<Timestamp>,
    /// What stands of it on documents.
    pub issuer: Issuer,
    /// Zone by which the day of a document is told.
    pub time_zone: Option<Tz>,
}

/// What is known of one account.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownRecipient {
    /// Its identifier in customers.
    pub id: Uuid,
    /// The revision in which it was so.
    pub revision: i64,
    /// What stands of it on documents.
    pub recipient: Recipient,
}

/// Puts in what is known of a legal entity, where it is news.
pub async fn remember_legal_entity(
    executor: impl PgExecutor<'_>,
    tenant: Uuid,
    known: &KnownLegalEntity,
) -> Result<()> {
    sqlx::query(include_str!("../../sql/remember_legal_entity.sql"))
        .bind(tenant)
        .bind(known.id)
        .bind(known.revision)
        .bind(known.delete_time)
        .bind(Json(&known.issuer))
        .bind(known.time_zone.map(Tz::name))
        .execute(executor)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// Puts in what is known of an account, where it is news.
pub async fn remember_recipient(
    executor: impl PgExecutor<'_>,
    tenant: Uuid,
    known: &KnownRecipient,
) -> Result<()> {
    sqlx::query(include_str!("../../sql/remember_recipient.sql"))
        .bind(tenant)
        .bind(known.id)
        .bind(known.revision)
        .bind(Json(&known.recipient))
        .execute(executor)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// Keeps a logo, if it is not there yet.
pub async fn keep_logo(executor: impl PgExecutor<'_>, tenant: Uuid, content: &[u8]) -> Result<()> {
    sqlx::query(
        "insert into legal_entity_logo (tenant_id, hash, content) values ($1, sha256($2), $2) on conflict do nothing",
    )
    .bind(tenant)
    .bind(content)
    .execute(executor)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// What is known now of who makes out a document and who gets it. FAILED_PRECONDITION `LEGAL_ENTITY_NOT_FOUND` for a legal
/// entity that is named and not known, or deleted; where none is named, it is the one that was recorded first.
pub async fn find(
    tx: &mut Tx,
    legal_entity: Option<Ref<foreign::LegalEntity>>,
    account: Ref<foreign::Account>,
) -> Result<Parties> {
    let tenant = tx.cx().tenant;
    let row = sqlx::query(include_str!("../../sql/find_parties.sql"))
        .bind(tenant)
        .bind(legal_entity.map(Ref::uuid))
        .bind(account.uuid())
        .fetch_one(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let issuer: Option<Json<Issuer>> = row.try_get(0).map_err(from_sqlx)?;
    let recipient: Option<Json<Recipient>> = row.try_get(1).map_err(from_sqlx)?;
    if let (Some(named), None) = (legal_entity, &issuer) {
        return Err(Error::from(PartiesError::LegalEntityNotFound).with("legal_entity", named.name()));
    }
    Ok(Parties { issuer: issuer.map(|issuer| issuer.0), recipient: recipient.map(|recipient| recipient.0) })
}

/// The day it is now where this legal entity makes documents out; see `find_zone`.
pub async fn find_day(tx: &mut Tx, legal_entity: Option<Ref<foreign::LegalEntity>>) -> Result<Date> {
    let zone = find_zone(tx, legal_entity).await?;
    Ok(day_in(zone, tx.cx().now))
}

/// The zone in which this legal entity makes documents out, or, where none is named, the one that was recorded first; UTC where none
/// is known.
pub async fn find_zone(tx: &mut Tx, legal_entity: Option<Ref<foreign::LegalEntity>>) -> Result<Tz> {
    let zone = find_zone_name(tx, legal_entity).await?.map_or(Ok(Tz::UTC), |zone| zone.parse::<Tz>());
    zone.map_err(|error| Error::internal(error.to_string()))
}

/// The same, and UTC for a zone that this program does not know, as one may be that was stored by a later one. For what gives no
/// number and is no promise, such as a price: it is better told for a day that may be off by one than not at all.
pub async fn find_known_zone(tx: &mut Tx, legal_entity: Option<Ref<foreign::LegalEntity>>) -> Result<Tz> {
    let Some(name) = find_zone_name(tx, legal_entity).await? else { return Ok(Tz::UTC) };
    Ok(name.parse().unwrap_or_else(|_| {
        let tenant = tx.cx().tenant;
        tracing::warn!(%tenant, zone = name, "the time zone {name} of a legal entity is not known; its days are those of UTC");
        Tz::UTC
    }))
}

async fn find_zone_name(
    tx: &mut Tx,
    legal_entity: Option<Ref<foreign::LegalEntity>>,
) -> Result<Option<String>> {
    let tenant = tx.cx().tenant;
    let found: Option<Option<String>> = sqlx::query_scalar(include_str!("../../sql/find_time_zone.sql"))
        .bind(tenant)
        .bind(legal_entity.map(Ref::uuid))
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)?;
    Ok(found.flatten())
}

/// The logo of this hash, which a document or a legal entity refers to.
pub async fn read_logo(tx: &mut Tx, hash: &str) -> Result<Logo> {
    let tenant = tx.cx().tenant;
    let content: Option<Vec<u8>> = sqlx::query_scalar(
        "select content from legal_entity_logo where tenant_id = $1 and hash = decode($2, 'hex')",
    )
    .bind(tenant)
    .bind(hash)
    .fetch_optional(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let content = content.ok_or_else(|| Error::internal("a logo that is referred to is not there"))?;
    Logo::read(content).map_err(Error::internal)
}
