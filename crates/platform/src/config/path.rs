//! Finds and mends values by the paths that errors of the `config` crate carry: `issuers[0].url`.
//!
//! Keys may contain dots themselves (`"trato.customers"`), so a path is read against the values it points into.

use config::{Value, ValueKind};

/// One step of a path.
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// The value at `path`, when there is one; the empty path is the root.
pub(super) fn find<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(root);
    }
    let (step, rest) = first_step(root, path)?;
    match (&root.kind, step) {
        (ValueKind::Table(table), Step::Key(key)) => find(table.get(key)?, rest),
        (ValueKind::Array(items), Step::Index(index)) => find(items.get(index)?, rest),
        _ => None,
    }
}

/// Replaces the value at `path`, or takes it out when there is nothing to put there. False when there is none.
pub(super) fn replace(root: &mut Value, path: &str, new: Option<&Value>) -> bool {
    let Some((step, rest)) = first_step(root, path) else { return false };
    match (&mut root.kind, step) {
        (ValueKind::Table(table), Step::Key(key)) if rest.is_empty() => match new {
            Some(new) => table.insert(key.to_owned(), new.clone()).is_some(),
            None => table.remove(key).is_some(),
        },
        (ValueKind::Table(table), Step::Key(key)) => {
            table.get_mut(key).is_some_and(|child| replace(child, rest, new))
        }
        (ValueKind::Array(items), Step::Index(index)) if !rest.is_empty() => {
            items.get_mut(index).is_some_and(|child| replace(child, rest, new))
        }
        // Taking an element out would shift the numbers in later messages, so the caller gives up instead.
        _ => false,
    }
}

fn first_step<'p>(root: &Value, path: &'p str) -> Option<(Step<'p>, &'p str)> {
    if let Some(bracket) = path.strip_prefix('[') {
        let (index, rest) = bracket.split_once(']')?;
        return Some((Step::Index(index.parse().ok()?), rest.strip_prefix('.').unwrap_or(rest)));
    }
    let ValueKind::Table(table) = &root.kind else { return None };
    let ends = |key: &&String| {
        path.strip_prefix(key.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let length = table.keys().filter(ends).map(String::len).max()?;
    let (key, rest) = path.split_at(length);
    Some((Step::Key(key), rest.strip_prefix('.').unwrap_or(rest)))
}
