//! Why nothing of a document, or of lines of it, is left to invoice: all of it is invoiced, or nothing of it may be yet, or any more.
//! Clients take the first for done, unless a draft is named that somebody has to issue.

use std::collections::HashMap;

use trato_platform::db::{Tx, from_sqlx};
use trato_pricing::Quantity;
use trato_types::{DomainError as _, Error, Id, Result};
use uuid::Uuid;

use super::sold::{Sold, SoldLine, SourceError};
use crate::{
    billable::Room,
    invoice::model::Invoice,
    parked_task::{DRAFT, naming},
};

/// Invoices by which something is invoiced already.
#[derive(Clone, Copy, Debug, Default)]
pub struct Invoiced {
    /// The one to name.
    pub invoice: Option<Uuid>,
    /// One that has taken of it and is not issued yet.
    pub draft: Option<Uuid>,
}

/// Says that nothing is left of these lines of the document and, where something of them is invoiced, which invoice was the last one of
/// the document, and which draft has taken of them.
pub async fn why(
    tx: &mut Tx,
    sold: &Sold,
    lines: &[&SoldLine],
    ledger: &HashMap<String, Room>,
) -> Result<Error> {
    let mut rooms = lines.iter().filter_map(|line| Some((line, ledger.get(&line.key)?)));
    // Charges of the order say nothing of a delivery note, unless it brought them.
    let is_invoiced = rooms.any(|(line, room)| {
        room.counted > Quantity::ZERO || (room.is_taken() && !line.is_charge_of_the_order())
    });
    if !is_invoiced {
        return Ok(Error::from(SourceError::NothingToInvoice).with("source_document", &sold.name));
    }
    let found = find(tx, &sold.name, takers(sold, lines, ledger)).await?;
    Ok(already(SourceError::AlreadyInvoiced, &sold.name, found))
}

/// Says so, and names the invoices: a draft also to who reads nothing but the sentence, such as that of a parked task.
pub fn already(why: SourceError, document: &str, found: Invoiced) -> Error {
    let name = |id| Id::<Invoice>::from_uuid(id).name();
    let draft = found.draft.map(name);
    let message = match &draft {
        Some(draft) => format!("{why}: {draft} is a draft that is not issued yet"),
        None => why.to_string(),
    };
    let error = Error::new(why.kind(), why.reason(), message).with("source_document", document);
    naming(error, [("invoice", found.invoice.map(name)), (DRAFT, draft)])
}

/// Lines, each with its document, whose invoices may have taken what is not left of these lines: the lines themselves, and all that
/// count for the same. Of a delivery note the others count only where something is left of its own line, which they have taken then;
/// what they have of the order beside is not of it.
fn takers<'a>(
    sold: &'a Sold,
    lines: &[&'a SoldLine],
    ledger: &HashMap<String, Room>,
) -> Vec<(&'a str, &'a str)> {
    let mut sharing: HashMap<&str, Vec<&str>> = HashMap::new();
    for other in sold.billables.iter().filter(|other| other.document != sold.name) {
        sharing.entry(&other.line).or_default().push(&other.document);
    }
    let mut takers = Vec::with_capacity(lines.len());
    for line in lines {
        takers.push((sold.name.as_str(), line.key.as_str()));
        let has_own_left = ledger.get(&line.key).is_some_and(|room| room.own > Quantity::ZERO);
        if sold.order.is_none() || (has_own_left && !line.is_charge_of_the_order()) {
            let documents = sharing.get(line.priced.as_str()).into_iter().flatten();
            takers.extend(documents.map(|document| (*document, line.priced.as_str())));
        }
    }
    takers
}

async fn find(tx: &mut Tx, document: &str, takers: Vec<(&str, &str)>) -> Result<Invoiced> {
    let tenant = tx.cx().tenant;
    let (documents, lines): (Vec<&str>, Vec<&str>) = takers.into_iter().unzip();
    let (invoice, draft): (Option<Uuid>, Option<Uuid>) =
        sqlx::query_as(include_str!("../../../sql/find_invoices_of_source.sql"))
            .bind(tenant)
            .bind(document)
            .bind(documents)
            .bind(lines)
            .fetch_one(tx.connection())
            .await
            .map_err(from_sqlx)?;
    Ok(Invoiced { invoice, draft })
}
