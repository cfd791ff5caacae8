//! A quote and its verbs. A draft is submitted, approved and sent; what was sent comes to one outcome.

use chrono_tz::Tz;
use trato_types::{
    Context, Currency, Date, Error, Id, MemberRef, Minor, Ref, Result, Timestamp, Violations,
    error::FieldError as _,
    id::Collection,
    text::{line, paragraph},
};
use uuid::Uuid;

use super::{
    approvals::{ApprovalError, Approvals},
    error::QuoteError,
};
use crate::{
    document::Document,
    foreign::{Account, Contact, LegalEntity, Team},
    number_series::{NumberSeries, Numbered},
    opportunity::Opportunity,
    parties::{Parties, day_in, end_of},
};

/// What is offered to a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// Member who answers for it.
    pub owner: Option<MemberRef>,
    /// Team it belongs to.
    pub team: Option<Ref<Team>>,
    /// Whom it is offered to.
    pub account: Ref<Account>,
    /// Contact it is talked about with.
    pub contact: Option<Ref<Contact>>,
    /// Opportunity it is to win.
    pub opportunity: Option<Id<Opportunity>>,
    /// What is offered, at which price and on which terms.
    pub document: Document,
    /// Currency of every amount.
    pub currency_code: Currency,
    /// Total without tax.
    pub net: Minor,
    /// Total with tax.
    pub gross: Minor,
    /// Last day on which it is valid, where it is made out.
    pub valid_until: Option<Date>,
    /// In whose name it is made out, where it is said; in billing.
    pub legal_entity: Option<Ref<LegalEntity>>,
    /// Its first version.
    pub root: Id<Self>,
    /// Which version it is, from 1.
    pub version: i64,
    /// Version it was made of; none for the first.
    pub previous_version: Option<Id<Self>>,
    /// Where it is in its life.
    pub state: State,
    /// Series its number is of.
    pub number_series: Option<Id<NumberSeries>>,
    /// Its number, the same for all versions; none before the first of them is sent.
    pub number: Option<String>,
    /// Who submitted it last.
    pub submitter: Option<MemberRef>,
    /// When it was submitted last.
    pub submit_time: Option<Timestamp>,
    /// What the rules that matched ask for.
    pub approvals: Approvals,
    /// Why it was rejected last; may be empty.
    pub reject_reason: String,
    /// When it was sent.
    pub send_time: Option<Timestamp>,
    /// When the customer looked at it for the first time.
    pub view_time: Option<Timestamp>,
    /// How often the customer looked at it.
    pub view_count: i64,
    /// When it came to its outcome.
    pub decision_time: Option<Timestamp>,
    /// Who accepted it for the customer; may be empty.
    pub accepter: String,
    /// Where the signature is found; may be empty.
    pub signature: String,
    /// Why it was declined.
    pub decline_reason: Option<DeclineReason>,
    /// What was said when it was declined; may be empty.
    pub decline_note: String,
    /// Why it was cancelled; may be empty.
    pub cancel_reason: String,
    /// Who makes it out and who gets it, as it was when it was sent.
    pub parties: Option<Parties>,
    /// When it ceases to be valid, told when it was sent. None of what is valid for ever, nor of what was sent before this was kept.
    pub valid_before: Option<Timestamp>,
    /// The day that stands on it once it was sent: that of its number, where it took one; else that on which it was sent, where it is
    /// made out. None of what was sent before this was kept.
    pub send_date: Option<Date>,
}

/// Where a quote is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Can be changed.
    Draft,
    /// Somebody is to approve it.
    InApproval,
    /// Can be sent.
    Approved,
    /// Was not approved; can be changed.
    Rejected,
    /// Is with the customer.
    Sent,
    /// The customer takes it.
    Accepted,
    /// The customer does not take it.
    Declined,
    /// The customer has not decided while it was valid.
    Expired,
    /// The next version is in its place.
    Superseded,
    /// It was withdrawn.
    Cancelled,
}

/// Why a customer does not take it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeclineReason {
    /// Too dear.
    Price,
    /// Somebody else gets it.
    Competitor,
    /// The customer has no money for it.
    NoBudget,
    /// The customer wants nothing of the kind any more.
    NoDecision,
    /// The product does not do what is needed.
    ProductFit,
    /// Too late.
    Timing,
    /// Another reason; the note says which.
    Other,
}

impl Collection for Quote {
    const COLLECTION: &'static str = "quotes";
}

impl Quote {
    /// FAILED_PRECONDITION unless it can still be changed.
    pub fn require_draft(&self) -> Result<(), QuoteError> {
        if matches!(self.state, State::Draft | State::Rejected) { Ok(()) } else { Err(QuoteError::NotDraft) }
    }

