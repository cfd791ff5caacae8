//! The consumer: what is in the service's queue goes to its handlers in batches, and is acknowledged once it is settled.

use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection,
    message::Delivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;
use trato_types::{Timestamp, error::chain};

use super::{
    broker::{self, Backoff, BrokerError},
    declared,
    event::{Incoming, Subscription},
    headers,
    processor::Processor,
    queues,
    standing::Standing,
    topology,
};
use crate::{config, telemetry::metrics::metrics};

/// Time between two looks at how much waits in the queues.
const LOOK: Duration = Duration::from_secs(10);
/// Longest wait for a broker to declare the queue. One that lacks the majority of its nodes takes connections, and no more.
const DECLARING: Duration = Duration::from_secs(30);

/// Brings the deliveries of a service's queue to its processor.
#[derive(Clone, Debug)]
pub struct Consumer {
    service: &'static str,
    broker: config::Broker,
    processor: Processor,
    standing: watch::Sender<Standing>,
}

impl Consumer {
    /// The consumer of a service.
    pub fn new(service: &'static str, processor: Processor, broker: &config::Broker) -> Self {
        Self { service, broker: broker.clone(), processor, standing: watch::Sender::new(Standing::Pending) }
    }

    /// Whether this process found or made the service's queue, and if not, why.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Whether the queue was declared before at this broker, with all that is bound to it now: by `migrate`, or by a process of
    /// this service.
    pub(crate) async fn was_declared(&self) -> trato_types::Result<bool> {
        let system = &self.processor.database().system;
        declared::is_remembered(system, &self.broker, self.service, self.processor.subscriptions()).await
    }

    /// Runs until `shutdown`; the batch in hand is still settled and acknowledged.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut backoff: Option<Backoff> = None;
        metrics().consumer_connected(false);
        while !shutdown.is_cancelled() {
            let started = Instant::now();
            let outcome = self.consume(&shutdown).await;
            metrics().consumer_connected(false);
            if let Err(error) = outcome {
                self.standing.send_modify(|standing| standing.fail(&error, started));
                // It got further than to a broker that is still away.
                if started.elapsed() > Duration::from_secs(10) {
                    backoff = None;
                }
                if backoff.is_none() {
                    tracing::warn!(error = %error, "the consumer lost the broker; it connects again");
                }
                // Ends early at shutdown.
                let _ = timeout(backoff.get_or_insert_default().step(), shutdown.cancelled()).await;
            }
        }
    }

    async fn consume(&self, shutdown: &CancellationToken) -> Result<(), BrokerError> {
        let connection = broker::connect(&self.broker, &format!("{} consumer", self.service)).await?;
        self.look_for_queue(&connection).await?;
        let channel = connection.create_channel().await?;
        let declaring = topology::declare(&channel, self.service, self.processor.subscriptions());
        timeout(DECLARING, declaring).await.map_err(|_| BrokerError::Silent)??;
        self.standing.send_replace(Standing::Declared);
        self.remember().await;
        channel.basic_qos(self.broker.prefetch, BasicQosOptions::default()).await?;
        let queue = topology::queue(self.service);
        let options = BasicConsumeOptions::default();
        let mut deliveries =
            channel.basic_consume(queue.as_str().into(), "".into(), options, FieldTable::default()).await?;
        tracing::info!(queue, "consuming events");
        metrics().consumer_connected(true);
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let first = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                _ = looks.tick(), if metrics().is_enabled() => {
                    self.measure(&connection).await?;
                    continue;
                }
                delivery = deliveries.next() => delivery.ok_or(BrokerError::Cancelled)??,
            };
            let mut batch = vec![first];
            let most = self.broker.batch.min(usize::from(self.broker.prefetch));
            // Only what is here already: to wait for more would delay what came.
            while batch.len() < most {
                match deliveries.next().now_or_never() {
                    Some(Some(delivery)) => batch.push(delivery?),
                    _ => break,
                }
            }
            metrics().consumed(&queue, batch.len());
            if !self.settle(&connection, &channel, batch, shutdown).await? {
                break;
            }
        }
        // What is prefetched goes back to the queue in its order.
        channel.basic_cancel(deliveries.tag(), BasicCancelOptions::default()).await?;
        broker::close(&connection).await;
        Ok(())
    }

    /// Settles a batch and acknowledges it; false when the process ends before.
    async fn settle(
        &self,
        connection: &Connection,
        channel: &Channel,
        batch: Vec<Delivery>,
        shutdown: &CancellationToken,
    ) -> Result<bool, BrokerError> {
        let last = batch.last().map_or(0, |delivery| delivery.delivery_tag);
        let mut events: Vec<Incoming> = Vec::with_capacity(batch.len());
        for mut delivery in batch {
            let payload = std::mem::take(&mut delivery.data);
            match headers::read(&delivery.properties, payload) {
                Ok(event) => events.push(event),
                Err(fault) => {
                    let (reason, payload) = (fault.to_string(), fault.payload);
                    tracing::error!(
                        reason,
                        "a message went to the dead queue {}",
                        topology::dead_queue(self.service)
                    );
                    bury(connection, self.service, delivery.properties, payload, &reason).await?;
                }
            }
        }
        if self.processor.process(&events, shutdown).await.is_err() {
            return Ok(false);
        }
        channel.basic_ack(last, BasicAckOptions { multiple: true }).await?;
        Ok(true)
    }

    /// Tells metrics how much waits in the service's queues. One that is gone is declared by the next connection.
    async fn measure(&self, connection: &Connection) -> Result<(), BrokerError> {
        let channel = connection.create_channel().await?;
        for queue in [topology::queue(self.service), topology::dead_queue(self.service)] {
            let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let declared =
                channel.queue_declare(queue.as_str().into(), options, FieldTable::default()).await?;
            metrics().queue(&queue, declared.message_count());
        }
        Ok(channel.close(200, "looked".into()).await?)
    }

    /// Lets the next process start without the broker.
    async fn remember(&self) {
        let system = &self.processor.database().system;
        let subscriptions = self.processor.subscriptions();
        let remembered = declared::remember(system, &self.broker, self.service, subscriptions).await;
        if let Err(error) = remembered {
            tracing::warn!(error = %chain(&error), "it is not remembered that the queue is declared");
        }
    }

    /// Says so when the queue is gone although events came through it before: some may have passed by.
    async fn look_for_queue(&self, connection: &Connection) -> Result<(), BrokerError> {
        let last = "select max(create_time) from platform.inbox where state in ('DONE', 'DROPPED')";
        let last: Option<Timestamp> =
            match sqlx::query_scalar(last).fetch_one(&self.processor.database().system).await {
                Ok(last) => last,
                Err(error) => {
                    tracing::warn!(error = %error, "without the database the queue was not looked for");
                    None
                }
            };
        let Some(last) = last else { return Ok(()) };
        let queue = topology::queue(self.service);
        if queues::count(connection, &queue).await?.is_none() {
            tracing::error!(
                queue,
                since = %last,
                "the queue {queue} was gone: replay what was recorded since {last} from the services that publish to it"
            );
        }
        Ok(())
    }
}

