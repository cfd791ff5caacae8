//! An order and its verbs. What is ordered is fixed when it is confirmed; from then on quantities move, and the state
//! follows.

use trato_pricing::{Percent, Quantity};
use trato_types::{
    Address, Currency, Date, DomainError, Error, Id, MemberRef, Minor, Ref, Result, Timestamp,
    error::FieldError as _, id::Collection, text::line,
};

use super::{
    charges::BilledCharges,
    goods::Good,
    ledger::{DeliveryStatus, Entry, InvoiceStatus, InvoicingPolicy, Ledger},
};
use crate::{
    decimal::Exact,
    document::Document,
    foreign::{Account, Team},
    kit::Kits,
    number_series::{NumberSeries, Numbered},
    product::Product,
    quote::Quote,
};

/// What a customer has ordered.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Member who answers for it.
    pub owner: Option<MemberRef>,
    /// Team it belongs to.
    pub team: Option<Ref<Team>>,
    /// Who orders.
    pub account: Ref<Account>,
    /// What is ordered.
    pub document: Document,
    /// Total with tax, in the minor unit of the document's currency.
    pub gross: Minor,
    /// Currency of the document.
    pub currency: Currency,
    /// Number of the customer's own order; may be empty.
    pub customer_po: String,
    /// Where the invoice goes.
    pub bill_to: Option<Address>,
    /// Where the goods go.
    pub ship_to: Option<Address>,
    /// Day by which the customer wants it.
    pub requested_date: Option<Date>,
    /// Day by which it is promised, where a line does not say another one.
    pub promised_date: Option<Date>,
    /// What may be invoiced.
    pub invoicing_policy: InvoicingPolicy,
    /// Keys of lines that nobody delivers.
    pub undelivered_lines: Keys,
    /// The quote it came of.
    pub quote: Option<Id<Quote>>,
    /// Where it is in its life.
    pub state: State,
    /// Why it is held, if it is.
    pub hold_reason: Option<HoldReason>,
    /// What was said about the hold; may be empty.
    pub hold_note: String,
    /// Since when it is held.
    pub hold_time: Option<Timestamp>,
    /// It is its account's credit hold; never without CREDIT.
    pub held_with_account: bool,
    /// Share that milestones have released: at most the whole.
    pub released_percent: Exact<Percent>,
    /// Series its number is of.
    pub number_series: Option<Id<NumberSeries>>,
    /// Its number, as it stands on the document.
    pub number: Option<String>,
    /// Day on which it was confirmed.
    pub order_date: Option<Date>,
    /// What is in its kits, as it was when it was confirmed; none before, and where it was confirmed before this was kept.
    pub kits: Option<Kits>,
    /// Its quantities.
    pub ledger: Ledger,
    /// What billing did with charges of the whole.
    pub billed_charges: BilledCharges,
    /// How far it is delivered, by its quantities.
    pub delivery_status: DeliveryStatus,
    /// How far it is invoiced, by its quantities and charges.
    pub invoice_status: InvoiceStatus,
    /// Something of it may be invoiced, which `PARTLY_INVOICED` does not say; by its quantities and charges.
    pub awaits_invoice: bool,
    /// The next day on which a promise would be broken, by its quantities.
    pub next_promised_date: Option<Date>,
    /// When it was closed or cancelled.
    pub end_time: Option<Timestamp>,
    /// Why it was cancelled; empty unless it was.
    pub cancel_reason: String,
}

impl Collection for Order {
    const COLLECTION: &'static str = "orders";
}

/// Keys of lines.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(transparent)]
pub struct Keys(pub Vec<String>);

/// Where an order is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Can be changed.
    Draft,
    /// Nothing is delivered.
    Confirmed,
    /// Part of it is.
    InFulfilment,
    /// Nothing is left to be.
    Fulfilled,
    /// It is done.
    Closed,
    /// It is not wanted.
    Cancelled,
}

