//! How an order is held and released: by people, or with its account. Pure.

use trato_types::{Error, Result, Timestamp, error::FieldError as _, text::line};

use super::model::{HoldReason, Order, OrderError, State};

impl Order {
    /// Holds it. One that is held for this reason already stays as it is; what was its account's hold is theirs from now on,
    /// and outlasts that.
    pub fn hold(&mut self, reason: HoldReason, note: &str, now: Timestamp) -> Result<()> {
        let note =
            line(note, 500).map_err(|error| Error::invalid("note", error.reason(), error.to_string()))?;
        match (self.state, self.hold_reason) {
            (State::Closed | State::Cancelled, _) => Err(OrderError::Ended.into()),
            (_, Some(held)) if held != reason => Err(OrderError::OnHold.into()),
            (_, Some(_)) => {
                if self.held_with_account {
                    self.held_with_account = false;
                    self.hold_note = note;
                }
                Ok(())
            }
            (_, None) => {
                self.hold_reason = Some(reason);
                self.hold_note = note;
                self.hold_time = Some(now);
                Ok(())
            }
        }
    }

    /// Ends the hold.
    pub fn release(&mut self) -> Result<(), OrderError> {
        if self.hold_reason.is_none() {
            return Err(OrderError::NotOnHold);
        }
        self.let_go();
        Ok(())
    }

    /// True while something of it is left to be delivered.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Confirmed | State::InFulfilment)
    }

    /// True while something of it is left to be delivered, and nothing holds it.
    pub fn can_be_delivered(&self) -> bool {
        self.is_open() && self.hold_reason.is_none()
    }

    /// Holds it with its account, if it can be delivered. True when that is news.
    pub fn hold_with_account(&mut self, why: &str, now: Timestamp) -> bool {
        let is_news = self.can_be_delivered();
        if is_news {
            self.hold_reason = Some(HoldReason::Credit);
            why.clone_into(&mut self.hold_note);
            self.hold_time = Some(now);
            self.held_with_account = true;
        }
        is_news
    }

    /// Ends the hold, if it is its account's. True when that is news.
    pub fn release_with_account(&mut self) -> bool {
        let is_news = self.held_with_account;
        if is_news {
            self.let_go();
        }
        is_news
    }

    /// Ends whatever holds it.
    pub(super) fn let_go(&mut self) {
        self.hold_reason = None;
        self.hold_note = String::new();
        self.hold_time = None;
        self.held_with_account = false;
    }
}
