//! What a service waits for before it wants calls: its own schema, and a queue that keeps what it is to hear.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use trato_types::error::chain;

use crate::{
    db::{Database, migrate},
    events::Consumer,
    rpc::Condition,
};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(250);

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
            Ok(missing) if missing.is_empty() => match database.suspended.read(&database.system).await {
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

/// Holds once the queue is declared, or is known to have been: from then on no event passes the service by. A broker that is
/// away when the service starts, as when it goes away later, costs no answer.
pub(crate) async fn queue_is_there(consumer: Consumer, condition: Condition, stop: CancellationToken) {
    condition.fails("the queue of events was never declared");
    let remembered = async {
        while !matches!(consumer.was_declared().await, Ok(true)) {
            sleep(LOOK).await;
        }
    };
    let mut declared = consumer.declared();
    let declared = async { declared.wait_for(|declared| *declared).await.is_ok() };
    tokio::select! {
        () = remembered => condition.holds(),
        // The consumer at hand keeps what is waited for from ending.
        _ = declared => condition.holds(),
        () = stop.cancelled() => {}
    }
}
