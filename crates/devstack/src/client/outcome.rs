//! What a feed places, and what becomes of it.

use std::{fmt, time::Duration};

use serde_json::Value;

use super::Failure;

/// A method of the contract that takes many resources and answers each.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// `/v1/accounts:batchCreate`.
    pub path: &'static str,
    /// Field of the items, `requests`.
    pub list: &'static str,
    /// Field of the resource in each result, `account`.
    pub noun: &'static str,
}

/// What became of one item.
#[derive(Clone, Debug)]
pub enum Placed {
    /// It was made now.
    Created(Value),
    /// It was there already, as given.
    Existing(Value),
    /// It was refused.
    Refused(Failure),
}

/// Why not everything was tried.
#[derive(Debug)]
pub enum Stopped {
    /// By whoever started it. Every call that was begun has ended.
    Interrupted,
    /// Nothing succeeded for so long; with the last failure.
    Impatient(Duration, Box<Failure>),
    /// No call can succeed.
    Hopeless(Box<Failure>),
}

impl Stopped {
    /// After a failure that no further call can mend.
    pub fn hopeless(failure: Failure) -> Self {
        Self::Hopeless(Box::new(failure))
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::Impatient(patience, last) => {
                write!(f, "nothing succeeded for {} s; at last {last}", patience.as_secs())
            }
            Self::Hopeless(failure) => write!(f, "no call can succeed: {failure}"),
        }
    }
}

impl std::error::Error for Stopped {}
