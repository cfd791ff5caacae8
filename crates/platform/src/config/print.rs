//! Shows the configuration in effect, with secrets blotted out and the layer each value comes from.

use std::fmt::Write as _;

use config::{Map, Value, ValueKind};

/// The values as TOML; behind each stands its origin as a comment.
pub(super) fn print(values: &Value, secrets: &[String]) -> String {
    let mut text = String::new();
    if let ValueKind::Table(table) = &values.kind {
        print_table(table, "", secrets, &mut text);
    }
    text
}

fn print_table(table: &Map<String, Value>, path: &str, secrets: &[String], text: &mut String) {
    let mut entries: Vec<(&String, &Value)> = table.iter().collect();
    // TOML wants a table's own values before its sub-tables.
    entries.sort_by_key(|(key, value)| (matches!(value.kind, ValueKind::Table(_)), key.as_str()));
    for (key, value) in entries {
        let name = quoted_key(key);
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if let ValueKind::Table(children) = &value.kind {
            let separator = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{separator}[{path}]");
            print_table(children, &path, secrets, text);
        } else {
            let shown = shown(value, secrets.contains(&path));
            let _ = writeln!(
                text,
                "{:<48} # {}",
                format!("{name} = {shown}"),
                value.origin().unwrap_or("defaults")
            );
        }
    }
}

fn shown(value: &Value, secret: bool) -> String {
    match &value.kind {
        ValueKind::String(text) => format!("{:?}", redact(text, secret)),
        ValueKind::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shown(item, secret)).collect();
            format!("[{}]", items.join(", "))
        }
        ValueKind::Table(table) => {
            let mut entries: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{} = {}", quoted_key(key), shown(value, secret)))
                .collect();
            entries.sort();
            format!("{{ {} }}", entries.join(", "))
        }
        ValueKind::Float(number) => format!("{number:?}"),
        other => other.to_string(),
    }
}

/// Blots out the password of an address wherever it stands, and every other secret as a whole.
fn redact(text: &str, secret: bool) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return if secret && !text.is_empty() { BLOT.to_owned() } else { text.to_owned() };
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    if secret && tail.contains('@') {
        // An unescaped password may hold any character; better to show nothing than half of it.
        return format!("{scheme}://{BLOT}");
    }
    // Parameters may hold a password too (`?password=`).
    let tail = if secret { tail.split(['?', '#']).next().unwrap_or_default() } else { tail };
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:{BLOT}@{host}{tail}")
        }
        None => format!("{scheme}://{authority}{tail}"),
    }
}

const BLOT: &str = "***";

fn quoted_key(key: &str) -> String {
    let bare =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare { key.to_owned() } else { format!("{key:?}") }
}
