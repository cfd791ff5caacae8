//! TLS between programs: each shows a certificate and trusts one authority. The files are read again when they change.

#[cfg(test)]
mod tests;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
    time::Duration,
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use x509_parser::parse_x509_certificate;

use crate::{config, telemetry::metrics::metrics};

/// The certificates of this program, as they are now. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    files: config::Tls,
    current: RwLock<Material>,
    /// What could not be used when last looked at, so that it is told once.
    refused: Mutex<Option<Files>>,
}

/// What the files hold, ready for use.
#[derive(Clone, Debug)]
struct Material {
    files: Files,
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    /// When the certificate is no longer good, in seconds after 1970.
    expires: i64,
}

/// The bytes of the three files.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Files([Vec<u8>; 3]);

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{1} cannot be read")]
    Unreadable(&'static str, String, #[source] std::io::Error),
    /// A file holds no PEM of the right kind.
    #[error("{1} holds no {2} in PEM")]
    Empty(&'static str, String, &'static str),
    /// Certificate and key do not belong together, or the authority is no certificate.
    #[error("the certificate, its key and the authority cannot be used together")]
    Unusable(#[source] rustls::Error),
    /// The authority cannot judge others.
    #[error("the authority cannot be used")]
    Authority(#[source] rustls::server::VerifierBuilderError),
}

impl TlsError {
    /// The key of `[tls]` that names the file at fault.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Unreadable(key, ..) | Self::Empty(key, ..) => key,
            Self::Unusable(_) => "certificate",
            Self::Authority(_) => "authority",
        }
    }
}

/// How often the files are looked at. Kubernetes takes longer than that to write a changed Secret.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// From this time before its end on, a certificate that was not renewed is warned of, this often.
const WARN_BEFORE: Duration = Duration::from_secs(3 * 24 * 3600);
const WARN_EVERY: Duration = Duration::from_secs(3600);

impl Tls {
    /// Reads the files, and looks at them again every few seconds for as long as a clone lives. `None` when none are
    /// set. Call it from within the runtime.
    pub fn load(files: &config::Tls) -> Result<Option<Self>, TlsError> {
        if files.is_empty() {
            return Ok(None);
        }
        let current = RwLock::new(Material::read(files)?);
        let shared = Arc::new(Shared { files: files.clone(), current, refused: Mutex::default() });
        tokio::spawn(follow(Arc::downgrade(&shared)));
        let watched = Arc::downgrade(&shared);
        metrics().watch_certificate(move || watched.upgrade().map(|shared| shared.current().expires));
        Ok(Some(Self(shared)))
    }

    /// When the certificate ends, in seconds of Unix time.
    pub fn expires(&self) -> i64 {
        self.0.current().expires
    }

    /// How to call others: with our certificate, and only those whose certificate the authority signed.
    pub fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0.current().client)
    }

    /// How to be called: only by those whose certificate the authority signed.
    pub fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.current().server)
    }
}

/// Says why files could not be used, without using them.
pub(crate) fn check(files: &config::Tls) -> Result<(), TlsError> {
    Material::read(files).map(drop)
}

impl Shared {
    fn current(&self) -> Material {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes what the files hold now. What cannot be used is told once, and the old goes on.
    fn look(&self) {
        let read = Files::read(&self.files);
        if read.as_ref().is_ok_and(|files| *files == self.current().files) {
            return;
        }
        let known = read.as_ref().ok().cloned();
        match read.and_then(Material::new) {
            Ok(material) => {
                tracing::info!("the certificates of TLS were read again");
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = material;
            }
            Err(error) => {
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                if known.is_none() || *refused != known {
                    let error = trato_types::error::chain(&error);
                    tracing::warn!(error, "changed files of TLS are not used, the old ones go on: {error}");
                }
                *refused = known;
            }
        }
    }
}

/// Looks at the files, and at the time.
async fn follow(shared: Weak<Shared>) {
    let mut next_warning = tokio::time::Instant::now();
    loop {
        {
            let Some(shared) = shared.upgrade() else { return };
            shared.look();
            let left = shared.current().expires - chrono::Utc::now().timestamp();
            if left < WARN_BEFORE.as_secs().cast_signed() && tokio::time::Instant::now() >= next_warning {
                next_warning += WARN_EVERY;
                let file = &shared.files.certificate;
                let hours = left / 3600;
                tracing::warn!(hours, "the certificate {file} ends in {hours} hours and was not renewed");
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Files {
    fn read(files: &config::Tls) -> Result<Self, TlsError> {
        let read = |key: &'static str, path: &str| {
            std::fs::read(Path::new(path)).map_err(|error| TlsError::Unreadable(key, path.to_owned(), error))
        };
        Ok(Self([
            read("certificate", &files.certificate)?,
            read("key", &files.key)?,
            read("authority", &files.authority)?,
        ]))
    }
}

impl Material {
    fn read(files: &config::Tls) -> Result<Self, TlsError> {
        Self::new(Files::read(files)?).map_err(|error| match error {
            TlsError::Empty(key, _, kind) => TlsError::Empty(key, files.path(key).to_owned(), kind),
            error => error,
        })
    }

    fn new(files: Files) -> Result<Self, TlsError> {
        let Files([certificate, key, authority]) = &files;
        let chain = certificates("certificate", certificate)?;
        let expires = parse_x509_certificate(&chain[0])
            .map_err(|_| TlsError::Unusable(rustls::CertificateError::BadEncoding.into()))?
            .1
            .validity()
            .not_after
            .timestamp();
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| TlsError::Empty("key", String::new(), "private key"))?;
        let mut roots = RootCertStore::empty();
        for authority in certificates("authority", authority)? {
            roots.add(authority).map_err(TlsError::Unusable)?;
        }
        let roots = Arc::new(roots);
        let verifier =
            WebPkiClientVerifier::builder(Arc::clone(&roots)).build().map_err(TlsError::Authority)?;
        let mut client = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain.clone(), key.clone_key())
            .map_err(TlsError::Unusable)?;
        let mut server = ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(TlsError::Unusable)?;
        client.alpn_protocols = vec![b"h2".to_vec()];
        server.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { files, client: Arc::new(client), server: Arc::new(server), expires })
    }
}

/// All certificates of a PEM text; at least one.
fn certificates(key: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let empty = || TlsError::Empty(key, String::new(), "certificate");
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| empty())?;
    if found.is_empty() { Err(empty()) } else { Ok(found) }
}
