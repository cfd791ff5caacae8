//! The queue of a service, as far as AMQP shows it. Bindings cannot be seen that way; that events do not arrive can.

use secrecy::ExposeSecret as _;
use trato_types::error::chain;

use super::Report;
use crate::{config, events::queues};

/// Messages that wait before it is worth a word.
const MANY: u32 = 10_000;

/// Looks whether the broker answers and the queue is there.
pub async fn look(service: &str, broker: &config::Broker, report: &mut Report) {
    if broker.url.expose_secret().is_empty() {
        return report.fault("broker-not-set", "broker.url is not set", "give the broker's address");
    }
    let depth = match queues::depth(service, broker).await {
        Ok(Some(depth)) => depth,
        Ok(None) => {
            return report.fault(
                "queue-missing",
                format!("{service} has no queue, so that events pass it by"),
                "run `trato migrate`, which declares it, then `trato reconcile`",
            );
        }
        Err(error) => {
            return report.fault(
                "broker-unreachable",
                chain(&error),
                "check broker.url and the broker; events wait in the log meanwhile",
            );
        }
    };
    report.note("queue_messages", depth.messages);
    report.note("queue_consumers", depth.consumers);
    report.note("dead_messages", depth.dead);
    if depth.consumers == 0 {
        report.warn(
            "queue-without-consumer",
            format!("nobody takes the {} messages that wait for {service}", depth.messages),
            "start the service, or see in its log why it lost the broker",
        );
    } else if depth.messages > MANY {
        report.warn(
            "queue-long",
            format!("{} messages wait for {service}", depth.messages),
            "see whether the number falls; parked events and a slow database hold it up",
        );
    }
    if depth.dead > 0 {
        report.warn(
            "dead-messages",
            format!("{} messages lie in the dead queue of {service}: they have no readable headers, or ended the process again and again", depth.dead),
            "find out who publishes them, or what they end; then `trato dead-letters replay --queue` or `drop --queue`",
        );
    }
}
