//! What a token is known by to whoever revokes it.
//!
//! Each mark is a SHA-256 of something with its own prefix: none can be taken for one of another kind, a claim may be as long
//! as it likes, and nothing of the token is kept.

use sha2::{Digest as _, Sha256};
use trato_types::Timestamp;
use uuid::Uuid;

/// One of them.
pub type Mark = [u8; 32];

/// The marks of a token.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// Of the token itself.
    pub token: Mark,
    /// Of its issuer and its `jti` claim; none where that is no text.
    pub id: Option<Mark>,
    /// Of its tenant and its subject.
    pub subject: Mark,
    /// The `iat` claim; none where it does not say, or says a time that is still to come.
    pub issued: Option<Timestamp>,
}

/// What a token says that is to be revoked. Nothing of it is proved.
#[derive(Clone, Debug)]
pub struct Leaked {
    /// Its mark.
    pub mark: Mark,
    /// The `iss` claim.
    pub issuer: String,
    /// The `sub` claim; empty where it names none.
    pub subject: String,
    /// The `exp` claim.
    pub expires: Timestamp,
}

/// The mark of a token, by its header and payload as they were signed. Its signature is no part of it: whoever has one of ES256
/// can make another that is as right.
pub(super) fn of_token(signed: &[u8]) -> Mark {
    mark(&[b"token", signed])
}

/// The mark of the token that an issuer gave this `jti`.
pub fn of_id(issuer: &str, id: &str) -> Mark {
    mark(&[b"id", issuer.as_bytes(), id.as_bytes()])
}

/// The mark of all tokens that speak for a subject of a tenant.
pub fn of_subject(tenant: Uuid, subject: &str) -> Mark {
    mark(&[b"subject", tenant.as_bytes(), subject.as_bytes()])
}

fn mark(parts: &[&[u8]]) -> Mark {
    let mut digest = Sha256::new();
    for part in parts {
        // No two lists of parts are alike.
        digest.update(format!("{}:", part.len()));
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};
    use trato_types::Kind;

    use super::*;
    use crate::auth::{
        Verifier, leaked,
        testing::{ACME, TestIssuer},
    };

    /// The order of the group that ES256 computes in (FIPS 186-4, D.1.2.3).
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];

    /// The same token with the other signature that is as right, which anybody can compute: (r, n - s) for (r, s).
    fn with_other_signature(token: &str) -> String {
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let mut signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        let mut borrow = false;
        for (digit, of_order) in signature[32..].iter_mut().zip(ORDER).rev() {
            let (difference, first) = of_order.overflowing_sub(*digit);
            let (difference, second) = difference.overflowing_sub(u8::from(borrow));
            (*digit, borrow) = (difference, first || second);
        }
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// An issuer, and what its tokens are known by.
    struct World {
        issuer: TestIssuer,
        verifier: Verifier,
    }

    impl World {
        async fn new() -> Self {
            let issuer = TestIssuer::start().await;
            Self { verifier: issuer.verifier(), issuer }
        }

        async fn marks(&self, token: &str) -> Marks {
            self.verifier.verify(token).await.expect("it is right").marks.clone()
        }

        async fn marks_with(&self, claims: Value) -> Marks {
            self.marks(&self.issuer.token(claims)).await
        }
    }

    /// I4: what a token is revoked by does not change with its signature, and is another for any other token.
    #[tokio::test]
    async fn a_token_is_known_by_what_was_signed() {
        let world = World::new().await;
        let [token, other] = [json!({}), json!({})].map(|claims| world.issuer.token(claims));
        let again = with_other_signature(&token);
        assert_ne!(token, again);

        let known = world.marks(&token).await;

        let same = world.marks(&again).await;
        assert_eq!((&known.token, &known.id), (&same.token, &same.id));
        let different = world.marks(&other).await;
        assert_ne!(known.token, different.token);
        assert_ne!(known.id, different.id);
        assert_eq!(known.subject, different.subject, "both are ana's");
    }

    /// I4: whoever revokes a token needs no signature, and learns when nothing would have accepted it.
    #[tokio::test]
    async fn a_token_is_revoked_by_the_mark_that_it_is_refused_by() {
        let world = World::new().await;
        let (token, endless) = (world.issuer.token(json!({})), world.issuer.token(json!({ "exp": null })));
        let (signed, _) = token.rsplit_once('.').expect("three parts");

        let read = leaked(&format!("{signed}.forged")).expect("a token");

        assert_eq!(read.mark, world.marks(&token).await.token);
        assert_eq!((read.subject.as_str(), read.issuer.as_str()), ("ana", world.issuer.url.as_str()));
        let nobodys = world.issuer.token(json!({ "iss": null }));
        for wrong in ["", "x", signed, endless.as_str(), nobodys.as_str()] {
            assert_eq!(leaked(wrong).expect_err("it cannot be used").kind(), Kind::Invalid, "{wrong}");
        }
    }

    /// I4: a token that says nothing, or nonsense, of itself can be revoked all the same.
    #[tokio::test]
    async fn whatever_issuers_write_a_token_has_marks() {
        let world = World::new().await;

        let now = chrono::Utc::now().timestamp();
        let (ahead, to_come) = (now + 30, now + 600);
        for (issued, seconds) in [
            (json!(1_000), Some(1_000)),
            (json!(1_000.9), Some(1_000)),
            // A clock may be a little ahead; what says more than that would never be issued before.
            (json!(ahead), Some(ahead)),
            (json!(to_come), None),
            (json!("1000"), None),
            (json!(1e300), None),
            (json!(null), None),
        ] {
            let read = world.marks_with(json!({ "iat": issued })).await.issued;
            assert_eq!(read.map(|moment| moment.timestamp()), seconds, "{issued}");
        }
        let long = "x".repeat(2_000);
        let of_long = of_id(&world.issuer.url, &long);
        assert_eq!(world.marks_with(json!({ "jti": long })).await.id, Some(of_long));
        for none in [json!(7), json!(null)] {
            assert_eq!(world.marks_with(json!({ "jti": none })).await.id, None);
        }
        assert_eq!(world.marks_with(json!({})).await.subject, of_subject(ACME, "ana"));
    }
}
