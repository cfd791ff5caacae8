//! What becomes of orders, heard from the events of sales: what is reserved for one that is confirmed stays until it ends and all
//! of it is invoiced, shrinks with what is cancelled or refunded of it, and comes back when it goes on; what of it is delivered is
//! kept with it.

use std::sync::Arc;

use futures::FutureExt as _;
use trato_platform::{
    db::{NewEvent, Record, Tx, statement::Statements},
    events::{Event, Subscription},
};
use trato_proto::sales::v1 as sales;
use trato_types::{Minor, Result};

use super::{
    model::{CreditReservation, State, Wanted},
    ordered::Ordered,
    store,
};

/// Orders that were confirmed, delivered, cut short, cancelled, closed or deleted; of which something came back, which may open
/// them again or be refunded; and those of which something was invoiced, which may be the last thing that was left.
pub fn follow_orders() -> Subscription {
    let reservations = Statements::of::<CreditReservation>();
    Subscription::new(
        "follow-orders",
        &[
            "trato.sales.v1.order.confirmed",
            "trato.sales.v1.order.lines_cancelled",
            "trato.sales.v1.order.progressed",
            "trato.sales.v1.order.billed",
            "trato.sales.v1.order.cancelled",
            "trato.sales.v1.order.closed",
            "trato.sales.v1.order.deleted",
        ],
        Arc::new(move |tx, event| follow(reservations, tx, event).boxed()),
    )
}

async fn follow(reservations: Statements, tx: &mut Tx, event: &Event) -> Result<()> {
    let order = Ordered::read(&event.resource::<sales::Order>()?)?;
    // In the order in which ReserveCredit locks, which might make the first reservation at this moment.
    store::take_turn(tx, order.account).await?;
    match store::lock_of_order(tx, &order.name).await? {
        Some(before) => {
            let is_confirmed_now = event.kind.ends_with(".confirmed");
            let told = CreditReservation {
                account: order.account,
                currency_code: order.currency,
                quote: order.quote,
                ..before.value.clone()
            };
            let Some(next) = told.following(order.wanted, is_confirmed_now, event.revision) else {
                return Ok(());
            };
            let participle = match (before.value.state, next.state) {
                (State::Open, State::Released) => "released",
                _ => "reserved",
            };
            let after = before.next(tx.cx(), next);
            let event = NewEvent::of(tx.cx(), participle, Some(&before), &after);
            tx.save(&reservations, &after, event).await
        }
        None => begin(&reservations, tx, order, event.revision).await,
    }
}

/// An order is confirmed, so it counts, whoever has not asked before. One that has ended already is noted as released, so that no
/// older event of it reserves when the log is sent again.
async fn begin(reservations: &Statements, tx: &mut Tx, order: Ordered, order_revision: i64) -> Result<()> {
    let (amount, delivered, state, participle) = match order.wanted {
        Wanted::Undecided => return Ok(()),
        Wanted::Amount { whole: whole @ Minor(1..), delivered } => {
            (whole, delivered, State::Open, "reserved")
        }
        Wanted::Amount { .. } | Wanted::Nothing => (order.agreed, Minor(0), State::Released, "released"),
    };
    if amount <= Minor(0) {
        return Ok(());
    }
    let reservation = CreditReservation {
        order_name: order.name,
        account: order.account,
        amount,
        currency_code: order.currency,
        state,
        expire_time: None,
        quote: order.quote,
        order_revision,
        ended_with_order: state == State::Released,
        delivered: Some(delivered),
    };
    let record = Record::new(tx.cx(), reservation, None);
    let event = NewEvent::of(tx.cx(), participle, None, &record);
    tx.insert(reservations, &[&record], vec![event]).await?;
    Ok(())
}
