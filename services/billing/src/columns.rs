//! How the fields that several resources have are stored.

use trato_platform::{db::Column, parsed_column};
use trato_types::Result;

use crate::{chain::Hash, fields::Code};

parsed_column!(Code);

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
