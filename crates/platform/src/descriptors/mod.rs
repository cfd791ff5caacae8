//! What the contract says about methods, read once from the descriptors into plain tables.
//!
//! The annotations are the only list: a method without a permission is refused before anything is served.

pub mod subjects;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use prost_reflect::{DescriptorPool, ExtensionDescriptor, MethodDescriptor, Value};
use prost_types::method_options::IdempotencyLevel;

use self::subjects::Subjects;

/// What the contract says about one method.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MethodRule {
    /// Path of the call, `/trato.sales.v1.OpportunityService/WinOpportunity`.
    pub path: String,
    /// The same without the leading slash, as contexts, request ids and traces name it.
    pub full_name: Arc<str>,
    /// Full name of the gRPC service, `trato.sales.v1.OpportunityService`.
    pub service: String,
    /// Name of the method alone, `WinOpportunity`.
    pub method: String,
    /// Permission the caller needs.
    pub permission: String,
    /// The caller sends a stream.
    pub client_streaming: bool,
    /// The caller gets a stream.
    pub server_streaming: bool,
    /// Calling it twice is as good as once: it is bound to GET, or says so by `idempotency_level`.
    pub is_idempotent: bool,
    /// It may change something.
    pub is_change: bool,
    /// Whose data its answers may hold; `None` when they hold nobody's.
    pub subjects: Option<Arc<Subjects>>,
}

impl MethodRule {
    /// True when either side streams.
    pub fn is_streaming(&self) -> bool {
        self.client_streaming || self.server_streaming
    }
}

/// Why the descriptors cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorsError {
    /// The bytes are no `google.protobuf.FileDescriptorSet`, or one with holes.
    #[error("the descriptors cannot be read")]
    Unreadable(#[from] prost_reflect::DescriptorError),
    /// `trato/options/v1/options.proto` is not among the files, or one without this option.
    #[error("the descriptors do not contain the option trato.options.v1.{0}")]
    NoOption(&'static str),
    /// Methods that would be open to everybody, by full name.
    #[error("these methods have no (trato.options.v1.permission): {}", .0.join(", "))]
    NoPermission(Vec<String>),
    /// Services that are served and not described, by full name.
    #[error("these services are not in the descriptors: {}", .0.join(", "))]
    UnknownService(Vec<String>),
}

/// The contract's methods, those without a permission included.
#[derive(Debug)]
pub struct Descriptors {
    rules: HashMap<String, Vec<MethodRule>>,
}

impl Descriptors {
    /// Reads an encoded `FileDescriptorSet`. It must be the compiler's own bytes: re-encoding drops the options.
    pub fn read(bytes: &[u8]) -> Result<Self, DescriptorsError> {
        let pool = DescriptorPool::decode(bytes)?;
        let own = |name: &'static str| {
            let option = pool.get_extension_by_name(&format!("trato.options.v1.{name}"));
            option.ok_or(DescriptorsError::NoOption(name))
        };
        let options = Options {
            permission: own("permission")?,
            recorded_by: own("recorded_by")?,
            http: pool.get_extension_by_name("google.api.http"),
        };
        let rules = pool
            .services()
            .map(|service| {
                let rules = service.methods().map(|method| rule(&method, &options));
                (service.full_name().to_owned(), rules.collect())
            })
            .collect();
        Ok(Self { rules })
    }

    /// Every permission that any method of the contract asks for, whoever serves it.
    pub fn permissions(&self) -> BTreeSet<String> {
        let permissions = self.rules.values().flatten().map(|rule| rule.permission.clone());
        permissions.filter(|permission| !permission.is_empty()).collect()
    }

    /// The methods of all services in a package and in those below it: `trato.customers` has those of
    /// `trato.customers.v1`.
    pub fn rules_in(&self, package: &str) -> impl Iterator<Item = &MethodRule> {
        let is_in =
            move |service: &str| service.strip_prefix(package).is_some_and(|rest| rest.starts_with('.'));
        self.rules.iter().filter(move |(service, _)| is_in(service)).flat_map(|(_, rules)| rules)
    }

    /// The rules of the services a program serves. Refuses a service that is not described and a method without a
    /// permission, all of them at once.
    pub fn rules_of(&self, services: &[&str]) -> Result<Vec<MethodRule>, DescriptorsError> {
        let unknown = services.iter().filter(|name| !self.rules.contains_key(**name));
        let unknown: Vec<String> = unknown.map(|name| (*name).to_owned()).collect();
        if !unknown.is_empty() {
            return Err(DescriptorsError::UnknownService(unknown));
        }
        let rules: Vec<MethodRule> =
            services.iter().flat_map(|name| self.rules[*name].iter().cloned()).collect();
        let open = rules.iter().filter(|rule| rule.permission.is_empty());
        let open: Vec<String> = open.map(|rule| rule.full_name.to_string()).collect();
        if open.is_empty() { Ok(rules) } else { Err(DescriptorsError::NoPermission(open)) }
    }
}

