//! Logos: kept by their content, and never taken away, so that documents are printed again as they were.

use trato_paper::Logo;
use trato_platform::db::{Database, Tx, from_sqlx};
use trato_types::{Context, Error, Result};

use crate::chain::Hash;

/// Reads logos.
#[derive(Clone, Debug)]
pub struct Logos(Database);

impl Logos {
    /// Over the app's database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }

    /// Keeps a logo, if it is not there yet.
    pub async fn keep(tx: &mut Tx, logo: &Logo) -> Result<Hash> {
        let (tenant, hash) = (tx.cx().tenant, Hash::of(logo.bytes()));
        sqlx::query(
            "insert into legal_entity_logo (tenant_id, hash, content) values ($1, $2, $3) on conflict do nothing",
        )
        .bind(tenant)
        .bind(hash.0.to_vec())
        .bind(logo.bytes())
        .execute(tx.connection())
        .await
        .map_err(from_sqlx)?;
        Ok(hash)
    }

    /// The logo of this hash, which something refers to.
    pub async fn read(&self, cx: &Context, hash: Hash) -> Result<Logo> {
        let content: Option<Vec<u8>> = sqlx::query_scalar(include_str!("../../sql/read_logo.sql"))
            .bind(cx.tenant.to_string())
            .bind(hash.0.to_vec())
            .fetch_optional(&self.0.pool)
            .await
            .map_err(from_sqlx)?;
        let content = content.ok_or_else(|| Error::internal("a logo that is referred to is not there"))?;
        Logo::read(content).map_err(Error::internal)
    }
}