/// Puts a message into the dead queue with the reason, and waits until the broker has it.
async fn bury(
    connection: &Connection,
    service: &str,
    properties: BasicProperties,
    payload: Vec<u8>,
    reason: &str,
) -> Result<(), BrokerError> {
    let mut headers = properties.headers().clone().unwrap_or_default();
    headers.insert(headers::REASON.into(), AMQPValue::LongString(reason.into()));
    let properties = properties.with_headers(headers).with_delivery_mode(headers::PERSISTENT);
    let channel = broker::confirming_channel(connection).await?;
    let key = topology::dead_queue(service);
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let confirm = channel
        .basic_publish(topology::DEAD_EXCHANGE.into(), key.as_str().into(), options, &payload, properties)
        .await?;
    match confirm.await? {
        Confirmation::Ack(None) => Ok(channel.close(200, "buried".into()).await?),
        Confirmation::Ack(Some(_)) => Err(BrokerError::NoQueue(key)),
        Confirmation::Nack(_) | Confirmation::NotRequested => Err(BrokerError::Refused),
    }
}

/// Declares a service's queue and bindings, so that events published before its first start wait for it. Repeatable;
/// `migrate` does it.
pub async fn declare(
    service: &str,
    subscriptions: &[Subscription],
    broker: &config::Broker,
) -> trato_types::Result<()> {
    let declared = async {
        let connection = broker::connect(broker, &format!("{service} topology")).await?;
        let channel = connection.create_channel().await?;
        topology::declare(&channel, service, subscriptions).await?;
        broker::close(&connection).await;
        Ok::<_, BrokerError>(())
    };
    declared.await.map_err(broker::unavailable)
}