/// Why an order is held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HoldReason {
    /// The customer owes too much.
    Credit,
    /// It may be a fraud.
    Fraud,
    /// Somebody wants it.
    Manual,
}

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OrderError {
    /// It is confirmed or cancelled.
    #[error("the order is no draft any more")]
    NotDraft,
    /// Its document is that of a quote.
    #[error("the document is that of a quote and does not change")]
    DocumentAgreed,
    /// It is a draft, closed or cancelled.
    #[error("the order is a draft, closed or cancelled")]
    NotConfirmed,
    /// It comes to something else than when it was written.
    #[error("prices, promotions or taxes have changed since the draft was written; write it again")]
    PriceChanged,
    /// It is held.
    #[error("the order is on hold")]
    OnHold,
    /// It is not held.
    #[error("the order is not on hold")]
    NotOnHold,
    /// It is closed or cancelled.
    #[error("the order is closed or cancelled")]
    Ended,
    /// Part of it is delivered.
    #[error("part of the order is delivered; cancel what is left of its lines")]
    InFulfilment,
    /// Part of it is left to be delivered, or is on its way.
    #[error("part of the order is left to be delivered, or has not arrived")]
    NotFulfilled,
    /// It is not invoiced by milestones.
    #[error("the order is not invoiced by milestones")]
    NotByMilestones,
    /// More is released.
    #[error("more of the order is released already")]
    ReleasedAlready,
    /// Nothing is left to be delivered.
    #[error("nothing of the order is left to be delivered")]
    NothingToDeliver,
    /// It is invoiced before it is delivered, and not yet.
    #[error("the order is prepaid, and more of a line would be delivered than is invoiced")]
    NotInvoiced,
}

impl DomainError for OrderError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotDraft => "ORDER_NOT_DRAFT",
            Self::DocumentAgreed => "DOCUMENT_AGREED",
            Self::NotConfirmed => "ORDER_NOT_CONFIRMED",
            Self::PriceChanged => "PRICE_CHANGED",
            Self::OnHold => "ORDER_ON_HOLD",
            Self::NotOnHold => "ORDER_NOT_ON_HOLD",
            Self::Ended => "ORDER_ENDED",
            Self::InFulfilment => "ORDER_IN_FULFILMENT",
            Self::NotFulfilled => "ORDER_NOT_FULFILLED",
            Self::NotByMilestones => "NOT_BY_MILESTONES",
            Self::ReleasedAlready => "RELEASED_ALREADY",
            Self::NothingToDeliver => "NOTHING_TO_DELIVER",
            Self::NotInvoiced => "NOT_INVOICED",
        }
    }
}

impl Order {
    /// A draft of what somebody orders; nobody answers for it yet.
    pub fn draft(account: Ref<Account>, document: Document) -> Self {
        Self {
            owner: None,
            team: None,
            account,
            gross: document.totals().gross,
            currency: document.currency,
            document,
            customer_po: String::new(),
            bill_to: None,
            ship_to: None,
            requested_date: None,
            promised_date: None,
            invoicing_policy: InvoicingPolicy::Ordered,
            undelivered_lines: Keys::default(),
            quote: None,
            state: State::Draft,
            hold_reason: None,
            hold_note: String::new(),
            hold_time: None,
            held_with_account: false,
            released_percent: Exact(Percent::ZERO),
            number_series: None,
            number: None,
            order_date: None,
            kits: None,
            ledger: Ledger::default(),
            billed_charges: BilledCharges::default(),
            delivery_status: DeliveryStatus::NotApplicable,
            invoice_status: InvoiceStatus::NothingToInvoice,
            awaits_invoice: false,
            next_promised_date: None,
            end_time: None,
            cancel_reason: String::new(),
        }
    }

    /// FAILED_PRECONDITION unless it can still be changed.
    pub fn require_draft(&self) -> Result<(), OrderError> {
        if self.state == State::Draft { Ok(()) } else { Err(OrderError::NotDraft) }
    }

    /// FAILED_PRECONDITION unless it is agreed on and not ended.
    pub fn require_confirmed(&self) -> Result<(), OrderError> {
        match self.state {
            State::Confirmed | State::InFulfilment | State::Fulfilled => Ok(()),
            State::Draft | State::Closed | State::Cancelled => Err(OrderError::NotConfirmed),
        }
    }

    /// FAILED_PRECONDITION while it is held.
    pub fn require_not_held(&self) -> Result<(), OrderError> {
        if self.hold_reason.is_none() { Ok(()) } else { Err(OrderError::OnHold) }
    }

