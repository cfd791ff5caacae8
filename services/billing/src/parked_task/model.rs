//! A parked task and its verbs. PARKED becomes DONE or DROPPED; nothing leads back.

use trato_types::{DomainError, Error, Kind, Result, Timestamp, error::LONGEST_MESSAGE, id::Collection};

use crate::{bank_statement::BankEntry, fields::reason};

/// Something that billing could not do on its own.
#[derive(Clone, Debug, PartialEq)]
pub struct ParkedTask {
    /// Name of the job, or of the call.
    pub kind: String,
    /// Name of what it was for.
    pub subject: String,
    /// Where it is in its life.
    pub state: State,
    /// Stable reason of the last failure.
    pub reason: String,
    /// Sentence about it.
    pub message: String,
    /// When it first failed.
    pub first_try_time: Timestamp,
    /// When it was last tried.
    pub last_try_time: Timestamp,
    /// How often it was tried.
    pub try_count: i32,
    /// Why it was given up; empty unless it was.
    pub drop_reason: String,
    /// The entry of a bank statement that it is for; none of other kinds.
    pub bank_entry: Option<BankEntry>,
    /// What a caller asked for, without its content once it is over: that says more of people than needs to be kept. None of what no
    /// caller did, whose subject or entry says all that it takes to try it.
    pub asked: Option<Asked>,
}

/// A request that was made, and by whom. It is stored as protobuf.
#[derive(Clone, Eq, PartialEq, prost::Message)]
pub struct Asked {
    /// Who asked, as request ids are kept by: `members/{subject}`.
    #[prost(string, tag = "1")]
    pub asker: String,
    /// Identifier of the request.
    #[prost(string, tag = "2")]
    pub request_id: String,
    /// The request without its identifier; nothing once it is done or given up.
    #[prost(bytes = "vec", tag = "3")]
    pub content: Vec<u8>,
}

impl Asked {
    /// True where both are one request, as request ids tell it.
    pub fn is_repeated_by(&self, other: &Self) -> bool {
        (&self.asker, &self.request_id) == (&other.asker, &other.request_id)
    }
}

impl Collection for ParkedTask {
    const COLLECTION: &'static str = "parkedTasks";
}

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It waits for somebody.
    Parked,
    /// It was done after all.
    Done,
    /// It was given up.
    Dropped,
}

impl ParkedTask {
    /// A task that has just failed for the first time.
    pub fn new(kind: &str, subject: &str, error: &Error, now: Timestamp) -> Self {
        Self {
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            state: State::Parked,
            reason: error.reason().to_owned(),
            message: sentence(error),
            first_try_time: now,
            last_try_time: now,
            try_count: 1,
            drop_reason: String::new(),
            bank_entry: None,
            asked: None,
        }
    }

    /// Notes that it failed again.
    pub fn fail(&mut self, error: &Error, now: Timestamp) -> Result<()> {
        self.require_parked()?;
        self.reason = error.reason().to_owned();
        self.message = sentence(error);
        self.tried(now);
        Ok(())
    }

    /// Notes that it is done, or that nothing is left to do. Of what was asked for stays only by what it is told from another
    /// request: who repeats it must not have it twice.
    pub fn finish(&mut self, now: Timestamp) -> Result<()> {
        self.require_parked()?;
        self.state = State::Done;
        self.forget_content();
        self.tried(now);
        Ok(())
    }

    /// Gives it up. Of what was asked for stays what stays of one that is done.
    pub fn drop_for(&mut self, why: &str) -> Result<()> {
        let why = reason("reason", why)?;
        self.require_parked()?;
        self.state = State::Dropped;
        self.drop_reason = why;
        self.forget_content();
        Ok(())
    }

    /// FAILED_PRECONDITION `TASK_NOT_PARKED` unless it waits.
    pub fn require_parked(&self) -> Result<()> {
        if self.state == State::Parked { Ok(()) } else { Err(TaskError::NotParked.into()) }
    }

    /// True for one that is done.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// True for one that was given up, and fails again as it did then: nobody wants to hear of it once more. Never for a defect:
    /// all of them have one reason, and this may be another.
    pub fn is_given_up_for(&self, error: &Error) -> bool {
        self.state == State::Dropped && error.kind() != Kind::Internal && self.reason == error.reason()
    }

    /// True for one that is parked for this reason, and was last noted less than a day ago: that it failed again is no news.
    pub fn is_known_for(&self, error: &Error, now: Timestamp) -> bool {
        let age = now - self.last_try_time;
        self.state == State::Parked && self.reason == error.reason() && age < chrono::Duration::days(1)
    }

    /// True where this request is not the one that was parked: who asks once more wants an answer of its own.
    pub fn is_asked_anew(&self, asked: Option<&Asked>) -> bool {
        let parked = self.asked.as_ref();
        asked.is_some_and(|asked| !parked.is_some_and(|parked| parked.is_repeated_by(asked)))
    }

    /// True where it is parked for another request by now than when it was tried.
    pub fn is_for_another_than(&self, tried: &Self) -> bool {
        self.state == State::Parked && self.asked != tried.asked
    }

    fn forget_content(&mut self) {
        if let Some(asked) = &mut self.asked {
            asked.content.clear();
        }
    }

    fn tried(&mut self, now: Timestamp) {
        self.last_try_time = self.last_try_time.max(now);
        self.try_count = self.try_count.saturating_add(1);
    }
}

fn sentence(error: &Error) -> String {
    let mut text = error.to_string();
    text.truncate(text.floor_char_boundary(LONGEST_MESSAGE));
    text
}

/// Why a verb on a parked task is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TaskError {
    /// It is done or dropped.
    #[error("the task is done or dropped")]
    NotParked,
}

