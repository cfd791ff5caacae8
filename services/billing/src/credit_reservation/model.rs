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
    /// The quote the order came of; in sales. Empty when there is none.
    pub quote: String,
    /// Revision of the order that last changed it since it is confirmed; 0 before.
    pub order_revision: i64,
    /// It was released because its order ended, and is opened again when the order goes on; what was released by hand is not.
    pub ended_with_order: bool,
    /// What of the amount is delivered and has not come back; none while nobody told, and all of it counts as delivered.
    pub delivered: Option<Minor>,
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

/// What an order says of its reservation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// Nothing is agreed on yet.
    Undecided,
    /// So much is agreed on and not cancelled.
    Amount {
        /// All of it; zero or more.
        whole: Minor,
        /// What of it is delivered and has not come back.
        delivered: Minor,
    },
    /// Nothing any more.
    Nothing,
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
    /// What counts of the account would be more than its limit.
    #[error("what counts of the account would be more than its limit")]
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
        before.filter(counts).is_none_or(|before| {
            before.account != self.account
                || before.currency_code != self.currency_code
                || self.amount > before.amount
        })
    }

    /// True once its order was heard of as confirmed: what the order says holds, and nobody's wish any more.
    pub fn follows_order(&self) -> bool {
        self.state == State::Open && self.expire_time.is_none() && self.order_revision > 0
    }

    /// FAILED_PRECONDITION where it is of another account, and stays. What is reserved for a while was asked for by somebody
    /// who has not come back; the order may be of another account by now.
    pub fn require_of(&self, account: Ref<Account>) -> Result<(), ReservationError> {
        let stays = self.state == State::Open && self.expire_time.is_none();
        if stays && self.account != account { Err(ReservationError::OfAnotherAccount) } else { Ok(()) }
    }

    /// What becomes of it by what its order says; none when nothing does. A confirmed order is reserved for until it ends, and
    /// again when it goes on; one that was released by hand meanwhile stays so.
    ///
    /// What changes nothing else is not noted by its revision either, so that an invoice writes nothing: events of an order come
    /// in the order of its revisions, and only what comes again is older.
    #[must_use]
    pub fn following(&self, wanted: Wanted, is_confirmed_now: bool, order_revision: i64) -> Option<Self> {
        if order_revision <= self.order_revision {
            return None;
        }
        let next = match wanted {
            Wanted::Undecided => return None,
            // What ends before it is confirmed may come back: a draft is deleted and undeleted.
            Wanted::Nothing | Wanted::Amount { whole: Minor(..=0), .. } => Self {
                state: State::Released,
                order_revision: if self.order_revision > 0 { order_revision } else { 0 },
                ended_with_order: self.ended_with_order || self.state == State::Open,
                ..self.clone()
            },
            Wanted::Amount { whole, delivered } => Self {
                amount: whole,
                delivered: Some(delivered),
                state: if is_confirmed_now || self.ended_with_order { State::Open } else { self.state },
                expire_time: None,
                order_revision,
                ended_with_order: false,
                ..self.clone()
            },
        };
        let is_first = self.order_revision == 0 && next.order_revision > 0;
        let as_before = Self { order_revision: self.order_revision, ..next.clone() };
        Some(next).filter(|_| is_first || as_before != *self)
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
            quote: String::new(),
            order_revision: 0,
            ended_with_order: false,
            delivered: Some(Minor(0)),
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

    /// DOC-04: a confirmed order is reserved for without end, shrinks with what is cancelled, and is released when it ends; an
    /// older revision, and what was released by hand, stay as they are.
    #[test]
    fn a_reservation_follows_its_order() {
        let asked = CreditReservation {
            order_name: "orders/1".into(),
            account: Ref::from_uuid(Uuid::nil()),
            amount: Minor(100),
            currency_code: Currency::USD,
            state: State::Open,
            expire_time: Some("2026-11-30T12:00:00Z".parse().expect("an instant")),
            quote: String::new(),
            order_revision: 0,
            ended_with_order: false,
            delivered: Some(Minor(0)),
        };
        let amount = |amount| Wanted::Amount { whole: Minor(amount), delivered: Minor(0) };

        let confirmed = asked.following(amount(100), true, 2).expect("it counts from now on");
        let cancelled = confirmed.following(amount(40), false, 3).expect("it is less");
        let ended = cancelled.following(Wanted::Nothing, false, 4).expect("it ends");
        let by_hand = CreditReservation { state: State::Released, ..confirmed.clone() };
        let by_hand = by_hand.following(amount(40), false, 3).expect("it is less");
        let deleted = asked.following(Wanted::Nothing, false, 2).expect("it ends");

        assert_eq!((confirmed.state, confirmed.expire_time), (State::Open, None));
        assert!(confirmed.follows_order() && !asked.follows_order() && !ended.follows_order());
        assert_eq!((cancelled.amount, cancelled.state), (Minor(40), State::Open));
        assert_eq!((ended.amount, ended.state, ended.order_revision), (Minor(40), State::Released, 4));
        assert_eq!((by_hand.amount, by_hand.state), (Minor(40), State::Released));
        assert_eq!((deleted.state, deleted.order_revision), (State::Released, 0), "a draft may come back");
        assert_eq!(confirmed.following(amount(90), false, 2), None, "it is known");
        assert_eq!(asked.following(Wanted::Undecided, false, 2), None);
    }

    /// DOC-04, DOC-09: an order that goes on after its end is reserved for again, unless somebody had released it by hand; what
    /// is delivered of it is noted, and what moves none of these, such as an invoice, changes nothing.
    #[test]
    fn a_reservation_comes_back_with_its_order() {
        let confirmed = CreditReservation {
            order_name: "orders/1".into(),
            account: Ref::from_uuid(Uuid::nil()),
            amount: Minor(100),
            currency_code: Currency::USD,
            state: State::Open,
            expire_time: None,
            quote: String::new(),
            order_revision: 2,
            ended_with_order: false,
            delivered: Some(Minor(0)),
        };
        let amount = |amount| Wanted::Amount { whole: Minor(amount), delivered: Minor(0) };

        let invoiced = confirmed.following(amount(100), false, 3);
        let some = Wanted::Amount { whole: Minor(100), delivered: Minor(30) };
        let delivered = confirmed.following(some, false, 3).expect("so much is delivered");
        let ended = confirmed.following(Wanted::Nothing, false, 4).expect("it ends");
        let ended_again = ended.following(Wanted::Nothing, false, 5);
        let reopened = ended.following(amount(100), false, 6).expect("it goes on");
        let refunded = reopened.following(amount(70), false, 7).expect("it is less");
        let by_hand = CreditReservation { state: State::Released, ..confirmed.clone() };
        let by_hand_ended = by_hand.following(Wanted::Nothing, false, 4);
        let by_hand_reopened = by_hand.following(amount(100), false, 6);
        let asked = CreditReservation { order_revision: 0, ..confirmed.clone() };
        let first = asked.following(amount(100), true, 2);

        assert_eq!((invoiced, ended_again), (None, None));
        assert_eq!((delivered.amount, delivered.delivered), (Minor(100), Some(Minor(30))));
        assert_eq!(delivered.following(some, false, 4), None, "it is known");
        assert_eq!((ended.state, ended.ended_with_order), (State::Released, true));
        assert_eq!(
            (reopened.state, reopened.amount, reopened.ended_with_order),
            (State::Open, Minor(100), false)
        );
        assert_eq!((refunded.state, refunded.amount), (State::Open, Minor(70)));
        assert_eq!((by_hand_ended, by_hand_reopened), (None, None));
        assert_eq!(first, Some(confirmed), "that it is confirmed is noted, though it stays as it is");
    }

    /// DOC-04: an order has a reservation of one account; one for a while gives way, since the order is not confirmed.
    #[test]
    fn a_reservation_stays_with_its_account() {
        let (own, other) = (Ref::from_uuid(Uuid::nil()), Ref::from_uuid(Uuid::max()));
        let of = |state, is_for_a_while: bool| CreditReservation {
            order_name: "orders/1".into(),
            account: own,
            amount: Minor(100),
            currency_code: Currency::USD,
            state,
            expire_time: is_for_a_while.then(|| "2026-11-30T12:00:00Z".parse().expect("an instant")),
            quote: String::new(),
            order_revision: 0,
            ended_with_order: false,
            delivered: Some(Minor(0)),
        };

        assert_eq!(of(State::Open, false).require_of(own), Ok(()));
        assert_eq!(of(State::Open, false).require_of(other), Err(ReservationError::OfAnotherAccount));
        assert_eq!(of(State::Open, true).require_of(other), Ok(()));
        assert_eq!(of(State::Released, false).require_of(other), Ok(()));
    }
}
