//! How much of each line was ordered, cancelled, delivered and returned, and how much billing invoiced and credited of
//! it; and the states that follow. Pure.
//!
//! What sales does is guarded here, and once more by constraints of the table: nothing is delivered beyond what is
//! ordered. What billing did is a fact, recorded whatever it is. States are functions of these quantities and are never
//! set.

use serde::{Deserialize, Serialize};
use trato_pricing::{Percent, Quantity};
use trato_types::{Date, DomainError, Error, Result};

/// The quantities of all lines, in the order of the document; none before the order is confirmed.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Ledger(pub Vec<Entry>);

/// The quantities of a line. All are zero or more.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Entry {
    /// Key of the line.
    pub line: String,
    /// It is delivered, or confirmed as rendered: everything but fees and the like.
    pub deliverable: bool,
    /// Day by which it is promised.
    pub promised_date: Option<Date>,
    /// The day passed before it had arrived, which was told.
    pub promise_broken: bool,
    /// All of it had arrived before something came back: what is delivered in its place is not promised.
    #[serde(default)]
    pub promise_kept: bool,
    /// How much was ordered.
    pub ordered: Quantity,
    /// How much of that is not wanted any more.
    pub cancelled: Quantity,
    /// How much left on delivery notes.
    pub delivered: Quantity,
    /// How much of that has reached the customer.
    pub arrived: Quantity,
    /// How much came back.
    pub returned: Quantity,
    /// How much billing has invoiced.
    pub invoiced: Quantity,
    /// How much of that billing has credited.
    pub credited: Quantity,
}

/// A promise that was not kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BrokenPromise {
    /// Key of the line.
    pub line: String,
    /// Day by which it was promised.
    pub promised_date: Date,
    /// Day on which it came; none while it has not come.
    pub delivery_date: Option<Date>,
}

/// What may be invoiced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InvoicingPolicy {
    /// What is ordered.
    Ordered,
    /// What is delivered and was not returned.
    Delivered,
    /// The share of what is ordered that milestones have released.
    Milestone,
    /// What is ordered, before anything is delivered.
    Prepaid,
}

/// How far a line or an order is delivered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DeliveryStatus {
    /// There is nothing to deliver.
    NotApplicable,
    /// Nothing is.
    None,
    /// Part of it is.
    Partial,
    /// All of it is.
    Full,
    /// More than is ordered is.
    Over,
    /// What was delivered came back.
    Returned,
}

/// How far a line or an order is invoiced.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum InvoiceStatus {
    /// Nothing may be, and nothing was.
    NothingToInvoice,
    /// Something may be, and nothing is.
    ToInvoice,
    /// Part of it is.
    Partial,
    /// All of it is.
    Invoiced,
    /// More than may be is.
    ToCredit,
    /// What was invoiced is credited, and nothing may be invoiced any more.
    Credited,
}

/// Why quantities cannot move.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LedgerError {
    /// The order has no such line.
    #[error("the order has no such line")]
    UnknownLine,
    /// The line is not delivered at all.
    #[error("the line is a fee or the like and is not delivered")]
    NotDeliverable,
    /// More would be delivered than is ordered.
    #[error("more would be delivered than is left of the line")]
    OverDelivery,
    /// More would be cancelled than is neither cancelled nor delivered.
    #[error("more would be cancelled than is left of the line")]
    OverCancelled,
    /// More would come back than was delivered.
    #[error("more would come back than was delivered of the line")]
    OverReturned,
}

impl DomainError for LedgerError {
    fn reason(&self) -> &'static str {
        match self {
            Self::UnknownLine => "ORDER_LINE_NOT_FOUND",
            Self::NotDeliverable => "NOT_DELIVERABLE",
            Self::OverDelivery => "OVER_DELIVERY",
            Self::OverCancelled => "OVER_CANCELLED",
            Self::OverReturned => "OVER_RETURNED",
        }
    }
}

impl Entry {
    /// A line of which so much was just ordered.
    pub fn new(line: String, ordered: Quantity, deliverable: bool) -> Self {
        let nothing = Quantity::ZERO;
        Self {
            line,
            deliverable,
            promised_date: None,
            promise_broken: false,
            promise_kept: false,
            ordered,
            cancelled: nothing,
            delivered: nothing,
            arrived: nothing,
            returned: nothing,
            invoiced: nothing,
            credited: nothing,
        }
    }

    /// What is ordered and still wanted.
    pub fn wanted(&self) -> Quantity {
        less(self.ordered, self.cancelled)
    }

    /// What is delivered and did not come back.
    pub fn kept(&self) -> Quantity {
        less(self.delivered, self.returned)
    }

    /// What may still be delivered.
    pub fn open(&self) -> Quantity {
        let open = less(self.wanted(), self.kept());
        if self.deliverable { open.max(Quantity::ZERO) } else { Quantity::ZERO }
    }

    /// What is invoiced and not credited; nothing where more was credited.
    pub fn billed(&self) -> Quantity {
        less(self.invoiced, self.credited).max(Quantity::ZERO)
    }

