//! What ends the task of a document: what makes it, by whatever way, in its own transaction; and what a caller is told of it.

use trato_platform::db::{Record, Tx};
use trato_types::{Context, Error, Result, error::chain};

use super::{
    asked::{Ask, Once, is_done},
    asking::{Asking, content, identity, keyed},
    model::{Asked, ParkedTask, State},
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

    /// The task that keeps this very request, unless that was given up: the one that is done, where there is one, though the request
    /// was repeated and failed in another way since. It is not locked.
    pub async fn kept(&self, tx: &mut Tx, subject: &str, once: &Once) -> Result<Option<ParkedTask>> {
        let own = identity(&once.asker, &once.key);
        Ok(keeping(self.parking.last(tx, subject).await?, &own))
    }
}

/// Of the tasks of a subject, the last one first, the one that keeps a request.
fn keeping(tasks: Vec<ParkedTask>, own: &Asked) -> Option<ParkedTask> {
    let is_own = |task: &ParkedTask| task.asked.as_ref().is_some_and(|asked| asked.is_repeated_by(own));
    let mut kept = None;
    for task in tasks.into_iter().filter(is_own) {
        if task.is_done() {
            return Some(task);
        }
        kept.get_or_insert(task);
    }
    kept.filter(|task| task.state != State::Dropped)
}

#[cfg(test)]
mod tests {
    use trato_types::Kind;

    use super::*;

    /// XTR-05: a request that is done stays done though it was repeated and parked once more; one that was given up is kept by nothing.
    #[test]
    fn what_is_done_is_kept_before_what_is_parked_since() {
        let now = "2026-11-30T12:00:00Z".parse().expect("an instant");
        let defect = Error::new(Kind::Internal, "INTERNAL", "no luck");
        let task = |state, request_id: &str| {
            let asked = Asked { request_id: request_id.to_owned(), ..Asked::default() };
            let task = ParkedTask::new("create-invoice-from-source", "orders/1", &defect, now);
            ParkedTask { state, asked: Some(asked), ..task }
        };
        let own = Asked { request_id: "1".to_owned(), ..Asked::default() };
        let kept = |tasks: &[(State, &str)]| {
            let tasks = tasks.iter().map(|(state, request_id)| task(*state, request_id)).collect();
            keeping(tasks, &own).map(|task| task.state)
        };

        assert_eq!(kept(&[(State::Parked, "1"), (State::Done, "1")]), Some(State::Done));
        assert_eq!(kept(&[(State::Dropped, "1"), (State::Done, "1")]), Some(State::Done));
        assert_eq!(kept(&[(State::Done, "2"), (State::Parked, "1")]), Some(State::Parked));
        assert_eq!(kept(&[(State::Dropped, "1"), (State::Parked, "2")]), None);
    }
}
