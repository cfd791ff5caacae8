//! Exact decimals of the pricing crate as columns: `numeric` in the database, never a float and never rounded.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use trato_platform::db::Column;
use trato_pricing::PricingError;
use trato_types::{Error, Result};

/// A quantity or a price of a unit that is a column.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Exact<T>(pub T);

impl<T> Column for Exact<T>
where
    T: Copy + TryFrom<Decimal, Error = PricingError>,
    Decimal: From<T>,
{
    type Sql = Decimal;
    const TYPE: &'static str = "numeric";

    fn to_sql(&self) -> Option<Decimal> {
        Some(self.0.into())
    }

    fn from_sql(stored: Option<Decimal>) -> Result<Self> {
        let stored = stored.ok_or_else(|| Error::internal("a numeric column was null"))?;
        T::try_from(stored).map(Self).map_err(Error::internal)
    }
}
