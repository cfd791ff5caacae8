//! The synchronous edge to billing: keep so much of the account's limit for this order. Asked with the caller's token and
//! what is left of its deadline, before the transaction that confirms the order.

use chrono::Days;
use trato_platform::{
    App,
    db::Record,
    rpc::{Caller, Upstream, elsewhere},
};
use trato_proto::{
    billing::v1::{ReserveCreditRequest, credit_reservation_service_client::CreditReservationServiceClient},
    wire,
};
use trato_types::{Context, Error, Kind, Minor, Result};

use super::model::Order;

/// How long a reservation counts unless billing hears that the order is confirmed: one that was asked for by a call that
/// died is given back by itself, and a broker that is down for some hours gives back nothing that is needed.
const UNCONFIRMED: Days = Days::new(1);

/// Asks billing for credit.
#[derive(Clone, Debug)]
pub struct Credit {
    billing: Upstream,
}

impl Credit {
    /// Asks where the settings say that billing is.
    pub fn new(app: &App) -> Self {
        Self { billing: app.upstream("trato.billing") }
    }

    /// Reserves what a draft comes to, or only asks whether that could be. An order has one reservation, so that asking
    /// again changes nothing. What costs nothing needs no credit.
    ///
    /// Refused for the reason that billing gives, such as `CREDIT_LIMIT_EXCEEDED`; UNAVAILABLE when it cannot say.
    pub async fn reserve(
        &self,
        cx: &Context,
        caller: &Caller,
        order: &Record<Order>,
        validate_only: bool,
    ) -> Result<()> {
        let Order { account, gross, currency, quote, .. } = &order.value;
        if *gross <= Minor(0) {
            return Ok(());
        }
        let message = ReserveCreditRequest {
            order: order.name(),
            account: account.name(),
            amount: Some(wire::money(*gross, *currency)),
            quote: quote.map(|quote| quote.name()).unwrap_or_default(),
            expire_time: Some(wire::timestamp(cx.now + UNCONFIRMED)),
            validate_only,
            ..Default::default()
        };
        let request = self.billing.request(cx, caller, message)?;
        let mut client = CreditReservationServiceClient::new(self.billing.clone());
        let answer = elsewhere(client.reserve_credit(request)).await;
        answer.map(drop).map_err(|status| told(self.billing.error(status)).with("order", order.name()))
    }
}

/// What a refusal of billing means here: the caller has not written the request that it finds fault with.
fn told(error: Error) -> Error {
    match error.kind() {
        Kind::Invalid | Kind::NotFound => Error::internal(error),
        _ => error,
    }
}
