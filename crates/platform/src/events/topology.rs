//! What stands at the broker: one exchange of events for the suite, one queue and one dead queue for each service.
//!
//! Events are published without `mandatory`. That nobody listens to a type is legal and common, a lost queue beside a
//! living one would go unnoticed, and each returned message would come back whole. Instead each service declares its
//! durable queue before it is ready for the first time and checks it at every connection: one that is gone although
//! events came through it before is an error with the time to replay from. The log still has everything.

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use super::{broker::BrokerError, event::Subscription};

/// Topic exchange that every event goes to; the routing key is the event's type.
pub const EXCHANGE: &str = "trato.events";
/// Direct exchange of messages that no consumer can take; the routing key is the dead queue's name.
pub const DEAD_EXCHANGE: &str = "trato.dead";

/// Redeliveries after which the broker itself moves a message to the dead queue. It is only the last brake, for a
/// message that ends the process each time: failing handlers park, and do not redeliver. It is high because in
/// RabbitMQ 3.10 a lost connection counts for every message in flight.
const DELIVERY_LIMIT: i64 = 1_000;

/// The queue of a service.
pub fn queue(service: &str) -> String {
    format!("{service}.events")
}

/// The queue of messages that a service could not take.
pub fn dead_queue(service: &str) -> String {
    format!("{service}.dead")
}

/// Declares the exchange of events: all that a publisher needs.
pub(super) async fn declare_exchange(channel: &Channel) -> Result<(), BrokerError> {
    exchange(channel, EXCHANGE, ExchangeKind::Topic).await
}

/// Declares exchanges, queue and dead queue of a service and binds what its consumers listen to. Repeatable. The
/// arguments of the queues are part of their identity at the broker: to change them is a migration.
pub(super) async fn declare(
    channel: &Channel,
    service: &str,
    subscriptions: &[Subscription],
) -> Result<(), BrokerError> {
    declare_exchange(channel).await?;
    exchange(channel, DEAD_EXCHANGE, ExchangeKind::Direct).await?;

    let dead = dead_queue(service);
    declare_queue(channel, &dead, FieldTable::default()).await?;
    bind(channel, &dead, DEAD_EXCHANGE, &dead).await?;

    let queue = queue(service);
    let mut arguments = FieldTable::default();
    arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERY_LIMIT));
    arguments.insert("x-dead-letter-exchange".into(), text(DEAD_EXCHANGE));
    arguments.insert("x-dead-letter-routing-key".into(), text(&dead));
    // At least once needs reject-publish, which has no effect without a length limit, and there is none.
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    declare_queue(channel, &queue, arguments).await?;
    for kind in subscriptions.iter().flat_map(|subscription| subscription.types) {
        bind(channel, &queue, EXCHANGE, kind).await?;
    }
    Ok(())
}

async fn exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> Result<(), BrokerError> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    Ok(channel.exchange_declare(name.into(), kind, options, FieldTable::default()).await?)
}

async fn declare_queue(channel: &Channel, name: &str, mut arguments: FieldTable) -> Result<(), BrokerError> {
    arguments.insert("x-queue-type".into(), text("quorum"));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), options, arguments).await?;
    Ok(())
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), BrokerError> {
    Ok(channel
        .queue_bind(
            queue.into(),
            exchange.into(),
            key.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await?)
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
