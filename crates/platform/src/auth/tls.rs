//! The one cryptography of TLS in this process.

/// Makes ring the process's provider for TLS. Idempotent; a provider installed before stays.
pub fn install() {
    // The error only says that another part of the process was first, which is fine: there is one build of rustls.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
