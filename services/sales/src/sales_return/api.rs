//! `SalesReturnService`. A return on the wire is in `parse.rs` and `render.rs`.

use futures::FutureExt as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Facts, Record, Resource, statement::Statements},
    rpc::status::to_status,
    standard::{Drafts, Reply, Store},
};
use trato_proto::sales::v1::{self as pb, sales_return_service_server::SalesReturnService};
use trato_query::Field;
use trato_types::{Context, MemberRef, Ref, Result};
use uuid::Uuid;

use super::{model::SalesReturn, moves, moves::Returning, parse, render, requests::References, store};
use crate::{delivery_note::DeliveryNote, forms::require_request_id, order::Order};

/// Serves returns.
pub struct Api {
    sales_returns: Store<SalesReturn>,
    drafts: Drafts<SalesReturn>,
    returning: Returning,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self {
            sales_returns: Store::new(&app.database),
            drafts: Drafts::new(&app.database, References::new(app)),
            returning: Returning {
                delivery_notes: Statements::of::<DeliveryNote>(),
                orders: Statements::of::<Order>(),
            },
        }
    }
}

#[tonic::async_trait]
impl SalesReturnService for Api {
    async fn get_sales_return(&self, request: Request<pb::GetSalesReturnRequest>) -> Reply<pb::SalesReturn> {
        self.sales_returns.get(request).await
    }
    async fn list_sales_returns(
        &self,
        request: Request<pb::ListSalesReturnsRequest>,
    ) -> Reply<pb::ListSalesReturnsResponse> {
        self.sales_returns.list(request).await
    }
    async fn create_sales_return(
        &self,
        request: Request<pb::CreateSalesReturnRequest>,
    ) -> Reply<pb::SalesReturn> {
        self.drafts.create(request).await
    }
    async fn update_sales_return(
        &self,
        request: Request<pb::UpdateSalesReturnRequest>,
    ) -> Reply<pb::SalesReturn> {
        self.drafts.update(request).await
    }
    async fn delete_sales_return(
        &self,
        request: Request<pb::DeleteSalesReturnRequest>,
    ) -> Reply<pb::SalesReturn> {
        self.sales_returns.delete(request).await
    }
    async fn undelete_sales_return(
        &self,
        request: Request<pb::UndeleteSalesReturnRequest>,
    ) -> Reply<pb::SalesReturn> {
        self.sales_returns.undelete(request).await
    }
    async fn batch_get_sales_returns(
        &self,
        request: Request<pb::BatchGetSalesReturnsRequest>,
    ) -> Reply<pb::BatchGetSalesReturnsResponse> {
        self.sales_returns.batch_get(request).await
    }
    async fn batch_create_sales_returns(
        &self,
        request: Request<pb::BatchCreateSalesReturnsRequest>,
    ) -> Reply<pb::BatchCreateSalesReturnsResponse> {
        self.drafts.batch_create(request).await
    }
    async fn upsert_sales_return(
        &self,
        request: Request<pb::UpsertSalesReturnRequest>,
    ) -> Reply<pb::SalesReturn> {
        self.drafts.upsert(request).await
    }

    async fn authorise_return(&self, request: Request<pb::AuthoriseReturnRequest>) -> Reply<pb::SalesReturn> {
        require_request_id(&request.get_ref().request_id).map_err(to_status)?;
        self.sales_returns
            .change_in(request, "authorised", |tx, before, body| moves::authorise(tx, before, body).boxed())
            .await
    }
    async fn receive_return(&self, request: Request<pb::ReceiveReturnRequest>) -> Reply<pb::SalesReturn> {
        let returning = self.returning;
        self.sales_returns
            .change_in(request, "received", |tx, before, body| {
                moves::receive(returning, tx, before, body).boxed()
            })
            .await
    }
    async fn inspect_return(&self, request: Request<pb::InspectReturnRequest>) -> Reply<pb::SalesReturn> {
        self.sales_returns.change(request, "inspected", moves::inspect).await
    }
    async fn settle_return(&self, request: Request<pb::SettleReturnRequest>) -> Reply<pb::SalesReturn> {
        let orders = self.returning.orders;
        self.sales_returns
            .change_in(request, "settled", |tx, before, _| moves::settle(orders, tx, before).boxed())
            .await
    }
    async fn reject_return(&self, request: Request<pb::RejectReturnRequest>) -> Reply<pb::SalesReturn> {
        let reject = |sales_return: &mut SalesReturn, body: &pb::RejectReturnRequest, cx: &Context| {
            sales_return.reject(&body.reason, cx.now)?;
            Ok(Facts::default())
        };
        self.sales_returns.change(request, "rejected", reject).await
    }
}

impl Resource for SalesReturn {
    type Message = pb::SalesReturn;
    const TABLE: &'static str = "sales_return";
    const COLLECTION: &'static str = "salesReturns";
    const EVENT: &'static str = "trato.sales.v1.sales_return";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = true;

    fn fill_defaults(message: &mut pb::SalesReturn, cx: &Context) {
        if message.owner.is_empty() && cx.actor.subject().is_some() {
            message.owner = cx.actor.to_string();
        }
    }

    fn parse(message: &pb::SalesReturn, _: &Context) -> Result<Self> {
        parse::parse(message)
    }

    fn render(record: &Record<Self>) -> pb::SalesReturn {
        render::render(record)
    }

    fn owner(&self) -> Option<&str> {
        self.owner.as_ref().map(MemberRef::subject)
    }

    fn team(&self) -> Option<Uuid> {
        self.team.map(Ref::uuid)
    }
}
