//! An opportunity and its verbs. OPEN becomes WON or LOST; a closed one can be reopened. Every verb leaves a step.

use serde::{Deserialize, Serialize};
use trato_proto::{sales::v1 as pb, wire};
use trato_types::{
    Context, Currency, Date, DisplayName, DomainError, Id, MemberRef, Minor, Ref, Result, Timestamp,
    Violations, id::Collection, text,
};

use super::history::{Full, History, Place, Step};
use crate::{
    foreign::{Account, Contact, Team},
    pipeline::{Pipeline, Stage, StageKey},
    product::Product,
};

/// A chance to sell something to somebody.
#[derive(Clone, Debug)]
pub struct Opportunity {
    /// Member who answers for it.
    pub owner: Option<MemberRef>,
    /// Team it belongs to.
    pub team: Option<Ref<Team>>,
    /// Name people use.
    pub display_name: DisplayName,
    /// Account it would be sold to; a won one has one.
    pub account: Option<Ref<Account>>,
    /// Contact it is talked about with.
    pub contact: Option<Ref<Contact>>,
    /// Pipeline it walks, from beginning to end.
    pub pipeline: Id<Pipeline>,
    /// Stage it is at, or was at when it was closed.
    pub stage: StageKey,
    /// When it entered the stage; unknown where an import did not say.
    pub stage_time: Option<Timestamp>,
    /// Open, won or lost.
    pub state: State,
    /// Product it is about.
    pub product: Option<Id<Product>>,
    /// What it is worth, zero or more, in the minor unit of `currency`; both or neither. A won one has more than zero.
    pub amount: Option<Minor>,
    /// Currency of `amount`.
    pub currency: Option<Currency>,
    /// Day it is expected to close; once closed, the day it did.
    pub close_date: Option<Date>,
    /// Chance of winning in percent, 0 to 100. Closing leaves it as it was.
    pub probability_percent: i64,
    /// What to do next; may be empty.
    pub next_step: String,
    /// Day the next step is due.
    pub next_step_date: Option<Date>,
    /// Why it was lost; exactly the lost ones have one.
    pub lost_reason: Option<LostReason>,
    /// What was said about the loss; empty unless it is lost.
    pub lost_note: String,
    /// When it was won or lost in the business; exactly the closed ones have one.
    pub close_time: Option<Timestamp>,
    /// Anything else.
    pub description: String,
    /// The way it went.
    pub history: History,
}

/// Where an opportunity stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// It may still be won.
    Open,
    /// It was won.
    Won,
    /// It was lost.
    Lost,
}

/// Why an opportunity was lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LostReason {
    /// Too dear.
    Price,
    /// Somebody else won it.
    Competitor,
    /// The customer has no money for it.
    NoBudget,
    /// The customer decided nothing.
    NoDecision,
    /// The product does not do what is needed.
    ProductFit,
    /// Too late.
    Timing,
    /// Another reason; the note says which.
    Other,
    /// Nobody wrote it down; only imports may say so.
    NotRecorded,
}

/// Why a verb was refused by the state of the opportunity.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OpportunityError {
    /// Only an open one can be moved, won or lost.
    #[error("the opportunity is closed")]
    NotOpen,
    /// Only a closed one can be reopened.
    #[error("the opportunity is open")]
    NotClosed,
    /// The stage is not one of the pipeline's.
    #[error("the pipeline has no such stage")]
    UnknownStage,
    /// A sale is worth something.
    #[error("an opportunity is won with an amount above zero")]
    NoAmount,
    /// A sale is made to somebody.
    #[error("an opportunity is won with an account")]
    NoAccount,
    /// It went back and forth too often.
    #[error("the opportunity has as many steps as can be kept")]
    HistoryFull,
}

impl DomainError for OpportunityError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotOpen => "NOT_OPEN",
            Self::NotClosed => "NOT_CLOSED",
            Self::UnknownStage => "UNKNOWN_STAGE",
            Self::NoAmount => "NO_AMOUNT",
            Self::NoAccount => "NO_ACCOUNT",
            Self::HistoryFull => "HISTORY_FULL",
        }
    }
}

impl From<Full> for OpportunityError {
    fn from(_: Full) -> Self {
        Self::HistoryFull
    }
}

impl Opportunity {
    /// Longest note about a loss, in characters.
    pub const MAX_LOST_NOTE: usize = 2_000;

    /// Begins the history of a new opportunity: open, at its stage, now.
    pub fn begin(&mut self, cx: &Context) {
        self.state = State::Open;
        self.stage_time = Some(cx.now);
        self.history = History::of(vec![self.step(None, Some(cx.now), cx)]);
    }

