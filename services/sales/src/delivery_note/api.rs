//! `DeliveryNoteService`. A delivery note on the wire is in `parse.rs` and `render.rs`.

use futures::FutureExt as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Facts, Record, Resource, statement::Statements},
    rpc::status::to_status,
    standard::{Drafts, Reply, Store, answer},
};
use trato_proto::sales::v1::{self as pb, delivery_note_service_server::DeliveryNoteService};
use trato_query::Field;
use trato_types::{Context, MemberRef, Ref, Result, Violations, text::line};
use uuid::Uuid;

use super::{confirm, model::DeliveryNote, moves, parse, render, requests::References, store};
use crate::{forms::require_request_id, order::Order, rendering::Rendering};

/// Serves delivery notes.
pub struct Api {
    delivery_notes: Store<DeliveryNote>,
    drafts: Drafts<DeliveryNote>,
    orders: Statements,
    rendering: Rendering,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        let orders = Statements::of::<Order>();
        Self {
            delivery_notes: Store::new(&app.database),
            drafts: Drafts::new(&app.database, References::new(app)),
            orders,
            rendering: Rendering::new(app),
        }
    }
}

#[tonic::async_trait]
impl DeliveryNoteService for Api {
    async fn get_delivery_note(
        &self,
        request: Request<pb::GetDeliveryNoteRequest>,
    ) -> Reply<pb::DeliveryNote> {
        self.delivery_notes.get(request).await
    }
    async fn list_delivery_notes(
        &self,
        request: Request<pb::ListDeliveryNotesRequest>,
    ) -> Reply<pb::ListDeliveryNotesResponse> {
        self.delivery_notes.list(request).await
    }
    async fn create_delivery_note(
        &self,
        request: Request<pb::CreateDeliveryNoteRequest>,
    ) -> Reply<pb::DeliveryNote> {
        self.drafts.create(request).await
    }
    async fn update_delivery_note(
        &self,
        request: Request<pb::UpdateDeliveryNoteRequest>,
    ) -> Reply<pb::DeliveryNote> {
        self.drafts.update(request).await
    }
    async fn delete_delivery_note(
        &self,
        request: Request<pb::DeleteDeliveryNoteRequest>,
    ) -> Reply<pb::DeliveryNote> {
        self.delivery_notes.delete(request).await
    }
    async fn undelete_delivery_note(
        &self,
        request: Request<pb::UndeleteDeliveryNoteRequest>,
    ) -> Reply<pb::DeliveryNote> {
        self.delivery_notes.undelete(request).await
    }
    async fn batch_get_delivery_notes(
        &self,
        request: Request<pb::BatchGetDeliveryNotesRequest>,
    ) -> Reply<pb::BatchGetDeliveryNotesResponse> {
        self.delivery_notes.batch_get(request).await
    }
    async fn batch_create_delivery_notes(
        &self,
        request: Request<pb::BatchCreateDeliveryNotesRequest>,
    ) -> Reply<pb::BatchCreateDeliveryNotesResponse> {
        self.drafts.batch_create(request).await
    }
    async fn upsert_delivery_note(
        &self,
        request: Request<pb::UpsertDeliveryNoteRequest>,
    ) -> Reply<pb::DeliveryNote> {
        self.drafts.upsert(request).await
    }

    async fn issue_delivery_note(
        &self,
        request: Request<pb::IssueDeliveryNoteRequest>,
    ) -> Reply<pb::DeliveryNote> {
        require_request_id(&request.get_ref().request_id).map_err(to_status)?;
        let orders = self.orders;
        self.delivery_notes
            .change_in(request, "issued", |tx, before, body| moves::issue(orders, tx, before, body).boxed())
            .await
    }
    async fn dispatch_delivery_note(
        &self,
        request: Request<pb::DispatchDeliveryNoteRequest>,
    ) -> Reply<pb::DeliveryNote> {
        self.delivery_notes.change(request, "dispatched", dispatch).await
    }
    async fn confirm_delivery_note(
        &self,
        request: Request<pb::ConfirmDeliveryNoteRequest>,
    ) -> Reply<pb::DeliveryNote> {
        confirm::confirm(&self.delivery_notes, self.orders, request).await
    }
    async fn void_delivery_note(
        &self,
        request: Request<pb::VoidDeliveryNoteRequest>,
    ) -> Reply<pb::DeliveryNote> {
        let orders = self.orders;
        self.delivery_notes
            .change_in(request, "voided", |tx, before, body| moves::void(orders, tx, before, body).boxed())
            .await
    }
    async fn render_delivery_note(
        &self,
        request: Request<pb::RenderDeliveryNoteRequest>,
    ) -> Reply<pb::RenderedDocument> {
        answer(request, async |cx, body| {
            let delivery_note = self.delivery_notes.read(cx, &body.name).await?;
            self.rendering.delivery_note(cx, delivery_note, &body).await
        })
        .await
    }
}

impl Resource for DeliveryNote {
    type Message = pb::DeliveryNote;
    const TABLE: &'static str = "delivery_note";
    const COLLECTION: &'static str = "deliveryNotes";
    const EVENT: &'static str = "trato.sales.v1.delivery_note";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = true;

    fn fill_defaults(message: &mut pb::DeliveryNote, cx: &Context) {
        if message.owner.is_empty() && cx.actor.subject().is_some() {
            message.owner = cx.actor.to_string();
        }
    }

    fn parse(message: &pb::DeliveryNote, _: &Context) -> Result<Self> {
        parse::parse(message)
    }

    fn render(record: &Record<Self>) -> pb::DeliveryNote {
        render::render(record)
    }

    fn owner(&self) -> Option<&str> {
        self.owner.as_ref().map(MemberRef::subject)
    }

    fn team(&self) -> Option<Uuid> {
        self.team.map(Ref::uuid)
    }
}

fn dispatch(
    delivery_note: &mut DeliveryNote,
    request: &pb::DispatchDeliveryNoteRequest,
    cx: &Context,
) -> Result<Facts> {
    let mut violations = Violations::new();
    let carrier = violations.keep("carrier", line(&request.carrier, 200));
    let tracking = violations.keep("tracking", line(&request.tracking, 200));
    let (carrier, tracking) = violations.into_result(carrier.zip(tracking))?;
    delivery_note.dispatch(carrier, tracking, cx.now)?;
    Ok(Facts::default())
}
