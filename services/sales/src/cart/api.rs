//! `CartService`. A cart on the wire is in `parse.rs` and `render.rs`.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Drafts, Reply, Store, answer},
};
use trato_proto::sales::v1::{self as pb, cart_service_server::CartService};
use trato_query::Field;
use trato_types::{Context, MemberRef, Ref, Result};
use uuid::Uuid;

use super::{check_out::CheckOut, model::Cart, parse, question::Question, render, store};
use crate::references::References;

/// Serves carts.
pub struct Api {
    carts: Store<Cart>,
    drafts: Drafts<Cart>,
    check_out: CheckOut,
}

impl Api {
    /// The service over the app's database; it asks customers for accounts it does not know.
    pub fn new(app: &App) -> Self {
        Self {
            carts: Store::new(&app.database),
            drafts: Drafts::new(&app.database, References::new(app)),
            check_out: CheckOut::new(app),
        }
    }
}

#[tonic::async_trait]
impl CartService for Api {
    async fn get_cart(&self, request: Request<pb::GetCartRequest>) -> Reply<pb::Cart> {
        self.carts.get(request).await
    }
    async fn list_carts(&self, request: Request<pb::ListCartsRequest>) -> Reply<pb::ListCartsResponse> {
        self.carts.list(request).await
    }
    async fn create_cart(&self, request: Request<pb::CreateCartRequest>) -> Reply<pb::Cart> {
        self.drafts.create(request).await
    }
    async fn update_cart(&self, request: Request<pb::UpdateCartRequest>) -> Reply<pb::Cart> {
        self.drafts.update(request).await
    }
    async fn delete_cart(&self, request: Request<pb::DeleteCartRequest>) -> Reply<pb::Cart> {
        self.carts.delete(request).await
    }
    async fn undelete_cart(&self, request: Request<pb::UndeleteCartRequest>) -> Reply<pb::Cart> {
        self.carts.undelete(request).await
    }
    async fn batch_get_carts(
        &self,
        request: Request<pb::BatchGetCartsRequest>,
    ) -> Reply<pb::BatchGetCartsResponse> {
        self.carts.batch_get(request).await
    }
    async fn batch_create_carts(
        &self,
        request: Request<pb::BatchCreateCartsRequest>,
    ) -> Reply<pb::BatchCreateCartsResponse> {
        self.drafts.batch_create(request).await
    }
    async fn upsert_cart(&self, request: Request<pb::UpsertCartRequest>) -> Reply<pb::Cart> {
        self.drafts.upsert(request).await
    }

    async fn check_out_cart(&self, request: Request<pb::CheckOutCartRequest>) -> Reply<pb::Order> {
        self.check_out.check_out(request).await
    }
    async fn query_cart_abandonment(
        &self,
        request: Request<pb::QueryCartAbandonmentRequest>,
    ) -> Reply<pb::QueryCartAbandonmentResponse> {
        answer(request, async |cx, body| {
            let question = Question::parse(&body)?;
            Ok(question.ask(self.carts.database(), cx).await?.render())
        })
        .await
    }
}

impl Resource for Cart {
    type Message = pb::Cart;
    const TABLE: &'static str = "cart";
    const COLLECTION: &'static str = "carts";
    const EVENT: &'static str = "trato.sales.v1.cart";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = true;

    fn fill_defaults(message: &mut pb::Cart, cx: &Context) {
        if message.owner.is_empty() && cx.actor.subject().is_some() {
            message.owner = cx.actor.to_string();
        }
    }

    fn parse(message: &pb::Cart, cx: &Context) -> Result<Self> {
        parse::parse(message, cx)
    }

    fn render(record: &Record<Self>) -> pb::Cart {
        render::render(record)
    }

    fn owner(&self) -> Option<&str> {
        self.owner.as_ref().map(MemberRef::subject)
    }

    fn team(&self) -> Option<Uuid> {
        self.team.map(Ref::uuid)
    }
}
