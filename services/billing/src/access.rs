//! `AccessService`: the platform's answers to who may do what with the resources of billing, and why; and who
//! did.

use tonic::Request;
use trato_platform::{App, access::Access, standard::Reply};
use trato_proto::{
    access::v1::{
        ExplainAccessRequest, ExplainAccessResponse, ListAccessRecordsRequest, ListAccessRecordsResponse,
        ListViewersRequest, ListViewersResponse,
    },
    billing::v1::access_service_server::AccessService,
};

/// Explains access.
pub struct Api {
    access: Access,
}

impl Api {
    /// Answers by the app's roles, directory and event log.
    pub fn new(app: &App) -> Self {
        Self { access: app.access() }
    }
}

#[tonic::async_trait]
impl AccessService for Api {
    async fn explain_access(&self, request: Request<ExplainAccessRequest>) -> Reply<ExplainAccessResponse> {
        self.access.explain(request).await
    }
    async fn list_viewers(&self, request: Request<ListViewersRequest>) -> Reply<ListViewersResponse> {
        self.access.list_viewers(request).await
    }
    async fn list_access_records(
        &self,
        request: Request<ListAccessRecordsRequest>,
    ) -> Reply<ListAccessRecordsResponse> {
        self.access.list_records(request).await
    }
}
