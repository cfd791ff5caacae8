//! The pure vocabulary of the suite: ids, references, text, money, time, errors and the caller's context.
//!
//! Nothing here does I/O, reads the clock or knows of gRPC or SQL, so that rules can be tested alone.

pub mod address;
pub mod context;
pub mod error;
pub mod id;
pub mod money;
pub mod numbering;
pub mod standard;
pub mod text;
pub mod time;

pub use address::Address;
pub use context::{Actor, Context, Scope};
pub use error::{DomainError, Error, Kind, Result, Violation, Violations};
pub use id::{Id, MemberRef, Ref};
pub use money::{Currency, Minor};
pub use text::{DisplayName, EmailAddress, PhoneNumber};
pub use time::{Date, Timestamp};