    /// Submits a draft, of which these rules ask for something; where none does, it is approved.
    pub fn submit(
        &mut self,
        approvals: Approvals,
        submitter: MemberRef,
        now: Timestamp,
    ) -> Result<(), QuoteError> {
        self.require_draft()?;
        self.state = if approvals.are_complete() { State::Approved } else { State::InApproval };
        self.approvals = approvals;
        self.submitter = Some(submitter);
        self.submit_time = Some(now);
        self.reject_reason = String::new();
        Ok(())
    }

    /// Approves it for every rule that is this member's to approve for; by the last one it is approved.
    pub fn approve(&mut self, who: &MemberRef, teams: &[Uuid], now: Timestamp) -> Result<()> {
        self.require_in_approval()?;
        if self.submitter.as_ref() == Some(who) {
            return Err(ApprovalError::Own.into());
        }
        self.approvals.approve(who, teams, now)?;
        if self.approvals.are_complete() {
            self.state = State::Approved;
        }
        Ok(())
    }

    /// Rejects it, for a reason of 1 to 500 characters.
    pub fn reject(&mut self, who: &MemberRef, teams: &[Uuid], reason: &str) -> Result<()> {
        let reason = required("reason", reason, 500)?;
        self.require_in_approval()?;
        self.approvals.require_approver(who, teams)?;
        self.state = State::Rejected;
        self.reject_reason = reason;
        Ok(())
    }

    /// FAILED_PRECONDITION unless it can be sent on the day that it is in this zone.
    pub fn require_sendable(&self, now: Timestamp, zone: Tz) -> Result<(), QuoteError> {
        if self.state != State::Approved {
            return Err(QuoteError::NotApproved);
        }
        let is_over = self.valid_until.is_some_and(|last| day_in(zone, now) > last);
        if is_over { Err(QuoteError::Expired) } else { Ok(()) }
    }

    /// Notes that it is with the customer, under the number it has by then, made out by and to these, in this zone. Whether it is valid
    /// goes by the day that it is there, whatever day its number has.
    pub fn send(
        &mut self,
        numbered: Option<Numbered>,
        parties: Parties,
        now: Timestamp,
        zone: Tz,
    ) -> Result<(), QuoteError> {
        self.require_sendable(now, zone)?;
        self.valid_before = self.valid_until.and_then(|last| end_of(zone, last));
        self.send_date = Some(numbered.as_ref().map_or_else(|| day_in(zone, now), |numbered| numbered.day));
        if let Some(numbered) = numbered {
            self.number_series = Some(numbered.number_series);
            self.number = Some(numbered.number);
        }
        self.parties = Some(parties);
        self.state = State::Sent;
        self.send_time = Some(now);
        Ok(())
    }

    /// Notes that the customer has looked at it.
    pub fn view(&mut self, now: Timestamp) -> Result<(), QuoteError> {
        self.require_sent()?;
        self.view_time.get_or_insert(now);
        self.view_count = self.view_count.saturating_add(1);
        Ok(())
    }

    /// Notes that somebody takes it for the customer, at a time when it was valid.
    pub fn accept(
        &mut self,
        decision_time: Option<Timestamp>,
        accepter: &str,
        signature: &str,
        cx: &Context,
    ) -> Result<()> {
        let mut violations = Violations::new();
        let accepter = violations.absorb("", required("accepter", accepter, 200))?;
        let signature = violations.keep("signature", line(signature, 500));
        let time = violations.absorb("", self.decided(decision_time, cx))?;
        let ((accepter, signature), time) = violations.into_result(accepter.zip(signature).zip(time))?;
        self.require_sent()?;
        self.require_valid(time)?;
        self.state = State::Accepted;
        self.accepter = accepter;
        self.signature = signature;
        self.decision_time = Some(time);
        Ok(())
    }

    /// Notes that the customer does not take it. The reason OTHER needs a note.
    pub fn decline(
        &mut self,
        decision_time: Option<Timestamp>,
        reason: Option<DeclineReason>,
        note: &str,
        cx: &Context,
    ) -> Result<()> {
        let mut violations = Violations::new();
        if reason.is_none() {
            violations.add("reason", "REQUIRED", "is required");
        }
        let note = violations.keep("note", paragraph(note, 2_000));
        if reason == Some(DeclineReason::Other) && note.as_ref().is_some_and(String::is_empty) {
            violations.add("note", "REQUIRED", "is required with the reason OTHER");
        }
        let time = violations.absorb("", self.decided(decision_time, cx))?;
        let ((reason, note), time) = violations.into_result(reason.zip(note).zip(time))?;
        self.require_sent()?;
        self.state = State::Declined;
        self.decline_reason = Some(reason);
        self.decline_note = note;
        self.decision_time = Some(time);
        Ok(())
    }