    /// Takes over what its document says in short, once that is priced.
    pub fn sum_up(&mut self) {
        self.gross = self.document.totals().gross;
        self.currency = self.document.currency;
    }

    /// The products that it names, those among them that promotions give.
    pub fn products(&self) -> Vec<Id<Product>> {
        Good::all(&self.document).into_iter().map(|good| good.product).collect()
    }

    /// Agrees on a draft, with what is in its kits, as far as there is room to keep it: from here on it has quantities.
    pub fn confirm(&mut self, numbered: Numbered, today: Date, kits: &Kits) -> Result<(), OrderError> {
        self.require_draft()?;
        self.require_not_held()?;
        let entry = |good: Good| {
            let deliverable = !self.undelivered_lines.0.contains(&good.line);
            let promised_date = good.promised_date.or(self.promised_date);
            Entry { promised_date, ..Entry::new(good.line, good.quantity, deliverable) }
        };
        self.ledger = Ledger(Good::all(&self.document).into_iter().map(entry).collect());
        self.state = State::Confirmed;
        self.number_series = Some(numbered.number_series);
        self.number = Some(numbered.number);
        self.order_date = Some(today);
        self.kits = Some(kits.only(self.products().into_iter()));
        self.follow();
        Ok(())
    }

    /// Lets so much of it be invoiced in all.
    pub fn release_milestone(&mut self, percent: Percent) -> Result<()> {
        self.require_confirmed()?;
        if self.invoicing_policy != InvoicingPolicy::Milestone {
            return Err(OrderError::NotByMilestones.into());
        }
        if percent > Percent::HUNDRED {
            return Err(Error::invalid("released_percent", "PERCENT_OUT_OF_RANGE", "must be at most 100"));
        }
        if percent < self.released_percent.0 {
            let released = self.released_percent.0;
            return Err(Error::from(OrderError::ReleasedAlready).with("released_percent", released));
        }
        self.released_percent = Exact(percent);
        self.follow();
        Ok(())
    }

    /// Takes quantities off its lines: all of them or none. One of which nothing is left is cancelled.
    pub fn cancel_lines(&mut self, lines: &[(String, Quantity)], now: Timestamp) -> Result<()> {
        self.require_confirmed()?;
        for (key, quantity) in lines {
            self.ledger.cancel(key, *quantity)?;
        }
        if self.ledger.is_cancelled() {
            self.end(State::Cancelled, now);
        }
        self.follow();
        Ok(())
    }

    /// Cancels all of it, for a reason of 1 to 500 characters, unless something is delivered.
    pub fn cancel(&mut self, reason: &str, now: Timestamp) -> Result<()> {
        let reason = reason_of(reason)?;
        match self.state {
            State::Draft | State::Confirmed => {}
            State::InFulfilment | State::Fulfilled => return Err(OrderError::InFulfilment.into()),
            State::Closed | State::Cancelled => return Err(OrderError::Ended.into()),
        }
        let wanted: Vec<_> = self.ledger.0.iter().map(|entry| (entry.line.clone(), entry.wanted())).collect();
        for (key, quantity) in wanted {
            self.ledger.cancel(&key, quantity)?;
        }
        self.end(State::Cancelled, now);
        self.cancel_reason = reason;
        self.follow();
        Ok(())
    }

    /// Closes it once nothing is left to be delivered and all that left has arrived. It goes on when something comes back.
    pub fn close(&mut self, now: Timestamp) -> Result<(), OrderError> {
        if self.state != State::Fulfilled || !self.ledger.is_arrived() {
            return Err(OrderError::NotFulfilled);
        }
        self.require_not_held()?;
        self.end(State::Closed, now);
        self.follow();
        Ok(())
    }

    fn end(&mut self, state: State, now: Timestamp) {
        self.state = state;
        self.end_time = Some(now);
        self.let_go();
    }
}

/// Checks a reason of 1 to 500 characters.
pub fn reason_of(text: &str) -> Result<String> {
    let reason =
        line(text, 500).map_err(|error| Error::invalid("reason", error.reason(), error.to_string()))?;
    if reason.is_empty() {
        return Err(Error::invalid("reason", "REQUIRED", "is required"));
    }
    Ok(reason)
}
