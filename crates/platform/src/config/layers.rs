//! Reads the layers of a configuration and checks every key and kind against the documented defaults.
//!
//! The compiled-in files are the list of known keys; an empty table in them takes any key (`[upstreams]`).

use std::path::PathBuf;

use config::{ConfigError, FileFormat, Format, Map, Source, Value, ValueKind};

use super::faults::{Fault, suggestion};

/// The values of one layer; each knows its origin.
#[derive(Clone, Debug)]
pub(super) struct Layer(pub Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// What the process was given from outside: a file and variables. Tests make their own.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The file named by `TRATO_CONFIG`.
    pub file: Option<PathBuf>,
    /// All variables that start with `TRATO_`.
    pub variables: Vec<(String, String)>,
}

impl Environment {
    /// Reads the variables of this process; the only place that does.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            // A value that is not Unicode is read with replacement characters and then refused by its kind or range.
            name.into_string().ok().map(|name| (name, value.to_string_lossy().into_owned()))
        };
        Self::of(std::env::vars_os().filter_map(text))
    }

    /// Takes the variables given, of which only those that start with `TRATO_` count.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut variables: Vec<_> =
            variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
        variables.sort();
        let file = variables.iter().find(|(name, value)| name == FILE_VARIABLE && !value.is_empty());
        Self { file: file.map(|(_, path)| PathBuf::from(path)), variables }
    }
}

const PREFIX: &str = "TRATO_";
const FILE_VARIABLE: &str = "TRATO_CONFIG";

/// Parses a TOML text whose values will name `origin`.
pub(super) fn parse_text(origin: &str, text: &str, faults: &mut Vec<Fault>) -> Layer {
    match FileFormat::Toml.parse(Some(&origin.to_owned()), text) {
        Ok(values) => Layer(values),
        Err(error) => {
            let problem = error.to_string().trim_end().replace('\n', "\n    ");
            faults.push(Fault { key: "TOML".to_owned(), origin: origin.to_owned(), problem });
            Layer(Map::new())
        }
    }
}

/// Reads the file the environment names, checked against the known keys.
pub(super) fn read_file(environment: &Environment, known: &Value, faults: &mut Vec<Fault>) -> Layer {
    let Some(file) = &environment.file else { return Layer(Map::new()) };
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let mut layer = parse_text(&format!("file {}", file.display()), &text, faults);
            check_table(&mut layer.0, known, "", faults);
            layer
        }
        Err(error) => {
            let problem = format!("{} cannot be read: {error}", file.display());
            faults.push(Fault {
                key: FILE_VARIABLE.to_owned(),
                origin: "variable TRATO_CONFIG".to_owned(),
                problem,
            });
            Layer(Map::new())
        }
    }
}

/// Reads the variables of the environment, each by the kind of its documented default.
pub(super) fn read_variables(environment: &Environment, known: &Value, faults: &mut Vec<Fault>) -> Layer {
    let mut root = Value::new(None, Map::<String, Value>::new());
    for (name, text) in &environment.variables {
        if is_no_setting(name, environment) {
            continue;
        }
        let origin = format!("variable {name}");
        let path: Vec<String> = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect();
        let read = match documented(known, &path) {
            Some(reference) => parse_variable(&origin, text, reference),
            None => Err(format!("is not a setting{}", suggest_variable(name, known))),
        };
        match read {
            Ok(value) => insert(&mut root, &path, value),
            Err(problem) => faults.push(Fault { key: path.join("."), origin, problem }),
        }
    }
    let ValueKind::Table(mut values) = root.kind else { return Layer(Map::new()) };
    check_table(&mut values, known, "", faults);
    Layer(values)
}

/// Notes every key that is not documented and every value of another kind than its default, and takes them out.
pub(super) fn check_table(
    values: &mut Map<String, Value>,
    known: &Value,
    prefix: &str,
    faults: &mut Vec<Fault>,
) {
    let ValueKind::Table(known) = &known.kind else { return };
    if known.is_empty() {
        return;
    }
    values.retain(|key, value| {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let problem = match known.get(key) {
            None => format!("is not a setting{}", suggestion(key, known.keys().map(String::as_str))),
            Some(reference) if !same_kind(value, reference) => {
                format!("must be {}, not {}", kind(reference), kind(value))
            }
            Some(reference) => {
                if let ValueKind::Table(children) = &mut value.kind {
                    check_table(children, reference, &path, faults);
                }
                return true;
            }
        };
        let origin = first_origin(value).unwrap_or("file").to_owned();
        faults.push(Fault { key: path, origin, problem });
        false
    });
}

