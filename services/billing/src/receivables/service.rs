//! `ReceivablesService`: what is read off the books.

use tonic::Request;
use trato_platform::{
    App,
    db::Database,
    standard::{Reply, answer},
};
use trato_proto::billing::v1::{self as pb, receivables_service_server::ReceivablesService};

use super::{aging, history, statement};

/// Reads off the books.
pub struct Api {
    database: Database,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { database: app.database.clone() }
    }
}

#[tonic::async_trait]
impl ReceivablesService for Api {
    async fn query_statement(
        &self,
        request: Request<pb::QueryStatementRequest>,
    ) -> Reply<pb::QueryStatementResponse> {
        answer(request, async |cx, body| statement::query(&self.database, cx, &body).await).await
    }
    async fn query_aging(&self, request: Request<pb::QueryAgingRequest>) -> Reply<pb::QueryAgingResponse> {
        answer(request, async |cx, body| aging::query(&self.database, cx, &body).await).await
    }
    async fn query_payment_history(
        &self,
        request: Request<pb::QueryPaymentHistoryRequest>,
    ) -> Reply<pb::QueryPaymentHistoryResponse> {
        answer(request, async |cx, body| history::query(&self.database, cx, &body).await).await
    }
}
