//! `CreateCreditNoteFromReturn`: everything is asked before, and written in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{
        Database, Facts, NewEvent, Record, RequestKey, Resource as _, Tx, from_sqlx, statement::Statements,
    },
    rpc::{Caller, elsewhere},
    standard::{Reply, answer, new_record, once},
};
use trato_pricing::{CreditRequest, Quantity};
use trato_proto::{billing::v1 as pb, sales::v1 as sales};
use trato_types::{Context, Error, Id, Result, Violations, id::parse_name};
use uuid::Uuid;

use super::{
    credited::Credited,
    returned::{Billed, refunded, returned, split},
};
use crate::{
    books::Chart,
    credit_note::{issue, model::CreditNote},
    fields::remark,
    invoice::{Invoice, InvoiceError, Reader},
    issuing::Issuing,
    parked_task::{Asking, By, Once},
};

/// Turns returns of sales into credit notes.
pub struct Returns {
    reader: Reader,
    issuing: Issuing<CreditNote>,
    database: Database,
    credit_notes: Statements,
    invoices: Statements,
    /// Parks what cannot be made.
    pub(super) asking: Asking<pb::CreateCreditNoteFromReturnRequest>,
}

impl Returns {
    /// Over the app's database; sales is asked where the settings say that it is.
    pub fn new(app: &App) -> Self {
        let invoices = Statements::of::<Invoice>();
        Self {
            reader: Reader::new(app),
            issuing: Issuing::new(app, invoices),
            database: app.database.clone(),
            credit_notes: Statements::of::<CreditNote>(),
            invoices,
            asking: Asking::new(app),
        }
    }

    /// `CreateCreditNoteFromReturn`.
    pub async fn create(
        &self,
        request: Request<pb::CreateCreditNoteFromReturnRequest>,
    ) -> Reply<pb::CreateCreditNoteFromReturnResponse> {
        let caller = Caller::of(&request);
        answer(request, async |cx, mut body| {
            let caller = caller?;
            let asked = body.clone();
            let key = RequestKey::parse(&std::mem::take(&mut body.request_id), &body)?;
            let message = "a lost answer must not cost a second credit note";
            let key = key.ok_or_else(|| Error::invalid("request_id", "REQUIRED", message))?;
            let key = Once { asker: cx.clone(), key };
            let made = self.create_once((cx, &caller), &key, &body).await;
            self.asking.or_park(cx, &asked, made).await
        })
        .await
    }

    /// Makes the credit notes, unless they were made under this identifier before.
    pub(super) async fn create_once(
        &self,
        by: By<'_>,
        key: &Once,
        body: &pb::CreateCreditNoteFromReturnRequest,
    ) -> Result<pb::CreateCreditNoteFromReturnResponse> {
        once(&self.database, &key.asker, Some(&key.key), self.create_all(by, key, body)).await
    }

    async fn create_all(
        &self,
        (cx, caller): By<'_>,
        key: &Once,
        body: &pb::CreateCreditNoteFromReturnRequest,
    ) -> Result<pb::CreateCreditNoteFromReturnResponse> {
        let mut violations = Violations::new();
        violations.keep("sales_return", parse_name("salesReturns", &body.sales_return));
        violations.into_result(Some(()))?;
        let reason = remark("reason", &body.reason)?;
        let named = |error: Error| error.with("sales_return", &body.sales_return);
        let (source, order) = elsewhere(self.read(cx, caller, &body.sales_return)).await.map_err(named)?;
        let refunded = refunded(&source).map_err(named)?;
        let returned = returned(&order)?;
        let reason = if reason.is_empty() { source.reason } else { reason };

        let mut tx = Tx::of(&self.database, cx).await?;
        // Who else asks for the return waits here, and hears that it is credited.
        tx.take_turn("returns", &body.sales_return).await?;
        Credited::find(&mut tx, &body.sales_return, None).await?.require_none(&body.sales_return)?;
        let (invoices, billed) =
            self.lock_billed(&mut tx, &order, refunded.keys().cloned().collect()).await?;
        let parts = split(&refunded, &returned, &billed)?;
        if parts.is_empty() {
            return Err(named(InvoiceError::CreditedInFull.into()));
        }
        for invoice in parts.keys().map(|invoice| &invoices[invoice]) {
            require_creditable(invoice).map_err(named)?;
        }
        self.asking.note_made(&mut tx, body).await?;
        if body.issue {
            lock_for_issue(&mut tx, parts.keys().map(|invoice| &invoices[invoice]).collect()).await?;
        }
        let mut credit_notes = Vec::with_capacity(parts.len());
        for (invoice, lines) in parts {
            let invoice = &invoices[&invoice];
            let draft = self.draft(&mut tx, invoice, (&body.sales_return, &reason), lines).await?;
            let credit_note = if body.issue { self.issue(&mut tx, draft, body).await? } else { draft };
            credit_notes.push(CreditNote::render(&credit_note));
        }
        let answer = pb::CreateCreditNoteFromReturnResponse { credit_notes };
        key.remember(&mut tx, answer.encode_to_vec()).await?;
        if body.validate_only {
            tx.roll_back().await?;
        } else {
            tx.commit().await?;
        }
        Ok(answer)
    }

