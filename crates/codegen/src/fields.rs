//! Writes `standard::Fields` for resources and the messages inside them, and `standard::ResourceMessage`.

use std::fmt::Write as _;

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor,
    Value,
};

const REQUIRED: i32 = 2;
const OUTPUT_ONLY: i32 = 3;
const IMMUTABLE: i32 = 5;
const IDENTIFIER: i32 = 8;

/// The impls for all resources of `package` and the messages they are made of.
pub fn impls(pool: &DescriptorPool, package: &str) -> String {
    let mut messages: Vec<MessageDescriptor> = Vec::new();
    for resource in resources(pool, package) {
        gather(&resource, package, &mut messages);
    }
    let mut code = String::new();
    for message in &messages {
        write_fields(&mut code, message, package);
        if resource_options(message).is_some() {
            write_resource(&mut code, message);
        }
    }
    code
}

/// All messages of `package` that say they are a resource.
pub fn resources(pool: &DescriptorPool, package: &str) -> Vec<MessageDescriptor> {
    pool.all_messages()
        .filter(|message| message.package_name() == package && resource_options(message).is_some())
        .collect()
}

/// The `google.api.resource` option.
pub fn resource_options(message: &MessageDescriptor) -> Option<DynamicMessage> {
    let extension = message.parent_pool().get_extension_by_name("google.api.resource")?;
    let options = message.options();
    if !options.has_extension(&extension) {
        return None;
    }
    options.get_extension(&extension).as_message().cloned()
}

/// The oneof that a field is one member of.
fn oneof_of(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}

/// A member of a oneof in Rust: the path of its variant.
fn variant_path(oneof: &OneofDescriptor, member: &str) -> String {
    let message = oneof.parent_message();
    let path = rust_path(message);
    let outer = path.rsplit_once("::").map(|(outer, _)| format!("{outer}::")).unwrap_or_default();
    let (module, name) = (message.name().to_snake_case(), oneof.name().to_upper_camel_case());
    format!("{outer}{module}::{name}::{}", member.to_upper_camel_case())
}

/// Path of a message's Rust type, seen from its package's module.
pub fn rust_path(message: &MessageDescriptor) -> String {
    let mut path = message.name().to_upper_camel_case();
    let mut parent = message.parent_message();
    while let Some(outer) = parent {
        path = format!("{}::{path}", outer.name().to_snake_case());
        parent = outer.parent_message();
    }
    path
}

/// A field's Rust name.
pub fn rust_field(name: &str) -> String {
    if matches!(name, "type" | "move" | "ref" | "match" | "use") {
        format!("r#{name}")
    } else {
        name.to_owned()
    }
}

/// True for a singular message field.
pub fn is_message(field: &FieldDescriptor) -> bool {
    field.cardinality() != Cardinality::Repeated && matches!(field.kind(), Kind::Message(_))
}

fn gather(message: &MessageDescriptor, package: &str, messages: &mut Vec<MessageDescriptor>) {
    if message.package_name() != package || messages.contains(message) {
        return;
    }
    messages.push(message.clone());
    for field in message.fields() {
        if let Kind::Message(inner) = field.kind() {
            gather(&inner, package, messages);
        }
    }
}

fn behaviours(field: &FieldDescriptor) -> Vec<i32> {
    let Some(extension) = field.parent_pool().get_extension_by_name("google.api.field_behavior") else {
        return Vec::new();
    };
    match field.options().get_extension(&extension).as_ref() {
        Value::List(values) => values.iter().filter_map(Value::as_enum_number).collect(),
        _ => Vec::new(),
    }
}

