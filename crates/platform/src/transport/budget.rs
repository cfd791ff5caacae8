//! How many retries there may be: a share of the calls, so that retries never become the load that keeps a service down.

use std::sync::atomic::{AtomicI64, Ordering};

/// What one retry costs, in thousandths.
const PRICE: i64 = 1000;

/// A balance that calls fill and retries spend.
#[derive(Debug)]
pub struct Budget {
    balance: AtomicI64,
    deposit: i64,
    most: i64,
}

impl Budget {
    /// `percent` retries for each hundred calls, and `reserve` retries at once when there were few calls before.
    pub fn new(percent: u32, reserve: u32) -> Self {
        let most = i64::from(reserve) * PRICE;
        Self { balance: AtomicI64::new(most), deposit: i64::from(percent) * PRICE / 100, most }
    }

    /// Notes a call.
    pub fn deposit(&self) {
        if self.balance.load(Ordering::Relaxed) < self.most {
            self.balance.fetch_add(self.deposit, Ordering::Relaxed);
        }
    }

    /// True when a retry may be made; it is paid for then.
    pub fn withdraw(&self) -> bool {
        let paid = self.balance.fetch_sub(PRICE, Ordering::Relaxed) >= PRICE;
        if !paid {
            self.balance.fetch_add(PRICE, Ordering::Relaxed);
        }
        paid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_a_share_of_the_calls_beyond_the_reserve() {
        let budget = Budget::new(20, 3);

        assert_eq!((0..10).filter(|_| budget.withdraw()).count(), 3);
        (0..10).for_each(|_| budget.deposit());
        assert_eq!((0..10).filter(|_| budget.withdraw()).count(), 2);
    }

    #[test]
    fn calls_fill_the_balance_up_to_the_reserve_only() {
        let budget = Budget::new(50, 2);

        (0..100).for_each(|_| budget.deposit());
        assert_eq!((0..10).filter(|_| budget.withdraw()).count(), 2);
    }
}
