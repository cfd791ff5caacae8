//! Turns: how many calls are worked on at once, and who waits for that. Sized by the database's connections.
//!
//! Without turns calls queue for a connection in the midst of their work, anew for each statement, and what was done for
//! them is lost when one of these waits is too long: at ten times the load most of the work was for nobody. Here a call
//! waits once, before anything is done for it.

mod load;

use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use trato_types::Error;

use self::load::Load;
use super::limits::too_many_calls;
use crate::db::{self, Pool};

tokio::task_local! {
    /// The turn of the call that is being worked on.
    static TURN: Turn;
}

/// Calls for each connection of the pool: while one waits for the database, the other decodes or renders.
const CALLS_PER_CONNECTION: usize = 2;

/// Gives out turns. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    free: Arc<Semaphore>,
    load: Load,
    /// What those who have a turn wait for.
    pool: Option<Pool>,
}

/// The right to be worked on. Cheap to clone; it ends with the call.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    turns: Turns,
    permit: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Turns {
    /// Turns for the connections of a pool; one is waited for as long as a connection would be.
    pub fn of(pool: &Pool) -> Self {
        let limits = pool.limits();
        Self::make(*limits.connections.end(), limits.wait, Some(pool.clone()))
    }

    /// Turns for so many connections of no pool; `patience` is the longest wait for one.
    #[cfg(test)]
    pub(crate) fn new(connections: u32, patience: Duration) -> Self {
        Self::make(connections, patience, None)
    }

    fn make(connections: u32, patience: Duration, pool: Option<Pool>) -> Self {
        let count = usize::try_from(connections).unwrap_or(1).max(1) * CALLS_PER_CONNECTION;
        let free = Arc::new(Semaphore::new(count));
        Self(Arc::new(Inner { free, load: Load::new(patience), pool }))
    }

    /// A turn, or RESOURCE_EXHAUSTED `TOO_MANY_CALLS` when none comes in time; UNAVAILABLE while the database is away,
    /// for which those who have a turn wait.
    pub(super) async fn take(&self) -> Result<Turn, Error> {
        let Inner { free, load, pool } = &*self.0;
        // Those who wait are served first, so that whoever gets one here has overtaken nobody.
        if let Ok(permit) = Arc::clone(free).try_acquire_owned() {
            load.found();
            return Ok(self.turn(permit));
        }
        if let Some(waiting) = load.wait() {
            let mut permit = pin!(Arc::clone(free).acquire_owned());
            while let Some(time) = waiting.next() {
                if let Ok(Ok(permit)) = timeout(time, &mut permit).await {
                    waiting.served();
                    return Ok(self.turn(permit));
                }
            }
        }
        let is_away = pool.as_ref().is_some_and(Pool::is_away);
        Err(if is_away { db::away() } else { too_many_calls().retry_after(load.patience()) })
    }

    fn turn(&self, permit: OwnedSemaphorePermit) -> Turn {
        Turn { turns: self.clone(), permit: Arc::new(Mutex::new(Some(permit))) }
    }
}

impl Turn {
    /// Does the work of the call that has this turn.
    pub(super) async fn work<T>(self, work: impl Future<Output = T>) -> T {
        TURN.scope(self, work).await
    }

    fn permit(&self) -> std::sync::MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for another service, and lets another call work meanwhile: a neighbour that is slow or down must not take the
/// turns of calls that do not need it.
pub async fn elsewhere<T>(question: impl Future<Output = T>) -> T {
    let Ok(turn) = TURN.try_with(Turn::clone) else { return question.await };
    drop(turn.permit().take());
    let answer = question.await;
    // The call's own deadline ends this wait; what was done for it is not given up sooner.
    if let Ok(permit) = Arc::clone(&turn.turns.0.free).acquire_owned().await {
        *turn.permit() = Some(permit);
    }
    answer
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use trato_types::Kind;

    use super::*;
    use crate::db::Limits;

    #[tokio::test]
    async fn whoever_gets_no_turn_is_told_so_and_when_to_come_back() {
        let turns = Turns::new(1, Duration::from_millis(10));
        let _held = (turns.take().await.expect("free"), turns.take().await.expect("free"));

        let refused = turns.take().await.expect_err("none comes free");

        assert_eq!((refused.kind(), refused.reason()), (Kind::Exhausted, "TOO_MANY_CALLS"));
        assert!(refused.retry_delay().is_some());
    }

    #[tokio::test]
    async fn while_the_database_is_away_nobody_is_told_that_there_are_too_many() {
        let pool = Pool::open(
            "postgres://nobody@127.0.0.1:1/none".parse().expect("an address"),
            Limits { connections: 0..=1, wait: Duration::from_millis(10), patience: Duration::from_secs(60) },
        );
        let turns = Turns::of(&pool);
        let _held = (turns.take().await.expect("free"), turns.take().await.expect("free"));
        let reason = async || turns.take().await.expect_err("none comes free").reason();
        assert_eq!(reason().await, "TOO_MANY_CALLS");

        let lost = pool.heard::<()>(Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()));
        assert!(lost.is_err());
        assert_eq!(reason().await, "DATABASE_UNAVAILABLE");

        assert!(pool.heard(Ok(())).is_ok());
        assert_eq!(reason().await, "TOO_MANY_CALLS");
    }

    #[tokio::test]
    async fn turns_are_given_in_the_order_in_which_they_were_asked_for() {
        let turns = Turns::new(1, Duration::from_secs(60));
        let held = (turns.take().await.expect("free"), turns.take().await.expect("free"));
        let mut first = Box::pin(turns.take());
        let mut second = Box::pin(turns.take());
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());

        drop(held.0);

        assert!((&mut second).now_or_never().is_none());
        assert!(matches!((&mut first).now_or_never(), Some(Ok(_))));
    }

    #[tokio::test]
    async fn whoever_waits_for_another_service_lets_others_work() {
        let turns = Turns::new(1, Duration::from_secs(60));
        let other = turns.take().await.expect("free");
        let own = turns.take().await.expect("free");

        own.work(async {
            assert!(turns.take().now_or_never().is_none(), "both turns are taken");
            elsewhere(async {
                assert!(matches!(turns.take().now_or_never(), Some(Ok(_))), "one is free meanwhile");
            })
            .await;
            assert!(turns.take().now_or_never().is_none(), "it was taken again");
        })
        .await;

        assert!(turns.take().now_or_never().is_some(), "it ended with the call");
        drop(other);
    }

    #[tokio::test]
    async fn a_question_outside_of_any_call_is_just_asked() {
        assert_eq!(elsewhere(async { 7 }).await, 7);
    }
}
