//! What a collector was sent, read line by line from what Rotel writes of it.

use std::collections::BTreeMap;

/// Names and values, as text.
pub type Attributes = BTreeMap<String, String>;

/// One span.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// Of the program.
    pub resource: Attributes,
    /// Name of the span.
    pub name: String,
    /// `SERVER`, `CLIENT`, `PRODUCER`, `CONSUMER` or `INTERNAL`.
    pub kind: String,
    /// Trace, in hex.
    pub trace: String,
    /// Itself, in hex.
    pub id: String,
    /// Its parent, in hex; empty for a root.
    pub parent: String,
    /// Its own attributes.
    pub attributes: Attributes,
}

/// One log record.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Of the program.
    pub resource: Attributes,
    /// `INFO` and the like.
    pub severity: String,
    /// What it says.
    pub body: String,
    /// Trace it was written within, in hex; empty outside of any.
    pub trace: String,
    /// Span it was written within, in hex.
    pub span: String,
}

/// What was sent.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// Every span.
    pub spans: Vec<Span>,
    /// Program and name of every metric.
    pub metrics: Vec<(String, String)>,
    /// Every log record.
    pub logs: Vec<Log>,
    /// All of it as text, for what must not be in it.
    pub text: String,
}

impl Span {
    /// Name of the program.
    pub fn service(&self) -> &str {
        service(&self.resource)
    }
}

impl Log {
    /// Name of the program.
    pub fn service(&self) -> &str {
        service(&self.resource)
    }
}

/// What the lines that come next are about.
#[derive(Debug, Default, Eq, PartialEq)]
enum Part {
    #[default]
    Resource,
    Span,
    Metric,
    Log,
}

/// Understands Rotel's lines.
#[derive(Debug, Default)]
pub struct Reader {
    received: Received,
    resource: Attributes,
    part: Part,
}

impl Reader {
    /// What was sent so far.
    pub fn received(&self) -> Received {
        self.received.clone()
    }

    /// Reads the next line.
    pub fn read(&mut self, line: &str) {
        self.received.text.push_str(line);
        self.received.text.push('\n');
        if line.starts_with("Resource attributes:") {
            self.resource.clear();
            self.part = Part::Resource;
        } else if line.starts_with("Span #") {
            self.part = Part::Span;
            self.received.spans.push(Span { resource: self.resource.clone(), ..Span::default() });
        } else if line.starts_with("Metric #") {
            self.part = Part::Metric;
        } else if line.starts_with("LogRecord #") {
            self.part = Part::Log;
            self.received.logs.push(Log { resource: self.resource.clone(), ..Log::default() });
        } else if let Some((name, value)) =
            line.trim_start().trim_start_matches("-> ").split_once(':').map(trimmed)
        {
            self.field(name, value, line.contains("-> "));
        }
    }

    fn field(&mut self, name: &str, value: &str, is_attribute: bool) {
        match self.part {
            Part::Resource if is_attribute => insert(&mut self.resource, name, value),
            Part::Metric if is_attribute && name == "Name" => {
                self.received.metrics.push((service(&self.resource).to_owned(), value.to_owned()));
            }
            Part::Span => {
                let Some(span) = self.received.spans.last_mut() else { return };
                match name {
                    _ if is_attribute => insert(&mut span.attributes, name, value),
                    "Trace ID" => span.trace = value.to_owned(),
                    "Parent ID" => span.parent = value.to_owned(),
                    "ID" => span.id = value.to_owned(),
                    // Events of a span have names too, and come after it.
                    "Name" if span.name.is_empty() => span.name = value.to_owned(),
                    "Kind" => span.kind = value.trim_start_matches("SPAN_KIND_").to_owned(),
                    _ => {}
                }
            }
            Part::Log if !is_attribute => {
                let Some(log) = self.received.logs.last_mut() else { return };
                match name {
                    "SeverityText" => log.severity = value.to_owned(),
                    "Body" => log.body = bare(value).to_owned(),
                    "Trace ID" => log.trace = value.to_owned(),
                    "Span ID" => log.span = value.to_owned(),
                    _ => {}
                }
            }
            Part::Resource | Part::Metric | Part::Log => {}
        }
    }
}

fn trimmed<'a>((name, value): (&'a str, &'a str)) -> (&'a str, &'a str) {
    (name.trim(), value.trim())
}

fn insert(attributes: &mut Attributes, name: &str, value: &str) {
    attributes.insert(name.to_owned(), bare(value).to_owned());
}

/// A value is written with its type: `Str(sales)`.
fn bare(value: &str) -> &str {
    value.split_once('(').and_then(|(_, value)| value.strip_suffix(')')).unwrap_or(value)
}

fn service(resource: &Attributes) -> &str {
    resource.get("service.name").map(String::as_str).unwrap_or_default()
}
