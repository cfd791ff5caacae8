//! A hand-made contract of one service, `trato.test.v1.EchoService`; prost's own types would drop the options.

use prost::Message as _;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

#[derive(Clone, PartialEq, prost::Message)]
struct Set {
    #[prost(bytes = "vec", repeated, tag = "1")]
    file: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct File {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    package: String,
    #[prost(string, repeated, tag = "3")]
    dependency: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    message_type: Vec<DescriptorProto>,
    #[prost(message, repeated, tag = "6")]
    service: Vec<Service>,
    #[prost(string, tag = "12")]
    syntax: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    method: Vec<Method>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Method {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    input_type: String,
    #[prost(string, tag = "3")]
    output_type: String,
    #[prost(message, optional, tag = "4")]
    options: Option<Options>,
    #[prost(bool, tag = "6")]
    server_streaming: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Options {
    #[prost(int32, optional, tag = "34")]
    idempotency_level: Option<i32>,
    #[prost(string, optional, tag = "50001")]
    permission: Option<String>,
}

/// Methods by name; the permission of each, or none; `server_streaming` for names that start with `Watch`.
pub(crate) fn contract(methods: &[(&str, Option<&str>)]) -> Vec<u8> {
    let method = |(name, permission): &(&str, Option<&str>)| Method {
        name: (*name).to_owned(),
        input_type: ".trato.test.v1.Message".to_owned(),
        output_type: ".trato.test.v1.Message".to_owned(),
        server_streaming: name.starts_with("Watch"),
        options: Some(Options {
            permission: permission.map(str::to_owned),
            idempotency_level: name.starts_with("Get").then_some(1),
        }),
    };
    let service = Service { name: "EchoService".to_owned(), method: methods.iter().map(method).collect() };
    let text = FieldDescriptorProto {
        name: Some("text".to_owned()),
        number: Some(1),
        label: Some(Label::Optional.into()),
        r#type: Some(Type::String.into()),
        ..FieldDescriptorProto::default()
    };
    let message =
        DescriptorProto { name: Some("Message".to_owned()), field: vec![text], ..DescriptorProto::default() };
    let file = File {
        name: "trato/test/v1/echo.proto".to_owned(),
        package: "trato.test.v1".to_owned(),
        dependency: vec!["trato/options/v1/options.proto".to_owned()],
        message_type: vec![message],
        service: vec![service],
        syntax: "proto3".to_owned(),
    };
    let published = FileDescriptorSet { file: vec![descriptor_proto(), options_proto()] };
    let mut set = Set { file: published.file.iter().map(prost::Message::encode_to_vec).collect() };
    set.file.push(file.encode_to_vec());
    set.encode_to_vec()
}

fn descriptor_proto() -> FileDescriptorProto {
    prost_reflect::DescriptorPool::global()
        .get_file_by_name("google/protobuf/descriptor.proto")
        .expect("the published types are always there")
        .file_descriptor_proto()
        .clone()
}

fn options_proto() -> FileDescriptorProto {
    let option = |name: &str, number, of: &str| FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(Label::Optional.into()),
        r#type: Some(Type::String.into()),
        extendee: Some(format!(".google.protobuf.{of}")),
        ..FieldDescriptorProto::default()
    };
    FileDescriptorProto {
        name: Some("trato/options/v1/options.proto".to_owned()),
        package: Some("trato.options.v1".to_owned()),
        dependency: vec!["google/protobuf/descriptor.proto".to_owned()],
        extension: vec![
            option("permission", 50001, "MethodOptions"),
            option("recorded_by", 50021, "MessageOptions"),
        ],
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    }
}
