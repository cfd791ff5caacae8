//! What ends the task of a document: what makes it, by whatever way, in its own transaction; and what a caller is told of it.

use trato_platform::db::{Record, Tx};
use trato_types::{Context, Error, Result, error::chain};

use super::{
    asked::{Ask, Once, is_done},
    asking::{Asking, content, identity, keyed},
    model::{ParkedTask, State},
};

impl<R: Ask> Asking<R> {
    /// Ends the task of a document that somebody has made by another way, as this call was told, where that is all that was parked;
    /// unless it was tried since this call began: what this call has seen is older than what is parked. What a request of parts is
    /// told says something of its own task only.
    pub(super) async fn end(&self, cx: &Context, request: &R, told: &Error) -> Result<()> {
        let own = identity(cx, &keyed(request)?.1);
        let subject = request.subject();
        let mut tx = self.parking.begin(cx, subject).await?;
        let latest = self.parking.latest(&mut tx, vec![subject]).await?;
        let parked = latest.into_values().filter(|task| task.value.state == State::Parked);
        let mut done = Vec::new();
        for task in parked.filter(|task| task.value.last_try_time < cx.now) {
            let is_own = task.value.asked.as_ref().is_some_and(|asked| asked.is_repeated_by(&own));
            if (is_own || request.takes_all()) && is_done(told, &content::<R>(&task.value)?) {
                done.push(task);
            }
        }
        self.parking.note_done(&mut tx, done).await?;
        tx.commit().await
    }

    /// Ends the task of the document, if one is parked that this request has done, in its transaction, which has locked what it
    /// invoices or credits, and no books or numbers yet. True where one stays parked.
    pub async fn note_made(&self, tx: &mut Tx, request: &R) -> Result<bool> {
        match self.take(tx, request.subject()).await? {
            Some((task, parked)) if request.covers(&parked) => {
                self.note_done(tx, task).await?;
                Ok(false)
            }
            left => Ok(left.is_some()),
        }
    }

    /// The task of a document, if one is parked, with its request; locked, and nobody else parks or ends it. Taken where `note_made`
    /// is. One whose request cannot be read any more is left alone, and in nobody's way.
    pub async fn take(&self, tx: &mut Tx, subject: &str) -> Result<Option<(Record<ParkedTask>, R)>> {
        self.parking.take_turn(tx, subject).await?;
        let latest = self.parking.latest(tx, vec![subject]).await?;
        let parked = latest.into_values().find(|task| task.value.state == State::Parked);
        let Some(task) = parked else { return Ok(None) };
        match content(&task.value) {
            Ok(request) => Ok(Some((task, request))),
            Err(error) => {
                self.leave(tx, &task, &error);
                Ok(None)
            }
        }
    }

    /// Logs that a task stays parked, since what was asked for says no more whether it is done: who makes or issues a document must
    /// not be refused for that.
    pub fn leave(&self, tx: &Tx, task: &Record<ParkedTask>, error: &Error) {
        let (kind, tenant, task) = (R::KIND, tx.cx().tenant, task.name());
        tracing::error!(kind, %tenant, task, error = %chain(error), "the request of {task} cannot be read; it stays parked");
    }

    /// Ends a task that was taken.
    pub async fn note_done(&self, tx: &mut Tx, task: Record<ParkedTask>) -> Result<()> {
        self.parking.note_done(tx, vec![task]).await
    }

    /// The task that keeps this very request, be it done, unless that was given up. It is not locked.
    pub async fn kept(&self, tx: &mut Tx, subject: &str, once: &Once) -> Result<Option<ParkedTask>> {
        let own = identity(&once.asker, &once.key);
        let tasks = self.parking.last(tx, subject).await?;
        let is_own = |task: &ParkedTask| task.asked.as_ref().is_some_and(|asked| asked.is_repeated_by(&own));
        Ok(tasks.into_iter().find(is_own).filter(|task| task.state != State::Dropped))
    }
}
