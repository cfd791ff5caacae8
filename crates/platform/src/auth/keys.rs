//! An issuer's public keys, each bound to the algorithms its type allows.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

use super::token::Token;

/// One public key.
pub(super) struct Key {
    decoding: DecodingKey,
    algorithms: Vec<Algorithm>,
    /// The key as the issuer wrote it, to notice that another one took its name.
    text: String,
}

impl Key {
    /// True when a token of this algorithm may be signed with this key: never another type's, never a shared secret.
    pub(super) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// True when the signature is this key's.
    pub(super) fn verifies(&self, token: &Token<'_>) -> bool {
        jsonwebtoken::crypto::verify(token.signature, token.signed, &self.decoding, token.algorithm)
            .unwrap_or(false)
    }

    /// `None` for keys that are no use here: other types, other curves, short RSA keys, keys for encryption.
    fn from_json(json: &Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(json.clone()).ok()?;
        let signs =
            !matches!(jwk.common.public_key_use, Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_)));
        let operations = jwk.common.key_operations.as_ref();
        if !signs || operations.is_some_and(|operations| !operations.contains(&KeyOperations::Verify)) {
            return None;
        }
        let mut algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) => {
                let bytes = URL_SAFE_NO_PAD.decode(&rsa.n).ok()?;
                let significant = bytes.iter().skip_while(|byte| **byte == 0).count();
                if significant < MIN_RSA_BYTES {
                    return None;
                }
                use Algorithm::{PS256, PS384, PS512, RS256, RS384, RS512};
                vec![RS256, RS384, RS512, PS256, PS384, PS512]
            }
            AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
                EllipticCurve::P256 => vec![Algorithm::ES256],
                EllipticCurve::P384 => vec![Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
                vec![Algorithm::EdDSA]
            }
            _ => return None,
        };
        if let Some(named) = json.get("alg").and_then(Value::as_str) {
            algorithms.retain(|algorithm| named.parse() == Ok(*algorithm));
        }
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        (!algorithms.is_empty()).then(|| Self { decoding, algorithms, text: json.to_string() })
    }
}

/// 2,048 bits, the least that RFC 7518 allows.
const MIN_RSA_BYTES: usize = 256;
/// More keys than this no issuer has.
const MAX_KEYS: usize = 100;

