//! The operator's replays: the log once more to one service, a read model made anew, dead messages put back.

use std::collections::HashSet;

use lapin::{
    BasicProperties, Channel, Confirmation,
    options::{BasicAckOptions, BasicGetOptions, BasicPublishOptions},
    types::FieldTable,
};
use sqlx::AssertSqlSafe;
use tracing::info;
use trato_types::{Context, Error, Kind, Result};
use uuid::Uuid;

use super::{
    broker::{self, BrokerError},
    event::Subscription,
    headers,
    log::{self, Filter, Logged},
    processor::Processor,
    publisher, relay, topology,
};
use crate::{
    config,
    db::{Database, Tx, from_sqlx},
};

/// Which part of the log is sent again, and to whom.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// The service whose queue gets it.
    pub to: String,
    /// From this position on.
    pub from_position: i64,
    /// Only what this lets through.
    pub filter: Filter,
    /// Only these events: what a consumer lacks, however it came to lack it.
    pub only: Option<HashSet<Uuid>>,
}

/// Sends part of the log to one service's queue again, in order, under the same identifiers: a consumer that had an
/// event recognises it. Ends at the position numbered when it began. Tells how many were sent whenever the broker has
/// confirmed some more, and answers how many there were.
pub async fn replay(
    service: &str,
    database: &Database,
    broker: &config::Broker,
    replay: &Replay,
    mut told: impl FnMut(u64) -> Result<()>,
) -> Result<u64> {
    let lease: Option<(i64, i64)> =
        sqlx::query_as("select numbered, published from platform.lease where name = $1")
            .bind(relay::LEASE)
            .fetch_optional(&database.system)
            .await
            .map_err(from_sqlx)?;
    let (numbered, published) = lease.unwrap_or_default();
    let connection =
        broker::connect(broker, &format!("{service} replay")).await.map_err(broker::unavailable)?;
    let channel = broker::confirming_channel(&connection).await.map_err(broker::unavailable)?;
    let queue = topology::queue(&replay.to);
    // What is not known to be published goes along, and whole: the relay may have sent it without having noted so, or
    // may yet send it, and no later event of an aggregate must come before an earlier one.
    let mut position = replay.from_position.max(1) - 1;
    if replay.only.is_none() {
        position = position.min(published);
    }
    let mut sent = 0;
    loop {
        let rows = log::read_filtered(&database.system, &replay.filter, position, numbered)
            .await
            .map_err(from_sqlx)?;
        let Some(last) = rows.last() else { break };
        position = last.position;
        let wanted = |row: &&Logged| {
            let listed = replay.only.as_ref().is_none_or(|only| only.contains(&row.id));
            listed && replay.filter.matches_type(&row.kind)
        };
        let wanted: Vec<&Logged> = rows.iter().filter(wanted).collect();
        send(&channel, &queue, service, &wanted).await.map_err(broker::unavailable)?;
        sent += wanted.len() as u64;
        told(sent)?;
        info!(position, sent, "replayed events to {queue}");
    }
    broker::close(&connection).await;
    Ok(sent)
}

async fn send(channel: &Channel, queue: &str, service: &str, rows: &[&Logged]) -> Result<(), BrokerError> {
    let mut confirms = Vec::with_capacity(rows.len());
    for row in rows {
        // The default exchange routes by queue name, so that no other service is bothered.
        confirms.push(publisher::publish(channel, "", queue, row, service, true).await?);
    }
    for confirm in confirms {
        taken(confirm.await?, queue)?;
    }
    Ok(())
}

fn taken(confirmation: Confirmation, queue: &str) -> Result<(), BrokerError> {
    match confirmation {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(_)) => Err(BrokerError::NoQueue(queue.to_owned())),
        Confirmation::Nack(_) | Confirmation::NotRequested => Err(BrokerError::Refused),
    }
}

