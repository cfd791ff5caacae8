//! How far carts got, step by step and in all: the sums of what the database counted. Pure and exact.

use serde::Deserialize;

use super::model::{State, Step};

/// Carts that got equally far and of which the same became.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Slice {
    /// Where their buyers were at the furthest.
    pub furthest_step: Step,
    /// Where they were abandoned last, if they were.
    pub abandon_step: Option<Step>,
    /// What became of them.
    pub state: State,
    /// How many.
    pub count: i64,
}

/// The figures of one step, or of all carts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Carts that came here, or further.
    pub reached: i64,
    /// Of those, orders by now.
    pub checked_out: i64,
    /// Carts that were abandoned here, for the last time.
    pub abandoned: i64,
    /// Of those, such as came back.
    pub recovered: i64,
}

impl Tally {
    /// Of one step, or of all carts.
    pub fn of(slices: &[Slice], step: Option<Step>) -> Self {
        let mut tally = Self::default();
        for slice in slices {
            if step.is_none_or(|step| slice.furthest_step >= step) {
                tally.reached += slice.count;
                tally.checked_out += slice.count_if(slice.state == State::CheckedOut);
            }
            if slice.abandon_step.is_some_and(|left| step.is_none_or(|step| left == step)) {
                tally.abandoned += slice.count;
                tally.recovered += slice.count_if(slice.state != State::Abandoned);
            }
        }
        tally
    }
}

impl Slice {
    fn count_if(&self, holds: bool) -> i64 {
        if holds { self.count } else { 0 }
    }
}

/// Carts that are open now.
pub fn open(slices: &[Slice]) -> i64 {
    slices.iter().map(|slice| slice.count_if(slice.state == State::Open)).sum()
}
