//! A filter that was parsed and checked once, and then becomes SQL or runs in memory.

use trato_types::Result;

use crate::{
    check::check,
    fault::{FILTER_TOO_COMPLEX, Fault, Faults},
    field::Field,
    parser::parse,
    predicate::Predicate,
    sql::{Fragment, print},
    value::Value,
};

/// Longest filter, in bytes.
pub const MAX_FILTER_BYTES: usize = 8 * 1024;
/// Deepest parentheses.
pub const MAX_FILTER_DEPTH: usize = 32;
/// Most comparisons in one filter.
pub const MAX_FILTER_TERMS: usize = 100;

/// Most faults told of one filter: an error travels in the trailers of an answer, whose size clients limit.
const MAX_TOLD: usize = 5;

/// An AIP-160 filter over declared fields.
///
/// - White space and `AND` join, `OR` binds tighter than both, `NOT` and `-` negate; parentheses group.
/// - `= != < <= > >=` compare with one literal; `=` on text takes `"abc*"` for all that begin with `abc`.
/// - `:` on text asks whether it contains the literal, in the same case; no index helps there. Elsewhere it is `=`.
/// - `field:*` is true of what is present, `-field:*` of what is absent; `field = ""` is the latter for texts,
///   choices and references.
/// - A comparison with an absent value is false, `!=` is true, and `NOT` is the exact opposite of what it negates.
/// - A bare literal looks into the searchable fields; without any it is refused, as are functions and durations.
#[derive(Clone, Debug)]
pub struct Filter(Predicate);

impl Filter {
    /// Parses the `filter` of a request; the empty text is met by every row.
    ///
    /// # Errors
    /// INVALID_ARGUMENT naming the first faults with their positions; reasons `INVALID_FILTER`, `UNKNOWN_FIELD`,
    /// `WRONG_TYPE`, `FILTER_TOO_COMPLEX`.
    pub fn parse(fields: &[&'static [Field]], text: &str) -> Result<Self> {
        let mut faults = Faults::default();
        let filter = Self::read(fields, text, &mut faults);
        if faults.is_empty() { Ok(filter) } else { Err(faults.into_error()) }
    }

    /// Parses `text` and notes what is wrong with it; with faults noted the filter is not used.
    pub(crate) fn read(fields: &[&'static [Field]], text: &str, faults: &mut Faults) -> Self {
        if text.len() > MAX_FILTER_BYTES {
            let message = format!("a filter may have {MAX_FILTER_BYTES} bytes at most");
            faults.add("filter", text, Fault::whole(FILTER_TOO_COMPLEX, message));
            return Self(Predicate::always());
        }
        let mut found = Vec::new();
        let predicate = match parse(text) {
            Ok(Some(node)) => check(node, fields, &mut found),
            Ok(None) => Predicate::always(),
            Err(fault) => {
                found.push(fault);
                Predicate::always()
            }
        };
        for fault in found.into_iter().take(MAX_TOLD) {
            faults.add("filter", text, fault);
        }
        Self(predicate)
    }

    /// True when every row meets the filter.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Predicate::All(parts) if parts.is_empty())
    }

    /// Judges one row, just as the SQL of [`Filter::condition`] would; `value_of` is asked for fields by the names
    /// callers use and answers with the variant of the field's type, or with none for null.
    pub fn matches(&self, value_of: &dyn Fn(&str) -> Option<Value>) -> bool {
        self.0.matches(value_of)
    }

    /// The filter as a condition on the table called `alias` (`""` for none); its placeholders count up from `$first`.
    pub fn condition(&self, alias: &'static str, first: usize) -> Fragment {
        print(&self.0, alias, first)
    }

    pub(crate) fn predicate(&self) -> &Predicate {
        &self.0
    }
}