    /// What may be invoiced in all. What is never delivered is invoiced as it is ordered.
    pub fn basis(&self, policy: InvoicingPolicy, released: Percent) -> Quantity {
        match policy {
            InvoicingPolicy::Delivered if self.deliverable => self.kept(),
            // At most the whole is released, which always fits.
            InvoicingPolicy::Milestone => self.wanted().share(released).unwrap_or(self.wanted()),
            InvoicingPolicy::Ordered | InvoicingPolicy::Prepaid | InvoicingPolicy::Delivered => self.wanted(),
        }
    }

    /// The day by which it is promised, while it has not all arrived and nobody was told that it is late.
    pub fn open_promise(&self) -> Option<Date> {
        let is_open = self.deliverable && !self.promise_broken && !self.promise_kept && !self.is_complete();
        self.promised_date.filter(|_| is_open)
    }

    /// All that is wanted has arrived and did not come back.
    fn is_complete(&self) -> bool {
        less(self.arrived, self.returned) >= self.wanted()
    }

    /// How far the line is delivered.
    pub fn delivery_status(&self) -> DeliveryStatus {
        let (wanted, kept) = (self.wanted(), self.kept());
        if !self.deliverable || (wanted.is_zero() && self.delivered.is_zero()) {
            DeliveryStatus::NotApplicable
        } else if self.delivered.is_zero() {
            DeliveryStatus::None
        } else if kept.is_zero() {
            DeliveryStatus::Returned
        } else if kept > wanted {
            DeliveryStatus::Over
        } else if kept == wanted {
            DeliveryStatus::Full
        } else {
            DeliveryStatus::Partial
        }
    }

    /// How far the line is invoiced.
    pub fn invoice_status(&self, policy: InvoicingPolicy, released: Percent) -> InvoiceStatus {
        let (basis, billed) = (self.basis(policy, released), self.billed());
        if billed > basis {
            InvoiceStatus::ToCredit
        } else if basis.is_zero() && self.invoiced.is_zero() {
            InvoiceStatus::NothingToInvoice
        } else if basis.is_zero() {
            InvoiceStatus::Credited
        } else if billed.is_zero() {
            InvoiceStatus::ToInvoice
        } else if billed == basis {
            InvoiceStatus::Invoiced
        } else {
            InvoiceStatus::Partial
        }
    }
}

impl Entry {
    fn break_promise(&mut self, day: Date, delivery_date: Option<Date>) -> Option<BrokenPromise> {
        let promised_date = self.open_promise().filter(|promised| *promised < day)?;
        self.promise_broken = true;
        Some(BrokenPromise { line: self.line.clone(), promised_date, delivery_date })
    }
}

impl Ledger {
    /// So much of a line is not wanted any more: at most what is not delivered.
    pub fn cancel(&mut self, line: &str, quantity: Quantity) -> Result<()> {
        let entry = self.entry_mut(line)?;
        let left = less(entry.wanted(), entry.kept());
        require(quantity, left, LedgerError::OverCancelled, line)?;
        entry.cancelled = more(entry.cancelled, quantity)?;
        Ok(())
    }

    /// So much of a line leaves on a delivery note: at most what is left of it.
    pub fn deliver(&mut self, line: &str, quantity: Quantity) -> Result<()> {
        let entry = self.entry_mut(line)?;
        if !entry.deliverable {
            return Err(Error::from(LedgerError::NotDeliverable).with("order_line", line));
        }
        require(quantity, entry.open(), LedgerError::OverDelivery, line)?;
        entry.delivered = more(entry.delivered, quantity)?;
        Ok(())
    }

    /// So much of what left never reached the customer: its delivery note was voided, or it was refused at the door.
    pub fn take_back(&mut self, line: &str, quantity: Quantity) -> Result<()> {
        let entry = self.entry_mut(line)?;
        require(quantity, less(entry.delivered, entry.arrived), LedgerError::OverReturned, line)?;
        entry.delivered = less(entry.delivered, quantity);
        Ok(())
    }

    /// So much of what left has reached the customer.
    pub fn arrive(&mut self, line: &str, quantity: Quantity) -> Result<()> {
        let entry = self.entry_mut(line)?;
        require(quantity, less(entry.delivered, entry.arrived), LedgerError::OverDelivery, line)?;
        entry.arrived = more(entry.arrived, quantity)?;
        Ok(())
    }

    /// So much of what the customer got came back.
    pub fn give_back(&mut self, line: &str, quantity: Quantity) -> Result<()> {
        let entry = self.entry_mut(line)?;
        require(quantity, less(entry.arrived, entry.returned), LedgerError::OverReturned, line)?;
        entry.promise_kept |= entry.is_complete();
        entry.returned = more(entry.returned, quantity)?;
        Ok(())
    }

