//! The comments of the contract, which are its documentation, and the options that say more.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, DynamicMessage, Value};

/// Comments by file and path in the file's descriptor.
#[derive(Debug, Default)]
pub struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    /// Collects the leading comments of every file, and trailing ones where there is no leading one.
    pub fn new(pool: &DescriptorPool) -> Self {
        let mut comments = HashMap::new();
        for file in pool.files() {
            let source = file.file_descriptor_proto().source_code_info.as_ref();
            for location in source.map(|source| source.location.as_slice()).unwrap_or_default() {
                let leading = location.leading_comments.as_deref().map(tidy).filter(|text| !text.is_empty());
                let comment = leading.or_else(|| location.trailing_comments.as_deref().map(tidy));
                if let Some(comment) = comment.filter(|comment| !comment.is_empty()) {
                    comments.insert((file.name().to_owned(), location.path.clone()), comment);
                }
            }
        }
        Self(comments)
    }

    /// The comment at a path of a file; empty when there is none.
    pub fn at(&self, file: &str, path: &[i32]) -> &str {
        self.0.get(&(file.to_owned(), path.to_vec())).map_or("", String::as_str)
    }
}

/// Takes the space after `//` away and joins the lines of a paragraph, but not those of a list.
fn tidy(comment: &str) -> String {
    let mut text = String::with_capacity(comment.len());
    for line in comment.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        let is_item = line.trim_start().starts_with(['-', '*', '|']);
        match () {
            () if line.is_empty() => text.push_str("\n\n"),
            () if text.is_empty() || text.ends_with('\n') => text.push_str(line),
            () if is_item => {
                text.push('\n');
                text.push_str(line);
            }
            () => {
                text.push(' ');
                text.push_str(line);
            }
        }
    }
    text.trim().to_owned()
}

/// First paragraph, and the rest.
pub fn split(comment: &str) -> (&str, &str) {
    match comment.split_once("\n\n") {
        Some((first, rest)) => (first, rest.trim_start()),
        None => (comment, ""),
    }
}

/// The value of an option that is an extension; `None` when it is not set or not known.
pub fn option(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(name)?;
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

/// What one thing of a collection is called, by the patterns of resources (AIP-123): `shelves` → `shelf`.
pub fn members(pool: &DescriptorPool) -> HashMap<String, String> {
    let mut members = HashMap::new();
    for message in pool.all_messages() {
        let Some(Value::Message(resource)) = option(pool, &message.options(), "google.api.resource") else {
            continue;
        };
        let Some(patterns) = resource.get_field_by_name("pattern") else { continue };
        for pattern in patterns.as_list().unwrap_or_default().iter().filter_map(Value::as_str) {
            let segments: Vec<&str> = pattern.split('/').collect();
            for pair in segments.windows(2) {
                let variable = pair[1].strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
                if let Some(variable) = variable.filter(|_| !pair[0].starts_with('{')) {
                    members.insert(pair[0].to_owned(), variable.to_owned());
                }
            }
        }
    }
    members
}

/// What a field's behaviour annotations say (AIP-203): `REQUIRED`, `OUTPUT_ONLY` …
pub fn behaviours(pool: &DescriptorPool, options: &DynamicMessage) -> Vec<String> {
    let Some(Value::List(values)) = option(pool, options, "google.api.field_behavior") else {
        return Vec::new();
    };
    let known = pool.get_enum_by_name("google.api.FieldBehavior");
    let name = |value: &Value| Some(known.as_ref()?.get_value(value.as_enum_number()?)?.name().to_owned());
    values.iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_paragraph_are_joined_and_lists_are_kept() {
        let comment = " Wins it.\n Only once.\n\n Errors:\n - `A`: one\n - `B`: two\n";

        assert_eq!(tidy(comment), "Wins it. Only once.\n\nErrors:\n- `A`: one\n- `B`: two");
        assert_eq!(split(&tidy(comment)).0, "Wins it. Only once.");
    }
}
