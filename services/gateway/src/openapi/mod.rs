//! The contract as an OpenAPI 3.1 document: the same descriptors that make the routes, and the comments beside them.

mod comments;
mod json;
mod operations;
mod parameters;
mod schemas;

use prost_reflect::{DescriptorPool, ServiceDescriptor};

use crate::routes::Routes;
use comments::split;
use json::Object;
use operations::Operations;
use schemas::Schemas;

/// Method option that names the permission a call needs.
const PERMISSION: &str = "trato.options.v1.permission";
/// Field option that marks what is about a person.
const PERSONAL: &str = "trato.options.v1.personal";
/// The file whose head says what all methods have in common.
const COMMON: &str = "trato/options/v1/options.proto";
/// Path of a file's `syntax`, before which the comment on the file stands.
const SYNTAX: [i32; 1] = [12];

const DESCRIPTION: &str = "\
All calls need a bearer token of your organisation's identity provider. Errors have the form of \
[AIP-193](https://google.aip.dev/193): `error.status` says what kind of failure it is and the `ErrorInfo` among \
`error.details` carries a stable `reason`.

Every field is printed, also one that holds its default; unset messages and `optional` fields are left out. 64-bit numbers \
are texts. Fields are accepted in camelCase and in snake_case; unknown ones are refused.

To repeat a call safely, send the same UUID in the `Idempotency-Key` header: the first answer comes again. \
`X-Trato-Timeout-Ms` bounds the wait for an answer.

The same methods are there as gRPC and as gRPC-Web at the same address; reflection is on.";

/// The document as JSON text.
pub fn document(pool: &DescriptorPool, routes: &Routes) -> String {
    let mut operations = Operations::new(pool);
    for binding in routes.bindings() {
        operations.add(routes.method_of(binding), binding);
    }
    let mut schemas = operations.schemas;
    let without_binding = grpc_only(pool, routes, &schemas);
    let tags: Vec<Object> = routed(pool, routes).iter().map(|service| tag(&schemas, service)).collect();
    if let Some(status) = pool.get_message_by_name("google.rpc.Status") {
        schemas.message(&status);
    }
    let bearer = Object::new().with("type", "http").with("scheme", "bearer").with("bearerFormat", "JWT");
    // Its first paragraph is for those who read the file.
    let (_, common) = split(schemas.comments.at(COMMON, &SYNTAX));
    let description = format!("{DESCRIPTION}\n\n{common}").trim_end().to_owned();
    let components = Object::new()
        .with("securitySchemes", Object::new().with("bearer", bearer))
        .with("responses", Object::new().with("Error", error_response()))
        .with("schemas", schemas.finish().with("Error", error_schema()));
    let info = Object::new()
        .with("title", "Trato API")
        .with("version", env!("CARGO_PKG_VERSION"))
        .with("description", description);
    let document = Object::new()
        .with("openapi", "3.1.0")
        .with("info", info)
        .with("servers", vec![Object::new().with("url", "/")])
        .with("security", vec![Object::new().with("bearer", Vec::<String>::new())])
        .with("tags", tags)
        .with("paths", operations.paths)
        .with("components", components)
        .with("x-grpc-only", without_binding);
    // Writing texts and numbers to memory cannot fail.
    serde_json::to_string(&document).unwrap_or_default()
}

fn routed(pool: &DescriptorPool, routes: &Routes) -> Vec<ServiceDescriptor> {
    let has_binding = |service: &ServiceDescriptor| {
        routes.bindings().iter().any(|binding| routes.method_of(binding).service == service.full_name())
    };
    pool.services().filter(has_binding).collect()
}

fn tag(schemas: &Schemas<'_>, service: &ServiceDescriptor) -> Object {
    let comment = schemas.comments.at(service.parent_file().name(), service.path());
    Object::new()
        .with("name", service.full_name().to_owned())
        .with("x-displayName", service.name().to_owned())
        .with("x-package", service.package_name().to_owned())
        .with_text("description", comment)
}

/// Methods that only gRPC reaches, so that the page can name them.
fn grpc_only(pool: &DescriptorPool, routes: &Routes, schemas: &Schemas<'_>) -> Vec<Object> {
    let is_bound =
        |path: &str| routes.bindings().iter().any(|binding| routes.method_of(binding).path.path() == path);
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let unbound = methods
        .filter(|method| !is_bound(&format!("/{}/{}", method.parent_service().full_name(), method.name())));
    unbound
        .map(|method| {
            let comment = schemas.comments.at(method.parent_service().parent_file().name(), method.path());
            Object::new().with("method", method.full_name().to_owned()).with_text("description", comment)
        })
        .collect()
}

fn error_response() -> Object {
    let schema = Object::new().with("$ref", "#/components/schemas/Error");
    let content = Object::new().with("application/json", Object::new().with("schema", schema));
    Object::new().with("description", "The call failed; `error.details` says why.").with("content", content)
}

fn error_schema() -> Object {
    let text =
        |description: &'static str| Object::new().with("type", "string").with("description", description);
    let detail = Object::new()
        .with("type", "object")
        .with("properties", Object::new().with("@type", Object::new().with("type", "string")))
        .with("additionalProperties", true);
    let properties = Object::new()
        .with("code", Object::new().with("type", "integer").with("description", "The HTTP status."))
        .with("message", text("Sentence for people."))
        .with("status", text("Kind of failure: the name of a code of gRPC."))
        .with("details", Object::new().with("type", "array").with("items", detail));
    let error = Object::new().with("type", "object").with("properties", properties);
    Object::new()
        .with("type", "object")
        .with("description", "An error as AIP-193 has it.")
        .with("properties", Object::new().with("error", error))
}
