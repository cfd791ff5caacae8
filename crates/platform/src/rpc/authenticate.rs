//! From the `authorization` header to the identity the token proves.

use http::{HeaderMap, header::AUTHORIZATION};
use trato_types::Result;

use crate::auth::{Verified, Verifier, unauthenticated};

/// The token of `authorization: Bearer …`; `None` when it is missing, doubled or of another scheme.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    // Two headers could mean one identity here and another one further on.
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim()).filter(|token| !token.is_empty())
}

/// Who calls, by which token.
pub(super) struct Authenticated {
    pub verified: Verified,
    pub token: String,
}

/// Who calls.
pub(super) async fn authenticate(headers: &HeaderMap, verifier: &Verifier) -> Result<Authenticated> {
    let token = bearer(headers).ok_or_else(unauthenticated)?;
    let verified = verifier.verify_remembering(token).await?;
    Ok(Authenticated { verified, token: token.to_owned() })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_one_bearer_token_is_taken() {
        let headers = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            }
            headers
        };

        assert_eq!(bearer(&headers(&["Bearer a.b.c"])), Some("a.b.c"));
        assert_eq!(bearer(&headers(&["bearer  a.b.c "])), Some("a.b.c"));
        for wrong in [&[][..], &["Basic a"], &["Bearer"], &["Bearer "], &["a.b.c"], &["Bearer a", "Bearer b"]]
        {
            assert_eq!(bearer(&headers(wrong)), None, "{wrong:?}");
        }
    }
}
