//! What a service waits for before it wants calls: its own schema, and a queue that keeps what it is to hear.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use trato_types::error::chain;

use crate::{
    db::{Database, migrate},
    events::{Consumer, Standing},
    rpc::Condition,
};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(250);
/// How long the broker must be found unreachable before it is done without. One that is asked first says whether it refuses us.
const AWAY: Duration = Duration::from_secs(5);

/// Holds once no migration of this program is missing. What happens to the database later makes calls fail, it does not
/// take the process out.
pub(crate) async fn schema_is_right(
    database: Database,
    migrations: &'static [migrate::Migration],
    condition: Condition,
    stop: CancellationToken,
) {
    let mut said = String::new();
    while !stop.is_cancelled() {
        let waiting_for = match migrate::missing(&database.pool, migrations).await {
            Ok(missing) if missing.is_empty() => match database.barred.read(&database.system).await {
                Ok(()) => {
                    database.pool.warm().await;
                    return condition.holds();
                }
                Err(error) => chain(&error),
            },
            Ok(missing) => format!("migrations have not run: {}", missing.join(", ")),
            Err(error) => chain(&error),
        };
        if said != waiting_for {
            tracing::warn!("not ready yet: {waiting_for}");
            condition.fails(waiting_for.clone());
            said = waiting_for;
        }
        // Ends early at the stop.
        let _ = timeout(LOOK, stop.cancelled()).await;
    }
}

/// Holds once the queue is declared, or was declared before by a broker that cannot be reached now: from then on no event passes
/// the service by. A broker that is away when the service starts, as when it goes away later, costs no answer. One that
/// refuses the service does, for the process that this one replaces is not refused.
pub(crate) async fn queue_is_there(consumer: Consumer, condition: Condition, stop: CancellationToken) {
    let mut standing = consumer.standing();
    let mut said = String::new();
    while !stop.is_cancelled() {
        let seen = standing.borrow_and_update().clone();
        let is_pending = matches!(seen, Standing::Pending);
        let Some(waiting_for) = missing(&consumer, seen).await else { return condition.holds() };
        if said != waiting_for {
            if !is_pending {
                tracing::warn!("not ready yet: {waiting_for}");
            }
            condition.fails(waiting_for.clone());
            said = waiting_for;
        }
        tokio::select! {
            // The consumer at hand keeps what is waited for from ending.
            _ = standing.changed() => {}
            () = sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// What keeps the queue from being there; none where it is, or is known to be.
async fn missing(consumer: &Consumer, standing: Standing) -> Option<String> {
    match standing {
        Standing::Declared => None,
        Standing::Pending => Some("the broker has not answered yet".to_owned()),
        Standing::Refused(why) => Some(format!("the broker cannot be used: {why}")),
        Standing::Away { since, why } if since.elapsed() < AWAY => {
            Some(format!("the broker cannot be reached: {why}"))
        }
        Standing::Away { why, .. } => match consumer.was_declared().await {
            Ok(true) => None,
            Ok(false) => {
                Some(format!("it was never declared at this broker, which cannot be reached: {why}"))
            }
            Err(error) => Some(format!("it is not known whether it was ever declared: {}", chain(&error))),
        },
    }
}
