//! `CreditNoteService`. A credit note on the wire is in `wire.rs`.

use futures::FutureExt as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource, statement::Statements},
    standard::{Drafts, Reply, Store, answer},
};
use trato_proto::billing::v1::{self as pb, credit_note_service_server::CreditNoteService};
use trato_query::Field;
use trato_types::{Context, Result};

use super::{from_return::Returns, issue, model::CreditNote, store, wire};
use crate::{invoice::Invoice, issuing::Issuing, parked_task::Asking, rendering::Rendering};

/// Serves credit notes.
pub struct Api {
    credit_notes: Store<CreditNote>,
    drafts: Drafts<CreditNote>,
    issuing: Issuing<CreditNote>,
    invoices: Statements,
    rendering: Rendering,
    returns: Returns,
    parked: Asking<pb::CreateCreditNoteFromReturnRequest>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        let invoices = Statements::of::<Invoice>();
        Self {
            credit_notes: Store::new(&app.database),
            drafts: Drafts::new(&app.database, invoices),
            issuing: Issuing::new(app, invoices),
            invoices,
            rendering: Rendering::new(app),
            returns: Returns::new(app),
            parked: Asking::new(app),
        }
    }
}

#[tonic::async_trait]
impl CreditNoteService for Api {
    async fn get_credit_note(&self, request: Request<pb::GetCreditNoteRequest>) -> Reply<pb::CreditNote> {
        self.credit_notes.get(request).await
    }
    async fn list_credit_notes(
        &self,
        request: Request<pb::ListCreditNotesRequest>,
    ) -> Reply<pb::ListCreditNotesResponse> {
        self.credit_notes.list(request).await
    }
    async fn create_credit_note(
        &self,
        request: Request<pb::CreateCreditNoteRequest>,
    ) -> Reply<pb::CreditNote> {
        self.drafts.create(request).await
    }
    async fn update_credit_note(
        &self,
        request: Request<pb::UpdateCreditNoteRequest>,
    ) -> Reply<pb::CreditNote> {
        self.drafts.update(request).await
    }
    async fn delete_credit_note(
        &self,
        request: Request<pb::DeleteCreditNoteRequest>,
    ) -> Reply<pb::CreditNote> {
        self.credit_notes.delete(request).await
    }
    async fn undelete_credit_note(
        &self,
        request: Request<pb::UndeleteCreditNoteRequest>,
    ) -> Reply<pb::CreditNote> {
        self.credit_notes.undelete(request).await
    }
    async fn batch_get_credit_notes(
        &self,
        request: Request<pb::BatchGetCreditNotesRequest>,
    ) -> Reply<pb::BatchGetCreditNotesResponse> {
        self.credit_notes.batch_get(request).await
    }
    async fn batch_create_credit_notes(
        &self,
        request: Request<pb::BatchCreateCreditNotesRequest>,
    ) -> Reply<pb::BatchCreateCreditNotesResponse> {
        self.drafts.batch_create(request).await
    }
    async fn upsert_credit_note(
        &self,
        request: Request<pb::UpsertCreditNoteRequest>,
    ) -> Reply<pb::CreditNote> {
        self.drafts.upsert(request).await
    }

    async fn create_credit_note_from_return(
        &self,
        request: Request<pb::CreateCreditNoteFromReturnRequest>,
    ) -> Reply<pb::CreateCreditNoteFromReturnResponse> {
        self.returns.create(request).await
    }
    async fn render_credit_note(
        &self,
        request: Request<pb::RenderCreditNoteRequest>,
    ) -> Reply<pb::RenderedDocument> {
        answer(request, async |cx, body| {
            let credit_note = self.credit_notes.read(cx, &body.name).await?;
            self.rendering.credit_note(cx, credit_note, &body).await
        })
        .await
    }
    async fn issue_credit_note(&self, request: Request<pb::IssueCreditNoteRequest>) -> Reply<pb::CreditNote> {
        let taken = self.issuing.take_before(&request).await?;
        let (issuing, invoices, parked) = (&self.issuing, self.invoices, &self.parked);
        self.credit_notes
            .change_in(request, "issued", |tx, before, body| {
                let (issuing, parked, taken) = (issuing.clone(), parked.clone(), taken.clone());
                async move {
                    let by = (&issuing, &invoices, Some(&parked));
                    issue::issue(by, tx, before, body, taken).await
                }
                .boxed()
            })
            .await
    }
}

impl Resource for CreditNote {
    type Message = pb::CreditNote;
    const TABLE: &'static str = "credit_note";
    const COLLECTION: &'static str = "creditNotes";
    const EVENT: &'static str = "trato.billing.v1.credit_note";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::CreditNote, _: &Context) -> Result<Self> {
        wire::parse(message)
    }

    fn render(record: &Record<Self>) -> pb::CreditNote {
        wire::render(record)
    }
}
