//! An authority of a stack's own, and the certificates it signs for the programs.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

use crate::home::write_secret;

/// Names of the files of a program, as cert-manager writes them.
pub const CERTIFICATE: &str = "tls.crt";
/// See `CERTIFICATE`.
pub const KEY: &str = "tls.key";
/// See `CERTIFICATE`.
pub const AUTHORITY: &str = "ca.crt";

/// Where every process of a stack is found, and all that its certificate names.
pub const ADDRESS: &str = "127.0.0.1";

/// Signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl Authority {
    /// A new authority that nobody knows yet.
    pub fn generate(name: &str) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Its own certificate, in PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for these hosts, good for callers and for those who are called.
    pub fn sign(&self, hosts: &[&str]) -> Result<Signed> {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(hosts)?.signed_by(&key, &self.0)?;
        Ok(Signed { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// Writes the three files of a program, each at once.
pub fn write(folder: &Path, signed: &Signed, authority: &str) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    write_secret(&folder.join(CERTIFICATE), &signed.certificate)?;
    write_secret(&folder.join(KEY), &signed.key)?;
    write_secret(&folder.join(AUTHORITY), authority)
}
