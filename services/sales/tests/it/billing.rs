//! A billing service that keeps credit for orders as it is told to answer, and notes how it is asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tokio::sync::{Semaphore, watch};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};
use trato_proto::billing::v1::{
    self as pb,
    credit_reservation_service_server::{CreditReservationService, CreditReservationServiceServer},
};

/// The fake; all clones are one.
#[derive(Clone)]
pub struct FakeBilling {
    notes: Arc<Mutex<Notes>>,
    /// A question is answered for each permit.
    gate: Arc<Semaphore>,
    /// How often it was asked.
    count: watch::Sender<usize>,
}

#[derive(Default)]
struct Notes {
    asked: Vec<pb::ReserveCreditRequest>,
    tokens: Vec<String>,
    reserved: BTreeMap<String, pb::ReserveCreditRequest>,
    refusal: Option<Status>,
    loses_answers: bool,
}

impl Default for FakeBilling {
    fn default() -> Self {
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS / 2));
        Self { notes: Arc::default(), gate, count: watch::Sender::new(0) }
    }
}

impl FakeBilling {
    /// Serves on a free port; answers with the address.
    pub async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let service = CreditReservationServiceServer::new(self.clone());
        tokio::spawn(
            Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)),
        );
        format!("http://{address}")
    }

    /// Refuses so from now on, or nothing any more.
    pub fn refuses(&self, refusal: Option<Status>) {
        self.notes.lock().expect("not poisoned").refusal = refusal;
    }

    /// Does what it is asked for and does not say so, from now on or no longer.
    pub fn loses_answers(&self, loses: bool) {
        self.notes.lock().expect("not poisoned").loses_answers = loses;
    }

    /// Answers nothing until `let_through`.
    pub fn keeps_waiting(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Answers what waits, and everything from now on.
    pub fn let_through(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// Waits until it was asked so often.
    pub async fn is_asked(&self, count: usize) {
        self.count.subscribe().wait_for(|asked| *asked >= count).await.expect("it is never closed");
    }

    /// How it was asked.
    pub fn asked(&self) -> Vec<pb::ReserveCreditRequest> {
        self.notes.lock().expect("not poisoned").asked.clone()
    }

    /// The `authorization` headers it was asked with.
    pub fn tokens(&self) -> Vec<String> {
        self.notes.lock().expect("not poisoned").tokens.clone()
    }

    /// What it keeps for orders.
    pub fn reserved(&self) -> Vec<pb::ReserveCreditRequest> {
        self.notes.lock().expect("not poisoned").reserved.values().cloned().collect()
    }
}

#[tonic::async_trait]
impl CreditReservationService for FakeBilling {
    async fn reserve_credit(
        &self,
        request: Request<pb::ReserveCreditRequest>,
    ) -> Result<Response<pb::CreditReservation>, Status> {
        let token = request.metadata().get("authorization").and_then(|token| token.to_str().ok());
        let token = token.map(str::to_owned);
        let body = request.into_inner();
        {
            let mut notes = self.notes.lock().expect("not poisoned");
            notes.tokens.extend(token);
            notes.asked.push(body.clone());
        }
        self.count.send_modify(|count| *count += 1);
        let _permit = self.gate.acquire().await.expect("it is never closed");
        let mut notes = self.notes.lock().expect("not poisoned");
        if let Some(refusal) = &notes.refusal {
            return Err(refusal.clone());
        }
        if !body.validate_only {
            notes.reserved.insert(body.order.clone(), body.clone());
        }
        if notes.loses_answers {
            return Err(Status::unavailable("the answer is lost"));
        }
        let name = "creditReservations/1".to_owned();
        Ok(Response::new(pb::CreditReservation { name, order: body.order, ..Default::default() }))
    }

    async fn release_credit(
        &self,
        _: Request<pb::ReleaseCreditRequest>,
    ) -> Result<Response<pb::ReleaseCreditResponse>, Status> {
        Err(never())
    }
    async fn get_credit_reservation(
        &self,
        _: Request<pb::GetCreditReservationRequest>,
    ) -> Result<Response<pb::CreditReservation>, Status> {
        Err(never())
    }
    async fn list_credit_reservations(
        &self,
        _: Request<pb::ListCreditReservationsRequest>,
    ) -> Result<Response<pb::ListCreditReservationsResponse>, Status> {
        Err(never())
    }
}

fn never() -> Status {
    Status::unimplemented("sales never asks for this")
}
