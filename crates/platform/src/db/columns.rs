//! `columns!`: the columns of a resource, listed once; `Column`: how a vocabulary type is stored.
//!
//! Rows are bound column by column as arrays, so that one row and a thousand are written by the same statement.

use sqlx::{
    Arguments as _, Postgres, Row as _, postgres::PgArguments, postgres::PgHasArrayType, postgres::PgRow,
};
use trato_types::{
    Currency, Date, DisplayName, EmailAddress, Error, Id, MemberRef, Minor, PhoneNumber, Result, Timestamp,
    numbering::{Period, Prefix},
};
use uuid::Uuid;

/// A value that is one column.
pub trait Column: Sized {
    /// What the driver binds.
    type Sql: sqlx::Type<Postgres>
        + for<'q> sqlx::Encode<'q, Postgres>
        + for<'r> sqlx::Decode<'r, Postgres>
        + PgHasArrayType
        + Send;
    /// PostgreSQL's name of the type, for casts of bound arrays.
    const TYPE: &'static str;
    /// The stored form; `None` is null.
    fn to_sql(&self) -> Option<Self::Sql>;
    /// The value of a stored form. What is stored was valid, so a failure is a defect.
    fn from_sql(stored: Option<Self::Sql>) -> Result<Self>;
}

/// The columns of a type, in one order for reading and writing. Written by `columns!`.
pub trait Columns: Sized {
    /// Name and type of each column.
    fn columns() -> Vec<(&'static str, &'static str)>;
    /// Binds each column of all rows as one array.
    fn bind(rows: &[&Self], arguments: &mut PgArguments) -> Result<()>;
    /// Reads the columns from `row`, the first one at `index`.
    fn read(row: &PgRow, index: usize) -> Result<Self>;
}

/// Lists the columns of a struct; each has the name of its field.
#[macro_export]
macro_rules! columns {
    ($type:ty { $($field:ident),+ $(,)? }) => {
        impl $crate::db::Columns for $type {
            fn columns() -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($field), $crate::db::columns::type_of(|row: &Self| &row.$field))),+]
            }
            fn bind(rows: &[&Self], arguments: &mut sqlx::postgres::PgArguments) -> trato_types::Result<()> {
                $($crate::db::columns::bind_column(rows, |row| &row.$field, arguments)?;)+
                Ok(())
            }
            fn read(row: &sqlx::postgres::PgRow, index: usize) -> trato_types::Result<Self> {
                let mut next = index..;
                Ok(Self { $($field: $crate::db::columns::read_column(row, &mut next)?),+ })
            }
        }
    };
}

#[doc(hidden)]
pub fn type_of<R, C: Column>(_: fn(&R) -> &C) -> &'static str {
    C::TYPE
}

#[doc(hidden)]
pub fn bind_column<R, C: Column>(
    rows: &[&R],
    field: fn(&R) -> &C,
    arguments: &mut PgArguments,
) -> Result<()> {
    let values: Vec<Option<C::Sql>> = rows.iter().map(|row| field(row).to_sql()).collect();
    arguments.add(values).map_err(Error::internal)
}

#[doc(hidden)]
pub fn read_column<C: Column>(row: &PgRow, next: &mut std::ops::RangeFrom<usize>) -> Result<C> {
    let index = next.next().unwrap_or_default();
    C::from_sql(row.try_get(index).map_err(Error::internal)?)
}

#[doc(hidden)]
pub fn present<T>(stored: Option<T>) -> Result<T> {
    stored.ok_or_else(|| Error::internal("a column that is never null was null"))
}

macro_rules! plain {
    ($($type:ty: $name:literal),* $(,)?) => {$(
        impl Column for $type {
            type Sql = $type;
            const TYPE: &'static str = $name;
            fn to_sql(&self) -> Option<$type> {
                Some(self.clone())
            }
            fn from_sql(stored: Option<$type>) -> Result<Self> {
                present(stored)
            }
        }
    )*};
}
plain!(String: "text", i64: "bigint", i32: "integer", bool: "boolean", Uuid: "uuid", Date: "date", Timestamp: "timestamptz");

