//! How quantities of an order move: what is delivered, comes back, is invoiced, or is late. The states follow. Pure.

use trato_pricing::Quantity;
use trato_types::{Date, Error, Result};

use super::{
    ledger::{BrokenPromise, InvoicingPolicy},
    model::{Order, OrderError, State},
};

impl Order {
    /// Takes what is to be delivered off what is left; what is prepaid is invoiced before.
    pub fn deliver<'a>(&mut self, lines: impl IntoIterator<Item = (&'a str, Quantity)>) -> Result<()> {
        self.require_confirmed()?;
        self.require_not_held()?;
        for (key, quantity) in lines {
            self.ledger.deliver(key, quantity)?;
            self.require_prepaid(key)?;
        }
        self.follow();
        Ok(())
    }

    /// Gives back what was not delivered after all.
    pub fn take_back<'a>(&mut self, lines: impl IntoIterator<Item = (&'a str, Quantity)>) -> Result<()> {
        for (key, quantity) in lines {
            self.ledger.take_back(key, quantity)?;
        }
        self.reopen();
        self.follow();
        Ok(())
    }

    /// Notes what has reached the customer on a day; answers what of it came late.
    pub fn arrive<'a>(
        &mut self,
        lines: impl IntoIterator<Item = (&'a str, Quantity)>,
        day: Date,
    ) -> Result<Vec<BrokenPromise>> {
        let mut broken = Vec::new();
        for (key, quantity) in lines {
            broken.extend(self.ledger.come_late(key, day)?);
            self.ledger.arrive(key, quantity)?;
        }
        self.follow();
        Ok(broken)
    }

    /// Notes what came back.
    pub fn give_back<'a>(&mut self, lines: impl IntoIterator<Item = (&'a str, Quantity)>) -> Result<()> {
        for (key, quantity) in lines {
            self.ledger.give_back(key, quantity)?;
        }
        self.reopen();
        self.follow();
        Ok(())
    }

    /// Notes what came back and is refunded: nothing is delivered in its place.
    pub fn refund<'a>(&mut self, lines: impl IntoIterator<Item = (&'a str, Quantity)>) -> Result<()> {
        for (key, quantity) in lines {
            self.ledger.refund(key, quantity)?;
        }
        self.follow();
        Ok(())
    }

    /// Notes what goes to the customer again.
    pub fn hand_back<'a>(&mut self, lines: impl IntoIterator<Item = (&'a str, Quantity)>) -> Result<()> {
        for (key, quantity) in lines {
            self.ledger.hand_back(key, quantity)?;
        }
        self.follow();
        Ok(())
    }

    /// Notes what billing has invoiced and credited of a line or a charge in all. True when that is news.
    pub fn bill(&mut self, key: &str, invoiced: Quantity, credited: Quantity) -> bool {
        // No line has the key of a charge.
        let is_news = self.ledger.bill(key, invoiced, credited) || self.bill_charge(key, invoiced, credited);
        self.follow();
        is_news
    }

    /// Notes every promise whose day is before `today`; answers those that were not told.
    pub fn break_promises(&mut self, today: Date) -> Vec<BrokenPromise> {
        let broken = self.ledger.break_promises(today);
        self.follow();
        broken
    }

    /// FAILED_PRECONDITION where a line is to be invoiced before it is delivered, and more of it would be with the customer than
    /// is invoiced.
    fn require_prepaid(&self, line: &str) -> Result<()> {
        if self.invoicing_policy != InvoicingPolicy::Prepaid {
            return Ok(());
        }
        let ahead = self.ledger.0.iter().find(|entry| entry.line == line && entry.kept() > entry.billed());
        ahead.map_or(Ok(()), |entry| {
            let error = Error::from(OrderError::NotInvoiced).with("order_line", line);
            Err(error.with("invoiced", entry.billed()))
        })
    }

    /// Goes on with a closed order of which something is left to be delivered again.
    fn reopen(&mut self) {
        if self.state == State::Closed && !self.ledger.is_fulfilled() {
            self.state = State::Confirmed;
            self.end_time = None;
        }
    }

    /// Lets states follow the quantities.
    pub(super) fn follow(&mut self) {
        if self.require_confirmed().is_ok() {
            self.state = match () {
                () if self.ledger.is_fulfilled() => State::Fulfilled,
                () if self.ledger.is_begun() => State::InFulfilment,
                () => State::Confirmed,
            };
        }
        self.delivery_status = self.ledger.delivery_status();
        self.invoice_status = self.invoice_status_of_all();
        self.awaits_invoice = self.is_to_invoice();
        let is_going_on = self.require_confirmed().is_ok();
        self.next_promised_date = self.ledger.next_promise().filter(|_| is_going_on);
    }
}
