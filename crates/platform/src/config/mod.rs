//! Configuration in layers: platform defaults < service defaults < file < variables; the last word wins.
//!
//! Nothing starts on a doubtful configuration: unknown keys, wrong kinds, values out of range and missing values are
//! all named at once. The compiled-in files document every key and are at the same time the list of known keys.

mod faults;
mod identity;
mod layers;
mod network;
mod path;
mod print;
mod sections;

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::Arc,
};

use config::{Config, ConfigError, Value, ValueKind};
use serde::de::DeserializeOwned;

pub use faults::{Checker, ConfigFaults, Fault};
pub(crate) use identity::is_loopback;
pub use identity::{Algorithms, Auth, Claims, Issuer, LogFormat, Telemetry};
pub use layers::Environment;
pub use network::{Tls, Transport};
pub use sections::{Access, Broker, Database, Events, Recording, Requests, Server, Upstreams};

use faults::{NOT_SET, suggestion};

/// The documented defaults of the platform.
pub const DEFAULTS: &str = include_str!("../../config.toml");

/// A typed part of the configuration. Services add their own beside the platform's.
pub trait Section: DeserializeOwned + Send + Sync + 'static {
    /// Name of the table in TOML.
    const NAME: &'static str;
    /// Keys whose values are never shown.
    const SECRETS: &'static [&'static str] = &[];

    /// Refuses values that are of the right kind but out of bounds.
    fn check(&self, check: &mut Checker<'_>) {
        let _ = check;
    }
}

/// The sections every program has.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each field is the section of its name")]
pub struct Settings {
    pub server: Server,
    pub database: Database,
    pub broker: Broker,
    pub telemetry: Telemetry,
    pub auth: Auth,
    pub access: Access,
    pub events: Events,
    pub requests: Requests,
    pub tls: Tls,
    pub transport: Transport,
    pub upstreams: Upstreams,
}

type Parse = fn(&Value, &Value, &mut Vec<Fault>) -> Option<Arc<dyn Any + Send + Sync>>;

/// Says which sections and values a program needs, then loads them.
pub struct Loader {
    service_defaults: &'static str,
    sections: Vec<(&'static str, TypeId, Parse)>,
    secrets: Vec<String>,
    required: Vec<&'static str>,
}

impl Loader {
    /// A loader for a service whose own `config.toml` is compiled in; it may add sections and change defaults.
    pub fn new(service_defaults: &'static str) -> Self {
        let loader =
            Self { service_defaults, sections: Vec::new(), secrets: Vec::new(), required: Vec::new() };
        loader
            .section::<Server>()
            .section::<Database>()
            .section::<Broker>()
            .section::<Telemetry>()
            .section::<Auth>()
            .section::<Access>()
            .section::<Events>()
            .section::<Requests>()
            .section::<Tls>()
            .section::<Transport>()
            .section::<Upstreams>()
    }

    /// Adds a section of the service; its keys and defaults stand in the service's `config.toml`.
    #[must_use]
    pub fn section<S: Section>(mut self) -> Self {
        self.sections.push((S::NAME, TypeId::of::<S>(), parse::<S>));
        self.secrets.extend(S::SECRETS.iter().map(|key| format!("{}.{key}", S::NAME)));
        self
    }

    /// Says that the setting at this dotted path must not be empty: `database.url`.
    #[must_use]
    pub fn require(mut self, key: &'static str) -> Self {
        self.required.push(key);
        self
    }

    /// Reads all layers. Every fault of all of them is in the error.
    pub fn load(&self, environment: &Environment) -> Result<Loaded, ConfigFaults> {
        let mut faults = Vec::new();
        let platform = layers::parse_text("platform defaults", DEFAULTS, &mut faults);
        let mut service = layers::parse_text("service defaults", self.service_defaults, &mut faults);
        let documented = merge([&platform]);
        self.check_service(&mut service, &documented, &mut faults);
        let defaults = merge([&platform, &service]);
        let file = layers::read_file(environment, &defaults, &mut faults);
        let variables = layers::read_variables(environment, &defaults, &mut faults);
        let values = merge([&platform, &service, &file, &variables]);

        let mut sections: HashMap<TypeId, Arc<dyn Any + Send + Sync>> = HashMap::new();
        for (_, type_id, parse) in &self.sections {
            if let Some(section) = parse(&values, &defaults, &mut faults) {
                sections.insert(*type_id, section);
            }
        }
        self.check_required(&values, &mut faults);
        check_https(&sections, &values, &mut faults);
        let settings = if faults.is_empty() { platform_settings(&sections) } else { None };
        match settings {
            Some(settings) => Ok(Loaded { settings, sections, values, secrets: self.secrets.clone() }),
            None => {
                faults.sort();
                faults.dedup();
                Err(ConfigFaults(faults))
            }
        }
    }

    /// The service may change the platform's defaults, and must have code for each section of its own.
    fn check_service(&self, service: &mut layers::Layer, platform: &Value, faults: &mut Vec<Fault>) {
        for (name, value) in &mut service.0 {
            let own = |origin: Option<&str>| origin.unwrap_or("service defaults").to_owned();
            match (path::find(platform, name), &mut value.kind) {
                (Some(known), ValueKind::Table(children)) => {
                    layers::check_table(children, known, name, faults)
                }
                _ if self.sections.iter().any(|(known, ..)| known == name) => {}
                _ => {
                    let problem = format!(
                        "no part of the program reads this section{}",
                        suggestion(name, self.sections.iter().map(|(known, ..)| *known))
                    );
                    faults.push(Fault { key: name.clone(), origin: own(value.origin()), problem });
                }
            }
        }
    }

