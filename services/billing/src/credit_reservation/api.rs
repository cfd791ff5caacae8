//! `CreditReservationService`. All reservations of an account come one after the other, so that no two of them take the same rest
//! of its limit.

use prost::Message as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, NewEvent, Record, RequestKey, Resource, Tx},
    standard::{Reply, Store, answer, finish, once},
};
use trato_proto::billing::v1::{self as pb, credit_reservation_service_server::CreditReservationService};
use trato_query::Field;
use trato_types::{Context, Error, Ref, Result, Violations};

use super::{
    model::{CreditReservation, ReservationError, State},
    store, wire,
};
use crate::{
    credit_profile::{beyond, limit_of},
    fields::word,
    foreign::Account,
};

/// Serves credit reservations.
pub struct Api {
    reservations: Store<CreditReservation>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { reservations: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl CreditReservationService for Api {
    async fn get_credit_reservation(
        &self,
        request: Request<pb::GetCreditReservationRequest>,
    ) -> Reply<pb::CreditReservation> {
        self.reservations.get(request).await
    }
    async fn list_credit_reservations(
        &self,
        request: Request<pb::ListCreditReservationsRequest>,
    ) -> Reply<pb::ListCreditReservationsResponse> {
        self.reservations.list(request).await
    }
    async fn reserve_credit(
        &self,
        request: Request<pb::ReserveCreditRequest>,
    ) -> Reply<pb::CreditReservation> {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&std::mem::take(&mut body.request_id), &body)?;
            let attempt = self.reserve(cx, key.as_ref(), &body);
            once(self.reservations.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }
    async fn release_credit(
        &self,
        request: Request<pb::ReleaseCreditRequest>,
    ) -> Reply<pb::ReleaseCreditResponse> {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&std::mem::take(&mut body.request_id), &body)?;
            let attempt = self.release(cx, key.as_ref(), &body);
            once(self.reservations.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }
}

impl Api {
    async fn reserve(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        body: &pb::ReserveCreditRequest,
    ) -> Result<pb::CreditReservation> {
        let mut reservation = wire::parse(body)?;
        let mut tx = Tx::of(self.reservations.database(), cx).await?;
        store::take_turn(&mut tx, reservation.account).await?;
        let before = store::lock_of_order(&mut tx, &reservation.order_name).await?;
        if let Some(before) = &before {
            before.value.require_of(reservation.account)?;
            if before.value.follows_order() {
                return keep(tx, key, before, body.validate_only).await;
            }
            reservation.order_revision = before.value.order_revision;
            // Of an order that was never confirmed nothing is delivered, also where nobody kept that when it was first asked for.
            if before.value.order_revision > 0 {
                reservation.delivered = before.value.delivered;
            }
        }
        let takes_more = reservation.takes_more_than(before.as_ref().map(|before| &before.value), cx.now);
        let (after, event) = match &before {
            Some(before) => {
                let after = before.next(cx, reservation);
                let event = NewEvent::of(cx, "reserved", Some(before), &after);
                tx.save(self.reservations.statements(), &after, event.clone()).await?;
                (after, event)
            }
            None => {
                let after = Record::new(cx, reservation, None);
                let event = NewEvent::of(cx, "reserved", None, &after);
                tx.insert(self.reservations.statements(), &[&after], vec![event.clone()]).await?;
                (after, event)
            }
        };
        if takes_more {
            require_within(&mut tx, after.value.account).await?;
        }
        finish(tx, key, event.id, body.validate_only).await?;
        Ok(CreditReservation::render(&after))
    }

    async fn release(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        body: &pb::ReleaseCreditRequest,
    ) -> Result<pb::ReleaseCreditResponse> {
        let mut violations = Violations::new();
        let order = violations.keep("order", word(&body.order, 200));
        let order = violations.into_result(order)?;
        let mut tx = Tx::of(self.reservations.database(), cx).await?;
        let before = store::lock_of_order(&mut tx, &order).await?;
        let released = match before {
            Some(before) if before.value.state == State::Open => {
                let value = CreditReservation { state: State::Released, ..before.value.clone() };
                let after = before.next(cx, value);
                let event = NewEvent::of(cx, "released", Some(&before), &after);
                tx.save(self.reservations.statements(), &after, event).await?;
                Some(after)
            }
            other => other,
        };
        let answer =
            pb::ReleaseCreditResponse { reservation: released.as_ref().map(CreditReservation::render) };
        if let Some(key) = key {
            tx.remember(key, answer.encode_to_vec()).await?;
        }
        tx.end(body.validate_only).await?;
        Ok(answer)
    }
}

/// FAILED_PRECONDITION when the account is on hold, or what counts of it is more than its limit.
async fn require_within(tx: &mut Tx, account: Ref<Account>) -> Result<()> {
    let limit = limit_of(tx, account).await?;
    if limit.hold {
        return Err(ReservationError::Held.into());
    }
    match beyond(tx, account, &limit).await? {
        None => Ok(()),
        Some((amount, counted)) => {
            let error = Error::from(ReservationError::LimitExceeded);
            Err(error.with("credit_limit", amount.0).with("exposure", counted.0))
        }
    }
}

/// Answers a reservation as it is, and the same whenever the request is repeated.
async fn keep(
    mut tx: Tx,
    key: Option<&RequestKey>,
    reservation: &Record<CreditReservation>,
    validate_only: bool,
) -> Result<pb::CreditReservation> {
    let answer = CreditReservation::render(reservation);
    if let Some(key) = key {
        tx.remember(key, answer.encode_to_vec()).await?;
    }
    tx.end(validate_only).await?;
    Ok(answer)
}

impl Resource for CreditReservation {
    type Message = pb::CreditReservation;
    const TABLE: &'static str = "credit_reservation";
    const COLLECTION: &'static str = "creditReservations";
    const EVENT: &'static str = "trato.billing.v1.credit_reservation";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    /// Nobody writes one but the verbs.
    fn parse(_: &pb::CreditReservation, _: &Context) -> Result<Self> {
        Err(Error::internal("a reservation is made by its verbs alone"))
    }

    fn render(record: &Record<Self>) -> pb::CreditReservation {
        wire::render(record)
    }
}