    /// Withdraws it, for a reason of 1 to 500 characters.
    pub fn cancel(&mut self, reason: &str, now: Timestamp) -> Result<()> {
        let reason = required("reason", reason, 500)?;
        self.require_open()?;
        self.state = State::Cancelled;
        self.cancel_reason = reason;
        self.decision_time = Some(now);
        Ok(())
    }

    /// Notes that nobody decided while it was valid; none when it is not so. It ceased to be valid at the end of its last day,
    /// or when it was sent, should that have been later.
    pub fn expire(&mut self, now: Timestamp) -> Option<()> {
        let end = self.end()?;
        if self.state != State::Sent || now < end {
            return None;
        }
        self.state = State::Expired;
        self.decision_time = Some(self.send_time.map_or(end, |sent| sent.max(end)));
        Some(())
    }

    /// The next version, a draft with the content of this one; and what becomes of this one: an open one is superseded, one
    /// that was declined or has expired keeps its outcome.
    pub fn revise(&mut self, own: Id<Self>, version: i64, cx: &Context) -> Result<Self, QuoteError> {
        match self.state {
            State::Accepted | State::Superseded | State::Cancelled => return Err(QuoteError::Closed),
            State::Declined | State::Expired => {}
            _ => {
                self.state = State::Superseded;
                self.decision_time = Some(cx.now);
            }
        }
        Ok(Self {
            version,
            previous_version: Some(own),
            state: State::Draft,
            submitter: None,
            submit_time: None,
            approvals: Approvals::default(),
            reject_reason: String::new(),
            send_time: None,
            view_time: None,
            view_count: 0,
            decision_time: None,
            accepter: String::new(),
            signature: String::new(),
            decline_reason: None,
            decline_note: String::new(),
            cancel_reason: String::new(),
            parties: None,
            valid_before: None,
            send_date: None,
            ..self.clone()
        })
    }

    /// The day that stands on it once it was sent: in UTC, where it was sent before that of its zone was kept.
    pub fn sent_on(&self) -> Option<Date> {
        self.send_date.or(self.send_time.map(|time| time.date_naive()))
    }

    /// FAILED_PRECONDITION once it is nothing to hand on any more. One that was declined or has expired was an offer, and is
    /// printed as it was.
    pub fn require_printable(&self) -> Result<(), QuoteError> {
        if matches!(self.state, State::Superseded | State::Cancelled) {
            return Err(QuoteError::Withdrawn);
        }
        Ok(())
    }

    fn require_in_approval(&self) -> Result<(), QuoteError> {
        if self.state == State::InApproval { Ok(()) } else { Err(QuoteError::NotInApproval) }
    }

    fn require_sent(&self) -> Result<(), QuoteError> {
        if self.state == State::Sent { Ok(()) } else { Err(QuoteError::NotSent) }
    }

    fn require_open(&self) -> Result<(), QuoteError> {
        match self.state {
            State::Draft | State::InApproval | State::Approved | State::Rejected | State::Sent => Ok(()),
            _ => Err(QuoteError::Closed),
        }
    }

    fn require_valid(&self, time: Timestamp) -> Result<(), QuoteError> {
        let is_over = self.end().is_some_and(|end| time >= end);
        if is_over { Err(QuoteError::Expired) } else { Ok(()) }
    }

    /// When what is sent ceases to be valid; never, without a last day.
    fn end(&self) -> Option<Timestamp> {
        let last = self.valid_until?;
        self.valid_before.or_else(|| end_of(Tz::UTC, last))
    }

    /// When it was decided: not after now, nor before it was sent.
    fn decided(&self, decision_time: Option<Timestamp>, cx: &Context) -> Result<Timestamp> {
        let Some(time) = decision_time else { return Ok(cx.now) };
        if time > cx.now {
            return Err(Error::invalid("decision_time", "IN_FUTURE", "must not be in the future"));
        }
        if self.send_time.is_some_and(|sent| time < sent) {
            let message = "must not be before the quote was sent";
            return Err(Error::invalid("decision_time", "OUT_OF_ORDER", message));
        }
        Ok(time)
    }
}

/// Reads a text of one line that must not be empty.
fn required(field: &str, text: &str, most: usize) -> Result<String> {
    let text = line(text, most).map_err(|error| Error::invalid(field, error.reason(), error.to_string()))?;
    if text.is_empty() { Err(Error::invalid(field, "REQUIRED", "is required")) } else { Ok(text) }
}
