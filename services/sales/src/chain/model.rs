//! A chain that stands still. Pure.

use trato_types::{Currency, Id, MemberRef, Minor, Ref, Timestamp};
use uuid::Uuid;

use crate::{
    foreign::{Account, Team},
    opportunity::Opportunity,
    order::Order,
    quote::Quote,
};

/// A chain from quote to cash, at the document where it stands still.
#[derive(Clone, Debug, PartialEq)]
pub struct StalledChain {
    /// Identifier of the document.
    pub id: Uuid,
    /// Resource name of the document.
    pub document: String,
    /// What it waits for.
    pub waiting_for: Wait,
    /// When the document last changed.
    pub since: Timestamp,
    /// Member who answers for the document.
    pub owner: Option<MemberRef>,
    /// Team the document belongs to.
    pub team: Option<Ref<Team>>,
    /// Whom it is about.
    pub account: Ref<Account>,
    /// The quote it began with.
    pub quote: Option<Id<Quote>>,
    /// The order, unless there is none yet.
    pub order: Option<Id<Order>>,
    /// What the quote is of.
    pub opportunity: Option<Id<Opportunity>>,
    /// Total with tax of the order, or of the quote without one, in the minor unit of the currency.
    pub gross: Minor,
    /// Currency of the total.
    pub currency: Currency,
    /// W3C trace context in which the document last moved, where the log still has it.
    pub traceparent: Option<String>,
}

/// What a chain waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wait {
    /// An order of an accepted quote.
    Order,
    /// That an order is confirmed.
    Confirmation,
    /// The end of a hold.
    Release,
    /// A delivery note.
    Delivery,
    /// That a delivery note is confirmed.
    Proof,
    /// An invoice.
    Invoice,
    /// A credit note.
    Credit,
    /// That a return is settled.
    Settlement,
    /// That a return is authorised or rejected.
    Authorisation,
    /// That something comes back.
    Arrival,
}

impl StalledChain {
    /// Resource name of what it began with: the quote, else the order.
    pub fn root(&self) -> String {
        let quote = self.quote.map(Id::name);
        quote.or_else(|| self.order.map(Id::name)).unwrap_or_default()
    }
}
