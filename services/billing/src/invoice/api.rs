//! `InvoiceService`. An invoice on the wire is in `parse.rs` and `render.rs`.

use futures::FutureExt as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Facts, Record, Resource},
    rpc::Caller,
    standard::{Drafts, Reply, Store, answer},
};
use trato_proto::billing::v1::{self as pb, invoice_service_server::InvoiceService};
use trato_query::Field;
use trato_types::{Context, Result};

use super::{
    issue, model::Invoice, parse, references::References, render, requests, source::Sourcing, store,
};
use crate::{
    fields::require_request_id, issuing::Issuing, parked_task::Asking, rendering::Rendering, verify::Chains,
};

/// Serves invoices.
pub struct Api {
    invoices: Store<Invoice>,
    drafts: Drafts<Invoice>,
    references: References,
    issuing: Issuing<Invoice>,
    chains: Chains,
    rendering: Rendering,
    sourcing: Sourcing,
    parked: Asking<pb::CreateInvoiceFromSourceRequest>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self {
            invoices: Store::new(&app.database),
            drafts: Drafts::new(&app.database, References::new(app)),
            references: References::new(app),
            issuing: Issuing::new(app, References::new(app)),
            chains: Chains::new(app),
            rendering: Rendering::new(app),
            sourcing: Sourcing::new(app),
            parked: Asking::new(app),
        }
    }
}

#[tonic::async_trait]
impl InvoiceService for Api {
    async fn get_invoice(&self, request: Request<pb::GetInvoiceRequest>) -> Reply<pb::Invoice> {
        self.invoices.get(request).await
    }
    async fn list_invoices(
        &self,
        request: Request<pb::ListInvoicesRequest>,
    ) -> Reply<pb::ListInvoicesResponse> {
        self.invoices.list(request).await
    }
    async fn create_invoice(&self, request: Request<pb::CreateInvoiceRequest>) -> Reply<pb::Invoice> {
        self.drafts.create(request).await
    }
    async fn update_invoice(&self, request: Request<pb::UpdateInvoiceRequest>) -> Reply<pb::Invoice> {
        self.drafts.update(request).await
    }
    async fn delete_invoice(&self, request: Request<pb::DeleteInvoiceRequest>) -> Reply<pb::Invoice> {
        self.invoices.delete(request).await
    }
    async fn undelete_invoice(&self, request: Request<pb::UndeleteInvoiceRequest>) -> Reply<pb::Invoice> {
        self.invoices.undelete(request).await
    }
    async fn batch_get_invoices(
        &self,
        request: Request<pb::BatchGetInvoicesRequest>,
    ) -> Reply<pb::BatchGetInvoicesResponse> {
        self.invoices.batch_get(request).await
    }
    async fn batch_create_invoices(
        &self,
        request: Request<pb::BatchCreateInvoicesRequest>,
    ) -> Reply<pb::BatchCreateInvoicesResponse> {
        self.drafts.batch_create(request).await
    }
    async fn upsert_invoice(&self, request: Request<pb::UpsertInvoiceRequest>) -> Reply<pb::Invoice> {
        self.drafts.upsert(request).await
    }

    async fn preview_invoice(
        &self,
        request: Request<pb::PreviewInvoiceRequest>,
    ) -> Reply<pb::PreviewInvoiceResponse> {
        let database = self.invoices.database();
        let caller = Caller::of(&request);
        let references = &self.references;
        answer(request, async |cx, body| requests::preview(database, references, (cx, &caller?), body).await)
            .await
    }
    async fn create_invoice_from_source(
        &self,
        request: Request<pb::CreateInvoiceFromSourceRequest>,
    ) -> Reply<pb::Invoice> {
        self.sourcing.create(request).await
    }
    async fn issue_invoice(&self, request: Request<pb::IssueInvoiceRequest>) -> Reply<pb::Invoice> {
        let taken = self.issuing.take_before(&request).await?;
        let (issuing, references, parked) = (&self.issuing, &self.references, &self.parked);
        self.invoices
            .change_in(request, "issued", |tx, before, body| {
                let (issuing, references, parked) = (issuing.clone(), references.clone(), parked.clone());
                let taken = taken.clone();
                async move {
                    let by = (&issuing, &references, Some(&parked));
                    issue::issue(by, tx, before, body, taken).await
                }
                .boxed()
            })
            .await
    }
    async fn send_invoice(&self, request: Request<pb::SendInvoiceRequest>) -> Reply<pb::Invoice> {
        self.invoices.change(request, "sent", send).await
    }
    async fn void_invoice(&self, request: Request<pb::VoidInvoiceRequest>) -> Reply<pb::Invoice> {
        self.invoices
            .change_in(request, "voided", |tx, before, body| issue::void(tx, before, body).boxed())
            .await
    }
    async fn write_off_invoice(&self, request: Request<pb::WriteOffInvoiceRequest>) -> Reply<pb::Invoice> {
        require_request_id(&request.get_ref().request_id)?;
        self.invoices
            .change_in(request, "written_off", |tx, before, body| issue::write_off(tx, before, body).boxed())
            .await
    }
    async fn render_invoice(
        &self,
        request: Request<pb::RenderInvoiceRequest>,
    ) -> Reply<pb::RenderedDocument> {
        answer(request, async |cx, body| {
            let invoice = self.invoices.read(cx, &body.name).await?;
            self.rendering.invoice(cx, invoice, &body).await
        })
        .await
    }
    async fn verify_chain(&self, request: Request<pb::VerifyChainRequest>) -> Reply<pb::VerifyChainResponse> {
        answer(request, async |cx, body| self.chains.verify(cx, &body).await).await
    }
}

impl Resource for Invoice {
    type Message = pb::Invoice;
    const TABLE: &'static str = "invoice";
    const COLLECTION: &'static str = "invoices";
    const EVENT: &'static str = "trato.billing.v1.invoice";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::Invoice, _: &Context) -> Result<Self> {
        parse::parse(message)
    }

    fn render(record: &Record<Self>) -> pb::Invoice {
        render::render(record)
    }
}

fn send(invoice: &mut Invoice, _: &pb::SendInvoiceRequest, cx: &Context) -> Result<Facts> {
    invoice.send(cx.now)?;
    Ok(Facts::default())
}
