//! A cart: written by its buyer step by step, abandoned when he stops, and closed when it is an order.

use chrono::TimeDelta;
use serde::Deserialize;
use trato_types::{
    Address, Currency, DomainError, Error, Id, MemberRef, Minor, Ref, Result, Timestamp, id::Collection,
};

use crate::{
    document::Document,
    foreign::{Account, Team},
    order::Order,
};

/// What somebody is about to buy.
#[derive(Clone, Debug, PartialEq)]
pub struct Cart {
    /// Member who answers for it.
    pub owner: Option<MemberRef>,
    /// Team it belongs to.
    pub team: Option<Ref<Team>>,
    /// Who buys, once that is said.
    pub account: Option<Ref<Account>>,
    /// Session of a visitor, by which a cart without account is found.
    pub session_id: Option<String>,
    /// What is to be bought.
    pub document: Document,
    /// Total with tax, in the minor unit of the document's currency.
    pub gross: Minor,
    /// Currency of the document.
    pub currency: Currency,
    /// Where the invoice goes.
    pub bill_to: Option<Address>,
    /// Where the goods go.
    pub ship_to: Option<Address>,
    /// Where its buyer is.
    pub step: Step,
    /// Where its buyer was at the furthest.
    pub furthest_step: Step,
    /// What became of it.
    pub state: State,
    /// When its buyer last wrote it.
    pub last_activity_time: Timestamp,
    /// Where it was abandoned last, also when it came back since.
    pub abandon_step: Option<Step>,
    /// When it was abandoned last.
    pub abandon_time: Option<Timestamp>,
    /// When it came back last.
    pub recover_time: Option<Timestamp>,
    /// The order in its place.
    pub order_id: Option<Id<Order>>,
}

impl Collection for Cart {
    const COLLECTION: &'static str = "carts";
}

/// A step on the way to an order, in the order in which buyers take them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "UPPERCASE")]
pub enum Step {
    /// Choosing what to buy.
    Lines,
    /// Saying who buys, and where it goes.
    Address,
    /// Choosing how it is delivered.
    Delivery,
    /// Choosing how it is paid.
    Payment,
    /// Looking at all of it before ordering.
    Review,
}

/// What became of a cart.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Somebody is at it.
    Open,
    /// Nobody has written it for long.
    Abandoned,
    /// An order is in its place.
    CheckedOut,
}

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CartError {
    /// An order is in its place.
    #[error("the cart is an order by now")]
    CheckedOut,
    /// It comes to something else than when it was written.
    #[error("the cart comes to something else than when it was written; write it again, for the account")]
    PriceChanged,
}

impl DomainError for CartError {
    fn reason(&self) -> &'static str {
        match self {
            Self::CheckedOut => "CART_CHECKED_OUT",
            Self::PriceChanged => "PRICE_CHANGED",
        }
    }
}

impl Step {
    /// All of them, the first one first.
    pub const ALL: [Self; 5] = [Self::Lines, Self::Address, Self::Delivery, Self::Payment, Self::Review];
}

impl Cart {
    /// FAILED_PRECONDITION once an order is in its place.
    pub fn require_unordered(&self) -> Result<()> {
        match self.order_id {
            None => Ok(()),
            Some(order) => Err(Error::from(CartError::CheckedOut).with("order", order.name())),
        }
    }

    /// Takes over what its document says in short, once that is priced.
    pub fn sum_up(&mut self) {
        self.gross = self.document.totals().gross;
        self.currency = self.document.currency;
    }

    /// Notes that its buyer is at it. One that was abandoned is recovered.
    pub fn touch(&mut self, now: Timestamp) {
        if self.state == State::Abandoned {
            self.state = State::Open;
            self.recover_time = Some(now);
        }
        self.furthest_step = self.furthest_step.max(self.step);
        self.last_activity_time = now;
    }

    /// Notes that its buyer has left it for as long as this; none when it is not open. It was abandoned when that time was over,
    /// whenever somebody finds out.
    pub fn abandon(&mut self, idle: TimeDelta) -> Option<()> {
        if self.state != State::Open {
            return None;
        }
        self.state = State::Abandoned;
        self.abandon_step = Some(self.step);
        self.abandon_time = Some(self.last_activity_time + idle);
        Some(())
    }

    /// Closes an open one: its account has ordered it.
    pub fn check_out(&mut self, account: Ref<Account>, order: Id<Order>, now: Timestamp) {
        self.touch(now);
        self.state = State::CheckedOut;
        self.account = Some(account);
        self.order_id = Some(order);
    }
}
