//! Messages that nobody should send, put at the broker by hand, and a look at its queues.

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use prost::Message as _;
use trato_devstack::Facts;
use trato_proto::{
    events::v1::Change,
    sales::v1::{Opportunity, OpportunityWon},
};
use uuid::Uuid;

/// The exchange that every event goes to.
const EXCHANGE: &str = "trato.events";

/// A sender of messages.
pub struct Poisoner {
    channel: Channel,
    _connection: Connection,
}

/// What a message says of itself.
#[derive(Clone, Debug)]
pub struct Poison {
    /// The event's identifier.
    pub id: Uuid,
    /// The tenant.
    pub tenant: Uuid,
    /// Type and routing key.
    pub kind: String,
    /// The aggregate.
    pub subject: String,
    /// Its revision.
    pub revision: i64,
    /// The body.
    pub payload: Vec<u8>,
}

async fn connect(facts: &Facts) -> (Connection, Channel) {
    let connection = Connection::connect(&facts.broker.url, ConnectionProperties::default()).await;
    let connection = connection.expect("the broker takes a connection");
    let channel = connection.create_channel().await.expect("and a channel");
    (connection, channel)
}

/// How many messages wait in the queue of a service.
pub async fn waiting(facts: &Facts, service: &str) -> u32 {
    count(facts, &format!("{service}.events")).await
}

/// How many messages lie in the dead queue of a service.
pub async fn dead(facts: &Facts, service: &str) -> u32 {
    count(facts, &format!("{service}.dead")).await
}

async fn count(facts: &Facts, queue: &str) -> u32 {
    let (connection, channel) = connect(facts).await;
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let found = channel.queue_declare(queue.into(), options, FieldTable::default()).await;
    let count = found.expect("the queue is there").message_count();
    connection.close(200, "done".into()).await.expect("it was open");
    count
}

impl Poisoner {
    /// Connects to the broker of a stack.
    pub async fn connect(facts: &Facts) -> Self {
        let (connection, channel) = connect(facts).await;
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("the broker confirms");
        Self { channel, _connection: connection }
    }

    /// Sends a message as the relay would, with all its headers.
    pub async fn send(&self, poison: &Poison) {
        let text = |value: String| AMQPValue::LongString(value.into());
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let mut headers = FieldTable::default();
        for (name, value) in [
            ("specversion", text("1.0".to_owned())),
            ("id", text(poison.id.to_string())),
            ("source", text("/trato/sales".to_owned())),
            ("type", text(poison.kind.clone())),
            ("subject", text(poison.subject.clone())),
            ("time", text(now.clone())),
            ("recordtime", text(now)),
            ("tenant", text(poison.tenant.to_string())),
            ("actor", text("members/poisoner".to_owned())),
            ("revision", AMQPValue::LongLongInt(poison.revision)),
            ("position", AMQPValue::LongLongInt(1)),
        ] {
            headers.insert(format!("cloudEvents_{name}").into(), value);
        }
        self.publish(&poison.kind, &poison.payload, BasicProperties::default().with_headers(headers)).await;
    }

    /// Sends a message that says nothing of itself.
    pub async fn send_without_headers(&self, kind: &str, payload: &[u8]) {
        self.publish(kind, payload, BasicProperties::default()).await;
    }

    async fn publish(&self, key: &str, payload: &[u8], properties: BasicProperties) {
        let properties = properties.with_delivery_mode(2);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let confirm =
            self.channel.basic_publish(EXCHANGE.into(), key.into(), options, payload, properties).await;
        let confirmation = confirm.expect("the broker takes it").await.expect("and confirms it");
        assert!(confirmation.is_ack() && confirmation.take_message().is_none(), "nobody listens to {key}");
    }
}

/// The payload of an opportunity won for this account.
pub fn won(subject: &str, account: &str) -> Vec<u8> {
    let opportunity = Opportunity {
        name: subject.to_owned(),
        display_name: "Poison".to_owned(),
        account: account.to_owned(),
        ..Opportunity::default()
    };
    let fact = OpportunityWon { account: account.to_owned(), ..OpportunityWon::default() };
    let change = Change {
        resource: prost_types::Any::from_msg(&opportunity).ok(),
        changed_mask: None,
        facts: prost_types::Any::from_msg(&fact).into_iter().collect(),
    };
    change.encode_to_vec()
}
