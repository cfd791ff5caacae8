//! What was sold, as a document of sales tells it. Pure.

use std::collections::HashMap;

use trato_pricing::Quantity;
use trato_proto::sales::v1::{self as sales, order::InvoicingPolicy};
use trato_types::{DomainError, Error, Kind, Result};

use crate::billable::Billable;

/// A document of sales, and what of it may be invoiced.
#[derive(Debug)]
pub struct Sold {
    /// Its name.
    pub name: String,
    /// Who bought.
    pub account: String,
    /// Where the invoice goes, if the document says so.
    pub bill_to: Option<sales::Address>,
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

/// Why a document is not invoiced.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SourceError {
    /// Nobody has agreed on it, or it is not wanted any more.
    #[error("the document cannot be invoiced yet, or no longer")]
    NotReady,
    /// All that may be invoiced is.
    #[error("all that may be invoiced of the document is invoiced")]
    AlreadyInvoiced,
}

impl DomainError for SourceError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotReady => Kind::Precondition,
            Self::AlreadyInvoiced => Kind::AlreadyExists,
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::NotReady => "SOURCE_NOT_READY",
            Self::AlreadyInvoiced => "ALREADY_INVOICED",
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
        let billables = agreed(&document, &quote.name)?;
        let lines = billables.iter().map(|one| SoldLine { key: one.line.clone(), priced: one.line.clone() });
        Ok(Self {
            lines: lines.collect(),
            name: quote.name,
            account: quote.account,
            bill_to: None,
            document,
            billables,
            order: None,
        })
    }

    /// A confirmed order.
    pub fn order(order: sales::Order) -> Result<Self> {
        use sales::order::State::{Closed, Confirmed, Fulfilled, InFulfilment};
        if !matches!(order.state(), Confirmed | InFulfilment | Fulfilled | Closed) {
            return Err(SourceError::NotReady.into());
        }
        let document = order.document.clone().ok_or_else(|| Error::internal("an order without document"))?;
        let revision = order.etag.parse().map_err(Error::internal)?;
        let progress: HashMap<&str, &sales::order::Progress> =
            order.progress.iter().map(|progress| (progress.line.as_str(), progress)).collect();
        let mut billables = Vec::new();
        for whole in agreed(&document, &order.name)? {
            let basis = match progress.get(whole.line.as_str()) {
                Some(progress) => basis(&order, progress)?,
                // A charge of the whole.
                None => whole.basis,
            };
            let mut parent = None;
            if !order.quote.is_empty() {
                parent = Some((order.quote.clone(), whole.line.clone()));
                billables.push(Billable { document: order.quote.clone(), ..whole.clone() });
            }
            billables.push(Billable { basis, parent, revision, ..whole });
        }
        let own = billables.iter().filter(|one| one.document == order.name);
        let lines = own.map(|one| SoldLine { key: one.line.clone(), priced: one.line.clone() }).collect();
        Ok(Self {
            lines,
            name: order.name,
            account: order.account,
            bill_to: order.bill_to,
            document,
            billables,
            order: None,
        })
    }

    /// An issued delivery note of an order.
    pub fn delivery_note(note: sales::DeliveryNote, order: sales::Order) -> Result<Self> {
        use sales::delivery_note::State::{Delivered, Dispatched, Issued, PartlyRefused};
        if !matches!(note.state(), Issued | Dispatched | Delivered | PartlyRefused) {
            return Err(SourceError::NotReady.into());
        }
        let revision = note.etag.parse().map_err(Error::internal)?;
        let mut sold = Self::order(order)?;
        let mut lines = Vec::new();
        for line in &note.lines {
            let refused = note.refusals.iter().filter(|refusal| refusal.line == line.key);
            let mut basis = quantity(&line.quantity)?;
            for refusal in refused {
                basis = basis.plus(quantity(&refusal.quantity)?.negated()).map_err(Error::internal)?;
            }
            lines.push(SoldLine { key: line.key.clone(), priced: line.order_line.clone() });
            sold.billables.push(Billable {
                document: note.name.clone(),
                line: line.key.clone(),
                basis,
                parent: Some((sold.name.clone(), line.order_line.clone())),
                revision,
            });
        }
        Ok(Self { order: Some(sold.name), name: note.name, lines, ..sold })
    }
}

/// All of a document: its lines, those that promotions give, and its charges, of each of which there is one.
fn agreed(document: &sales::SalesDocument, name: &str) -> Result<Vec<Billable>> {
    let lines = document.lines.iter().chain(&document.given_lines);
    let lines = lines.map(|line| Ok((line.key.clone(), quantity(&line.quantity)?)));
    let charges = document.charges.iter().map(|charge| Ok((charge.key.clone(), Quantity::ONE)));
    let billable = |agreed: Result<(String, Quantity)>| {
        let (line, basis) = agreed?;
        Ok(Billable { document: name.to_owned(), line, basis, parent: None, revision: 0 })
    };
    lines.chain(charges).map(billable).collect()
}

/// What of an order's line may be invoiced, by the policy of the order.
fn basis(order: &sales::Order, progress: &sales::order::Progress) -> Result<Quantity> {
    let less = |whole: &str, part: &str| -> Result<Quantity> {
        quantity(whole)?.plus(quantity(part)?.negated()).map_err(Error::internal)
    };
    let wanted = less(&progress.ordered, &progress.cancelled)?;
    match order.invoicing_policy() {
        InvoicingPolicy::Unspecified | InvoicingPolicy::Ordered | InvoicingPolicy::Prepaid => Ok(wanted),
        InvoicingPolicy::Delivered => less(&progress.delivered, &progress.returned),
        InvoicingPolicy::Milestone => {
            let released = if order.released_percent.is_empty() { "0" } else { &order.released_percent };
            let released = released.parse().map_err(Error::internal)?;
            wanted.share(released).map_err(Error::internal)
        }
    }
}

fn quantity(text: &str) -> Result<Quantity> {
    if text.is_empty() { Ok(Quantity::ZERO) } else { text.parse().map_err(Error::internal) }
}
