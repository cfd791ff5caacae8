//! The wires between programs and their servers, laid so that they can be cut.

use std::net::SocketAddr;

use super::{breakable::Breakable, programs::SERVICES, proxy::Proxy};

/// The wires of all services of a stack.
#[derive(Debug)]
pub struct Wires {
    /// To PostgreSQL.
    pub postgres: Proxy,
    /// To RabbitMQ.
    pub rabbitmq: Proxy,
    /// Where PostgreSQL itself is.
    pub database: SocketAddr,
}

impl Wires {
    /// Starts every service anew behind wires. The next test finds them without.
    pub async fn lay(stack: &Breakable) -> Self {
        let facts = stack.facts().await;
        let database = address(&facts.postgres.superuser_url);
        let broker = address(&facts.broker.url);
        let wires = Self { postgres: Proxy::to(database).await, rabbitmq: Proxy::to(broker).await, database };
        for service in SERVICES {
            let urls = facts.database(service).expect("a service has a database");
            let url = wires.postgres.behind(&urls.url, database);
            let system_url = wires.postgres.behind(&urls.system_url, database);
            let broker_url = wires.rabbitmq.behind(&facts.broker.url, broker);
            let variables = [
                ("TRATO_DATABASE__URL", url.as_str()),
                ("TRATO_DATABASE__SYSTEM_URL", &system_url),
                ("TRATO_BROKER__URL", &broker_url),
            ];
            stack.restart_with(service, &variables).await;
        }
        wires
    }
}

/// Host and port of a URL.
fn address(url: &str) -> SocketAddr {
    let after_login = url.rsplit('@').next().unwrap_or_default();
    let address = after_login.split('/').next().unwrap_or_default();
    address.parse().unwrap_or_else(|error| panic!("{address} is no address: {error}"))
}
