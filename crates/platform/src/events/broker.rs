//! Connections to RabbitMQ. A broken one is thrown away and built anew by whoever used it; nothing recovers by itself.

use std::{io, time::Duration};

use lapin::{
    AsyncTcpStream, Connection, ConnectionProperties, ErrorKind,
    options::ConfirmSelectOptions,
    protocol::{AMQPErrorKind, AMQPHardError},
    runtime,
    tcp::{RustlsConnector, RustlsConnectorConfig},
    uri::{AMQPScheme, AMQPUri},
};
use rand::RngExt as _;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::ExposeSecret as _;
use trato_types::Error;

use crate::config;

/// Seconds between heartbeats: a half-open connection is found within two of them.
const HEARTBEAT: u16 = 4;
/// Largest frame, in bytes; larger messages are sent in several. The library keeps buffers for 32 of them each way, of each connection:
/// with what the broker would allow, 128 KiB, a program would hold 16 MiB of them.
const FRAME_MAX: u32 = 16 * 1024;
/// Longest wait for a connection to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the broker keeps what is declared: its host, port and virtual host, and nothing of who asks.
pub(super) fn place(broker: &config::Broker) -> Result<String, BrokerError> {
    let AMQPUri { authority, vhost, .. } = parsed(broker)?;
    Ok(format!("{}:{}/{vhost}", authority.host, authority.port))
}

fn parsed(broker: &config::Broker) -> Result<AMQPUri, BrokerError> {
    broker.url.expose_secret().parse().map_err(BrokerError::Url)
}

/// Opens a connection that the broker lists under `name`.
pub(super) async fn connect(broker: &config::Broker, name: &str) -> Result<Connection, BrokerError> {
    let mut uri = parsed(broker)?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT);
    uri.query.frame_max.get_or_insert(FRAME_MAX);
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let connecting = async {
        if uri.scheme != AMQPScheme::AMQPS {
            return Ok(Connection::connect_uri(uri, properties).await?);
        }
        let tls = tls(&broker.authority)?;
        let connected = Connection::connector(
            uri,
            runtime::default_runtime()?,
            async move |uri, runtime| {
                let host = uri.authority.host.clone();
                let addresses = runtime.to_socket_addrs((host.clone(), uri.authority.port));
                let stream = AsyncTcpStream::connect(&runtime, addresses).await?;
                Ok(stream.into_rustls(&tls, &host).await?)
            },
            properties,
        );
        Ok(connected.await?)
    };
    match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(BrokerError::Silent),
    }
}

/// TLS that believes one authority, or the system's where none is named. Read at every connection: a broken one is built
/// anew, and finds a changed file so.
fn tls(authority: &str) -> Result<RustlsConnector, BrokerError> {
    if authority.is_empty() {
        let system = RustlsConnectorConfig::new_with_native_certs().map_err(BrokerError::Authority)?;
        return system.connector_with_no_client_auth().map_err(BrokerError::Authority);
    }
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let read = || -> io::Result<Vec<_>> {
        let certificates =
            CertificateDer::pem_slice_iter(&std::fs::read(authority)?).collect::<Result<_, _>>();
        certificates.map_err(|error| invalid(error.to_string()))
    };
    let certificates = read().map_err(BrokerError::Authority)?;
    let config = RustlsConnectorConfig::default().with_parsable_certificates(certificates);
    config.connector_with_no_client_auth().map_err(BrokerError::Authority)
}

/// Opens a channel on which every message is confirmed.
pub(super) async fn confirming_channel(connection: &Connection) -> Result<lapin::Channel, BrokerError> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

/// Closes a connection in good order; a broken one is just dropped.
pub(super) async fn close(connection: &Connection) {
    // Nothing is lost when this fails: what was not confirmed or acknowledged comes again.
    let closing = connection.close(200, "bye".into());
    if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(2), closing).await {
        tracing::debug!(error = %error, "the broker's connection was already broken");
    }
}

/// Why the broker could not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrokerError {
    /// `broker.url` is not an AMQP address. The text does not repeat it, as it holds a password.
    #[error("broker.url is not an AMQP address: {0}")]
    Url(String),
    /// `broker.authority`, or the system's authorities, cannot be used.
    #[error("the authority of the broker's certificate cannot be used")]
    Authority(#[source] io::Error),
    /// Nobody answered in time.
    #[error("the broker did not answer in time")]
    Silent,
    /// The broker refused a message it had been sent.
    #[error("the broker refused a message")]
    Refused,
    /// No queue took a message that was meant for one.
    #[error("there is no queue {0}")]
    NoQueue(String),
    /// The broker took the subscription away, as when its queue is deleted.
    #[error("the broker ended the subscription")]
    Cancelled,
    /// Anything else that the connection met.
    #[error(transparent)]
    Broken(#[from] lapin::Error),
}

impl BrokerError {
    /// True where nobody was there, or went away in the midst; false where somebody was who refuses what he is asked for, or
    /// whom this side refuses.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Silent => true,
            Self::Broken(error) => is_away(error),
            Self::Url(_) | Self::Authority(_) | Self::Refused | Self::NoQueue(_) | Self::Cancelled => false,
        }
    }
}

fn is_away(error: &lapin::Error) -> bool {
    match error.kind() {
        // A certificate that is not believed comes as invalid data.
        ErrorKind::IOError(error) => {
            !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
        }
        // It is about to stop, or in trouble itself.
        ErrorKind::ProtocolError(error) => matches!(
            error.kind(),
            AMQPErrorKind::Hard(AMQPHardError::CONNECTIONFORCED | AMQPHardError::INTERNALERROR)
        ),
        ErrorKind::MissingHeartbeatError => true,
        _ => false,
    }
}

/// What a command answers when the broker fails it.
pub(super) fn unavailable(error: BrokerError) -> Error {
    let message = format!("the broker cannot be used: {error}");
    Error::unavailable("BROKER_UNAVAILABLE", message).caused_by(error)
}

/// True for the error of a command that could not reach the broker.
pub(crate) fn is_unavailable(error: &Error) -> bool {
    error.reason() == "BROKER_UNAVAILABLE"
}

/// Growing waits between attempts, with some chance in them so that many processes do not come back at once.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    /// Waits from `first` on, doubling up to `most`.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { next: first, most }
    }

    /// The next wait.
    pub fn step(&mut self) -> Duration {
        let wait = self.next.mul_f64(rand::rng().random_range(0.75..1.25));
        self.next = (self.next * 2).min(self.most);
        wait
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(3))
    }
}