    /// Moves it to another stage of its pipeline and takes over that stage's chance of winning; none is a stage that the
    /// pipeline does not have. To move it where it is changes nothing.
    pub fn move_to(&mut self, stage: Option<&Stage>, cx: &Context) -> Result<Option<pb::OpportunityMoved>> {
        self.require_open()?;
        let stage = stage.ok_or(OpportunityError::UnknownStage)?;
        if stage.key == self.stage {
            return Ok(None);
        }
        let before = self.place();
        let fact =
            pb::OpportunityMoved { from_stage: before.stage.to_string(), to_stage: stage.key.to_string() };
        let event_time = self.no_earlier(cx.now);
        self.stage = stage.key.clone();
        self.stage_time = Some(event_time);
        self.probability_percent = stage.probability_percent.into();
        self.take(before, event_time, cx)?;
        Ok(Some(fact))
    }

    /// Closes it as won, on `close_date` or today. An amount above zero and an account are needed.
    pub fn win(&mut self, close_date: Option<Date>, cx: &Context) -> Result<pb::OpportunityWon> {
        require_past("close_date", close_date, cx)?;
        self.require_open()?;
        if !self.has_worth() {
            return Err(OpportunityError::NoAmount.into());
        }
        if self.account.is_none() {
            return Err(OpportunityError::NoAccount.into());
        }
        self.close(State::Won, close_date, cx)?;
        Ok(self.won())
    }

    /// Closes it as lost, on `close_date` or today. The reason OTHER needs a note; NOT_RECORDED is for imports only.
    pub fn lose(
        &mut self,
        reason: Option<LostReason>,
        note: &str,
        close_date: Option<Date>,
        cx: &Context,
    ) -> Result<pb::OpportunityLost> {
        let mut violations = Violations::new();
        match reason {
            None => violations.add("reason", "REQUIRED", "is required"),
            Some(LostReason::NotRecorded) => {
                violations.add(
                    "reason",
                    "NOT_RECORDED",
                    "only an imported opportunity may have no reason on record",
                );
            }
            Some(_) => {}
        }
        let note = violations.keep("note", text::paragraph(note, Self::MAX_LOST_NOTE));
        if reason == Some(LostReason::Other) && note.as_ref().is_some_and(String::is_empty) {
            violations.add("note", "REQUIRED", "is required with the reason OTHER");
        }
        violations.absorb("", require_past("close_date", close_date, cx))?;
        let (reason, note) = violations.into_result(reason.zip(note))?;
        self.require_open()?;
        self.lost_reason = Some(reason);
        self.lost_note = note;
        self.close(State::Lost, close_date, cx)?;
        Ok(self.lost())
    }

    /// Opens it again at the stage it was at. When it will close is unknown again, as the day it did is past.
    pub fn reopen(&mut self, cx: &Context) -> Result<()> {
        if self.state == State::Open {
            return Err(OpportunityError::NotClosed.into());
        }
        let before = self.place();
        let event_time = self.no_earlier(cx.now);
        self.state = State::Open;
        self.close_time = None;
        self.close_date = None;
        self.lost_reason = None;
        self.lost_note = String::new();
        Ok(self.take(before, event_time, cx)?)
    }

    /// What is said of it on the event by which it was won.
    pub fn won(&self) -> pb::OpportunityWon {
        pb::OpportunityWon {
            account: self.account.map(Id::name).unwrap_or_default(),
            amount: self.worth().map(|(amount, currency)| wire::money(amount, currency)),
            close_date: self.close_date.map(wire::date),
        }
    }

    /// What is said of it on the event by which it was lost.
    pub fn lost(&self) -> pb::OpportunityLost {
        let reason = self.lost_reason.map_or(pb::opportunity::LostReason::Unspecified, LostReason::to_wire);
        pb::OpportunityLost {
            account: self.account.map(Id::name).unwrap_or_default(),
            reason: reason.into(),
            close_date: self.close_date.map(wire::date),
        }
    }

    /// The amount with its currency.
    pub fn worth(&self) -> Option<(Minor, Currency)> {
        self.amount.zip(self.currency)
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        Place { stage: self.stage.clone(), state: self.state }
    }

    /// Notes everything in which fields and state contradict each other, under `prefix`: what a create, an update or an
    /// import would leave behind.
    pub fn check(&self, prefix: &str, cx: &Context, violations: &mut Violations) {
        let mut add =
            |field: &str, reason, why: &str| violations.add(format!("{prefix}{field}"), reason, why);
        if self.state == State::Won && !self.has_worth() {
            add("amount", "NO_AMOUNT", "a won opportunity has an amount above zero");
        }
        if self.state == State::Won && self.account.is_none() {
            add("account", "NO_ACCOUNT", "a won opportunity has an account");
        }
        if self.state != State::Open && self.close_date.is_none() {
            add("close_date", "REQUIRED", "a closed opportunity has the day it was closed");
        }
        if self.state != State::Open && is_future(self.close_date, cx) {
            add("close_date", IN_FUTURE, "a closed opportunity was not closed in the future");
        }
    }