    async fn read(
        &self,
        cx: &Context,
        caller: &Caller,
        name: &str,
    ) -> Result<(sales::SalesReturn, sales::Order)> {
        let sales_return = self.reader.sales_return(cx, caller, name).await?;
        let order = self.reader.order(cx, caller, &sales_return.order).await?;
        Ok((sales_return, order))
    }

    /// The issued invoices that billed any of these lines of an order, locked in their order; and how much is left of each line
    /// that did.
    async fn lock_billed(
        &self,
        tx: &mut Tx,
        order: &sales::Order,
        lines: Vec<String>,
    ) -> Result<(BTreeMap<Uuid, Record<Invoice>>, Vec<Billed>)> {
        let tenant = tx.cx().tenant;
        let rows: Vec<(Uuid, String, String)> =
            sqlx::query_as(include_str!("../../../sql/find_invoiced_lines.sql"))
                .bind(tenant)
                .bind(&order.name)
                .bind(&order.quote)
                .bind(lines)
                .fetch_all(tx.connection())
                .await
                .map_err(from_sqlx)?;
        let mut invoices = BTreeMap::new();
        for id in rows.iter().map(|(invoice, ..)| *invoice).collect::<BTreeSet<_>>() {
            let invoice = tx.lock::<Invoice>(&self.invoices, &Id::<Invoice>::from_uuid(id).name()).await?;
            invoices.insert(id, invoice);
        }
        let mut billed = Vec::with_capacity(rows.len());
        for (invoice, key, order_line) in rows {
            let value = &invoices[&invoice].value;
            let item = value.left()?.items.into_iter().find(|item| item.amounts.key.to_string() == key);
            let left = item.map_or(Quantity::ZERO, |item| item.quantity);
            let line = value.lines.0.iter().find(|line| line.key == key);
            let credited = line.map_or(Quantity::ZERO, |line| line.quantity).plus(left.negated())?;
            billed.push(Billed { invoice, key, order_line, credited, left });
        }
        Ok((invoices, billed))
    }

    async fn draft(
        &self,
        tx: &mut Tx,
        invoice: &Record<Invoice>,
        (sales_return, reason): (&str, &str),
        lines: Vec<CreditRequest>,
    ) -> Result<Record<CreditNote>> {
        let cx = &tx.cx().clone();
        let message =
            pb::CreditNote { invoice: invoice.name(), reason: reason.to_owned(), ..Default::default() };
        let mut draft = new_record::<CreditNote>(cx, Some(message), "credit_note")?;
        draft.value.wishes.lines = lines;
        draft.value.sales_return = sales_return.to_owned();
        draft.value.compute(&invoice.value)?;
        let event = NewEvent::of(cx, "created", None, &draft);
        tx.insert(&self.credit_notes, &[&draft], vec![event]).await?;
        Ok(draft)
    }

    async fn issue(
        &self,
        tx: &mut Tx,
        draft: Record<CreditNote>,
        body: &pb::CreateCreditNoteFromReturnRequest,
    ) -> Result<Record<CreditNote>> {
        let request = pb::IssueCreditNoteRequest {
            name: draft.name(),
            number_series: body.number_series.clone(),
            ..Default::default()
        };
        // What is parked of the return ended when its credit notes were made.
        let by = (&self.issuing, &self.invoices, None);
        let (issued, _) = issue::issue(by, tx, &draft, &request, None).await?;
        let event = NewEvent::with_facts(tx.cx(), "issued", Some(&draft), &issued, Facts::default());
        tx.save(&self.credit_notes, &issued, event).await?;
        Ok(issued)
    }
}

/// FAILED_PRECONDITION `INVOICE_WRITTEN_OFF`, with the name of the invoice, where its claim is given up. The others wait with it: which
/// of their pieces came back is not known, and a piece that nobody paid must not be given back as one that was.
fn require_creditable(invoice: &Record<Invoice>) -> Result<()> {
    let left = invoice.value.balance();
    left.map(drop).map_err(|error| Error::from(error).with("invoice", invoice.name()))
}

/// Waits for all that issuing several credit notes waits for before their numbers, in the order in which everybody does: the first
/// one's number must not be held while the second waits.
async fn lock_for_issue(tx: &mut Tx, invoices: Vec<&Record<Invoice>>) -> Result<()> {
    let (mut entities, mut documents) = (BTreeSet::new(), BTreeSet::new());
    for invoice in invoices {
        entities.insert(invoice.value.legal_entity.uuid());
        documents.insert(invoice.value.source_document.clone());
    }
    for entity in entities {
        Chart::open(tx, Id::from_uuid(entity)).await?;
    }
    let tenant = tx.cx().tenant;
    sqlx::query(include_str!("../../../sql/lock_credited_lines.sql"))
        .bind(tenant)
        .bind(documents.into_iter().collect::<Vec<_>>())
        .fetch_all(tx.connection())
        .await
        .map(drop)
        .map_err(from_sqlx)
}
