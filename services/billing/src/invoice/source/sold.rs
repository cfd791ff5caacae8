//! What was sold, as a document of sales tells it. Pure.

use trato_pricing::Quantity;
use trato_proto::{
    sales::v1::{
        self as sales,
        order::{HoldReason, State},
    },
    wire,
};
use trato_types::{Date, DomainError, Error, Kind, Result, Timestamp};

use super::basis::{self, Agreed, quantity};
use crate::{billable::Billable, invoice::Numbers};

/// A document of sales, and what of it may be invoiced.
#[derive(Debug)]
pub struct Sold {
    /// Its name.
    pub name: String,
    /// Who bought.
    pub account: String,
    /// In whose name the document is made out; empty where it does not say.
    pub legal_entity: String,
    /// Where the invoice goes, if the document says so.
    pub bill_to: Option<sales::Address>,
    /// When it was supplied, if the document says so.
    pub supplied: Option<Supplied>,
    /// By which others know it.
    pub numbers: Numbers,
    /// Lines, prices and terms.
    pub document: sales::SalesDocument,
    /// What may be invoiced.
    pub lines: Vec<SoldLine>,
    /// What may be invoiced, of this and of all that it counts for.
    pub billables: Vec<Billable>,
    /// The order of a delivery note.
    pub order: Option<String>,
}

/// A line that may be invoiced.
#[derive(Clone, Debug)]
pub struct SoldLine {
    /// Its key in the document that is invoiced.
    pub key: String,
    /// Key of the line or charge that has its price.
    pub priced: String,
}

impl SoldLine {
    /// A charge of an order, as its delivery notes have it: the first one that is invoiced brings it. A line of the note may have the
    /// key of the charge.
    fn of_charge(charge: &str) -> Self {
        Self { key: format!("charges/{charge}"), priced: charge.to_owned() }
    }

    /// True for one of those.
    pub fn is_charge_of_the_order(&self) -> bool {
        self.key == Self::of_charge(&self.priced).key
    }
}

/// When something was supplied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Supplied {
    /// It arrived at this instant, whichever day that was where the invoice is made out.
    At(Timestamp),
    /// It left on this day, and has not arrived.
    On(Date),
}

/// Why a document is not invoiced.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SourceError {
    /// Nobody has agreed on it, or it is not wanted any more.
    #[error("the document cannot be invoiced yet, or no longer")]
    NotReady,
    /// Somebody holds the order.
    #[error("the order is held")]
    OnHold,
    /// Another company has made it out.
    #[error("the document is made out in the name of another legal entity")]
    LegalEntityDiffers,
    /// All that may be invoiced is.
    #[error("all that may be invoiced of the document is invoiced")]
    AlreadyInvoiced,
    /// Lines of which so much was asked for, and parked, are invoiced by another request.
    #[error("what was asked for of the document is invoiced by another request")]
    PartsInvoiced,
    /// Nothing of it is invoiced, and nothing may be: not yet, or not any more.
    #[error("nothing of the document may be invoiced yet, or any more")]
    NothingToInvoice,
}

impl DomainError for SourceError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotReady | Self::OnHold | Self::LegalEntityDiffers | Self::NothingToInvoice => {
                Kind::Precondition
            }
            Self::AlreadyInvoiced | Self::PartsInvoiced => Kind::AlreadyExists,
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::NotReady => "SOURCE_NOT_READY",
            Self::OnHold => "ORDER_ON_HOLD",
            Self::LegalEntityDiffers => "LEGAL_ENTITY_DIFFERS",
            Self::AlreadyInvoiced | Self::PartsInvoiced => "ALREADY_INVOICED",
            Self::NothingToInvoice => "NOTHING_TO_INVOICE",
        }
    }
}

impl Sold {
    /// An accepted quote.
    pub fn quote(quote: sales::Quote) -> Result<Self> {
        if quote.state() != sales::quote::State::Accepted || quote.delete_time.is_some() {
            return Err(SourceError::NotReady.into());
        }
        let document = quote.document.ok_or_else(|| Error::internal("a quote without document"))?;
        let billable = |agreed: Agreed| {
            let (line, basis) = agreed.whole();
            Billable { document: quote.name.clone(), line, basis, parent: None, revision: 0 }
        };
        let billables: Vec<_> = Agreed::all(&document)?.into_iter().map(billable).collect();
        Ok(Self {
            lines: own_lines(&billables, &quote.name),
            name: quote.name,
            account: quote.account,
            legal_entity: quote.legal_entity,
            bill_to: None,
            supplied: None,
            numbers: Numbers::default(),
            document,
            billables,
            order: None,
        })
    }

