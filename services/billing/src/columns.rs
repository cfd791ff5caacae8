//! How the fields that several resources have are stored.

use trato_platform::db::Column;
use trato_types::{Error, Result};

use crate::fields::Code;

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
