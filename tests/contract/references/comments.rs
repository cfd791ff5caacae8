//! What the comments of methods say in a form that can be read: reasons, events, and the methods they take them over from.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{FileDescriptor, MethodDescriptor};

use crate::{contract::documentation, harness::dynamic::methods};

/// A reason that a method's comment names, and gRPC's code with it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Named {
    /// `NOT_OPEN`.
    pub reason: String,
    /// `FAILED_PRECONDITION`.
    pub code: String,
}

/// The comment at a path of a file, in one line.
pub fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let comment = documentation::comments(file).remove(path).unwrap_or_default();
    comment.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The comment of a method, in one line.
pub fn comment_of(method: &MethodDescriptor) -> String {
    comment(&method.parent_service().parent_file(), method.path())
}

/// The reasons a method names itself: items of the form ``- CODE `REASON`: when``.
pub fn own_reasons(method: &MethodDescriptor) -> BTreeSet<Named> {
    let comment = comment_of(method);
    let item = |item: &str| {
        let mut words = item.split(' ');
        let code = words.next().filter(|code| is_word(code))?;
        let reason = words.next()?.strip_prefix('`')?.strip_suffix("`:")?;
        Some(Named { reason: reason.to_owned(), code: code.to_owned() })
    };
    comment.split("- ").skip(1).filter_map(item).collect()
}

/// The methods by each reason: those that name it, and those that are refused like them.
pub fn methods_by_reason() -> BTreeMap<String, BTreeSet<String>> {
    let mut by_reason: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for method in methods() {
        let taken_over = refused_like(&method).into_iter().flat_map(|other| own_reasons(&other));
        for named in own_reasons(&method).into_iter().chain(taken_over) {
            by_reason.entry(named.reason).or_default().insert(method.name().to_owned());
        }
    }
    by_reason
}

/// The methods of the same service whose reasons a comment takes over by "like".
fn refused_like(method: &MethodDescriptor) -> Vec<MethodDescriptor> {
    let comment = comment_of(method);
    let names: Vec<&str> =
        comment.split("like ").skip(1).filter_map(|rest| rest.split([' ', ',', '.', ';']).next()).collect();
    method.parent_service().methods().filter(|other| names.contains(&other.name())).collect()
}

/// The texts set as code in a comment.
pub fn code_spans(comment: &str) -> impl Iterator<Item = &str> {
    comment.split('`').skip(1).step_by(2)
}

/// True for a word in capitals, such as a code or a reason.
pub fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && !text.ends_with('_')
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}