impl<T: Column> Column for Option<T> {
    type Sql = T::Sql;
    const TYPE: &'static str = T::TYPE;
    fn to_sql(&self) -> Option<T::Sql> {
        self.as_ref().and_then(T::to_sql)
    }
    fn from_sql(stored: Option<T::Sql>) -> Result<Self> {
        stored.map(|stored| T::from_sql(Some(stored))).transpose()
    }
}

impl<T> Column for Id<T> {
    type Sql = Uuid;
    const TYPE: &'static str = "uuid";
    fn to_sql(&self) -> Option<Uuid> {
        Some(self.uuid())
    }
    fn from_sql(stored: Option<Uuid>) -> Result<Self> {
        present(stored).map(Self::from_uuid)
    }
}

impl Column for MemberRef {
    type Sql = String;
    const TYPE: &'static str = "text";
    fn to_sql(&self) -> Option<String> {
        Some(self.subject().to_owned())
    }
    fn from_sql(stored: Option<String>) -> Result<Self> {
        Self::from_subject(&present(stored)?).map_err(Error::internal)
    }
}

impl Column for Minor {
    type Sql = i64;
    const TYPE: &'static str = "bigint";
    fn to_sql(&self) -> Option<i64> {
        Some(self.0)
    }
    fn from_sql(stored: Option<i64>) -> Result<Self> {
        present(stored).map(Self)
    }
}

impl Column for Currency {
    type Sql = String;
    const TYPE: &'static str = "text";
    fn to_sql(&self) -> Option<String> {
        Some(self.code().to_owned())
    }
    fn from_sql(stored: Option<String>) -> Result<Self> {
        Self::parse(&present(stored)?).map_err(Error::internal)
    }
}

impl Column for Period {
    type Sql = String;
    const TYPE: &'static str = "text";
    fn to_sql(&self) -> Option<String> {
        Some(self.as_str().to_owned())
    }
    fn from_sql(stored: Option<String>) -> Result<Self> {
        let period = Self::from_name(&present(stored)?);
        period.ok_or_else(|| Error::internal("a stored period is not one of its names"))
    }
}

/// Stores an enum by its names: `choice_column!(State { Open = "OPEN", Won = "WON" })`. Also gives it `NAMES`,
/// `as_str` and `from_name`.
#[macro_export]
macro_rules! choice_column {
    ($type:ty { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// All names, as stored and filtered by.
            pub const NAMES: &'static [&'static str] = &[$($name),+];
            /// The stored name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
            /// The variant of a stored name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
        impl $crate::db::Column for $type {
            type Sql = String;
            const TYPE: &'static str = "text";
            fn to_sql(&self) -> Option<String> {
                Some(self.as_str().to_owned())
            }
            fn from_sql(stored: Option<String>) -> trato_types::Result<Self> {
                stored.as_deref().and_then(Self::from_name)
                    .ok_or_else(|| trato_types::Error::internal("a stored choice is not one of its names"))
            }
        }
    };
}

/// Stores a type as the text that it is written as and parsed from.
#[macro_export]
macro_rules! parsed_column {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::db::Column for $type {
            type Sql = String;
            const TYPE: &'static str = "text";
            fn to_sql(&self) -> Option<String> {
                Some(self.to_string())
            }
            fn from_sql(stored: Option<String>) -> trato_types::Result<Self> {
                $crate::db::columns::present(stored)?.parse().map_err(trato_types::Error::internal)
            }
        }
    )+};
}

parsed_column!(DisplayName, EmailAddress, PhoneNumber, Prefix);

/// Stores a serde type as `jsonb`: parts of a resource that are never searched by.
#[macro_export]
macro_rules! json_column {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::db::Column for $type {
            type Sql = sqlx::types::Json<$type>;
            const TYPE: &'static str = "jsonb";
            fn to_sql(&self) -> Option<Self::Sql> {
                Some(sqlx::types::Json(self.clone()))
            }
            fn from_sql(stored: Option<Self::Sql>) -> trato_types::Result<Self> {
                stored.map(|json| json.0).ok_or_else(|| trato_types::Error::internal("a jsonb column was null"))
            }
        }
    )+};
}

json_column!(trato_types::Address);