fn write_fields(code: &mut String, message: &MessageDescriptor, package: &str) {
    let (mut output_only, mut required, mut merge, mut changed, mut immutable, mut populated) =
        (String::new(), String::new(), String::new(), String::new(), String::new(), String::new());
    let mut mutable = Vec::new();
    for field in message.fields() {
        let (name, rust) = (field.name(), rust_field(field.name()));
        let behaviours = behaviours(&field);
        let is = |behaviour: i32| behaviours.contains(&behaviour);
        let own = matches!(field.kind(), Kind::Message(inner) if inner.package_name() == package);
        if let Some(oneof) = oneof_of(&field) {
            // A member is there when it is the one that was chosen; taken over from where it is not, it is taken away.
            let (variant, chosen) = (variant_path(&oneof, name), rust_field(oneof.name()));
            let read = |of: &str| {
                format!("(match &{of}.{chosen} {{ Some({variant}(inner)) => Some(inner), _ => None }})")
            };
            let (here, there, earlier) = (read("self"), read("from"), read("before"));
            if own {
                let _ = writeln!(
                    output_only,
                    "if let Some({variant}(inner)) = &mut self.{chosen} {{ \
                     trato_types::standard::Fields::discard_output_only(inner); }}"
                );
                let _ = writeln!(
                    required,
                    "if let Some(inner) = {here} {{ \
                     trato_types::standard::Fields::check_required(inner, &format!(\"{{prefix}}{name}.\"), violations); }}"
                );
            }
            mutable.push(format!("\"{name}\""));
            let _ = writeln!(
                merge,
                "(\"{name}\", None) => {{ if {there}.is_some() || {here}.is_some() {{ \
                 self.{chosen} = {there}.map(|inner| {variant}(inner.clone())); }} Ok(()) }}"
            );
            let _ = writeln!(populated, "if {here}.is_some() {{ fields.push(\"{name}\"); }}");
            let _ = writeln!(changed, "if {here} != {earlier} {{ fields.push(\"{name}\"); }}");
            continue;
        }
        let empty = if is_message(&field) {
            format!("self.{rust}.is_none()")
        } else if field.is_list() || matches!(field.kind(), Kind::String | Kind::Bytes) {
            format!("self.{rust}.is_empty()")
        } else {
            match field.kind() {
                Kind::Bool => format!("!self.{rust}"),
                Kind::Double | Kind::Float => format!("self.{rust} == 0.0"),
                _ => format!("self.{rust} == 0"),
            }
        };

        if is(OUTPUT_ONLY) {
            let _ = writeln!(output_only, "self.{rust} = Default::default();");
        } else if own {
            let _ = writeln!(
                output_only,
                "for inner in self.{rust}.iter_mut() {{ trato_types::standard::Fields::discard_output_only(inner); }}"
            );
            let prefix =
                if field.is_list() { "{prefix}{}[{index}]." } else { "{prefix}{}." }.replacen("{}", name, 1);
            let _ = writeln!(
                required,
                "for (index, inner) in self.{rust}.iter().enumerate() {{ let _ = index; \
                 trato_types::standard::Fields::check_required(inner, &format!(\"{prefix}\"), violations); }}"
            );
        }
        if is(REQUIRED) {
            let _ = writeln!(
                required,
                "if {empty} {{ violations.add(format!(\"{{prefix}}{name}\"), \"REQUIRED\", \"is required\"); }}"
            );
        }
        if is(OUTPUT_ONLY) || is(IDENTIFIER) || name == "etag" {
            let _ = writeln!(merge, "(\"{name}\", _) => Ok(()),");
        } else {
            mutable.push(format!("\"{name}\""));
            let _ = writeln!(merge, "(\"{name}\", None) => {{ self.{rust} = from.{rust}.clone(); Ok(()) }}");
            if own && is_message(&field) {
                let _ = writeln!(
                    merge,
                    "(\"{name}\", Some(rest)) => {{ let empty = Default::default(); \
                     trato_types::standard::Fields::merge(self.{rust}.get_or_insert_default(), rest, from.{rust}.as_ref().unwrap_or(&empty)) }}"
                );
            }
            let _ = writeln!(populated, "if !({empty}) {{ fields.push(\"{name}\"); }}");
        }
        if is(IMMUTABLE) {
            let _ = writeln!(immutable, "if self.{rust} != before.{rust} {{ fields.push(\"{name}\"); }}");
        }
        if !matches!(name, "name" | "etag" | "update_time") {
            let _ = writeln!(changed, "if self.{rust} != before.{rust} {{ fields.push(\"{name}\"); }}");
        }
    }
    let (path, full_name, mutable) = (rust_path(message), message.full_name(), mutable.join(", "));
    let _ = write!(
        code,
        r#"
#[allow(unused_variables, unused_mut, clippy::all)]
impl trato_types::standard::Fields for {path} {{
    const TYPE_NAME: &'static str = "{full_name}";
    const MUTABLE: &'static [&'static str] = &[{mutable}];
    fn discard_output_only(&mut self) {{
        {output_only}
    }}
    fn check_required(&self, prefix: &str, violations: &mut trato_types::Violations) {{
        {required}
    }}
    fn merge(&mut self, path: &str, from: &Self) -> Result<(), trato_types::standard::PathError> {{
        let (head, rest) = match path.split_once('.') {{ Some((head, rest)) => (head, Some(rest)), None => (path, None) }};
        match (head, rest) {{
            {merge}
            _ => Err(trato_types::standard::PathError),
        }}
    }}
    fn populated(&self) -> Vec<&'static str> {{
        let mut fields = Vec::new();
        {populated}
        fields
    }}
    fn changed(&self, before: &Self) -> Vec<&'static str> {{
        let mut fields = Vec::new();
        {changed}
        fields
    }}
    fn changed_immutable(&self, before: &Self) -> Vec<&'static str> {{
        let mut fields = Vec::new();
        {immutable}
        fields
    }}
}}
"#
    );
}

fn write_resource(code: &mut String, message: &MessageDescriptor) {
    let has = |name: &str| message.get_field_by_name(name).is_some();
    if !["name", "etag", "source", "external_id"].into_iter().all(has) {
        return;
    }
    let path = rust_path(message);
    let _ = write!(
        code,
        r#"
impl trato_types::standard::ResourceMessage for {path} {{
    fn name(&self) -> &str {{ &self.name }}
    fn etag(&self) -> &str {{ &self.etag }}
    fn external(&self) -> (&str, &str) {{ (&self.source, &self.external_id) }}
}}
"#
    );
}
