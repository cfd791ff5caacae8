//! What is wrong with a filter, an order or a page, and where; all of it is told at once (AIP-193).

use trato_types::{Error, Violations};

/// A text that does not follow the grammar, or uses a part of it that is not offered.
pub(crate) const INVALID_FILTER: &str = "INVALID_FILTER";
/// A name that the resource does not declare.
pub(crate) const UNKNOWN_FIELD: &str = "UNKNOWN_FIELD";
/// A literal or a comparator that does not suit the field.
pub(crate) const WRONG_TYPE: &str = "WRONG_TYPE";
/// Too long, too deep, or too many terms.
pub(crate) const FILTER_TOO_COMPLEX: &str = "FILTER_TOO_COMPLEX";
/// An order that cannot be followed.
pub(crate) const INVALID_ORDER_BY: &str = "INVALID_ORDER_BY";
/// A token of another request, too old, or not one of ours.
pub(crate) const INVALID_PAGE_TOKEN: &str = "INVALID_PAGE_TOKEN";
/// A negative page size.
pub(crate) const INVALID_PAGE_SIZE: &str = "INVALID_PAGE_SIZE";

/// One fault in one text; `at` counts bytes from its beginning.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) at: Option<usize>,
}

impl Fault {
    pub(crate) fn at(at: usize, reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), at: Some(at) }
    }

    pub(crate) fn whole(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), at: None }
    }
}

/// The faults of one request, each under the request field it was found in.
#[derive(Default)]
pub(crate) struct Faults(Vec<Described>);

struct Described {
    field: &'static str,
    reason: &'static str,
    description: String,
    position: Option<usize>,
}

impl Faults {
    pub(crate) fn add(&mut self, field: &'static str, text: &str, fault: Fault) {
        // People count characters, from one.
        let position = fault.at.map(|at| text[..at].chars().count() + 1);
        let description = match position {
            Some(position) => format!("{} (at character {position})", fault.message),
            None => fault.message,
        };
        self.0.push(Described { field, reason: fault.reason, description, position });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// INVALID_ARGUMENT with all faults; a single one gives its own reason to the whole.
    pub(crate) fn into_error(mut self) -> Error {
        if self.0.len() == 1
            && let Some(only) = self.0.pop()
        {
            let error = Error::invalid(only.field, only.reason, only.description);
            return match only.position {
                Some(position) => error.with("position", position),
                None => error,
            };
        }
        let mut violations = Violations::new();
        for fault in self.0 {
            violations.add(fault.field, fault.reason, fault.description);
        }
        violations.into_error()
    }
}

/// A piece of the caller's text as a message may repeat it: escaped, and not too long.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
