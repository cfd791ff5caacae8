//! An address lies in one `jsonb` column; the parts that are filtered by are columns generated from it.

use trato_platform::json_column;

use super::Address;

json_column!(Address);
