//! What issuing makes of an invoice: number, days, place in the chain and posting; and what voiding and giving up make of it.

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
    source::note_issued,
};
use crate::{
    books::{Chart, Kind, Role, minus},
    counter::Taken,
    issuing::Issuing,
    parked_task::Asking,
};

/// What it takes to issue an invoice: how numbers are given, what drafts refer to, and what is parked of what is invoiced; none where
/// the call that makes the draft has seen that nothing is.
pub type By<'a> =
    (&'a Issuing<Invoice>, &'a References, Option<&'a Asking<pb::CreateInvoiceFromSourceRequest>>);

/// Issues a locked draft that comes to the same as when it was written, with the number that was taken before or with the
/// next one; and ends what is parked of its document, where that is done by it.
pub async fn issue(
    (issuing, references, parked): By<'_>,
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
    if let Some(parked) = parked {
        note_issued(parked, tx, before).await?;
    }
    let chart = Chart::open(tx, invoice.legal_entity).await?;
    let rate = chart.rate(tx, invoice.currency_code, chart.today(tx.cx())).await?;
    let numbered = issuing.number(tx, &before.value, &body.number_series, taken).await?;
    let issue_date = numbered.place.issue_date;
    let due_date = term.map_or(Some(issue_date), |term| term.due_date(issue_date));
    let due_date = due_date.ok_or_else(|| Error::internal("a due date is beyond the calendar"))?;
    invoice.issue(numbered.place.clone(), due_date, numbered.seller.clone())?;
    let posting = invoice.post(before.id, chart.base, rate)?;
    chart.post(tx, &posting, issue_date, &numbered.place.number).await?;
    let hashes = issuing.chain(tx, &numbered, before.id, &invoice).await?;
    (invoice.previous_hash, invoice.hash) = hashes.unzip();
    Ok((before.next(tx.cx(), invoice), Facts::default()))
}

/// Voids an issued invoice, and takes back what was posted for it, as of today. One whose period is closed is credited.
pub async fn void(
    tx: &mut Tx,
    before: &Record<Invoice>,
    body: &pb::VoidInvoiceRequest,
) -> Result<Changed<Invoice>> {
    require_living(before)?;
    let mut invoice = before.value.clone();
    invoice.void(&body.reason, tx.cx().now)?;
    let chart = Chart::open(tx, invoice.legal_entity).await?;
    if let Some(issue_date) = invoice.issue_date {
        chart.require_open(issue_date)?;
    }
    if let Some(posting) = invoice.post_back(before.id)? {
        let today = chart.today(tx.cx());
        chart.post(tx, &posting, today, invoice.known_as()).await?;
    }
    Ok((before.next(tx.cx(), invoice), Facts::default()))
}

/// Gives up what is open of an invoice.
pub async fn write_off(
    tx: &mut Tx,
    before: &Record<Invoice>,
    body: &pb::WriteOffInvoiceRequest,
) -> Result<Changed<Invoice>> {
    require_living(before)?;
    let mut invoice = before.value.clone();
    let (amount, base) = invoice.write_off(&body.reason)?;
    let chart = Chart::open(tx, invoice.legal_entity).await?;
    let mut posting = invoice.posting(Kind::WriteOff, before.id)?;
    posting.claim(before.id, minus(amount)?, minus(base)?);
    posting.add(Role::Loss, amount, base);
    let today = chart.today(tx.cx());
    chart.post(tx, &posting, today, invoice.known_as()).await?;
    Ok((before.next(tx.cx(), invoice), Facts::default()))
}
