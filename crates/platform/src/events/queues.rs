//! A look at a service's queues, and the two ways to empty one.

use lapin::{
    Connection,
    options::{QueueDeclareOptions, QueuePurgeOptions},
    protocol::{AMQPErrorKind, AMQPSoftError},
    types::FieldTable,
};
use serde::Serialize;
use trato_types::Result;

use super::{
    broker::{self, BrokerError},
    topology,
};
use crate::config;

/// What waits at the broker for one service.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Depth {
    /// Messages of the queue that no consumer has in hand.
    pub messages: u32,
    /// Consumers of the queue.
    pub consumers: u32,
    /// Messages of the dead queue.
    pub dead: u32,
}

impl Depth {
    /// A sentence for people.
    pub fn text(&self) -> String {
        let Self { messages, consumers, dead } = self;
        format!("{messages} messages wait for {consumers} consumers, {dead} are in the dead queue\n")
    }
}

/// What waits for a service; none where its queue or its dead queue is missing.
pub async fn depth(service: &str, broker: &config::Broker) -> Result<Option<Depth>> {
    let look = async {
        let connection = broker::connect(broker, &format!("{service} look")).await?;
        let queue = count(&connection, &topology::queue(service)).await?;
        let dead = count(&connection, &topology::dead_queue(service)).await?;
        broker::close(&connection).await;
        Ok(queue.zip(dead).map(|((messages, consumers), (dead, _))| Depth { messages, consumers, dead }))
    };
    look.await.map_err(broker::unavailable)
}

/// Empties the queue of a service; answers how many messages it held. What a consumer has in hand stays there.
pub async fn purge(service: &str, broker: &config::Broker) -> Result<u32> {
    empty(service, &topology::queue(service), broker).await
}

/// Empties the dead queue of a service; answers how many messages it held.
pub async fn purge_dead(service: &str, broker: &config::Broker) -> Result<u32> {
    empty(service, &topology::dead_queue(service), broker).await
}

async fn empty(service: &str, queue: &str, broker: &config::Broker) -> Result<u32> {
    let work = async {
        let connection = broker::connect(broker, &format!("{service} purge")).await?;
        let channel = connection.create_channel().await?;
        let purged = channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await?;
        broker::close(&connection).await;
        Ok::<_, BrokerError>(purged)
    };
    work.await.map_err(broker::unavailable)
}

/// Messages and consumers of a queue; none when it is missing.
pub(super) async fn count(connection: &Connection, queue: &str) -> Result<Option<(u32, u32)>, BrokerError> {
    // On a channel of its own, which the broker closes when there is no such queue.
    let channel = connection.create_channel().await?;
    let options = QueueDeclareOptions { passive: true, durable: true, ..QueueDeclareOptions::default() };
    match channel.queue_declare(queue.into(), options, FieldTable::default()).await {
        Ok(found) => {
            channel.close(200, "found".into()).await?;
            Ok(Some((found.message_count(), found.consumer_count())))
        }
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_missing(error: &lapin::Error) -> bool {
    matches!(error.kind(), lapin::ErrorKind::ProtocolError(error)
        if *error.kind() == AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND))
}
