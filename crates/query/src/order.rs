//! The order of a list (AIP-132), and the condition that continues it behind a row.
//!
//! Every order ends with `id`, so that no two rows are equal in it and a page begins exactly where the last one ended.

use crate::{
    fault::{Fault, INVALID_ORDER_BY, UNKNOWN_FIELD, shown},
    field::{self, Field, ID},
    predicate::{Predicate, Relation, Test},
    value::Value,
};

/// Longest order, in bytes.
const MAX_LENGTH: usize = 1024;
/// Most fields in an order.
pub const MAX_SORT_KEYS: usize = 4;

/// A field of an order and its direction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SortKey {
    field: &'static Field,
    descending: bool,
}

impl SortKey {
    /// The field sorted by.
    pub const fn field(&self) -> &'static Field {
        self.field
    }
    /// True when the greatest value comes first.
    pub const fn is_descending(&self) -> bool {
        self.descending
    }
}

/// Parses `order_by`; what is returned ends with `id`, in the direction of the key before it.
pub(crate) fn parse(fields: &[&'static [Field]], text: &str) -> Result<Vec<SortKey>, Fault> {
    let mut keys: Vec<SortKey> = Vec::new();
    if text.len() > MAX_LENGTH {
        let message = format!("an order may have {MAX_LENGTH} bytes at most");
        return Err(Fault::whole(INVALID_ORDER_BY, message));
    }
    let mut start = 0;
    for part in text.split(',').filter(|_| !text.trim().is_empty()) {
        let at = start + part.len() - part.trim_start().len();
        start += part.len() + 1;
        let key = key(fields, part.trim(), at)?;
        if keys.iter().any(|other| other.field.name() == key.field.name()) {
            return Err(Fault::at(at, INVALID_ORDER_BY, format!("{} stands twice", key.field.name())));
        }
        if keys.len() == MAX_SORT_KEYS {
            return Err(Fault::at(
                at,
                INVALID_ORDER_BY,
                format!("an order may have {MAX_SORT_KEYS} fields at most"),
            ));
        }
        keys.push(key);
    }
    let descending = keys.last().is_some_and(SortKey::is_descending);
    keys.push(SortKey { field: &ID, descending });
    Ok(keys)
}

fn key(fields: &[&'static [Field]], part: &str, at: usize) -> Result<SortKey, Fault> {
    let mut words = part.split_whitespace();
    let name = words.next().unwrap_or_default();
    let descending = match (words.next(), words.next()) {
        (None, _) | (Some("asc"), None) => false,
        (Some("desc"), None) => true,
        _ => return Err(Fault::at(at, INVALID_ORDER_BY, "a field may only be followed by desc")),
    };
    let sortable = || field::names(fields, Field::is_sortable);
    match field::find(fields, name) {
        Some(field) if field.is_sortable() => Ok(SortKey { field, descending }),
        Some(field) => {
            let message = format!("{} cannot be sorted by; {} can", field.name(), sortable());
            Err(Fault::at(at, INVALID_ORDER_BY, message))
        }
        None if name.is_empty() => Err(Fault::at(at, INVALID_ORDER_BY, "a field is expected")),
        None => {
            let message =
                format!("there is no field {}; these can be sorted by: {}", shown(name), sortable());
            Err(Fault::at(at, UNKNOWN_FIELD, message))
        }
    }
}

/// Rows that follow one another in an order: one range of an index over its keys.
#[derive(Clone, Debug)]
pub(crate) struct Range {
    /// Which rows.
    pub predicate: Predicate,
    /// How many keys, from the first one on, have values only or nulls only in it, so that the place of nulls need not
    /// be said.
    pub settled: usize,
}

/// All rows, in ranges like those of [`ranges`].
pub(crate) fn whole(keys: &[SortKey]) -> Vec<Range> {
    match keys.first() {
        // An index read backwards has nulls first, and they come last.
        Some(key) if key.is_descending() && key.field.is_nullable() => {
            let known = Predicate::Test(key.field, Test::Known);
            let null = known.clone().negated();
            [known, null].map(|predicate| Range { predicate, settled: 1 }).into()
        }
        _ => vec![Range { predicate: Predicate::All(Vec::new()), settled: 0 }],
    }
}

/// The rows behind the one with these values (one for each key, nulls last), in ranges that exclude one another and stand
/// in the order of the rows.
pub(crate) fn ranges(keys: &[SortKey], values: &[Option<Value>]) -> Vec<Range> {
    if let Some(bounds) = as_one_row(keys, values) {
        let descending = keys.first().is_some_and(SortKey::is_descending);
        return vec![Range { predicate: Predicate::Beyond { bounds, descending }, settled: 0 }];
    }
    let (Some((key, keys)), Some((value, values))) = (keys.split_first(), values.split_first()) else {
        return Vec::new();
    };
    let tied = |tie: Predicate| -> Vec<Range> {
        let both = |range: Range| Range {
            predicate: Predicate::All(vec![tie.clone(), range.predicate]),
            settled: range.settled + 1,
        };
        ranges(keys, values).into_iter().map(both).collect()
    };
    let null = Predicate::Test(key.field, Test::Known).negated();
    let Some(value) = value else {
        return tied(null);
    };
    let mut found = tied(Predicate::is(key.field, Relation::Equal, value.clone()));
    let strictly = if key.descending { Relation::Less } else { Relation::Greater };
    found.push(Range { predicate: Predicate::is(key.field, strictly, value.clone()), settled: 1 });
    if key.field.is_nullable() {
        found.push(Range { predicate: null, settled: 1 });
    }
    found
}

/// The same rows as one condition.
pub(crate) fn behind(keys: &[SortKey], values: &[Option<Value>]) -> Predicate {
    let any = Predicate::Any(ranges(keys, values).into_iter().map(|range| range.predicate).collect());
    match (keys, values) {
        ([key, _, ..], [Some(value), ..])
            if !key.field.is_nullable() && as_one_row(keys, values).is_none() =>
        {
            // It follows from the rest, and stands there because an index can begin at it.
            let at_least = if key.descending { Relation::LessEqual } else { Relation::GreaterEqual };
            Predicate::All(vec![Predicate::is(key.field, at_least, value.clone()), any])
        }
        _ => any,
    }
}

/// The keys as one row to compare, when they all run one way and none can be null.
fn as_one_row(keys: &[SortKey], values: &[Option<Value>]) -> Option<Vec<(&'static Field, Value)>> {
    let first = keys.first()?;
    if keys.iter().any(|key| key.descending != first.descending || key.field.is_nullable()) {
        return None;
    }
    keys.iter().zip(values).map(|(key, value)| value.clone().map(|value| (key.field, value))).collect()
}
