//! A return and its verbs.

use trato_types::{
    DomainError, Error, Id, MemberRef, Ref, Result, Timestamp, error::FieldError as _, id::Collection,
    text::line,
};

use super::content::{Applied, Disposition, Finding, Lines, Part};
use crate::{
    delivery_note::DeliveryNote,
    foreign::{Account, Team},
    number_series::{NumberSeries, Numbered},
    order::{Order, reason_of},
};

/// What comes back of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct SalesReturn {
    /// Member who answers for it.
    pub owner: Option<MemberRef>,
    /// Team it belongs to.
    pub team: Option<Ref<Team>>,
    /// The delivery note of what comes back.
    pub delivery_note: Id<DeliveryNote>,
    /// Why it comes back.
    pub reason: String,
    /// Code of the return policy.
    pub policy_code: String,
    /// What comes back.
    pub lines: Lines,
    /// The order it was delivered for; none before the delivery note was asked.
    pub order_id: Option<Id<Order>>,
    /// Who sends it back; none before the delivery note was asked.
    pub account: Option<Ref<Account>>,
    /// Where it is in its life.
    pub state: State,
    /// By what it is judged; nothing before it is written.
    pub policy: Option<Applied>,
    /// Series its number is of.
    pub number_series: Option<Id<NumberSeries>>,
    /// Its number.
    pub number: Option<String>,
    /// When it was authorised.
    pub authorise_time: Option<Timestamp>,
    /// Why it was authorised after its window; may be empty.
    pub exception_reason: String,
    /// When it was received.
    pub receive_time: Option<Timestamp>,
    /// When it was inspected.
    pub inspect_time: Option<Timestamp>,
    /// When it was settled or rejected.
    pub end_time: Option<Timestamp>,
    /// Why it was rejected; empty unless it was.
    pub reject_reason: String,
}

impl Collection for SalesReturn {
    const COLLECTION: &'static str = "salesReturns";
}

/// Where a return is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Can be changed.
    Requested,
    /// May come back.
    Authorised,
    /// Has come back.
    Received,
    /// It is known what becomes of it.
    Inspected,
    /// That was done.
    Settled,
    /// Nothing of it was taken back.
    Rejected,
}

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SalesReturnError {
    /// It is authorised or rejected.
    #[error("the return is authorised or rejected and cannot change any more")]
    NotRequested,
    /// It was requested too late.
    #[error("the return was requested after its window; an exception needs a reason")]
    WindowOver,
    /// It is not authorised, or was received.
    #[error("the return is not authorised, or was received already")]
    NotAuthorised,
    /// It was not received, or is settled.
    #[error("the return was not received, or is settled already")]
    NotReceived,
    /// It is not inspected, or is settled.
    #[error("the return is not inspected, or is settled already")]
    NotInspected,
    /// It was received.
    #[error("the return was received; inspect and settle it")]
    Received,
    /// It is settled or rejected.
    #[error("the return is settled or rejected")]
    Ended,
}

impl DomainError for SalesReturnError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotRequested => "RETURN_NOT_REQUESTED",
            Self::WindowOver => "RETURN_WINDOW_OVER",
            Self::NotAuthorised => "RETURN_NOT_AUTHORISED",
            Self::NotReceived => "RETURN_NOT_RECEIVED",
            Self::NotInspected => "RETURN_NOT_INSPECTED",
            Self::Received => "RETURN_RECEIVED",
            Self::Ended => "RETURN_ENDED",
        }
    }
}

impl SalesReturn {
    /// FAILED_PRECONDITION unless it can still be changed.
    pub fn require_requested(&self) -> Result<(), SalesReturnError> {
        if self.state == State::Requested { Ok(()) } else { Err(SalesReturnError::NotRequested) }
    }

    /// FAILED_PRECONDITION unless it may come back: within the window, or by an exception that has a reason.
    pub fn require_allowed(&self, exception_reason: &str) -> Result<String> {
        self.require_requested()?;
        let reason = line(exception_reason, 500)
            .map_err(|error| Error::invalid("exception_reason", error.reason(), error.to_string()))?;
        let is_within = self.policy.as_ref().is_some_and(|policy| policy.within_window);
        if !is_within && reason.is_empty() {
            return Err(SalesReturnError::WindowOver.into());
        }
        Ok(if is_within { String::new() } else { reason })
    }

    /// Lets it come back.
    pub fn authorise(&mut self, numbered: Numbered, exception_reason: String, now: Timestamp) -> Result<()> {
        self.require_requested()?;
        self.state = State::Authorised;
        self.number_series = Some(numbered.number_series);
        self.number = Some(numbered.number);
        self.exception_reason = exception_reason;
        self.authorise_time = Some(now);
        Ok(())
    }

    /// Notes what has come back.
    pub fn receive(&mut self, parts: Vec<(String, Part)>, now: Timestamp) -> Result<()> {
        self.require(State::Authorised, SalesReturnError::NotAuthorised)?;
        self.lines.receive(parts)?;
        self.state = State::Received;
        self.receive_time = Some(now);
        Ok(())
    }

    /// Notes what was found; until it is settled, again.
    pub fn inspect(&mut self, findings: Vec<(String, Finding)>, now: Timestamp) -> Result<()> {
        if !matches!(self.state, State::Received | State::Inspected) {
            return Err(SalesReturnError::NotReceived.into());
        }
        self.lines.inspect(findings)?;
        self.state = State::Inspected;
        self.inspect_time = Some(now);
        Ok(())
    }

    /// Ends it by what was found; one of which everything is rejected is rejected.
    pub fn settle(&mut self, now: Timestamp) -> Result<(), SalesReturnError> {
        self.require(State::Inspected, SalesReturnError::NotInspected)?;
        let mut findings = self.lines.0.iter().filter_map(|line| line.found.as_ref());
        let is_rejected = findings.all(|finding| finding.disposition == Disposition::Reject);
        self.state = if is_rejected { State::Rejected } else { State::Settled };
        self.end_time = Some(now);
        Ok(())
    }

    /// Rejects it before anything has come back, for a reason of 1 to 500 characters.
    pub fn reject(&mut self, reason: &str, now: Timestamp) -> Result<()> {
        let reason = reason_of(reason)?;
        match self.state {
            State::Requested | State::Authorised => {
                self.state = State::Rejected;
                self.reject_reason = reason;
                self.end_time = Some(now);
                Ok(())
            }
            State::Received | State::Inspected => Err(SalesReturnError::Received.into()),
            State::Settled | State::Rejected => Err(SalesReturnError::Ended.into()),
        }
    }

    fn require(&self, state: State, error: SalesReturnError) -> Result<(), SalesReturnError> {
        if self.state == state { Ok(()) } else { Err(error) }
    }
}