/// Forgets what a consumer did, so that a replay makes its read model again: empties its tables and its inbox, one
/// tenant at a time. Answers the number of tenants. Then replay from every service that it listens to.
pub async fn forget(processor: &Processor, consumer: &str) -> Result<usize> {
    let subscription = subscription_of(processor, consumer)?;
    let database = processor.database();
    let tenants = "select distinct tenant_id from platform.inbox where consumer = $1 order by tenant_id";
    let tenants: Vec<Uuid> =
        sqlx::query_scalar(tenants).bind(consumer).fetch_all(&database.system).await.map_err(from_sqlx)?;
    for tenant in &tenants {
        let cx = Context::of_system(*tenant, consumer, super::now());
        let mut tx = Tx::of(database, &cx).await?;
        empty_tables(&mut tx, subscription, *tenant).await?;
        sqlx::query("delete from platform.inbox where tenant_id = $1 and consumer = $2")
            .bind(tenant)
            .bind(consumer)
            .execute(tx.connection())
            .await
            .map_err(from_sqlx)?;
        tx.commit().await?;
    }
    Ok(tenants.len())
}

/// Empties a tenant's part of a consumer's read model.
pub(super) async fn empty_tables(tx: &mut Tx, subscription: &Subscription, tenant: Uuid) -> Result<()> {
    for table in subscription.tables {
        // The name is a constant of the service; row-level security and the predicate keep to the tenant.
        sqlx::query(AssertSqlSafe(format!("delete from {table} where tenant_id = $1")))
            .bind(tenant)
            .execute(tx.connection())
            .await
            .map_err(from_sqlx)?;
    }
    Ok(())
}

/// A consumer that keeps a read model and does nothing else.
pub(super) fn subscription_of<'a>(processor: &'a Processor, consumer: &str) -> Result<&'a Subscription> {
    let known = processor.subscriptions().iter().find(|known| known.consumer == consumer);
    let subscription = known.ok_or_else(|| {
        Error::new(Kind::NotFound, "UNKNOWN_CONSUMER", "the service has no such consumer")
            .with("consumer", consumer)
    })?;
    if subscription.tables.is_empty() {
        let message = "the consumer does more than keep tables; its effect cannot be made again";
        return Err(Error::new(Kind::Precondition, "NOT_A_PROJECTION", message).with("consumer", consumer));
    }
    Ok(subscription)
}

/// Puts the messages of a service's dead queue back into its queue, at most `limit`; answers how many. Later events of
/// the same aggregate were handled meanwhile: order does not hold for these.
pub async fn replay_dead(service: &str, broker: &config::Broker, limit: u64) -> Result<u64> {
    put_back(service, broker, limit).await.map_err(broker::unavailable)
}

async fn put_back(service: &str, broker: &config::Broker, limit: u64) -> Result<u64, BrokerError> {
    let connection = broker::connect(broker, &format!("{service} replay")).await?;
    let channel = broker::confirming_channel(&connection).await?;
    let (from, to) = (topology::dead_queue(service), topology::queue(service));
    let mut moved = 0;
    while moved < limit {
        let Some(message) = channel.basic_get(from.as_str().into(), BasicGetOptions::default()).await? else {
            break;
        };
        let properties = without_death(&message.properties);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let confirm =
            channel.basic_publish("".into(), to.as_str().into(), options, &message.data, properties).await?;
        taken(confirm.await?, &to)?;
        // Only now: a crash in between leaves it in both queues, and its second delivery is recognised.
        message.ack(BasicAckOptions::default()).await?;
        moved += 1;
    }
    broker::close(&connection).await;
    Ok(moved)
}

/// The properties as they were before the message was given up.
fn without_death(properties: &BasicProperties) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in properties.headers().iter().flat_map(|headers| headers.inner()) {
        let of_death = name.as_str() == headers::REASON || name.as_str().starts_with("x-");
        if !of_death {
            headers.insert(name.clone(), value.clone());
        }
    }
    properties.clone().with_headers(headers).with_delivery_mode(headers::PERSISTENT)
}