/// The options that are read.
struct Options {
    permission: ExtensionDescriptor,
    recorded_by: ExtensionDescriptor,
    http: Option<ExtensionDescriptor>,
}

fn rule(method: &MethodDescriptor, known: &Options) -> MethodRule {
    let options = method.options();
    let service = method.parent_service().full_name().to_owned();
    let full_name = format!("{service}/{}", method.name());
    let bound_to_get = known.http.as_ref().is_some_and(|http| {
        let binding = options.get_extension(http);
        binding.as_message().is_some_and(|binding| binding.has_field_by_name("get"))
    });
    let level = options.get_field_by_name("idempotency_level").and_then(|level| level.as_enum_number());
    MethodRule {
        path: format!("/{full_name}"),
        full_name: full_name.into(),
        service,
        method: method.name().to_owned(),
        permission: match options.get_extension(&known.permission).as_ref() {
            Value::String(permission) => permission.clone(),
            _ => String::new(),
        },
        client_streaming: method.is_client_streaming(),
        server_streaming: method.is_server_streaming(),
        is_idempotent: bound_to_get || level.is_some_and(|level| level != UNKNOWN),
        is_change: !bound_to_get && level != Some(NO_SIDE_EFFECTS),
        subjects: Subjects::of(&method.output(), &known.recorded_by).map(Arc::new),
    }
}

const UNKNOWN: i32 = IdempotencyLevel::IdempotencyUnknown as i32;
const NO_SIDE_EFFECTS: i32 = IdempotencyLevel::NoSideEffects as i32;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests {
    use super::{testing::contract, *};

    #[test]
    fn annotations_become_rules() {
        let bytes =
            contract(&[("GetEcho", Some("test.echoes.get")), ("WatchEchoes", Some("test.echoes.watch"))]);
        let descriptors = Descriptors::read(&bytes).expect("readable");

        let rules =
            descriptors.rules_of(&["trato.test.v1.EchoService"]).expect("every method has a permission");

        assert_eq!(rules[0].path, "/trato.test.v1.EchoService/GetEcho");
        assert_eq!(&*rules[0].full_name, "trato.test.v1.EchoService/GetEcho");
        assert_eq!(rules[0].permission, "test.echoes.get");
        assert!(rules[0].is_idempotent && !rules[0].is_streaming());
        assert!(rules[1].server_streaming && !rules[1].is_idempotent);
        assert_eq!(Vec::from_iter(descriptors.permissions()), ["test.echoes.get", "test.echoes.watch"]);
    }

    /// PLT-12: a method that would be open to everybody is never served.
    #[test]
    fn a_method_without_a_permission_is_refused() {
        let descriptors =
            Descriptors::read(&contract(&[("A", None), ("B", Some("test.b")), ("C", Some(""))]));
        let descriptors = descriptors.expect("readable");

        let open = descriptors.rules_of(&["trato.test.v1.EchoService"]).expect_err("two methods are open");
        let unknown = descriptors.rules_of(&["trato.test.v1.Other"]).expect_err("not described");

        assert!(
            open.to_string().ends_with("trato.test.v1.EchoService/A, trato.test.v1.EchoService/C"),
            "{open}"
        );
        assert!(unknown.to_string().contains("trato.test.v1.Other"));
    }
}
