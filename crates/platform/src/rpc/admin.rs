//! The HTTP server for whoever runs the process: `/livez`, `/readyz`, `/startupz`.

use std::{io, net::SocketAddr};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::readiness::Readiness;

/// The admin server, bound and not yet answering.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    readiness: Readiness,
}

impl Admin {
    /// Takes the address, so that it is known before anything is served. Readiness is measured from here on.
    pub async fn bind(address: SocketAddr, readiness: Readiness) -> io::Result<Self> {
        readiness.measure();
        Ok(Self { listener: TcpListener::bind(address).await?, readiness })
    }

    /// The address taken.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until the token is cancelled. Cancel it last: probes must be answered while the process drains.
    pub async fn serve(self, stop: CancellationToken) {
        let served = axum::serve(self.listener, router(self.readiness))
            .with_graceful_shutdown(stop.cancelled_owned())
            .await;
        if let Err(error) = served {
            tracing::error!(%error, "probes are not answered any more: {error}");
        }
    }
}

fn router(readiness: Readiness) -> Router {
    Router::new()
        // That it answers at all is the proof of life.
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/startupz", get(started))
        .with_state(readiness)
}

async fn ready(State(readiness): State<Readiness>) -> (StatusCode, String) {
    let faults = readiness.state().faults();
    if faults.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, faults.join("\n") + "\n")
}

async fn started(State(readiness): State<Readiness>) -> (StatusCode, &'static str) {
    if readiness.state().is_started() {
        (StatusCode::OK, "started\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "starting\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn probes_follow_readiness() {
        crate::auth::tls::install();
        let readiness = Readiness::new();
        let database = readiness.condition("database");
        let admin =
            Admin::bind("127.0.0.1:0".parse().expect("an address"), readiness.clone()).await.expect("bound");
        let url = format!("http://{}", admin.local_addr().expect("bound"));
        let stop = CancellationToken::new();
        let server = tokio::spawn(admin.serve(stop.clone()));
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let probe = async |path: &str| {
            let response = client.get(format!("{url}{path}")).send().await.expect("an answer");
            (response.status().as_u16(), response.text().await.expect("a text"))
        };

        assert_eq!(probe("/livez").await.0, 200);
        assert_eq!(probe("/startupz").await.0, 503);
        assert_eq!(probe("/readyz").await, (503, "starting\ndatabase: not checked yet\n".to_owned()));

        database.holds();
        readiness.started();
        assert_eq!((probe("/startupz").await.0, probe("/readyz").await.0), (200, 200));

        readiness.draining();
        assert_eq!(probe("/readyz").await, (503, "stopping\n".to_owned()));
        stop.cancel();
        server.await.expect("no panic");
    }
}
