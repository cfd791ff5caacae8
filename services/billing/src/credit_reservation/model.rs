//! A credit reservation: it is set, and released, as often as its order changes.

use trato_types::{Currency, DomainError, Minor, Ref, Timestamp, id::Collection};

use crate::foreign::Account;

/// What of an account's limit is kept for an order.
#[derive(Clone, Debug, PartialEq)]
pub struct CreditReservation {
    /// The order; in sales.
    pub order_name: String,
    /// Whose limit it takes of.
    pub account: Ref<Account>,
    /// How much; more than zero.
    pub amount: Minor,
    /// Its currency.
    pub currency_code: Currency,
    /// Where it is in its life.
    pub state: State,
    /// When it counts no more.
    pub expire_time: Option<Timestamp>,
}

impl Collection for CreditReservation {
    const COLLECTION: &'static str = "creditReservations";
}

/// Where a reservation is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Counts against the limit.
    Open,
    /// Counts no more.
    Released,
}

/// Why nothing is reserved.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReservationError {
    /// The order has a reservation of another account.
    #[error("the order has a reservation of another account")]
    OfAnotherAccount,
    /// The account is on hold.
    #[error("the account is on hold")]
    Held,
    /// The account would owe and have ordered more than its limit.
    #[error("the account would owe and have ordered more than its limit")]
    LimitExceeded,
}

impl DomainError for ReservationError {
    fn reason(&self) -> &'static str {
        match self {
            Self::OfAnotherAccount => "RESERVATION_OF_ANOTHER_ACCOUNT",
            Self::Held => "CREDIT_HELD",
            Self::LimitExceeded => "CREDIT_LIMIT_EXCEEDED",
        }
    }
}

impl CreditReservation {
    /// True when it takes more of a limit than it did, or did not count before.
    pub fn takes_more_than(&self, before: Option<&Self>, now: Timestamp) -> bool {
        let counts = |one: &&Self| one.state == State::Open && one.expire_time.is_none_or(|end| end > now);
        before
            .filter(counts)
            .is_none_or(|before| before.currency_code != self.currency_code || self.amount > before.amount)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// XTR-05: asking again for as much, or for less, is never refused; what did not count before takes of the limit.
    #[test]
    fn what_was_reserved_takes_nothing_more() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().expect("an instant");
        let of = |amount, state| CreditReservation {
            order_name: "orders/1".into(),
            account: Ref::from_uuid(Uuid::nil()),
            amount: Minor(amount),
            currency_code: Currency::USD,
            state,
            expire_time: None,
        };
        let (open, released) = (of(100, State::Open), of(100, State::Released));
        let expired = CreditReservation { expire_time: Some(now), ..open.clone() };
        let euros =
            CreditReservation { currency_code: Currency::parse("EUR").expect("a code"), ..open.clone() };
        for (amount, before, more) in [
            (100, None, true),
            (100, Some(&open), false),
            (99, Some(&open), false),
            (101, Some(&open), true),
            (1, Some(&released), true),
            (1, Some(&expired), true),
            (1, Some(&euros), true),
        ] {
            assert_eq!(
                of(amount, State::Open).takes_more_than(before, now),
                more,
                "{amount} after {before:?}"
            );
        }
    }
}