    fn has_worth(&self) -> bool {
        self.amount.is_some_and(|amount| amount > Minor(0))
    }

    fn require_open(&self) -> Result<(), OpportunityError> {
        if self.state == State::Open { Ok(()) } else { Err(OpportunityError::NotOpen) }
    }

    fn close(
        &mut self,
        state: State,
        close_date: Option<Date>,
        cx: &Context,
    ) -> Result<(), OpportunityError> {
        let before = self.place();
        let today = cx.now.date_naive();
        let close_date = close_date.unwrap_or(today);
        // A day alone begins at midnight; today, and tomorrow east of us, is now.
        let event_time = if close_date < today { midnight(close_date) } else { cx.now };
        let event_time = self.no_earlier(event_time);
        self.state = state;
        self.close_date = Some(close_date);
        self.close_time = Some(event_time);
        self.take(before, event_time, cx)
    }

    fn take(&mut self, before: Place, event_time: Timestamp, cx: &Context) -> Result<(), OpportunityError> {
        let step = self.step(Some(before), Some(event_time), cx);
        Ok(self.history.push(step)?)
    }

    fn step(&self, from: Option<Place>, event_time: Option<Timestamp>, cx: &Context) -> Step {
        Step {
            from,
            to: self.place(),
            event_time,
            create_time: cx.now,
            amount: self.amount.map(|amount| amount.0),
            currency: self.currency.map(|currency| currency.code().to_owned()),
            probability_percent: self.probability_percent,
            actor: cx.actor.to_string(),
        }
    }

    /// `time`, or the time of the last step when that is later: the past may have been dated by another clock.
    fn no_earlier(&self, time: Timestamp) -> Timestamp {
        self.history.last_event_time().map_or(time, |last| last.max(time))
    }
}

impl Collection for Opportunity {
    const COLLECTION: &'static str = "opportunities";
}

impl LostReason {
    /// The reason as clients know it.
    pub fn to_wire(self) -> pb::opportunity::LostReason {
        match self {
            Self::Price => pb::opportunity::LostReason::Price,
            Self::Competitor => pb::opportunity::LostReason::Competitor,
            Self::NoBudget => pb::opportunity::LostReason::NoBudget,
            Self::NoDecision => pb::opportunity::LostReason::NoDecision,
            Self::ProductFit => pb::opportunity::LostReason::ProductFit,
            Self::Timing => pb::opportunity::LostReason::Timing,
            Self::Other => pb::opportunity::LostReason::Other,
            Self::NotRecorded => pb::opportunity::LostReason::NotRecorded,
        }
    }

    /// The reason of a client; none when it is unspecified.
    pub fn from_wire(reason: pb::opportunity::LostReason) -> Option<Self> {
        Some(match reason {
            pb::opportunity::LostReason::Unspecified => return None,
            pb::opportunity::LostReason::Price => Self::Price,
            pb::opportunity::LostReason::Competitor => Self::Competitor,
            pb::opportunity::LostReason::NoBudget => Self::NoBudget,
            pb::opportunity::LostReason::NoDecision => Self::NoDecision,
            pb::opportunity::LostReason::ProductFit => Self::ProductFit,
            pb::opportunity::LostReason::Timing => Self::Timing,
            pb::opportunity::LostReason::Other => Self::Other,
            pb::opportunity::LostReason::NotRecorded => Self::NotRecorded,
        })
    }
}

/// Reason of a violation: something that has happened is dated after today.
pub const IN_FUTURE: &str = "IN_FUTURE";

/// Midnight, UTC, at the beginning of a day.
pub fn midnight(date: Date) -> Timestamp {
    date.and_time(chrono::NaiveTime::MIN).and_utc()
}

/// True for a day that has begun nowhere on earth: one day is allowed for zones ahead of UTC.
fn is_future(date: Option<Date>, cx: &Context) -> bool {
    let tomorrow = cx.now.date_naive().succ_opt().unwrap_or(Date::MAX);
    date.is_some_and(|date| date > tomorrow)
}

fn require_past(field: &str, date: Option<Date>, cx: &Context) -> Result<()> {
    let mut violations = Violations::new();
    if is_future(date, cx) {
        violations.add(field, IN_FUTURE, "must not be in the future");
    }
    violations.into_result(Some(()))
}
