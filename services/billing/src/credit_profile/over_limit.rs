//! Accounts whose orders do not count when they are confirmed: what is delivered and invoiced of them is told by events, too late
//! to refuse it. So the account is set on hold when that is more than its limit, which holds what is still to be delivered, and
//! released when it is not any more.

use std::sync::Arc;

use futures::FutureExt as _;
use trato_platform::{
    db::Tx,
    events::{Event, Subscription},
};
use trato_proto::billing::v1::{self as pb, payment::Direction};
use trato_types::{Error, Ref, Result};

use super::{
    exposure::{Limit, beyond, limit_of},
    hold::{Holder, Holds, lock},
    model::ExposureBasis,
};

/// What may raise that what counts, beside money that goes out, and only that sets an account on hold: who has just taken a hold back
/// has decided.
const RAISING: [&str; 5] = [
    "trato.billing.v1.credit_reservation.reserved",
    "trato.billing.v1.invoice.issued",
    "trato.billing.v1.invoice.taken_over",
    "trato.billing.v1.payment.charged_back",
    "trato.billing.v1.payment.refunded",
];

/// Reservations, which tell what is delivered, invoices, credit notes and payments, as far as they move what counts; and credit
/// profiles, whose limit may be another one.
pub fn hold_over_limit() -> Subscription {
    let holds = Holds::prepare();
    Subscription::new(
        "hold-over-limit",
        &[
            "trato.billing.v1.credit_note.issued",
            "trato.billing.v1.credit_profile.undeleted",
            "trato.billing.v1.credit_profile.updated",
            "trato.billing.v1.credit_reservation.released",
            "trato.billing.v1.credit_reservation.reserved",
            "trato.billing.v1.invoice.issued",
            "trato.billing.v1.invoice.taken_over",
            "trato.billing.v1.invoice.voided",
            "trato.billing.v1.invoice.written_off",
            "trato.billing.v1.payment.charged_back",
            "trato.billing.v1.payment.refunded",
            "trato.billing.v1.payment.succeeded",
            "trato.billing.v1.payment.taken_over",
        ],
        Arc::new(move |tx, event| weigh(holds, tx, event).boxed()),
    )
}

/// Sets the account of an event on hold, or releases it, by how it stands now: events may come again and in any order.
async fn weigh(holds: Holds, tx: &mut Tx, event: &Event) -> Result<()> {
    let (account, may_raise) = told(event)?;
    let account = Ref::parse(&account).map_err(Error::internal)?;
    if !limit_of(tx, account).await?.is_checked_later() {
        return Ok(());
    }
    // Whoever weighs after us sees what we did, and the profile is not changed meanwhile.
    lock(tx, account).await?;
    let limit = limit_of(tx, account).await?;
    let is_over = limit.basis != ExposureBasis::Order && beyond(tx, account, &limit).await?.is_some();
    if !is_over {
        holds.release(tx, account, Holder::Limit).await
    } else if may_raise {
        holds.hold(tx, account, Holder::Limit).await
    } else {
        Ok(())
    }
}

/// Whose the resource of an event is, and whether that may have raised what counts.
fn told(event: &Event) -> Result<(String, bool)> {
    let may_raise = RAISING.contains(&event.kind.as_str());
    match event.kind.split('.').nth(3) {
        Some("credit_note") => Ok((event.resource::<pb::CreditNote>()?.account, may_raise)),
        Some("credit_profile") => Ok((event.resource::<pb::CreditProfile>()?.account, may_raise)),
        Some("credit_reservation") => Ok((event.resource::<pb::CreditReservation>()?.account, may_raise)),
        Some("invoice") => Ok((event.resource::<pb::Invoice>()?.account, may_raise)),
        Some("payment") => {
            let payment: pb::Payment = event.resource()?;
            let goes_out = payment.direction() == Direction::Out;
            Ok((payment.account, may_raise || goes_out))
        }
        _ => Err(Error::internal("an event of something that has no account")),
    }
}

impl Limit {
    /// True where more may be confirmed than the limit, or where that has set the account on hold.
    fn is_checked_later(&self) -> bool {
        self.held_by_limit || (self.amount.is_some() && self.basis != ExposureBasis::Order)
    }
}
