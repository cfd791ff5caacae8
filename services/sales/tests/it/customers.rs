//! A customers service that knows the accounts it is told of, and counts how often it is asked.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};
use trato_proto::customers::v1::{
    self as pb,
    account_service_server::{AccountService, AccountServiceServer},
};

/// The fake; all clones are one.
#[derive(Clone, Default)]
pub struct FakeCustomers {
    accounts: Arc<Mutex<HashMap<String, Result<pb::Account, Status>>>>,
    asked: Arc<AtomicUsize>,
    tokens: Arc<Mutex<Vec<String>>>,
}

impl FakeCustomers {
    /// Serves on a free port; answers with the address.
    pub async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let service = AccountServiceServer::new(self.clone());
        tokio::spawn(
            Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)),
        );
        format!("http://{address}")
    }

    /// Knows an account in this revision.
    pub fn knows(&self, name: &str, revision: i64, is_deleted: bool) {
        let delete_time = is_deleted.then_some(prost_types::Timestamp { seconds: 1, nanos: 0 });
        let etag = revision.to_string();
        let account = pb::Account { name: name.into(), etag, delete_time, ..Default::default() };
        self.answers(name, Ok(account));
    }

    /// Answers so when asked for this account.
    pub fn answers(&self, name: &str, answer: Result<pb::Account, Status>) {
        self.accounts.lock().expect("not poisoned").insert(name.into(), answer);
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The `authorization` headers it was asked with.
    pub fn tokens(&self) -> Vec<String> {
        self.tokens.lock().expect("not poisoned").clone()
    }
}

#[tonic::async_trait]
impl AccountService for FakeCustomers {
    async fn get_account(
        &self,
        request: Request<pb::GetAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let token = request.metadata().get("authorization").and_then(|token| token.to_str().ok());
        self.tokens.lock().expect("not poisoned").extend(token.map(str::to_owned));
        let accounts = self.accounts.lock().expect("not poisoned");
        let answer = accounts.get(&request.get_ref().name).cloned();
        answer.unwrap_or_else(|| Err(Status::not_found("no such account"))).map(Response::new)
    }

    async fn list_accounts(
        &self,
        _: Request<pb::ListAccountsRequest>,
    ) -> Result<Response<pb::ListAccountsResponse>, Status> {
        Err(never())
    }
    async fn create_account(
        &self,
        _: Request<pb::CreateAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        Err(never())
    }
    async fn update_account(
        &self,
        _: Request<pb::UpdateAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        Err(never())
    }
    async fn delete_account(
        &self,
        _: Request<pb::DeleteAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        Err(never())
    }
    async fn undelete_account(
        &self,
        _: Request<pb::UndeleteAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        Err(never())
    }
    async fn batch_get_accounts(
        &self,
        _: Request<pb::BatchGetAccountsRequest>,
    ) -> Result<Response<pb::BatchGetAccountsResponse>, Status> {
        Err(never())
    }
    async fn batch_create_accounts(
        &self,
        _: Request<pb::BatchCreateAccountsRequest>,
    ) -> Result<Response<pb::BatchCreateAccountsResponse>, Status> {
        Err(never())
    }
    async fn upsert_account(
        &self,
        _: Request<pb::UpsertAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        Err(never())
    }
}

/// Sales asks for nothing else.
fn never() -> Status {
    Status::unimplemented("the fake answers GetAccount only")
}