/// All usable keys of an issuer by their id.
#[derive(Default)]
pub(super) struct KeySet {
    keys: HashMap<String, Arc<Key>>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Parses a JWKS document (RFC 7517); keys that are no use here are passed over.
    pub(super) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_slice(json)?;
        let mut keys = HashMap::new();
        for json in document.keys.iter().take(MAX_KEYS) {
            let id = json.get("kid").and_then(Value::as_str).unwrap_or_default();
            if let Some(key) = Key::from_json(json) {
                keys.entry(id.to_owned()).or_insert_with(|| Arc::new(key));
            }
        }
        Ok(Self { keys })
    }

    /// The key of this id. A token without id can only mean the one key of an issuer that has only one.
    pub(super) fn find(&self, id: Option<&str>) -> Option<Arc<Key>> {
        match id {
            Some(id) => self.keys.get(id).cloned(),
            None if self.keys.len() == 1 => self.keys.values().next().cloned(),
            None => None,
        }
    }

    /// True when a key of `self` is missing in `newer` or has become another one.
    pub(super) fn lost_in(&self, newer: &Self) -> bool {
        self.keys.iter().any(|(id, key)| newer.keys.get(id).is_none_or(|other| other.text != key.text))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A public RSA key of 2,048 bits and a token signed with its private half, made once with openssl.
    const MODULUS: &str = "ouY6T2G3RCnNQJeqr-DQCbAZzNL5BUNXXbqkCIfFi1s4wk2_rkosZorPkCSvI1G0wNaBNHIKjccMvDrzQlAvO9U8QU\
        73qZOn3fsuTnuF3p-UX4NDvQwPGoXRSiu_VmRSEP55rxjqOxYMIMNVpU5AfWe3gLGRO36LLIMCTa608gpfSWivp6A3\
        JHa2xFyoJY7_0V3lUrqpTsWqTcXaB7HrF34v5tL59keSGe8Gx4Eykbbc27WhKFcfIIVm20LR0Scod7FAp19frm4Tda\
        BXGDJHMpRr5M6rx5RUrrRQyMtv-5fseLVp2ktdOSDzatkSPmN6GnvnvnSON_wIKNJSxi1Fzw";
    const SIGNED: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIn0";
    const SIGNATURE: &str = "neEUzB_S7ffH398WP-0VrWkMa5kWLZp2Nrb4eVxiy2zmJyINdN-kaiTtORoEp9BX4kLGwvyB5ehzNKgxHKnp8Xr8q_\
        Z_KpQhLIs7UyX5daG-huM1BCPi2Gn7gxCei5ZTg0hiZaqLXuwXjN3mztNNOPZle0_t5VHcgJ6Nrw6LAvyAtIjNupOO\
        Lulh9dDb3DIvND9n0OBGK3TS2nPmjihDDS4SvpLEX30amyzYdaaEp9BgkFcLmXdqS-eqJBVP_4kDzL0U76_TnFwNJ7\
        f-ABpkQjLsaIxVoTbg4fAojkvpYSeY00Vu-LYFSg6iKpeGNMwtNSvimt1bQfm4wrQlFQr_hw";

    fn rsa(changes: Value) -> Value {
        let mut key = json!({ "kty": "RSA", "kid": "rsa", "n": MODULUS, "e": "AQAB" });
        for (name, value) in changes.as_object().expect("an object") {
            key[name] = value.clone();
        }
        key
    }

    #[test]
    fn an_rsa_key_verifies_what_it_signed_and_nothing_else() {
        let key = Key::from_json(&rsa(json!({}))).expect("a key");
        let good = format!("{SIGNED}.{SIGNATURE}");
        let header = SIGNED.split('.').next().expect("two parts");
        let forged =
            format!("{header}.{}.{SIGNATURE}", URL_SAFE_NO_PAD.encode(r#"{"iss":"https://id.example.org"}"#));

        assert!(
            key.is_for(Algorithm::RS256) && key.is_for(Algorithm::PS512) && !key.is_for(Algorithm::HS256)
        );
        assert!(key.verifies(&Token::parse(&good).expect("a token")));
        assert!(!key.verifies(&Token::parse(&forged).expect("a token")));
        assert!(!key.verifies(&Token::parse(&format!("{SIGNED}.AAAA")).expect("a token")));
    }

    #[test]
    fn keys_that_must_not_verify_tokens_are_passed_over() {
        let short = URL_SAFE_NO_PAD.encode([0xC1; 128]);
        for (why, changes) in [
            ("for encryption", json!({ "use": "enc" })),
            ("for other operations", json!({ "key_ops": ["encrypt"] })),
            ("1,024 bits", json!({ "n": short })),
            ("bound to a shared-secret algorithm", json!({ "alg": "HS256" })),
            ("a shared secret", json!({ "kty": "oct", "k": "c2VjcmV0" })),
            ("unknown type", json!({ "kty": "XYZ" })),
        ] {
            assert!(Key::from_json(&rsa(changes)).is_none(), "{why}");
        }
    }

    #[test]
    fn a_token_without_key_id_means_the_only_key() {
        let set = |keys: &[Value]| {
            KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).expect("a key set")
        };

        assert!(set(&[rsa(json!({}))]).find(None).is_some());
        assert!(set(&[rsa(json!({})), rsa(json!({ "kid": "two" }))]).find(None).is_none());
        assert!(set(&[rsa(json!({}))]).find(Some("../../dev/null")).is_none());
    }
}