impl DomainError for TaskError {
    fn kind(&self) -> Kind {
        Kind::Precondition
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::NotParked => "TASK_NOT_PARKED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XTR-05: a task that is parked fails again, is done or is dropped; one that is done or dropped stays so.
    #[test]
    fn a_task_is_parked_until_it_is_done_or_dropped() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let gone = Error::new(Kind::Precondition, "ACCOUNT_DELETED", "the account is deleted");
        let closed = Error::new(Kind::Precondition, "PERIOD_CLOSED", "the books are closed");
        let mut task = ParkedTask::new("run-dunning", "accounts/1", &gone, at("2026-11-30T12:00:00Z"));
        task.fail(&closed, at("2026-11-30T13:00:00Z")).expect("it is parked");
        assert_eq!((task.reason.as_str(), task.try_count), ("PERIOD_CLOSED", 2));

        let (mut done, mut dropped) = (task.clone(), task);
        done.finish(at("2026-11-30T11:00:00Z")).expect("it is parked");
        assert_eq!((done.try_count, done.last_try_time), (3, at("2026-11-30T13:00:00Z")));
        assert!(dropped.drop_for("").is_err(), "without a reason nothing is given up");
        dropped.drop_for("Settled by hand").expect("it is parked");
        assert!(dropped.is_given_up_for(&closed) && !dropped.is_given_up_for(&gone));

        let defect = Error::internal("no luck");
        let mut broken = ParkedTask::new("run-dunning", "accounts/1", &defect, at("2026-11-30T12:00:00Z"));
        broken.drop_for("It never worked").expect("it is parked");
        assert!(!broken.is_given_up_for(&defect), "it may be another defect");

        for mut over in [done, dropped] {
            let now = at("2026-11-30T14:00:00Z");
            let answers = [over.fail(&gone, now), over.finish(now), over.drop_for("Again")];
            for answer in answers {
                assert_eq!(answer.expect_err("it is over").reason(), "TASK_NOT_PARKED");
            }
        }
    }

    fn asked(asker: &str, request_id: &str) -> Asked {
        Asked { asker: asker.to_owned(), request_id: request_id.to_owned(), content: vec![7] }
    }

    /// XTR-05: the same request once more is no news; that of somebody else, or under another identifier, is.
    #[test]
    fn a_request_is_told_from_another_by_who_asks_and_its_identifier() {
        let closed = Error::new(Kind::Precondition, "PERIOD_CLOSED", "the books are closed");
        let now = "2026-11-30T12:00:00Z".parse().expect("an instant");
        let task = ParkedTask::new("create-invoice-from-source", "orders/1", &closed, now);
        let mut task = ParkedTask { asked: Some(asked("members/ana", "1")), ..task };
        task.drop_for("Not wanted").expect("it is parked");

        assert!(!task.is_asked_anew(Some(&asked("members/ana", "1"))));
        assert!(task.is_asked_anew(Some(&asked("members/ana", "2"))));
        assert!(task.is_asked_anew(Some(&asked("members/eva", "1"))));
        assert!(!task.is_asked_anew(None), "nobody asks");
    }

    /// XTR-05: what was tried ends no other request that was parked meanwhile, and is seen to be over where it is.
    #[test]
    fn a_task_is_told_from_what_was_tried_by_its_request() {
        let closed = Error::new(Kind::Precondition, "PERIOD_CLOSED", "the books are closed");
        let now = "2026-11-30T12:00:00Z".parse().expect("an instant");
        let tried = ParkedTask::new("create-invoice-from-source", "orders/1", &closed, now);
        let tried = ParkedTask { asked: Some(asked("members/ana", "1")), ..tried };
        let replaced = ParkedTask { asked: Some(asked("members/ana", "2")), ..tried.clone() };
        let mut done = tried.clone();
        done.finish(now).expect("it is parked");

        assert!(replaced.is_for_another_than(&tried));
        assert!(!tried.is_for_another_than(&tried) && !done.is_for_another_than(&tried));
    }

    /// XTR-05: what was asked for may say who bought; it is not kept when it is over.
    #[test]
    fn what_was_asked_for_is_not_kept_when_it_is_over() {
        let closed = Error::new(Kind::Precondition, "PERIOD_CLOSED", "the books are closed");
        let now = "2026-11-30T12:00:00Z".parse().expect("an instant");
        let task = ParkedTask::new("create-invoice-from-source", "orders/1", &closed, now);
        let task = ParkedTask { asked: Some(asked("members/ana", "1")), ..task };
        let (mut done, mut dropped) = (task.clone(), task);

        done.finish(now).expect("it is parked");
        dropped.drop_for("Not wanted").expect("it is parked");

        for over in [done, dropped] {
            let left = over.asked.expect("by what it is told from another");
            assert_eq!((left.request_id.as_str(), left.content), ("1", Vec::new()));
        }
    }

    /// XTR-05: a task that fails each hour as before is news once a day, and at once when it fails in another way.
    #[test]
    fn that_a_task_fails_as_before_is_news_once_a_day() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let gone = Error::new(Kind::Precondition, "ACCOUNT_DELETED", "the account is deleted");
        let closed = Error::new(Kind::Precondition, "PERIOD_CLOSED", "the books are closed");
        let mut task = ParkedTask::new("run-dunning", "accounts/1", &gone, at("2026-11-30T12:00:00Z"));

        assert!(task.is_known_for(&gone, at("2026-12-01T11:59:59Z")));
        assert!(!task.is_known_for(&gone, at("2026-12-01T12:00:00Z")), "a day is over");
        assert!(!task.is_known_for(&closed, at("2026-11-30T13:00:00Z")), "the reason is another");
        task.drop_for("Settled by hand").expect("it is parked");
        assert!(!task.is_known_for(&gone, at("2026-11-30T13:00:00Z")), "it is parked no more");
    }
}
