//! Every message, field, method and enum value carries a comment: that is the documentation of the API.

use std::collections::BTreeMap;

use prost_reflect::FileDescriptor;

use crate::harness::dynamic::POOL;

/// Field numbers of `FileDescriptorProto` and its parts, of which paths of comments are made.
mod part {
    pub const MESSAGES: i32 = 4;
    pub const ENUMS: i32 = 5;
    pub const SERVICES: i32 = 6;
    pub const FIELDS: i32 = 2;
    pub const NESTED: i32 = 3;
    pub const NESTED_ENUMS: i32 = 4;
    pub const METHODS: i32 = 2;
    pub const VALUES: i32 = 2;
}

/// CRD-02: the contract says what each part of it means.
#[test]
fn everything_in_the_contract_is_commented() {
    let mut bare = Vec::new();
    let mut files = 0;
    for file in POOL.files().filter(|file| file.package_name().starts_with("trato.")) {
        files += 1;
        let comments = comments(&file);
        for (path, name) in parts(&file) {
            if comments.get(&path).is_none_or(|comment| comment.trim().is_empty()) {
                bare.push(name);
            }
        }
    }
    assert!(files >= 10, "the walk found only {files} files");
    assert!(bare.is_empty(), "without a comment: {bare:#?}");
}

/// The comments before the parts of a file, by the parts' paths in its descriptor.
pub fn comments(file: &FileDescriptor) -> BTreeMap<Vec<i32>, String> {
    let info = file.file_descriptor_proto().source_code_info.clone().unwrap_or_default();
    let locations = info.location.into_iter();
    locations
        .filter_map(|location| Some((location.path.clone(), location.leading_comments.clone()?)))
        .collect()
}

/// Path and name of everything that needs a comment.
fn parts(file: &FileDescriptor) -> Vec<(Vec<i32>, String)> {
    let proto = file.file_descriptor_proto();
    let mut found = Vec::new();
    for (index, message) in proto.message_type.iter().enumerate() {
        message_parts(vec![part::MESSAGES, number(index)], message, &mut found);
    }
    for (index, one) in proto.enum_type.iter().enumerate() {
        enum_parts(vec![part::ENUMS, number(index)], one, &mut found);
    }
    for (index, service) in proto.service.iter().enumerate() {
        let path = vec![part::SERVICES, number(index)];
        for (index, method) in service.method.iter().enumerate() {
            found
                .push((longer(&path, part::METHODS, index), format!("{}.{}", service.name(), method.name())));
        }
        found.push((path, service.name().to_owned()));
    }
    found
}

fn message_parts(
    path: Vec<i32>,
    message: &prost_types::DescriptorProto,
    found: &mut Vec<(Vec<i32>, String)>,
) {
    if message.options.as_ref().is_some_and(|options| options.map_entry()) {
        return;
    }
    for (index, field) in message.field.iter().enumerate() {
        found.push((longer(&path, part::FIELDS, index), format!("{}.{}", message.name(), field.name())));
    }
    for (index, nested) in message.nested_type.iter().enumerate() {
        message_parts(longer(&path, part::NESTED, index), nested, found);
    }
    for (index, nested) in message.enum_type.iter().enumerate() {
        enum_parts(longer(&path, part::NESTED_ENUMS, index), nested, found);
    }
    found.push((path, message.name().to_owned()));
}

fn enum_parts(path: Vec<i32>, one: &prost_types::EnumDescriptorProto, found: &mut Vec<(Vec<i32>, String)>) {
    for (index, value) in one.value.iter().enumerate() {
        found.push((longer(&path, part::VALUES, index), format!("{}.{}", one.name(), value.name())));
    }
    found.push((path, one.name().to_owned()));
}

fn longer(path: &[i32], part: i32, index: usize) -> Vec<i32> {
    [path, &[part, number(index)]].concat()
}

fn number(index: usize) -> i32 {
    i32::try_from(index).expect("a proto file has fewer parts")
}
