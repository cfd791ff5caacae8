//! From a client's message to a valid record: field behaviour, masks, and the resource's own rules.

use trato_types::{
    Context, Error, Result, Violations,
    standard::{Fields as _, ResourceMessage as _},
};

use crate::db::{External, Record, Resource};

/// A new record of what a client sent in `field`, or every violation at once.
pub fn new_record<T: Resource>(cx: &Context, message: Option<T::Message>, field: &str) -> Result<Record<T>> {
    let mut message = message.ok_or_else(|| Error::invalid(field, "REQUIRED", "is required"))?;
    message.discard_output_only();
    T::fill_defaults(&mut message, cx);
    let prefix = format!("{field}.");
    let mut violations = Violations::new();
    message.check_required(&prefix, &mut violations);
    let external = violations.absorb(&prefix, External::parse(message.external()))?;
    let value = violations.absorb(&prefix, T::parse(&message, cx))?;
    let (external, value) = violations.into_result(external.zip(value))?;
    cx.require_admits(value.owner(), value.team())?;
    Ok(Record::new(cx, value, external))
}

/// The value of `before` with the masked fields of `message` put in. Without a mask, all fields that hold something
/// are taken (AIP-134); `*` takes all. Output-only fields are ignored, immutable ones must stay as they are.
pub fn merged<T: Resource>(
    cx: &Context,
    before: &Record<T>,
    message: &T::Message,
    mask: Option<&[String]>,
    field: &str,
) -> Result<T> {
    let stored = T::render(before);
    let mut merged = stored.clone();
    let mut violations = Violations::new();
    let paths: Vec<&str> = match mask {
        None | Some([]) => message.populated(),
        Some([all]) if all == "*" => T::Message::MUTABLE.to_vec(),
        Some(paths) => paths.iter().map(String::as_str).collect(),
    };
    for path in paths {
        if merged.merge(path, message).is_err() {
            violations.add("update_mask", "UNKNOWN_FIELD", format!("{path:?} is no field of the resource"));
        }
    }
    let prefix = format!("{field}.");
    for name in merged.changed_immutable(&stored) {
        violations.add(format!("{prefix}{name}"), "IMMUTABLE", "cannot be changed");
    }
    merged.check_required(&prefix, &mut violations);
    let value = violations.absorb(&prefix, T::parse(&merged, cx))?;
    let value = violations.into_result(value)?;
    cx.require_admits(value.owner(), value.team())?;
    Ok(value)
}