    /// So much of what came back is refunded, so that it is not wanted any more. Of what was cancelled already, or replaced,
    /// nothing is left to cancel.
    pub fn refund(&mut self, line: &str, quantity: Quantity) -> Result<()> {
        let entry = self.entry_mut(line)?;
        require(quantity, entry.returned, LedgerError::OverReturned, line)?;
        entry.cancelled = more(entry.cancelled, quantity.min(entry.open()))?;
        Ok(())
    }

    /// So much of what came back goes to the customer again: unless something else was delivered in its place.
    pub fn hand_back(&mut self, line: &str, quantity: Quantity) -> Result<()> {
        let entry = self.entry_mut(line)?;
        require(quantity, entry.returned, LedgerError::OverReturned, line)?;
        require(quantity, less(entry.wanted(), entry.kept()), LedgerError::OverDelivery, line)?;
        entry.returned = less(entry.returned, quantity);
        Ok(())
    }

    /// Billing has invoiced and credited so much of a line in all. True when that is news; a line that is not there is
    /// none of ours.
    pub fn bill(&mut self, line: &str, invoiced: Quantity, credited: Quantity) -> bool {
        let Ok(entry) = self.entry_mut(line) else { return false };
        let is_news = (entry.invoiced, entry.credited) != (invoiced, credited);
        (entry.invoiced, entry.credited) = (invoiced, credited);
        is_news
    }

    /// The first day for which something is promised that has not arrived and is not known to be late.
    pub fn next_promise(&self) -> Option<Date> {
        self.0.iter().filter_map(Entry::open_promise).min()
    }

    /// Notes every promise whose day is before `today`; each is told once.
    pub fn break_promises(&mut self, today: Date) -> Vec<BrokenPromise> {
        self.0.iter_mut().filter_map(|entry| entry.break_promise(today, None)).collect()
    }

    /// Notes that something of a line came on this day, if that is too late and nobody was told yet.
    pub fn come_late(&mut self, line: &str, day: Date) -> Result<Option<BrokenPromise>> {
        Ok(self.entry_mut(line)?.break_promise(day, Some(day)))
    }

    /// Nothing of what is wanted is left to be delivered: what came back does not count.
    pub fn is_fulfilled(&self) -> bool {
        self.0.iter().all(|entry| !entry.deliverable || entry.kept() >= entry.wanted())
    }

    /// All that left has reached the customer.
    pub fn is_arrived(&self) -> bool {
        self.0.iter().all(|entry| entry.arrived == entry.delivered)
    }

    /// Something was delivered.
    pub fn is_begun(&self) -> bool {
        self.0.iter().any(|entry| !entry.delivered.is_zero())
    }

    /// Nothing is wanted any more, and nothing was delivered.
    pub fn is_cancelled(&self) -> bool {
        self.0.iter().all(|entry| entry.wanted().is_zero() && entry.delivered.is_zero())
    }

    /// How far the order is delivered. Lines without anything to deliver do not count.
    pub fn delivery_status(&self) -> DeliveryStatus {
        use DeliveryStatus::{NotApplicable, Over, Partial};
        fold(self.0.iter().map(Entry::delivery_status), NotApplicable, Over, Partial)
    }

    /// How far the lines are invoiced. Those without anything to invoice do not count.
    pub fn invoice_status(&self, policy: InvoicingPolicy, released: Percent) -> InvoiceStatus {
        use InvoiceStatus::{NothingToInvoice, Partial, ToCredit};
        let lines = self.0.iter().map(|entry| entry.invoice_status(policy, released));
        fold(lines, NothingToInvoice, ToCredit, Partial)
    }

    /// The quantities of a line; FAILED_PRECONDITION `ORDER_LINE_NOT_FOUND`.
    fn entry_mut(&mut self, line: &str) -> Result<&mut Entry> {
        let found = self.0.iter_mut().find(|entry| entry.line == line);
        found.ok_or_else(|| Error::from(LedgerError::UnknownLine).with("order_line", line))
    }
}

/// The state of the whole: `none` when no line has another, `worst` when one has it, what all have, else `mixed`.
pub fn fold<S: Copy + PartialEq>(lines: impl Iterator<Item = S>, none: S, worst: S, mixed: S) -> S {
    let alike = |one: S, other: S| match () {
        () if one == worst || other == worst => worst,
        () if one == other => one,
        () => mixed,
    };
    lines.filter(|state| *state != none).reduce(alike).unwrap_or(none)
}

fn require(quantity: Quantity, left: Quantity, error: LedgerError, line: &str) -> Result<()> {
    if quantity <= left {
        return Ok(());
    }
    Err(Error::from(error).with("order_line", line).with("left", left.max(Quantity::ZERO)))
}

fn more(quantity: Quantity, by: Quantity) -> Result<Quantity> {
    quantity.plus(by).map_err(Error::internal)
}

/// The difference of two quantities that are zero or more always has the digits of a quantity.
fn less(quantity: Quantity, by: Quantity) -> Quantity {
    quantity.plus(by.negated()).unwrap_or(Quantity::ZERO)
}

#[cfg(test)]
mod tests;
