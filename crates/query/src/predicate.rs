//! A condition on one row, with names and types resolved: what SQL is printed from, and what runs in memory.
//!
//! It has two truth values only. A test of an absent value is false, and a negation is the exact opposite of what it
//! negates; so `state != "WON"` is true of a row without a state, and so is `NOT amount < 5` of one without an amount.

use std::cmp::Ordering;

use crate::{field::Field, value::Value};

/// A condition.
#[derive(Clone, Debug)]
pub(crate) enum Predicate {
    /// True when it is empty.
    All(Vec<Predicate>),
    /// False when it is empty.
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    /// True when the field has a value that passes.
    Test(&'static Field, Test),
    /// True when the fields, none nullable, taken as one tuple come after these values; before them when descending.
    Beyond {
        bounds: Vec<(&'static Field, Value)>,
        descending: bool,
    },
}

/// A test of a value that is there.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Is(Relation, Value),
    /// The text contains this one, in the same case.
    Contains(String),
    /// Any value will do.
    Known,
}

/// How a value relates to a bound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Relation {
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Predicate {
    /// The condition every row meets.
    pub(crate) const fn always() -> Self {
        Self::All(Vec::new())
    }

    pub(crate) fn is(field: &'static Field, relation: Relation, value: Value) -> Self {
        Self::Test(field, Test::Is(relation, value))
    }

    pub(crate) fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Judges the row whose fields `value_of` tells by their names.
    pub(crate) fn matches(&self, value_of: &dyn Fn(&str) -> Option<Value>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(value_of)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(value_of)),
            Self::Not(part) => !part.matches(value_of),
            Self::Test(field, test) => value_of(field.name()).is_some_and(|value| test.passes(&value)),
            Self::Beyond { bounds, descending } => {
                let wanted = if *descending { Ordering::Less } else { Ordering::Greater };
                for (field, bound) in bounds {
                    match value_of(field.name()).and_then(|value| value.order(bound)) {
                        Some(Ordering::Equal) => {}
                        found => return found == Some(wanted),
                    }
                }
                false
            }
        }
    }
}

impl Test {
    fn passes(&self, value: &Value) -> bool {
        match self {
            Self::Is(relation, bound) => value.order(bound).is_some_and(|order| relation.holds(order)),
            Self::Contains(part) => matches!(value, Value::Text(text) if text.contains(part.as_str())),
            Self::Known => true,
        }
    }
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterEqual => order.is_ge(),
        }
    }
}
