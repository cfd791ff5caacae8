//! `OrderService`. An order on the wire is in `parse.rs` and `render.rs`.

use futures::FutureExt as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Facts, Record, Resource, statement::Statements},
    rpc::status::to_status,
    standard::{Drafts, Reply, Store},
};
use trato_proto::sales::v1::{self as pb, order_service_server::OrderService};
use trato_query::Field;
use trato_types::{Context, MemberRef, Ref, Result};
use uuid::Uuid;

use super::{credit::Credit, from_quote::FromQuote, model::Order, parse, render, store, verbs};
use crate::{forms::require_request_id, promotion::Promotion, references::References};

/// Serves orders.
pub struct Api {
    orders: Store<Order>,
    drafts: Drafts<Order>,
    from_quote: FromQuote,
    credit: Credit,
    promotions: Statements,
}

impl Api {
    /// The service over the app's database; it asks customers for accounts it does not know, and billing for credit.
    pub fn new(app: &App) -> Self {
        Self {
            orders: Store::new(&app.database),
            drafts: Drafts::new(&app.database, References::new(app)),
            from_quote: FromQuote::new(app),
            credit: Credit::new(app),
            promotions: Statements::of::<Promotion>(),
        }
    }
}

#[tonic::async_trait]
impl OrderService for Api {
    async fn get_order(&self, request: Request<pb::GetOrderRequest>) -> Reply<pb::Order> {
        self.orders.get(request).await
    }
    async fn list_orders(&self, request: Request<pb::ListOrdersRequest>) -> Reply<pb::ListOrdersResponse> {
        self.orders.list(request).await
    }
    async fn create_order(&self, request: Request<pb::CreateOrderRequest>) -> Reply<pb::Order> {
        self.drafts.create(request).await
    }
    async fn update_order(&self, request: Request<pb::UpdateOrderRequest>) -> Reply<pb::Order> {
        self.drafts.update(request).await
    }
    async fn delete_order(&self, request: Request<pb::DeleteOrderRequest>) -> Reply<pb::Order> {
        self.orders.delete(request).await
    }
    async fn undelete_order(&self, request: Request<pb::UndeleteOrderRequest>) -> Reply<pb::Order> {
        self.orders.undelete(request).await
    }
    async fn batch_get_orders(
        &self,
        request: Request<pb::BatchGetOrdersRequest>,
    ) -> Reply<pb::BatchGetOrdersResponse> {
        self.orders.batch_get(request).await
    }
    async fn batch_create_orders(
        &self,
        request: Request<pb::BatchCreateOrdersRequest>,
    ) -> Reply<pb::BatchCreateOrdersResponse> {
        self.drafts.batch_create(request).await
    }
    async fn upsert_order(&self, request: Request<pb::UpsertOrderRequest>) -> Reply<pb::Order> {
        self.drafts.upsert(request).await
    }

    async fn create_order_from_quote(
        &self,
        request: Request<pb::CreateOrderFromQuoteRequest>,
    ) -> Reply<pb::Order> {
        self.from_quote.create(request).await
    }
    async fn confirm_order(&self, request: Request<pb::ConfirmOrderRequest>) -> Reply<pb::Order> {
        require_request_id(&request.get_ref().request_id).map_err(to_status)?;
        let (promotions, credit) = (self.promotions, self.credit.clone());
        self.orders
            .change_after(
                request,
                "confirmed",
                move |cx, caller, draft, body| {
                    let credit = credit.clone();
                    async move {
                        verbs::require_confirmable(draft)?;
                        credit.reserve(cx, caller, draft, body.validate_only).await
                    }
                    .boxed()
                },
                |tx, before, body| verbs::confirm(promotions, tx, before, body).boxed(),
            )
            .await
    }
    async fn hold_order(&self, request: Request<pb::HoldOrderRequest>) -> Reply<pb::Order> {
        self.orders.change(request, "held", verbs::hold).await
    }
    async fn release_order(&self, request: Request<pb::ReleaseOrderRequest>) -> Reply<pb::Order> {
        self.orders.change_in(request, "released", |tx, before, _| verbs::release(tx, before).boxed()).await
    }
    async fn release_milestone(&self, request: Request<pb::ReleaseMilestoneRequest>) -> Reply<pb::Order> {
        self.orders.change(request, "milestone_released", verbs::release_milestone).await
    }
    async fn cancel_order_lines(&self, request: Request<pb::CancelOrderLinesRequest>) -> Reply<pb::Order> {
        let promotions = self.promotions;
        self.orders
            .change_in(request, "lines_cancelled", |tx, before, body| {
                verbs::cancel_lines(promotions, tx, before, body).boxed()
            })
            .await
    }
    async fn cancel_order(&self, request: Request<pb::CancelOrderRequest>) -> Reply<pb::Order> {
        let promotions = self.promotions;
        self.orders
            .change_in(request, "cancelled", |tx, before, body| {
                verbs::cancel(promotions, tx, before, body).boxed()
            })
            .await
    }
    async fn close_order(&self, request: Request<pb::CloseOrderRequest>) -> Reply<pb::Order> {
        let close = |order: &mut Order, _: &pb::CloseOrderRequest, cx: &Context| {
            order.close(cx.now)?;
            Ok(Facts::default())
        };
        self.orders.change(request, "closed", close).await
    }
}

impl Resource for Order {
    type Message = pb::Order;
    const TABLE: &'static str = "sales_order";
    const COLLECTION: &'static str = "orders";
    const EVENT: &'static str = "trato.sales.v1.order";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = true;

    fn fill_defaults(message: &mut pb::Order, cx: &Context) {
        if message.owner.is_empty() && cx.actor.subject().is_some() {
            message.owner = cx.actor.to_string();
        }
    }

    fn parse(message: &pb::Order, cx: &Context) -> Result<Self> {
        parse::parse(message, cx)
    }

    fn render(record: &Record<Self>) -> pb::Order {
        render::render(record)
    }

    fn owner(&self) -> Option<&str> {
        self.owner.as_ref().map(MemberRef::subject)
    }

    fn team(&self) -> Option<Uuid> {
        self.team.map(Ref::uuid)
    }
}
