//! Servers that run already and are named by environment variables. They are used, never started or stopped.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use sqlx::{ConnectOptions as _, Connection as _, postgres::PgConnectOptions};
use tokio::net::TcpStream;

use super::{Postgres, RabbitMq, locate};
use crate::variables::{self, POSTGRES_URL, RABBITMQ_URL};

/// The PostgreSQL named by the environment, checked for rights and version.
pub async fn postgres() -> Result<Option<Postgres>> {
    let Some(url) = variables::get(POSTGRES_URL) else { return Ok(None) };
    let options: PgConnectOptions = url.parse().with_context(|| format!("{POSTGRES_URL} is not a URL"))?;
    let mut connection =
        options.connect().await.with_context(|| format!("the server of {POSTGRES_URL} refuses"))?;
    let (version, superuser): (i32, bool) = sqlx::query_as(
        "select current_setting('server_version_num')::int, rolsuper
         from pg_roles
         where rolname = current_user",
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    if version / 10_000 < i32::try_from(locate::OLDEST_POSTGRES)? {
        bail!(
            "the server of {POSTGRES_URL} is PostgreSQL {}; {} is needed",
            version / 10_000,
            locate::OLDEST_POSTGRES
        );
    }
    if !superuser {
        bail!("the user of {POSTGRES_URL} is not a superuser");
    }
    Ok(Some(Postgres { url, control: None }))
}

/// The RabbitMQ named by the environment; something must listen there.
pub async fn rabbitmq() -> Result<Option<RabbitMq>> {
    let Some(url) = variables::get(RABBITMQ_URL) else { return Ok(None) };
    let host =
        address(&url).with_context(|| format!("{RABBITMQ_URL} is neither an amqp:// nor an amqps:// URL"))?;
    tokio::time::timeout(Duration::from_secs(5), TcpStream::connect(&host))
        .await
        .with_context(|| format!("{host} of {RABBITMQ_URL} does not answer"))?
        .with_context(|| format!("{host} of {RABBITMQ_URL} refuses"))?;
    Ok(Some(RabbitMq { url, tls_url: None, control: None, helper: None }))
}

/// Host and port of a broker's URL.
pub fn address(url: &str) -> Option<String> {
    let (rest, port) = match url.strip_prefix("amqps://") {
        Some(rest) => (rest, 5671),
        None => (url.strip_prefix("amqp://")?, 5672),
    };
    let authority = rest.split(['/', '?']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some(if host.rsplit_once(':').is_some() { host.to_owned() } else { format!("{host}:{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_broker_is_read_from_its_url() {
        assert_eq!(address("amqp://u:p@localhost:5673/%2f").as_deref(), Some("localhost:5673"));
        assert_eq!(address("amqp://u:p@broker").as_deref(), Some("broker:5672"));
        assert_eq!(address("amqps://u:p@broker").as_deref(), Some("broker:5671"));
        assert_eq!(address("http://broker"), None);
    }
}
