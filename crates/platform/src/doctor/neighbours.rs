//! Whom a program asks: issuers of tokens, and other services.

use std::time::Duration;

use http::Uri;
use tokio::{net::TcpStream, time::timeout};
use trato_types::error::chain;

use super::Report;
use crate::{auth::Verifier, config::Settings, tls::Tls};

/// Time before the end of a certificate from which on it is worth a word that nobody renewed it.
const RENEWED_BEFORE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Longest wait for a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// Looks whether issuers give their keys and other services take connections, and misses the addresses of packages it `asks`.
pub async fn look(settings: &Settings, asks: &[&str], report: &mut Report) {
    if settings.auth.issuers.is_empty() {
        report.fault("issuer-not-set", "auth.issuers is empty", "name the issuer whose tokens are accepted");
    }
    match Tls::load(&settings.tls) {
        Ok(None) => {}
        Ok(Some(tls)) => look_at_certificate(&tls, report),
        Err(error) => report.fault(
            "certificate-unusable",
            chain(&error),
            "check the files that [tls] names: the certificate, its key and the authority belong together",
        ),
    }
    match Verifier::new(&settings.auth) {
        Ok(verifier) => {
            for (issuer, reason) in verifier.unreachable().await {
                report.fault(
                    "issuer-unreachable",
                    format!("the keys of {issuer} cannot be fetched: {reason}"),
                    "check the issuer and the way to it; tokens it signs cannot be verified",
                );
            }
        }
        Err(error) => {
            report.fault("issuer-unusable", chain(&error), "check auth.issuers and their certificates");
        }
    }
    let mut packages: Vec<&str> = settings.upstreams.packages().collect();
    packages.sort_unstable();
    for package in asks.iter().filter(|package| !packages.contains(package)) {
        report.warn(
            "upstream-not-set",
            format!("[upstreams] does not say where {package} is"),
            "give its address; calls that need it are answered UNAVAILABLE",
        );
    }
    for package in packages {
        for address in settings.upstreams.addresses(package) {
            if let Err(reason) = reach(&address, address.port_u16().unwrap_or_default()).await {
                report.fault(
                    "upstream-unreachable",
                    format!("{package} cannot be reached at {address}: {reason}"),
                    "start the service, or check [upstreams] and the network policies",
                );
            }
        }
    }
}

/// Connects to an address; answers why it cannot.
pub async fn reach(address: &Uri, port: u16) -> Result<(), String> {
    // The brackets of an IPv6 address belong to the URL.
    let host = address.host().unwrap_or_default().trim_matches(['[', ']']);
    match timeout(PATIENCE, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    }
}

fn look_at_certificate(tls: &Tls, report: &mut Report) {
    let left = tls.expires() - chrono::Utc::now().timestamp();
    report.note("certificate_seconds_left", left);
    let remedy =
        "see who issues the certificates and why it was not renewed; a new file is taken up by itself";
    if left <= 0 {
        report.fault("certificate-expired", "the certificate of [tls] has expired", remedy);
    } else if left < RENEWED_BEFORE.as_secs().cast_signed() {
        let days = left / (24 * 3600);
        report.warn("certificate-expires", format!("the certificate of [tls] ends in {days} days"), remedy);
    }
}
