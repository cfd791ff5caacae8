//! How the fields that several resources have are stored.

use trato_platform::db::Column;
use trato_types::{Error, Result};

use crate::{chain::Hash, fields::Code};

impl Column for Code {
    type Sql = String;
    const TYPE: &'static str = "text";
    fn to_sql(&self) -> Option<String> {
        Some(self.to_string())
    }
    fn from_sql(stored: Option<String>) -> Result<Self> {
        stored.unwrap_or_default().parse().map_err(Error::internal)
    }
}

impl Column for Hash {
    type Sql = Vec<u8>;
    const TYPE: &'static str = "bytea";
    fn to_sql(&self) -> Option<Vec<u8>> {
        Some(self.0.to_vec())
    }
    fn from_sql(stored: Option<Vec<u8>>) -> Result<Self> {
        stored.unwrap_or_default().try_into()
    }
}