    fn check_required(&self, values: &Value, faults: &mut Vec<Fault>) {
        for key in &self.required {
            let value = path::find(values, key);
            let empty = match value.map(|value| &value.kind) {
                Some(ValueKind::String(text)) => text.is_empty(),
                Some(ValueKind::Array(items)) => items.is_empty(),
                Some(ValueKind::Table(table)) => table.is_empty(),
                Some(_) => false,
                None => true,
            };
            // A value that is there but wrong was already named; "not set" would send the reader astray.
            let named =
                faults.iter().any(|fault| fault.key == *key || fault.key.starts_with(&format!("{key}[")));
            if empty && !named {
                let variable = key.to_uppercase().replace('.', "__");
                let problem = format!("must be set, by the file or by the variable TRATO_{variable}");
                faults.push(Fault { key: (*key).to_owned(), origin: NOT_SET.to_owned(), problem });
            }
        }
    }
}

/// A configuration without faults.
pub struct Loaded {
    /// The platform's sections.
    pub settings: Settings,
    sections: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    values: Value,
    secrets: Vec<String>,
}

impl Loaded {
    /// A section that was declared with [`Loader::section`]; `None` when it was not.
    pub fn section<S: Section>(&self) -> Option<Arc<S>> {
        take(&self.sections)
    }

    /// The effective values as TOML, each with where it comes from; secrets are redacted.
    pub fn print(&self) -> String {
        print::print(&self.values, &self.secrets)
    }
}

fn take<S: Section>(sections: &HashMap<TypeId, Arc<dyn Any + Send + Sync>>) -> Option<Arc<S>> {
    sections.get(&TypeId::of::<S>()).and_then(|section| Arc::clone(section).downcast().ok())
}

fn platform_settings(sections: &HashMap<TypeId, Arc<dyn Any + Send + Sync>>) -> Option<Settings> {
    Some(Settings {
        server: take::<Server>(sections)?.as_ref().clone(),
        database: take::<Database>(sections)?.as_ref().clone(),
        broker: take::<Broker>(sections)?.as_ref().clone(),
        telemetry: take::<Telemetry>(sections)?.as_ref().clone(),
        auth: take::<Auth>(sections)?.as_ref().clone(),
        access: take::<Access>(sections)?.as_ref().clone(),
        events: take::<Events>(sections)?.as_ref().clone(),
        requests: take::<Requests>(sections)?.as_ref().clone(),
        tls: take::<Tls>(sections)?.as_ref().clone(),
        transport: take::<Transport>(sections)?.as_ref().clone(),
        upstreams: take::<Upstreams>(sections)?.as_ref().clone(),
    })
}

/// Whoever is called by TLS asks for a certificate of this program.
fn check_https(
    sections: &HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    values: &Value,
    faults: &mut Vec<Fault>,
) {
    let (Some(tls), Some(upstreams)) = (take::<Tls>(sections), take::<Upstreams>(sections)) else { return };
    if !tls.is_empty() {
        return;
    }
    let values = path::find(values, Upstreams::NAME).cloned().unwrap_or_default();
    for package in upstreams.by_tls() {
        Checker { section: Upstreams::NAME, values: &values, faults }
            .refuse(package, "https needs the certificate, key and authority of [tls]");
    }
}

fn merge<const N: usize>(layers: [&layers::Layer; N]) -> Value {
    let builder =
        layers.into_iter().fold(Config::builder(), |builder, layer| builder.add_source(layer.clone()));
    // A layer only hands out its values, so building cannot fail; were it ever to, everything would be "not set".
    builder.build().map(|config| config.cache).unwrap_or_default()
}

/// Parses one section. A value that cannot be used is noted and replaced by its default, so that the next is seen too.
fn parse<S: Section>(
    values: &Value,
    defaults: &Value,
    faults: &mut Vec<Fault>,
) -> Option<Arc<dyn Any + Send + Sync>> {
    let nothing = Value::new(None, config::Map::<String, Value>::new());
    let original = path::find(values, S::NAME).unwrap_or(&nothing);
    let defaults = path::find(defaults, S::NAME).unwrap_or(&nothing);
    let mut mended = original.clone();
    loop {
        let error = match mended.clone().try_deserialize::<S>() {
            Ok(section) => {
                section.check(&mut Checker { section: S::NAME, values: original, faults });
                return Some(Arc::new(section));
            }
            Err(error) => error,
        };
        let (at, problem) = locate(&error);
        // The crate joins an index and the key behind it without a dot.
        let at = at.replace("].", "]").replace(']', "].").replace("].[", "][");
        let at = at.trim_end_matches('.').to_owned();
        Checker { section: S::NAME, values: original, faults }.refuse(&at, problem);
        if !path::replace(&mut mended, &at, path::find(defaults, &at)) {
            return None;
        }
    }
}

/// Path and sentence of a serde error.
fn locate(error: &ConfigError) -> (String, String) {
    match error {
        ConfigError::At { error, key, .. } => {
            let (inner, problem) = locate(error);
            let outer = key.as_deref().unwrap_or_default();
            let dot = if outer.is_empty() || inner.is_empty() { "" } else { "." };
            (format!("{outer}{dot}{inner}"), problem)
        }
        ConfigError::Type { expected, key, .. } => {
            (key.clone().unwrap_or_default(), format!("must be {expected}"))
        }
        ConfigError::NotFound(key) => (key.clone(), "must be set".to_owned()),
        other => {
            let text = other.to_string();
            // serde's fixed wording: unknown field `a`, expected one of `b`, `c`
            let Some(rest) = text.strip_prefix("unknown field `") else { return (String::new(), text) };
            let mut quoted = rest.split('`').step_by(2);
            let field = quoted.next().unwrap_or_default();
            (field.to_owned(), format!("is not a setting{}", suggestion(field, quoted)))
        }
    }
}

#[cfg(test)]
mod tests;
