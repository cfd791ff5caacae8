//! What a call is for, as its caller says it.

use http::{HeaderMap, HeaderValue};
use trato_types::Error;

/// The header that says it.
pub const PURPOSE: &str = "x-purpose";

/// Longest purpose, in bytes.
const LONGEST: usize = 200;

/// What the caller says; `None` when it says nothing. INVALID_ARGUMENT `INVALID_PURPOSE` for what could not be recorded as
/// it is.
pub(super) fn purpose(headers: &HeaderMap) -> Result<Option<HeaderValue>, Error> {
    let mut values = headers.get_all(PURPOSE).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let printable = value.as_bytes().iter().all(|byte| matches!(byte, b' '..=b'~'));
    if value.len() > LONGEST || !printable || values.next().is_some() {
        let form = format!("must be one text of at most {LONGEST} printable ASCII characters");
        return Err(Error::invalid(PURPOSE, "INVALID_PURPOSE", form));
    }
    Ok(Some(value.clone()).filter(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<HeaderValue>, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(PURPOSE, HeaderValue::from_bytes(value).expect("a header value"));
        }
        purpose(&headers).map_err(|error| error.reason())
    }

    #[test]
    fn a_purpose_is_one_short_printable_text() {
        let longest = [b'x'; LONGEST];

        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b""]), Ok(None));
        assert_eq!(read(&[b"dispute 4711"]), Ok(Some(HeaderValue::from_static("dispute 4711"))));
        assert_eq!(read(&[&longest]).map(|value| value.is_some()), Ok(true));
        let too_long = [b'x'; LONGEST + 1];
        let all_wrong: [&[&[u8]]; 4] = [&[&too_long], &["ñ".as_bytes()], &[b"a\tb"], &[b"a", b"b"]];
        for wrong in all_wrong {
            assert_eq!(read(wrong), Err("INVALID_PURPOSE"), "{wrong:?}");
        }
    }
}
