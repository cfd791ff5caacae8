//! What issuing makes of an invoice: number, days and place in the chain.

use trato_platform::{
    db::{Facts, Record, Tx},
    standard::{Changed, require_living},
};
use trato_proto::billing::v1 as pb;
use trato_types::{Error, Result};

use super::{
    model::{Invoice, InvoiceError},
    references::References,
    render,
};
use crate::{counter::Taken, issuing::Issuing};

/// Issues a locked draft that comes to the same as when it was written, with the number that was taken before or with the
/// next one.
pub async fn issue(
    issuing: &Issuing<Invoice>,
    references: &References,
    tx: &mut Tx,
    before: &Record<Invoice>,
    body: &pb::IssueInvoiceRequest,
    taken: Option<Taken>,
) -> Result<Changed<Invoice>> {
    require_living(before)?;
    before.value.require_draft()?;
    let found = references.find(tx, &[&before.value]).await?;
    let term = found.payment_term(&before.value)?;
    let mut invoice = before.value.clone();
    found.price(tx.cx(), &mut invoice)?;
    if !render::same_price(&invoice, &before.value) {
        return Err(InvoiceError::PriceChanged.into());
    }
    let numbered = issuing.number(tx, &before.value, &body.number_series, taken).await?;
    let issue_date = numbered.place.issue_date;
    let due_date = term.map_or(Some(issue_date), |term| term.due_date(issue_date));
    let due_date = due_date.ok_or_else(|| Error::internal("a due date is beyond the calendar"))?;
    invoice.issue(numbered.place.clone(), due_date, numbered.seller.clone())?;
    let hashes = issuing.chain(tx, &numbered, before.id, &invoice).await?;
    (invoice.previous_hash, invoice.hash) = hashes.unzip();
    Ok((before.next(tx.cx(), invoice), Facts::default()))
}
