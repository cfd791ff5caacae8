//! An address lies in one `jsonb` column; nothing is filtered by it.

use trato_platform::json_column;

use super::Address;

json_column!(Address);
