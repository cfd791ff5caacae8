//! RabbitMQ as the limit: a bare publisher and a bare consumer on a quorum queue, persistent and confirmed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use hdrhistogram::Histogram;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
        QueueDeclareOptions, QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};

use super::drive;

const QUEUE: &str = "bench.raw";
/// Messages published before their confirms are awaited, as many as the relay's default.
const WINDOW: usize = 500;
const PERSISTENT: u8 = 2;

/// Publishes messages of `bytes` in windows for `span`, and answers confirmed messages a second.
pub async fn publish(url: &str, bytes: usize, span: Duration) -> Result<f64> {
    let connection = connect(url).await?;
    let channel = queue(&connection).await?;
    let payload = vec![b'x'; bytes];
    let begun = Instant::now();
    let mut confirmed = 0;
    while begun.elapsed() < span {
        let mut window = Vec::with_capacity(WINDOW);
        for _ in 0..WINDOW {
            window.push(send(&channel, &payload).await?);
        }
        for confirm in window {
            acknowledged(confirm.await?)?;
            confirmed += 1;
        }
    }
    let rate = f64::from(confirmed) / begun.elapsed().as_secs_f64();
    close(&connection, &channel).await?;
    Ok(rate)
}

/// Publishes at a constant rate and measures from when a message was due to its delivery, in microseconds.
pub async fn deliver(url: &str, rate: f64, count: u64) -> Result<Histogram<u64>> {
    let connection = connect(url).await?;
    let channel = queue(&connection).await?;
    let inbound = connection.create_channel().await?;
    inbound.basic_qos(512, BasicQosOptions::default()).await?;
    let mut deliveries = inbound
        .basic_consume(QUEUE.into(), "bench".into(), BasicConsumeOptions::default(), FieldTable::default())
        .await?;
    let start = Instant::now();
    let due = move |number: u64| start + Duration::from_secs_f64(number as f64 / rate);
    let publishing = async {
        let mut confirms = Vec::new();
        for number in 0..count {
            tokio::time::sleep_until(due(number).into()).await;
            confirms.push(send(&channel, &number.to_be_bytes()).await?);
        }
        for confirm in confirms {
            acknowledged(confirm.await?)?;
        }
        anyhow::Ok(())
    };
    let consuming = async {
        let mut micros = drive::empty()?;
        for _ in 0..count {
            let delivery = deliveries.next().await.context("the broker ended the subscription")??;
            let number = u64::from_be_bytes(delivery.data.as_slice().try_into()?);
            micros.saturating_record(due(number).elapsed().as_micros() as u64);
            delivery.ack(BasicAckOptions::default()).await?;
        }
        anyhow::Ok(micros)
    };
    let ((), micros) = tokio::try_join!(publishing, consuming)?;
    close(&connection, &channel).await?;
    Ok(micros)
}

async fn connect(url: &str) -> Result<Connection> {
    Ok(Connection::connect(url, ConnectionProperties::default()).await?)
}

/// A channel that confirms, and the queue, emptied.
async fn queue(connection: &Connection) -> Result<Channel> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(QUEUE.into(), options, arguments).await?;
    Ok(channel)
}

async fn send(channel: &Channel, payload: &[u8]) -> Result<lapin::PublisherConfirm> {
    let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
    Ok(channel
        .basic_publish("".into(), QUEUE.into(), BasicPublishOptions::default(), payload, properties)
        .await?)
}

fn acknowledged(confirmation: Confirmation) -> Result<()> {
    match confirmation {
        Confirmation::Ack(_) => Ok(()),
        other => bail!("the broker refused a message: {other:?}"),
    }
}

async fn close(connection: &Connection, channel: &Channel) -> Result<()> {
    channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
    Ok(connection.close(200, "bye".into()).await?)
}