    /// The same of a quote that has become an order: it is invoiced as the order is, by the name of the quote; and as it was
    /// agreed on while that is a draft that nobody holds.
    pub fn ordered(self, order: sales::Order) -> Result<Self> {
        if order.delete_time.is_some() {
            return Ok(self);
        }
        if matches!(order.state(), State::Unspecified | State::Draft) {
            require_not_held(order.hold_reason())?;
            return Ok(self);
        }
        Ok(Self { name: self.name, legal_entity: self.legal_entity, ..Self::order(order)? })
    }

    /// A confirmed order that nobody holds; but for its credit, since who pays first needs an invoice to pay.
    pub fn order(order: sales::Order) -> Result<Self> {
        let hold = order.hold_reason();
        let sold = Self::confirmed(order)?;
        require_not_held(hold)?;
        Ok(sold)
    }

    fn confirmed(order: sales::Order) -> Result<Self> {
        use State::{Closed, Confirmed, Fulfilled, InFulfilment};
        if !matches!(order.state(), Confirmed | InFulfilment | Fulfilled | Closed) {
            return Err(SourceError::NotReady.into());
        }
        let billables = basis::of_order(&order, order.etag.parse().map_err(Error::internal)?)?;
        Ok(Self {
            lines: own_lines(&billables, &order.name),
            name: order.name,
            account: order.account,
            legal_entity: String::new(),
            bill_to: order.bill_to,
            supplied: None,
            numbers: Numbers {
                purchase_order: order.customer_po,
                sales_order: order.number,
                ..Numbers::default()
            },
            document: order.document.ok_or_else(|| Error::internal("an order without document"))?,
            billables,
            order: None,
        })
    }

    /// An issued delivery note of an order, also of one that is held: what has left is owed. The first one that is invoiced brings
    /// the charges of the whole order.
    pub fn delivery_note(note: sales::DeliveryNote, order: sales::Order) -> Result<Self> {
        use sales::delivery_note::State::{Delivered, Dispatched, Issued, PartlyRefused};
        if !matches!(note.state(), Issued | Dispatched | Delivered | PartlyRefused) {
            return Err(SourceError::NotReady.into());
        }
        let revision = note.etag.parse().map_err(Error::internal)?;
        let mut sold = Self::confirmed(order)?;
        let mut lines = Vec::new();
        let mut bring = |line: SoldLine, basis: Quantity| {
            sold.billables.push(Billable {
                document: note.name.clone(),
                line: line.key.clone(),
                basis,
                parent: Some((sold.name.clone(), line.priced.clone())),
                revision,
            });
            lines.push(line);
        };
        for line in &note.lines {
            let refused = note.refusals.iter().filter(|refusal| refusal.line == line.key);
            let mut basis = quantity(&line.quantity)?;
            for refusal in refused {
                basis = basis.plus(quantity(&refusal.quantity)?.negated()).map_err(Error::internal)?;
            }
            bring(SoldLine { key: line.key.clone(), priced: line.order_line.clone() }, basis);
        }
        for charge in &sold.document.charges {
            bring(SoldLine::of_charge(&charge.key), Quantity::ONE);
        }
        let supplied = supplied(&note)?;
        Ok(Self {
            order: Some(sold.name),
            name: note.name,
            legal_entity: note.legal_entity,
            supplied,
            numbers: Numbers { delivery_note: note.number, ..sold.numbers },
            lines,
            ..sold
        })
    }
}

/// FAILED_PRECONDITION while somebody holds an order; but for its credit.
fn require_not_held(hold: HoldReason) -> Result<(), SourceError> {
    match hold {
        HoldReason::Unspecified | HoldReason::Credit => Ok(()),
        HoldReason::Fraud | HoldReason::Manual => Err(SourceError::OnHold),
    }
}

fn supplied(note: &sales::DeliveryNote) -> Result<Option<Supplied>> {
    let arrived =
        note.delivery_time.as_ref().map(wire::parse_timestamp).transpose().map_err(Error::internal)?;
    let left = note.issue_date.as_ref().map(wire::parse_date).transpose().map_err(Error::internal)?;
    Ok(arrived.map(Supplied::At).or(left.map(Supplied::On)))
}

/// What may be invoiced of the document itself, beside what it counts for.
fn own_lines(billables: &[Billable], document: &str) -> Vec<SoldLine> {
    let own = billables.iter().filter(|one| one.document == document);
    own.map(|one| SoldLine { key: one.line.clone(), priced: one.line.clone() }).collect()
}