fn first_origin(value: &Value) -> Option<&str> {
    match &value.kind {
        ValueKind::Table(table) => value.origin().or_else(|| table.values().find_map(first_origin)),
        _ => value.origin(),
    }
}

/// Variables that share the prefix and are no settings: the file, the test stack, and what Kubernetes injects for a
/// Service called `trato-…` (`TRATO_SALES_SERVICE_HOST`, `TRATO_SALES_PORT_…`).
fn is_no_setting(name: &str, environment: &Environment) -> bool {
    let own = name == FILE_VARIABLE || name.starts_with("TRATO_STACK") || name.starts_with("TRATO_TEST");
    own || environment.variables.iter().filter_map(|(other, _)| other.strip_suffix("_SERVICE_HOST")).any(
        |service| {
            name.strip_prefix(service)
                .is_some_and(|rest| rest.starts_with("_SERVICE_") || rest.starts_with("_PORT"))
        },
    )
}

fn suggest_variable(name: &str, known: &Value) -> String {
    let mut names = Vec::new();
    collect_variables(known, "TRATO", &mut names);
    suggestion(name, names.iter().map(String::as_str))
}

fn collect_variables(known: &Value, prefix: &str, names: &mut Vec<String>) {
    let ValueKind::Table(table) = &known.kind else { return names.push(prefix.to_owned()) };
    let separator = if prefix == "TRATO" { "_" } else { "__" };
    for (key, value) in table {
        collect_variables(value, &format!("{prefix}{separator}{}", key.to_uppercase()), names);
    }
}

/// The default that documents the setting at `path`; a text for a key of a table that takes any key.
fn documented<'a>(known: &'a Value, path: &[String]) -> Option<&'a ValueKind> {
    static ANY: ValueKind = ValueKind::String(String::new());
    let Some((first, rest)) = path.split_first() else { return Some(&known.kind) };
    match &known.kind {
        ValueKind::Table(table) if table.is_empty() => rest.is_empty().then_some(&ANY),
        ValueKind::Table(table) => documented(table.get(first)?, rest),
        _ => None,
    }
}

fn parse_variable(origin: &str, text: &str, reference: &ValueKind) -> Result<Value, String> {
    let origin = origin.to_owned();
    let wrong = || format!("must be {}", kind(&Value::new(None, reference.clone())));
    let kind = match reference {
        ValueKind::Boolean(_) => ValueKind::Boolean(text.parse().map_err(|_| wrong())?),
        ValueKind::I64(_) => ValueKind::I64(text.trim().parse().map_err(|_| wrong())?),
        ValueKind::Float(_) => ValueKind::Float(text.trim().parse().map_err(|_| wrong())?),
        ValueKind::Array(_) | ValueKind::Table(_) => {
            let parsed = FileFormat::Toml.parse(Some(&origin), &format!("value = {text}"));
            let value = parsed.ok().and_then(|mut values| values.remove("value"));
            return value
                .filter(|value| same_kind(value, &Value::new(None, reference.clone())))
                .ok_or_else(wrong);
        }
        _ => ValueKind::String(text.to_owned()),
    };
    Ok(Value::new(Some(&origin), kind))
}

fn insert(root: &mut Value, path: &[String], value: Value) {
    let ValueKind::Table(table) = &mut root.kind else { return };
    match path {
        [] => {}
        [last] => {
            table.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let child =
                table.entry(first.clone()).or_insert_with(|| Value::new(None, Map::<String, Value>::new()));
            insert(child, rest, value);
        }
    }
}

fn same_kind(value: &Value, reference: &Value) -> bool {
    use ValueKind::{Array, Boolean, Float, I64, String, Table};
    matches!(
        (&value.kind, &reference.kind),
        (Boolean(_), Boolean(_))
            | (I64(_), I64(_))
            | (I64(_) | Float(_), Float(_))
            | (String(_), String(_))
            | (Array(_), Array(_))
            | (Table(_), Table(_))
    )
}

fn kind(value: &Value) -> &'static str {
    match &value.kind {
        ValueKind::Boolean(_) => "true or false",
        ValueKind::Float(_) => "a number",
        ValueKind::String(_) => "a text",
        ValueKind::Array(_) => "a list",
        ValueKind::Table(_) => "a table",
        ValueKind::Nil => "nothing",
        _ => "a whole number",
    }
}
