//! The projection of tax codes. A row speaks of a revision, and an older one changes nothing, so that events and their
//! replays may come in any order.

use sqlx::{PgExecutor, Row as _, types::Json};
use trato_platform::db::{Tx, from_sqlx};
use trato_pricing::TaxCategory;
use trato_types::{Error, Result, Timestamp};
use uuid::Uuid;

use super::model::{Rate, TaxCode};

/// What is known of one tax code.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Its identifier in billing.
    pub id: Uuid,
    /// The revision in which it was so.
    pub revision: i64,
    /// When it was deleted, if it is.
    pub delete_time: Option<Timestamp>,
    /// The tax code.
    pub value: TaxCode,
}

/// Puts in what is known, where it is news.
pub async fn remember(executor: impl PgExecutor<'_>, tenant: Uuid, known: &Known) -> Result<()> {
    let value = &known.value;
    sqlx::query(include_str!("../../sql/remember_tax_code.sql"))
        .bind(tenant)
        .bind(known.id)
        .bind(known.revision)
        .bind(known.delete_time)
        .bind(&value.code)
        .bind(&value.tax)
        .bind(value.category.map_or("", TaxCategory::code))
        .bind(Json(&value.rates))
        .bind(value.inclusive_allowed)
        .bind(&value.legal_note)
        .execute(executor)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// Finds living tax codes by their codes.
pub async fn find(tx: &mut Tx, codes: &[&str]) -> Result<Vec<TaxCode>> {
    let tenant = tx.cx().tenant;
    let rows = sqlx::query(include_str!("../../sql/find_tax_codes.sql"))
        .bind(tenant)
        .bind(codes)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let read = |row: &sqlx::postgres::PgRow| {
        let rates: Json<Vec<Rate>> = row.try_get(3).map_err(from_sqlx)?;
        Ok(TaxCode {
            code: row.try_get(0).map_err(from_sqlx)?,
            tax: row.try_get(1).map_err(from_sqlx)?,
            category: read_category(row.try_get(2).map_err(from_sqlx)?)?,
            rates: rates.0,
            inclusive_allowed: row.try_get(4).map_err(from_sqlx)?,
            legal_note: row.try_get(5).map_err(from_sqlx)?,
        })
    };
    rows.iter().map(read).collect()
}

/// The category of a code; none for a tax that is withheld.
fn read_category(code: &str) -> Result<Option<TaxCategory>> {
    if code.is_empty() {
        return Ok(None);
    }
    let category = TaxCategory::of_code(code);
    category.map(Some).ok_or_else(|| Error::internal(format!("{code} is no category of taxes")))
}
