//! Cursors: a position of the log as foreign consumers carry it. Opaque, and of use only where it came from.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use trato_types::{Error, Result};
use uuid::Uuid;

const VERSION: u8 = 1;

/// Writes the cursor after `position` in the log of a service, for readers of one tenant.
pub(super) fn write(service: &str, tenant: Uuid, position: i64) -> String {
    let mut bytes = [0; 13];
    bytes[0] = VERSION;
    bytes[1..9].copy_from_slice(&position.to_be_bytes());
    bytes[9..].copy_from_slice(&check(service, tenant, position));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor; INVALID_CURSOR for one of another service or tenant, or for any other text.
pub(super) fn read(service: &str, tenant: Uuid, cursor: &str) -> Result<i64> {
    let bytes: Option<[u8; 13]> = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| bytes.try_into().ok());
    let position = bytes.filter(|bytes| bytes[0] == VERSION).and_then(|bytes| {
        let position = i64::from_be_bytes(bytes[1..9].try_into().ok()?);
        (position >= 0 && bytes[9..] == check(service, tenant, position)).then_some(position)
    });
    position.ok_or_else(|| {
        Error::invalid("cursor", "INVALID_CURSOR", "must be the cursor of an event of this service")
    })
}

/// Guards against mix-ups, not against forgery: row-level security and scopes decide what a reader gets.
fn check(service: &str, tenant: Uuid, position: i64) -> [u8; 4] {
    let digest = Sha256::new()
        .chain_update(service)
        .chain_update(tenant.as_bytes())
        .chain_update(position.to_be_bytes())
        .finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_read_only_where_it_was_written(position in 0..i64::MAX, tenant: u128, other: u128) {
            let (tenant, other) = (Uuid::from_u128(tenant), Uuid::from_u128(other));
            let cursor = write("sales", tenant, position);

            prop_assert_eq!(read("sales", tenant, &cursor).ok(), Some(position));
            prop_assert!(read("customers", tenant, &cursor).is_err());
            prop_assert!(tenant == other || read("sales", other, &cursor).is_err());
        }

        #[test]
        fn any_other_text_is_refused(text in ".{0,40}") {
            prop_assert!(read("sales", Uuid::nil(), &text).is_err());
        }
    }
}
