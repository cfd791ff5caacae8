//! Takes a compact JWT apart and judges its claims. Nothing here does I/O or reads the clock.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::Value;
use trato_types::{MemberRef, Timestamp};
use uuid::Uuid;

use super::{
    Identity, MAX_TOKEN_BYTES,
    issuer::Issuer,
    marks::{self, Leaked, Marks},
    strict::Object,
};
use crate::config::Claims;

/// Why a token was refused; for the log, never for the caller, and never with anything out of the token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Refusal(pub &'static str);

/// A token whose form is right and whose signature is still unproved.
pub(super) struct Token<'a> {
    /// Header and payload as they were signed.
    pub signed: &'a [u8],
    /// The signature, base64url.
    pub signature: &'a str,
    pub algorithm: Algorithm,
    pub key_id: Option<String>,
    claims: Object,
}

impl<'a> Token<'a> {
    /// Checks form and header. Headers that say where a key is (`jku`, `x5u`, `jwk`, `x5c`) are not even looked at.
    pub(super) fn parse(token: &'a str) -> Result<Self, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal("it is too long"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal("it has not three parts"))?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal("it has not three parts"))?;
        if payload.contains('.') {
            return Err(Refusal("it has not three parts"));
        }
        let header = decode(header).ok_or(Refusal("its header is not a JSON object with unique names"))?;
        let claims = decode(payload).ok_or(Refusal("its claims are not a JSON object with unique names"))?;
        if header.0.contains_key("crit") {
            return Err(Refusal("its header has critical extensions"));
        }
        // RFC 8725, 3.11: a token made for another purpose is no access token. RFC 9068 calls those at+jwt.
        let typ = header.text("typ").unwrap_or("JWT");
        let typ = typ.strip_prefix("application/").unwrap_or(typ);
        if !["jwt", "at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known)) {
            return Err(Refusal("its type is not that of an access token"));
        }
        let algorithm = header
            .text("alg")
            .and_then(|name| name.parse().ok())
            .ok_or(Refusal("its algorithm is unknown"))?;
        let key_id = match header.0.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err(Refusal("its key id is not a text")),
        };
        Ok(Self { signed: signed.as_bytes(), signature, algorithm, key_id, claims })
    }

    /// The `iss` claim, which only chooses among configured issuers.
    pub(super) fn issuer(&self) -> Result<&str, Refusal> {
        self.claims.text("iss").ok_or(Refusal("it names no issuer"))
    }

    /// Judges the claims of a token whose signature is right. `now` is in seconds since 1970.
    pub(super) fn identity(
        &self,
        issuer: &Issuer,
        names: &Claims,
        now: i64,
        leeway_seconds: i64,
    ) -> Result<Identity, Refusal> {
        let audience = match self.claims.0.get("aud") {
            Some(Value::String(audience)) => *audience == *issuer.audience,
            Some(Value::Array(all)) => {
                all.iter().any(|audience| audience.as_str() == Some(&*issuer.audience))
            }
            _ => false,
        };
        if !audience {
            return Err(Refusal("it is meant for another audience"));
        }
        let expires = self.expires()?;
        if expires.saturating_add(leeway_seconds) <= now {
            return Err(Refusal("it has expired"));
        }
        if self.time("nbf")?.is_some_and(|start| start.saturating_sub(leeway_seconds) > now) {
            return Err(Refusal("it is not valid yet"));
        }
        let subject = self.claims.text("sub").ok_or(Refusal("it names no subject"))?;
        MemberRef::from_subject(subject).map_err(|_| Refusal("its subject cannot be a member"))?;
        let tenant =
            self.claim(&names.tenant).and_then(Value::as_str).ok_or(Refusal("it names no tenant"))?;
        let tenant = issuer.tenant(tenant).ok_or(Refusal("its issuer may not speak for its tenant"))?;
        Ok(Identity {
            tenant,
            subject: subject.into(),
            roles: self.roles(&names.roles)?,
            issuer: Arc::clone(&issuer.url),
            expires: moment(expires)?,
            marks: self.marks(&issuer.url, tenant, subject, now.saturating_add(leeway_seconds)),
        })
    }

    /// What it takes to revoke it. Whether its signature is right does not matter: one that is wrong is refused anyway.
    pub(super) fn leaked(&self) -> Result<Leaked, Refusal> {
        Ok(Leaked {
            mark: marks::of_token(self.signed),
            issuer: self.issuer()?.to_owned(),
            subject: self.claims.text("sub").unwrap_or_default().to_owned(),
            expires: moment(self.expires()?)?,
        })
    }

    /// `latest` is the last second in which it can have been issued.
    fn marks(&self, issuer: &str, tenant: Uuid, subject: &str, latest: i64) -> Marks {
        // A moment that cannot be read, or is still to come, is none, and the token as old as any.
        let issued = self.time("iat").ok().flatten().filter(|issued| *issued <= latest);
        Marks {
            token: marks::of_token(self.signed),
            id: self.claims.text("jti").map(|id| marks::of_id(issuer, id)),
            subject: marks::of_subject(tenant, subject),
            issued: issued.and_then(|issued| Timestamp::from_timestamp(issued, 0)),
        }
    }

    /// The `exp` claim, in seconds since 1970.
    fn expires(&self) -> Result<i64, Refusal> {
        self.time("exp")?.ok_or(Refusal("it never expires"))
    }

    /// A list of texts, or one text of words; a token without the claim has no roles.
    fn roles(&self, name: &str) -> Result<Arc<[String]>, Refusal> {
        let refusal = Refusal("its roles are neither a list of texts nor a text");
        match self.claim(name) {
            None | Some(Value::Null) => Ok(Arc::new([])),
            Some(Value::String(words)) => Ok(words.split_whitespace().map(str::to_owned).collect()),
            Some(Value::Array(roles)) => {
                roles.iter().map(|role| role.as_str().map(str::to_owned).ok_or(refusal)).collect()
            }
            Some(_) => Err(refusal),
        }
    }

    fn claim(&self, name: &str) -> Option<&Value> {
        match name.strip_prefix('/') {
            Some(path) => {
                let mut steps = path.split('/');
                let first = self.claims.0.get(steps.next()?)?;
                steps.try_fold(first, |value, step| value.get(step))
            }
            None => self.claims.0.get(name),
        }
    }

    /// Seconds since 1970; RFC 7519 allows fractions, which are cut.
    fn time(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let refusal = Refusal("one of its times is not a number");
        let Some(value) = self.claims.0.get(name) else { return Ok(None) };
        let number = value.as_number().ok_or(refusal)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast from f64 saturates, which is what is wanted"
        )]
        let fraction = || number.as_f64().filter(|seconds| seconds.is_finite()).map(|seconds| seconds as i64);
        number.as_i64().or_else(fraction).map(Some).ok_or(refusal)
    }
}

/// The end of the year 9999; later expiries are as good as that.
const LAST_SECOND: i64 = 253_402_300_799;

/// The moment at which a token expires.
fn moment(expires: i64) -> Result<Timestamp, Refusal> {
    Timestamp::from_timestamp(expires.min(LAST_SECOND), 0).ok_or(Refusal("its expiry is no time"))
}

fn decode(part: &str) -> Option<Object> {
    Object::parse(&URL_SAFE_NO_PAD.decode(part).ok()?)
}
