//! Where telemetry goes. Nobody misses it while all is well, so that it is looked for before it is needed.

use http::Uri;

use super::{Report, neighbours::reach};
use crate::config::Telemetry;

/// Looks whether the collector takes connections, where one is set.
pub async fn look(telemetry: &Telemetry, report: &mut Report) {
    let endpoint = &telemetry.otlp_endpoint;
    // One that cannot be read is a fault of the configuration.
    let Some(address) = address(endpoint) else { return };
    if let Err(reason) = reach(&address, port(&address)).await {
        report.warn(
            "collector-unreachable",
            format!("the collector cannot be reached at {endpoint}: {reason}"),
            "start it, or check telemetry.otlp_endpoint and the network policies; traces, metrics and logs are lost meanwhile",
        );
    }
}

/// None where no collector is set.
fn address(endpoint: &str) -> Option<Uri> {
    if endpoint.is_empty() { None } else { endpoint.parse().ok() }
}

/// The port that an exporter connects to.
fn port(address: &Uri) -> u16 {
    address.port_u16().unwrap_or(if address.scheme_str() == Some("https") { 443 } else { 80 })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::{config::LogFormat, doctor::Severity};

    /// Names of what is found where telemetry goes to this address.
    async fn found(otlp_endpoint: &str) -> Vec<&'static str> {
        let telemetry = Telemetry {
            otlp_endpoint: otlp_endpoint.to_owned(),
            sampling_ratio: 1.0,
            log_filter: "info".to_owned(),
            log_format: LogFormat::Text,
            metrics_interval_seconds: 60,
        };
        let mut report = Report::new("sales");
        look(&telemetry, &mut report).await;
        assert!(report.findings.iter().all(|finding| finding.severity == Severity::Warning));
        report.findings.iter().map(|finding| finding.name).collect()
    }

    /// CRD-08: a collector that is not there is worth a word, and one that nobody set is not.
    #[tokio::test]
    async fn a_collector_that_takes_no_connections_is_worth_a_word() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));

        assert!(found("").await.is_empty());
        assert!(found(&endpoint).await.is_empty());
        drop(listener);
        assert_eq!(found(&endpoint).await, ["collector-unreachable"]);
    }

    #[test]
    fn an_address_without_a_port_means_that_of_its_scheme() {
        for (address, wanted) in
            [("http://collector:4317", 4317), ("http://collector", 80), ("https://collector", 443)]
        {
            assert_eq!(port(&address.parse().expect("an address")), wanted);
        }
    }
}
