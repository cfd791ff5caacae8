//! What issuing makes of a credit note, of its invoice, and of the books.

use trato_platform::{
    db::{Facts, NewEvent, Record, Tx, statement::Statements},
    standard::{Changed, require_living},
};
use trato_proto::billing::v1 as pb;
use trato_types::{Error, Kind, Result};

use super::{
    from_return::note_issued,
    model::{CreditNote, CreditNoteError},
};
use crate::{
    billable, books::Chart, counter::Taken, invoice::Invoice, issuing::Issuing, parked_task::Asking,
};

/// What it takes to issue a credit note: how numbers are given, how invoices are read, and what is parked of returns; none where the
/// call that makes the draft has ended that.
pub type By<'a> =
    (&'a Issuing<CreditNote>, &'a Statements, Option<&'a Asking<pb::CreateCreditNoteFromReturnRequest>>);

/// Issues a locked draft: takes what it credits from the locked invoice, as much as is left by now. What is parked of its return ends,
/// where that is done by it.
pub async fn issue(
    (issuing, invoices, parked): By<'_>,
    tx: &mut Tx,
    before: &Record<CreditNote>,
    body: &pb::IssueCreditNoteRequest,
    taken: Option<Taken>,
) -> Result<Changed<CreditNote>> {
    require_living(before)?;
    before.value.require_draft()?;
    let mut credit_note = before.value.clone();
    let invoice = tx.lock::<Invoice>(invoices, &credit_note.invoice.name()).await;
    let invoice = invoice.map_err(|error| match error.kind() {
        Kind::NotFound => Error::from(CreditNoteError::InvoiceNotFound),
        _ => error,
    })?;
    let (credit, left) = credit_note.compute(&invoice.value)?;
    let mut credited = invoice.value.clone();
    credited.take_credit(&credit, left)?;
    let mut posting = credited.post_credit(invoice.id, &invoice.value.balance()?, &credit)?;
    posting.document = before.name();
    let credited = invoice.next(tx.cx(), credited);
    let event = NewEvent::of(tx.cx(), "updated", Some(&invoice), &credited);
    tx.save(invoices, &credited, event).await?;

    if let Some(parked) = parked {
        note_issued(parked, tx, before).await?;
    }
    let chart = Chart::open(tx, invoice.value.legal_entity).await?;
    // What the credit note gives back is counted when it is written; that may wait for others, who must not wait for its number.
    if !invoice.value.source_document.is_empty() {
        billable::lock(tx, &invoice.value.source_document).await?;
    }
    let numbered = issuing.number(tx, &credit_note, &body.number_series, taken).await?;
    credit_note.issue(numbered.place.clone(), numbered.seller.clone())?;
    chart.post(tx, &posting, numbered.place.issue_date, &numbered.place.number).await?;
    let hashes = issuing.chain(tx, &numbered, before.id, &credit_note).await?;
    (credit_note.previous_hash, credit_note.hash) = hashes.unzip();
    Ok((before.next(tx.cx(), credit_note), Facts::default()))
}
