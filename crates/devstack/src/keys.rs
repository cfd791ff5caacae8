//! Signing keys of the dev issuer: ES256, made here, kept in a file that only its owner may read.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, anyhow};
use jsonwebtoken::{
    Algorithm, EncodingKey,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};
use p256::{
    SecretKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding},
};

use crate::home::write_secret;

/// A key pair on the curve P-256.
#[derive(Clone)]
pub struct SigningKey {
    secret: SecretKey,
    encoding: EncodingKey,
    public: Jwk,
    id: String,
}

impl SigningKey {
    /// Makes a new pair.
    pub fn generate() -> Result<Self> {
        // A random scalar is out of the curve's range once in 2^32 tries.
        let secret = (0..4).find_map(|_| SecretKey::from_slice(&rand::random::<[u8; 32]>()).ok());
        Self::new(secret.context("no valid key among four random numbers")?)
    }

    /// Reads the pair of a file; makes and writes it when there is none.
    pub fn load_or_generate(path: &Path) -> Result<Self> {
        match fs::read_to_string(path) {
            Ok(pem) => {
                let secret = SecretKey::from_pkcs8_pem(&pem)
                    .map_err(|error| anyhow!("{} holds no key: {error}", path.display()))?;
                Self::new(secret)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                let pem =
                    key.secret.to_pkcs8_pem(LineEnding::LF).context("the key cannot be written as PEM")?;
                write_secret(path, &pem)?;
                Ok(key)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    fn new(secret: SecretKey) -> Result<Self> {
        let der = secret.to_pkcs8_der().context("the key cannot be encoded")?;
        let encoding = EncodingKey::from_ec_der(der.as_bytes());
        let mut public = Jwk::from_encoding_key(&encoding, Algorithm::ES256)?;
        let id = public.thumbprint(ThumbprintHash::SHA256)?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { secret, encoding, public, id })
    }

    /// Identifier in the header of tokens and in the key set: the thumbprint of RFC 7638.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half for a key set.
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    /// The public half as PEM text; an attacker would use it as the secret of HS256.
    pub fn public_pem(&self) -> Result<String> {
        self.secret.public_key().to_public_key_pem(LineEnding::LF).context("the key cannot be written as PEM")
    }

    /// Signs `message`; the answer is base64url, as it stands in a token.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<String> {
        Ok(jsonwebtoken::crypto::sign(message, &self.encoding, Algorithm::ES256)?)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}
